#[test]
fn is_fast() {}
