//! The final page of a run, for people: what was compared, what needs attention in the order of its importance, what
//! is stable and how sure that is, and what to do next. One file a part; each writes lines to one page.

use crate::domain::VerdictKind;

use super::page::Page;
use super::{Report, Style};

mod entries;
mod entry;
mod findings;
mod footer;
mod header;
mod knobs;
mod not_compared;
mod stable;

#[cfg(test)]
mod tests;

pub use footer::not_read;

/// Returns the page of `report`, ending with a line end.
pub fn render(report: &Report, style: &Style) -> String {
    let mut page = Page::new(style);
    if !style.quiet {
        header::write(&mut page, report, style);
        if report.run.blocks.is_none() {
            knobs::write(&mut page, report, style);
        }
    }
    for kind in VerdictKind::ALL {
        match kind {
            VerdictKind::Stable if style.quiet => {}
            VerdictKind::Stable => stable::write(&mut page, report, style),
            _ => findings::write(&mut page, report, kind, style),
        }
    }
    footer::write(&mut page, report, style);
    page.finish()
}
