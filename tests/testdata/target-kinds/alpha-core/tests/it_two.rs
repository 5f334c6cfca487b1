#[test]
fn outside() {}
