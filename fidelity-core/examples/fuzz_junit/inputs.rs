//! Inputs: reports by the grammar, reports of the corpus, and what is left of either after some damage.

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::corpus::{REPORTS, WORDS};

/// Returns input `index` of a seed.
pub(crate) fn input(seed: u64, index: u64) -> Vec<u8> {
    let mut random = Pcg64Mcg::seed_from_u64(seed ^ index.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let mut bytes = match below(&mut random, 4) {
        0 => REPORTS[below(&mut random, REPORTS.len())]
            .as_bytes()
            .to_vec(),
        1 => words(&mut random),
        _ => {
            let mut report = String::new();
            suite(&mut random, &mut report, 0);
            report.into_bytes()
        }
    };
    for _ in 0..below(&mut random, 5) {
        damage(&mut random, &mut bytes);
    }
    encoded(&mut random, bytes)
}

fn below(random: &mut Pcg64Mcg, end: usize) -> usize {
    random.next_u32() as usize % end.max(1)
}

fn word(random: &mut Pcg64Mcg) -> &'static str {
    WORDS[below(random, WORDS.len())]
}

fn words(random: &mut Pcg64Mcg) -> Vec<u8> {
    let mut report = String::from("<testsuite>");
    for _ in 0..below(random, 40) {
        report.push_str(word(random));
    }
    report.into_bytes()
}

/// Appends a suite as tools write it.
fn suite(random: &mut Pcg64Mcg, report: &mut String, depth: usize) {
    report.push_str("<testsuite");
    attribute(random, report, "name");
    attribute(random, report, "timestamp");
    report.push('>');
    for _ in 0..below(random, 4) {
        match below(random, 6) {
            0 if depth < 8 => suite(random, report, depth + 1),
            1 => report.push_str("\n  <properties><property name='k' value='v'/></properties>"),
            2 => text(random, report, "system-out"),
            _ => case(random, report),
        }
    }
    report.push_str("\n</testsuite>");
}

fn case(random: &mut Pcg64Mcg, report: &mut String) {
    report.push_str("\n  <testcase");
    for name in ["name", "classname", "time", "status", "file"] {
        attribute(random, report, name);
    }
    if below(random, 3) == 0 {
        report.push_str("/>");
        return;
    }
    report.push('>');
    for _ in 0..below(random, 4) {
        const ELEMENTS: [&str; 9] = [
            "failure",
            "error",
            "skipped",
            "system-out",
            "system-err",
            "flakyFailure",
            "flakyError",
            "rerunFailure",
            "rerunError",
        ];
        let element = ELEMENTS[below(random, ELEMENTS.len())];
        text(random, report, element);
    }
    report.push_str("</testcase>");
}

fn text(random: &mut Pcg64Mcg, report: &mut String, element: &str) {
    report.push_str(&format!("\n    <{element}"));
    attribute(random, report, "message");
    report.push('>');
    for _ in 0..below(random, 4) {
        match below(random, 4) {
            0 => report.push_str("<![CDATA[a <b> & c]]>"),
            1 => report.push_str("&lt;&#10;&quot;"),
            2 => report.push_str(&"line of output\n".repeat(below(random, 30))),
            _ => report.push_str("text \u{fc}"),
        }
    }
    report.push_str(&format!("</{element}>"));
}

fn attribute(random: &mut Pcg64Mcg, report: &mut String, name: &str) {
    let value = match below(random, 7) {
        0 => return,
        1 => "0.5".to_owned(),
        2 => "x".repeat(below(random, 900)),
        3 => "/tmp/a1/b [seed=7] &amp; \u{e4}".to_owned(),
        4 => "a::b".to_owned(),
        5 => format!("case {}", below(random, 3)),
        _ => String::new(),
    };
    let quote = if below(random, 2) == 0 { '"' } else { '\'' };
    report.push_str(&format!(" {name}={quote}{value}{quote}"));
}

/// Changes some bytes.
fn damage(random: &mut Pcg64Mcg, bytes: &mut Vec<u8>) {
    let at = below(random, bytes.len() + 1);
    match below(random, 8) {
        0 => bytes.truncate(at),
        1 => {
            let end = (at + below(random, 20)).min(bytes.len());
            bytes.drain(at..end);
        }
        2 => {
            let end = (at + below(random, 60)).min(bytes.len());
            let piece = bytes[at..end].to_vec();
            let to = below(random, bytes.len() + 1);
            bytes.splice(to..to, piece);
        }
        3 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << below(random, 8);
            }
        }
        4 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = random.next_u32().to_le_bytes()[0];
            }
        }
        5 => {
            let times = below(random, 40);
            let piece = word(random).repeat(times);
            bytes.splice(at..at, piece.into_bytes());
        }
        _ => {
            let piece = word(random);
            bytes.splice(at..at, piece.bytes());
        }
    }
}

/// Writes some inputs in another encoding.
fn encoded(random: &mut Pcg64Mcg, bytes: Vec<u8>) -> Vec<u8> {
    let wide = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
        let text = String::from_utf8_lossy(&bytes);
        let marked = std::iter::once(0xFEFF).chain(text.encode_utf16());
        marked.flat_map(order).collect()
    };
    match below(random, 24) {
        0 => wide(u16::to_le_bytes),
        1 => wide(u16::to_be_bytes),
        2 => [&[0xEF, 0xBB, 0xBF], bytes.as_slice()].concat(),
        _ => bytes,
    }
}
