//! A pool of threads that render invoices.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;

/// Renders `invoices` on a few threads, leaving one CPU to the rest of the service.
///
/// The defect: on a machine with one CPU no thread is left, and the caller waits for ever.
pub fn render_all(invoices: u32) -> Vec<String> {
    let cpus = thread::available_parallelism().map_or(1, |cpus| cpus.get());
    let workers = (cpus - 1).min(4);
    let (jobs, inbox): (Sender<u32>, Receiver<u32>) = mpsc::channel();
    let (outbox, rendered) = mpsc::channel();
    let inbox = Arc::new(Mutex::new(inbox));
    for _ in 0..workers {
        let (inbox, outbox) = (Arc::clone(&inbox), outbox.clone());
        thread::spawn(move || {
            while let Some(number) = inbox.lock().ok().and_then(|inbox| inbox.recv().ok()) {
                let _ = outbox.send(format!("invoice {number}"));
            }
        });
    }
    for number in 0..invoices {
        let _ = jobs.send(number);
    }
    let mut pages: Vec<String> = rendered.iter().take(invoices as usize).collect();
    pages.sort();
    pages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_invoice_is_rendered() {
        assert_eq!(render_all(3), ["invoice 0", "invoice 1", "invoice 2"]);
    }

    #[test]
    fn no_invoice_is_no_page() {
        assert!(render_all(0).is_empty());
    }
}
