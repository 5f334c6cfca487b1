//! One run of a command: starting it, and reading what it reports.
//!
//! Must not know: what a pass is for. Invariant: what is read was written by this run, and to its end.

use std::path::PathBuf;
use std::time::Duration;

use super::account::{Heard, Reported};
use super::cut_short::{self, Fate};
use super::select::Named;
use super::{Call, GRACE_MS, Tool};
use crate::domain::{Failure, TestId};
use crate::exec::ExecError;
use crate::exec::direct::{DirectRunner, Process, ProcessEnd, Provided};
use crate::exec::guardian::protocol::Ending;
use crate::exec::secrets::Mask;
use crate::ingest::failure::{self, Room};
use crate::ingest::inputs::{self, Input};
use crate::ingest::junit::{self, Case, Limits, ProblemKind};
use crate::ingest::naming::{Names, Rules};

/// What the reports of a pass say.
#[derive(Default)]
pub(super) struct Said {
    pub(super) heard: Heard,
    /// How they call the tests.
    pub(super) names: Vec<(TestId, Named)>,
}

/// Runs the command for `call` and reads its reports. The inner error is the reason why there is nothing to read.
pub(super) fn perform(
    ground: &mut DirectRunner,
    tool: &dyn Tool,
    (call, provided): (&Call<'_>, &Provided<'_>),
    (timeout_ms, seed): (u64, u64),
) -> Result<Result<(ProcessEnd, Said), String>, ExecError> {
    let prepared = match tool.prepare(call) {
        Ok(prepared) => prepared,
        Err(reason) => return Ok(Err(reason)),
    };
    let before = match prepared.patterns.matching() {
        Ok(before) => before,
        Err(reason) => return Ok(Err(reason)),
    };
    let (directory, variables) = tool.place();
    let process = Process {
        command: &prepared.command,
        variables,
        directory,
        timeout_ms,
        grace_ms: GRACE_MS,
        seed,
        secrets: &prepared.secrets,
    };
    let end = ground.run_process(&process, provided.sandbox)?;
    if let Ending::NotStarted { .. } | Ending::Cancelled | Ending::Lost(_) = &end.ending {
        return Ok(Err(format!("the command {}", end.in_words())));
    }
    let mask = Mask::new(
        provided
            .sandbox
            .secrets
            .iter()
            .chain(&prepared.secrets)
            .cloned(),
    );
    Ok(prepared.patterns.matching().map(|now| {
        let (files, stale) = now.written_since(&before);
        let cut = cut_short::was_cut(&end.ending, &end.output);
        let interrupted = cut.then_some(call.timeout_factor);
        let rules = prepared.rules.clone();
        let mut said = read(&files, (tool, rules), &mask, interrupted);
        said.heard.stale = stale;
        (end, said)
    }))
}

/// What is kept of the failing trial of a test.
type Keep<'a> = dyn FnMut(&Case, &TestId) -> Failure + 'a;

/// Returns the trial of a case; none where the test was running when the command was interrupted.
fn reported(
    case: &Case,
    (id, tool): (&TestId, &dyn Tool),
    interrupted: Option<u32>,
    keep: &mut Keep<'_>,
) -> Option<Reported> {
    let fate = interrupted.map_or(Fate::Ended(case.trial.outcome), |factor| {
        let limit_ms = tool.limit_ms(id);
        cut_short::fate(case, limit_ms.map(|ms| ms.saturating_mul(factor.into())))
    });
    let Fate::Ended(outcome) = fate else {
        return None;
    };
    let changed = (outcome != case.trial.outcome).then(|| {
        let mut case = case.clone();
        case.trial.outcome = outcome;
        case
    });
    let case = changed.as_ref().unwrap_or(case);
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    Some(Reported {
        id: id.clone(),
        outcome,
        duration_us: case.trial.duration.map_or(0, micros),
        failure: outcome.is_failure().then(|| Box::new(keep(case, id))),
    })
}

/// Reads reports. Those of a command that was interrupted come with the factor of its time limits.
fn read(
    files: &[PathBuf],
    (tool, rules): (&dyn Tool, Rules),
    mask: &Mask,
    interrupted: Option<u32>,
) -> Said {
    let mut said = Said::default();
    let mut names = Names::new(rules);
    let mut room = Room::default();
    let mut keep = |case: &Case, id: &TestId| {
        let mask = |text: Vec<u8>, cut: Option<usize>| mask.apply(text, cut);
        let mut failure = failure::of_case(case, &id.test, &mask);
        room.fit(&mut failure.output);
        failure
    };
    for file in files {
        let mut trials = Vec::new();
        // The directory of a pass is gone when somebody reads what is said of it.
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        names.begin_report();
        let mut take = |case: &Case| {
            // pytest writes a case without a name for the test that was interrupted.
            if interrupted.is_some() && case.name.is_empty() {
                return;
            }
            let (id, varies) = match tool.identify(case) {
                Some(id) => (id, false),
                None => {
                    let placed = names.place(case, &name);
                    (placed.id, placed.varies)
                }
            };
            said.names.push((id.clone(), Named::of(case, varies)));
            match reported(case, (&id, tool), interrupted, &mut keep) {
                Some(trial) => trials.push(trial),
                None => said.heard.running.push(id),
            }
        };
        let summary = inputs::read(&Input::File(file.clone()), &Limits::default(), &mut take);
        if let Some(broken) = summary.broken() {
            let broken = junit::Problem {
                source: name,
                ..broken.clone()
            };
            said.heard.broken.push(broken.to_string());
            continue;
        }
        said.heard.whole += 1;
        said.heard.trials.append(&mut trials);
        let script = summary
            .problems
            .iter()
            .find(|problem| problem.kind == ProblemKind::SetupScript);
        if let Some(problem) = script {
            said.heard
                .not_provided
                .get_or_insert(problem.message.clone());
        }
    }
    said.heard.names = names.finish().iter().map(ToString::to_string).collect();
    said
}

#[cfg(test)]
mod tests {
    use super::super::any::AnyCommand;
    use super::*;
    use crate::domain::{BlockId, RunnerSettings};
    use crate::ingest::rows::{self, Reading};

    /// As pytest, Surefire, cargo-nextest and the libtest of cargo2junit write it.
    const REPORT: &str = r#"<testsuites><testsuite name="shop">
<testcase classname="tests.test_cart" name="test_total" time="0.1">
<failure message="AssertionError: assert 3 == 4&#10; +  where 3 = total()">def test_total():
&gt;   assert total() == 4
E   AssertionError

tests/test_cart.py:17: AssertionError</failure>
<system-out>loading hunter2</system-out></testcase>
<testcase classname="org.CartTest" name="total" time="0.1">
<error type="java.lang.IllegalStateException" message="no cart 17">java.lang.IllegalStateException: no cart 17
	at org.CartTest.total(CartTest.java:17)</error></testcase>
<testcase classname="shop" name="tests::dies" time="0.1">
<failure type="test abort" message="process aborted with signal 6 (SIGABRT)">process aborted with signal 6 (SIGABRT)</failure>
<system-err>thread 'tests::dies' panicked at src/lib.rs:3:5:
no 17</system-err></testcase>
<testcase classname="shop" name="tests::hangs" time="0.1"><failure type="test timeout"/></testcase>
<testcase classname="shop" name="tests::panics" time="0.1">
<failure type="test failure" message="thread panicked">thread 'tests::panics' panicked at src/lib.rs:9:5:
no 18</failure></testcase>
<testcase classname="shop" name="silent" time="0.1"><failure/></testcase>
</testsuite></testsuites>"#;

    #[test]
    fn a_report_says_the_same_of_a_failure_whoever_reads_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("junit.xml");
        std::fs::write(&path, REPORT).unwrap();
        let settings = RunnerSettings {
            command: vec!["sh".to_owned()],
            ..RunnerSettings::default()
        };
        let tool = AnyCommand::find(&settings, directory.path()).unwrap();
        let by_command = read(&[path], (&tool, Rules::default()), &Mask::default(), None);
        let trials = by_command.heard.trials.into_iter();
        let by_command: Vec<_> = trials.map(|it| (it.id, it.failure)).collect();
        let reading = Reading {
            arm: None,
            block: BlockId::default(),
            profiles: None,
            rules: Rules::default(),
            limits: Limits::default(),
            failures: true,
            remarks: false,
        };
        let mut ingested = Vec::new();
        let _outcomes = rows::read(REPORT.as_bytes(), "junit.xml", &reading, &mut |row| {
            ingested.push((row.id, row.failure));
        });
        assert_eq!(by_command, ingested);
        let signature = |(_, failure): &(TestId, Option<Box<Failure>>)| {
            failure.as_ref().map(|failure| failure.signature.clone())
        };
        let signatures: Vec<String> = ingested.iter().filter_map(signature).collect();
        insta::assert_snapshot!(signatures.join("\n"), @r"
        tests/test_cart.py:#: AssertionError: assert # == #
        at org.CartTest.total(CartTest.java:#): java.lang.IllegalStateException: no cart #
        died of signal 6 (SIGABRT); src/lib.rs:3:5: no #
        timed out
        src/lib.rs:9:5: no #
        failed
        ");
    }
}
