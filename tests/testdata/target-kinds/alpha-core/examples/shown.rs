#[test]
fn shows() {}

fn main() {}
