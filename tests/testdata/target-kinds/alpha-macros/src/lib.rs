//! ```ignore
//! no
//! ```
#[test]
fn expands() {}
