#[test]
fn outside() {}

mod net {
    #[test]
    fn connects() {}
}
