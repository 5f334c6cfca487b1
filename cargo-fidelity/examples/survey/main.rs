//! Runs the tool on crates of many kinds under each preset, and prints docs/survey.md.
//!
//! ```text
//! cargo run --release -p cargo-fidelity --example survey [-- OPTIONS] [CRATE ...] > docs/survey.md
//! ```
//!
//! `--place DIR` says where packages, builds and results are kept (`fidelity-survey` in the system's temporary directory
//! by default), `--fresh` runs again what has a result there, `--tool FILE` tries that binary instead of building one. An interrupted survey goes on where it was. Exits with 1 if
//! a hidden defect appears that nobody knows, or one is missed that a preset always finds; with 2 if a crate could not
//! be fetched, built or run.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

mod judgement;
#[path = "../real_crates/package.rs"]
mod package;
mod page;
mod result;
mod row;
mod rows;
#[path = "../real_crates/tool.rs"]
mod tool;

use judgement::Judgement;
use result::Place;
use row::{Preset, Row};
use tool::build_tool;

/// A row and what each preset came to.
struct Surveyed {
    row: &'static Row,
    judgements: [Judgement; Preset::ALL.len()],
}

struct Options {
    place: PathBuf,
    tool: Option<PathBuf>,
    fresh: bool,
    wanted: Vec<String>,
}

fn main() -> ExitCode {
    match options().and_then(|options| survey(&options)) {
        Ok(surprises) if surprises.is_empty() => ExitCode::SUCCESS,
        Ok(surprises) => {
            for surprise in surprises {
                eprintln!("{surprise}");
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn options() -> Result<Options, Box<dyn Error>> {
    let mut options = Options {
        place: std::env::temp_dir().join("fidelity-survey"),
        tool: None,
        fresh: false,
        wanted: Vec::new(),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--place" => {
                let place = arguments.next().ok_or("--place needs a directory")?;
                options.place = Path::new(&place).to_owned();
            }
            "--tool" => {
                let tool = arguments.next().ok_or("--tool needs a file")?;
                options.tool = Some(Path::new(&tool).canonicalize()?);
            }
            "--fresh" => options.fresh = true,
            option if option.starts_with('-') => {
                return Err(format!("there is no option `{option}`").into());
            }
            name if rows::all().any(|row| row.name == name) => {
                options.wanted.push(argument);
            }
            name => return Err(format!("there is no row for `{name}`").into()),
        }
    }
    Ok(options)
}

/// Surveys the rows that are wanted (all if none is named) and prints the page. Returns what differs from what is known.
fn survey(options: &Options) -> Result<Vec<String>, Box<dyn Error>> {
    let tool = match &options.tool {
        Some(tool) => tool.clone(),
        None => build_tool()?,
    };
    let place = Place::new(&options.place, &tool, options.fresh)?;
    let mut surveyed = Vec::new();
    let mut surprises = Vec::new();
    let wanted = |row: &&Row| {
        options.wanted.is_empty() || options.wanted.iter().any(|name| name == row.name)
    };
    for row in rows::all().filter(wanted) {
        let judgements = Preset::ALL.map(|preset| {
            let report = place.report(row, preset)?;
            Judgement::of(row, preset, &report)
        });
        let [realistic, hostile] = judgements;
        let judgements = [realistic?, hostile?];
        for judgement in &judgements {
            surprises.extend(judgement.surprises.iter().cloned());
        }
        surveyed.push(Surveyed { row, judgements });
    }
    print!("{}", page::render(&surveyed));
    Ok(surprises)
}
