//! What `attribute` prints: for each test what experiments showed, in full.

use serde::Serialize;

use super::Style;
use super::cause::{WireAttribution, WireCause, lines};
use super::json::{SCHEMA, pretty};
use super::page::{Indent, Page, Tone, plain};
use super::words::name;
use crate::domain::{Attribution, RunId, TestId};

/// A test with what was found out about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Attributed {
    /// The test.
    pub id: TestId,
    /// What it came to.
    pub attribution: Attribution,
}

/// Returns the page of some attributions, ending with a line end.
pub fn render(attributed: &[Attributed], style: &Style) -> String {
    let mut page = Page::new(style);
    for (position, one) in attributed.iter().enumerate() {
        if position > 0 {
            page.blank();
        }
        page.text(Indent::hanging(0), &name(&one.id, Tone::Strong));
        for line in lines(&one.attribution) {
            page.text(Indent::hanging(2), &[plain(line)]);
        }
    }
    page.finish()
}

#[derive(Serialize)]
struct Wire<'a> {
    schema: u32,
    run: String,
    attributions: Vec<WireOne<'a>>,
}

#[derive(Serialize)]
struct WireOne<'a> {
    binary: &'a str,
    test: &'a str,
    cause: Option<WireCause<'a>>,
    attribution: WireAttribution<'a>,
}

/// Returns attributions of a run as a JSON document.
pub fn render_json(run: RunId, attributed: &[Attributed]) -> String {
    pretty(&Wire {
        schema: SCHEMA,
        run: run.to_string(),
        attributions: attributed
            .iter()
            .map(|one| WireOne {
                binary: &one.id.binary.0,
                test: &one.id.test,
                cause: one.attribution.cause.as_ref().map(WireCause::from),
                attribution: WireAttribution::from(&one.attribution),
            })
            .collect(),
    })
}
