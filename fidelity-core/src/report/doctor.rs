//! What `doctor` says: the machine, and what became of each setting that was tried on it.
//!
//! Must not know: any knob by name. Invariant: whether all is well is said by the page, the JSON and
//! [`Checkup::is_fit`] from the same rows.

mod json;
#[cfg(test)]
mod tests;

use super::number::things;
use super::page::{self, Indent, Page, Span, Tone, plain, span};
use super::words::next;
use super::{Style, text};
use crate::domain::{Machine, Tier, Tried};

pub use json::render as render_json;

/// The share of the page's columns that a setting may take.
const SETTING_SHARE: usize = 4;

/// The share of all CPUs that other programs may use before timings are called into question.
const QUIET: f64 = 0.25;

/// A machine and what was tried on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkup {
    /// The machine.
    pub machine: Machine,
    /// What was tried, in the order of the page.
    pub tried: Vec<Tried>,
    /// The file whose fidelity profiles were tried; none where it was the catalogue, or presets.
    pub file: Option<String>,
}

impl Checkup {
    /// Returns whether everything that the file asks for can be applied; always so without one.
    pub fn is_fit(&self) -> bool {
        self.file.is_none() || self.missing().next().is_none()
    }

    fn missing(&self) -> impl Iterator<Item = &Tried> {
        self.tried.iter().filter(|row| row.failed())
    }
}

/// Returns the page for people, ending with a line end.
pub fn render(checkup: &Checkup, style: &Style) -> String {
    let mut page = Page::new(style);
    write_machine(&mut page, &checkup.machine);
    page.blank();
    write_count(&mut page, checkup);
    for (title, rows) in groups(checkup) {
        page.blank();
        page.text(Indent::all(0), &[span(Tone::Strong, title)]);
        write_rows(&mut page, &rows);
    }
    if !style.quiet {
        write_end(&mut page, checkup);
    }
    page.finish()
}

fn write_machine(page: &mut Page, machine: &Machine) {
    let mut rows: Vec<(&str, Vec<Span>)> = vec![
        ("system", vec![plain(&machine.system)]),
        ("CPUs", vec![plain(machine.cpus.to_string())]),
    ];
    if let Some(memory) = machine.memory {
        let free = machine.memory_available;
        let free = free.map(|free| format!(", {} free", size(free)));
        rows.push((
            "memory",
            vec![plain(size(memory) + &free.unwrap_or_default())],
        ));
    }
    let facts = [
        ("user", &machine.user),
        ("cgroups", &machine.cgroups),
        ("namespaces", &machine.namespaces),
    ];
    for (name, fact) in facts {
        rows.extend(fact.as_ref().map(|fact| (name, vec![plain(fact)])));
    }
    if let Some(load) = machine.foreign_load {
        rows.push(("load", load_words(load, machine.cpus)));
    }
    for tool in &machine.tools {
        let version = match &tool.version {
            Ok(version) => plain(version),
            Err(reason) => span(Tone::Warn, reason),
        };
        rows.push((&tool.name, vec![version]));
    }
    let names = rows.iter().map(|(name, _)| text::width(name));
    let width = names.max().unwrap_or(0);
    page.text(Indent::all(0), &[span(Tone::Strong, "THIS MACHINE")]);
    for (name, fact) in rows {
        page.columns(2, &[vec![span(Tone::Faint, name)], fact], &[width]);
    }
}

fn load_words(load: f64, cpus: u64) -> Vec<Span> {
    let words = format!(
        "other programs use {load:.1} of {}",
        things(cpus.max(1), "CPU")
    );
    let busy = QUIET * f64::from(u32::try_from(cpus.max(1)).unwrap_or(u32::MAX)) < load;
    if busy {
        let advice = "; tests that depend on timing fail more often now, in both arms";
        vec![span(Tone::Warn, words), plain(advice)]
    } else {
        vec![plain(words)]
    }
}

/// Returns a size with one digit, in binary units.
fn size(bytes: u64) -> String {
    const MEBIBYTE: u64 = 1 << 20;
    let tenths = |unit: u64| {
        let tenths = bytes / (unit / 10);
        format!("{}.{}", tenths / 10, tenths % 10)
    };
    if bytes < 1 << 30 {
        format!("{} MiB", bytes / MEBIBYTE)
    } else {
        format!("{} GiB", tenths(1 << 30))
    }
}

fn write_count(page: &mut Page, checkup: &Checkup) {
    let all = checkup.tried.iter().filter(|row| row.applied.is_some());
    let settings = things(all.count() as u64, "setting");
    let missing = checkup.missing().count();
    let of = checkup.file.as_ref();
    let of = of.map_or_else(String::new, |file| format!(" of {file}"));
    let said = match missing {
        0 => span(Tone::GoodTitle, format!("ALL {settings}{of} work here")),
        _ => span(
            Tone::WarnTitle,
            format!("{missing} OF {settings}{of} cannot be applied here"),
        ),
    };
    let how = plain("; each was imposed on a process that said what it saw");
    page.text(Indent::all(0), &[said, how]);
}

/// Returns the rows of each title: those of a profile, or of a tier.
fn groups(checkup: &Checkup) -> Vec<(String, Vec<&Tried>)> {
    let mut groups: Vec<(String, Vec<&Tried>)> = Vec::new();
    let mut sorted: Vec<&Tried> = checkup.tried.iter().collect();
    // Stable: within a tier the order stays. Profiles keep theirs.
    sorted.sort_by_key(|row| row.profile.is_none().then_some(row.tier));
    for row in sorted {
        let title = match &row.profile {
            Some(profile) => format!("PROFILE {profile}"),
            None => format!("{}: {}", row.tier.name().to_uppercase(), needs(row.tier)),
        };
        match groups.last_mut().filter(|(last, _)| *last == title) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((title, vec![row])),
        }
    }
    groups
}

fn needs(tier: Tier) -> &'static str {
    match tier {
        Tier::Portable => "needs nothing that an ordinary user has not",
        Tier::Namespaced => "needs namespaces of the kernel",
        Tier::Privileged => "needs root, or what root can delegate",
    }
}

fn write_rows(page: &mut Page, rows: &[&Tried]) {
    let most = page.width() / SETTING_SHARE;
    let cells: Vec<[Vec<Span>; 3]> = rows.iter().map(|row| cells(row, most)).collect();
    let width = |column: usize| {
        let widths = cells.iter().map(|row| page::width(&row[column]));
        widths.max().unwrap_or(0)
    };
    let widths = [width(0), width(1)];
    for row in &cells {
        page.columns(2, row, &widths);
    }
}

fn cells(row: &Tried, most: usize) -> [Vec<Span>; 3] {
    let short = |words: &str| plain(text::cut(&text::clean(words), most));
    let status = match row.applied {
        Some(true) => vec![plain(&row.reason)],
        Some(false) => vec![
            span(Tone::Warn, "NOT APPLIED"),
            plain(": "),
            plain(&row.reason),
        ],
        None => vec![span(Tone::Faint, format!("not tried: {}", row.reason))],
    };
    [vec![short(&row.knob.0)], vec![short(&row.setting)], status]
}

fn write_end(page: &mut Page, checkup: &Checkup) {
    page.blank();
    if !checkup.is_fit() {
        let says = "a run leaves such knobs out of both arms; for what else there is:";
        next(page, 0, says, "cargo fidelity doctor --all");
    } else if checkup.file.is_none() && checkup.tried.iter().all(|row| row.profile.is_none()) {
        let says = "to try the settings of one fidelity profile together:";
        next(
            page,
            0,
            says,
            "cargo fidelity doctor --fidelity-profile preset:hostile",
        );
    }
}
