//! `cargo fidelity report`.

use fidelity_core::report::runs;
use fidelity_core::store::Store;

use super::output::{print, style};
use super::page::{Page, conditions};
use super::place::open_store;
use crate::cli::{Format, Global, ReportArgs};
use crate::error::CliError;
use crate::exit_code::ExitCode;

/// The longest list of runs.
const LISTED: usize = 100;

/// Prints a stored run, or the list of them.
pub fn run(arguments: &ReportArgs, global: &Global) -> Result<ExitCode, CliError> {
    let expressions = arguments.filtersets.parse()?;
    let store = open_store(global, &arguments.place)?;
    if arguments.list {
        let listed = store.runs(LISTED)?;
        let text = match global.format {
            Format::Human | Format::Junit | Format::Csv | Format::Markdown => {
                runs::render(&listed, &style(global))
            }
            Format::Json => runs::render_json(&listed),
        };
        print(&text)?;
        return Ok(ExitCode::Passed);
    }
    let conditions = conditions(&arguments.gate)?;
    let id = store.find_run(&arguments.run)?;
    let mut page = Page::load(&store, id)?;
    page.keep(&expressions)?;
    page.print(conditions, global)
}
