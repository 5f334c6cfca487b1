//! XML of other tools, known by the name of its root.

/// Roots and what they are.
const KNOWN: [(&str, &str); 22] = [
    ("test-run", "an NUnit 3 report"),
    ("test-results", "an NUnit 2 report"),
    ("assemblies", "an xUnit.net report"),
    ("assembly", "an xUnit.net report"),
    ("TestRun", "a Visual Studio test report (TRX)"),
    ("testng-results", "a TestNG report"),
    ("result", "a result of Jenkins's own"),
    ("suites", "a result of Jenkins's own"),
    ("testResults", "a JMeter report"),
    ("testExecutions", "a SonarQube report"),
    ("robot", "a Robot Framework report"),
    ("Site", "a CTest report"),
    ("Catch", "a report in Catch2's own format"),
    ("Catch2TestRun", "a report in Catch2's own format"),
    ("doctest", "a report in doctest's own format"),
    ("CUNIT_TEST_RUN_REPORT", "a report in CUnit's own format"),
    ("TestLog", "a report in Boost.Test's own format"),
    ("TestResult", "a report in Boost.Test's own format"),
    ("project", "a build file of Maven or Ant"),
    ("coverage", "a coverage report"),
    ("checkstyle", "a Checkstyle report"),
    ("html", "an HTML page"),
];

/// Returns what a file with this root element is; none if that is not known.
pub(super) fn known(root: &str) -> Option<&'static str> {
    KNOWN
        .iter()
        .find(|(name, _)| *name == root)
        .map(|(_, what)| *what)
}
