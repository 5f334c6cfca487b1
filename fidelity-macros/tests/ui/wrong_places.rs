//! Annotations on what is no test.
use fidelity_macros::fidelity;

#[fidelity(kind = "unit")]
fn no_test() {}


#[fidelity(kind = "unit")]
struct NoFunction;

#[fidelity(kind = "unit")]
impl NoFunction {
    fn method() {}
}

#[fidelity(profiles("high"))]
mod with_tests_made_by_macros {
    macro_rules! tests { ($($tests:tt)*) => { $($tests)* } }
    tests! {
        #[test]
        fn out_of_reach() {}
    }
}

fn main() {}
