#[test]
fn main_runs() {}

fn main() {}
