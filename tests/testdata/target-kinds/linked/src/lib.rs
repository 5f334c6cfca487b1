#[test]
fn links() {}
