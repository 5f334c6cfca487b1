//! What an element means where it stands.

use super::FailureKind;

/// An element that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// `<testsuites>`.
    Suites,
    /// `<testsuite>`.
    Suite,
    /// An unknown element among suites and cases: what stands in it counts all the same.
    Wrapper,
    /// `<testcase>`.
    Case,
    /// `<failure>` or `<error>` of a case.
    Failing(FailureKind),
    /// A trial before or after the one that decided.
    Retry {
        /// How it failed.
        kind: FailureKind,
        /// Whether the case passed after it.
        flaky: bool,
    },
    /// `<skipped>`.
    Skipped,
    /// `<system-out>` of a case or retry.
    Out,
    /// `<system-err>` of a case or retry.
    Err,
    /// `<stackTrace>` of a retry.
    Trace,
    /// `<properties>`.
    Properties,
    /// `<property>`.
    Property,
    /// Anything else; nothing in it matters.
    Foreign,
}

/// Returns what an element is below another one.
pub(super) fn child(parent: Node, name: &str) -> Node {
    use FailureKind::{Error, Failure};
    use Node::{Case, Failing, Foreign, Retry, Suite, Suites, Wrapper};
    let retry = |kind, flaky| Retry { kind, flaky };
    match parent {
        Suites | Suite | Wrapper => match name {
            "testcase" => Case,
            "testsuite" => Suite,
            "testsuites" => Suites,
            "properties" => Node::Properties,
            "system-out" | "system-err" => Foreign,
            _ => Wrapper,
        },
        Case => match name {
            "failure" => Failing(Failure),
            "error" => Failing(Error),
            "skipped" | "skip" | "ignored" | "disabled" => Node::Skipped,
            "system-out" => Node::Out,
            "system-err" => Node::Err,
            "flakyFailure" => retry(Failure, true),
            "flakyError" => retry(Error, true),
            "rerunFailure" => retry(Failure, false),
            "rerunError" => retry(Error, false),
            "properties" => Node::Properties,
            _ => Foreign,
        },
        Retry { .. } | Failing(_) => match name {
            "stackTrace" => Node::Trace,
            "system-out" => Node::Out,
            "system-err" => Node::Err,
            _ => Foreign,
        },
        Node::Properties if name == "property" => Node::Property,
        _ => Foreign,
    }
}
