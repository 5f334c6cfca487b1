#[test]
fn tool_runs() {}

fn main() {}
