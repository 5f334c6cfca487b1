//! One test aborts the process in the middle, alone as well.

macro_rules! passing {
    ($($name:ident)*) => { $(#[test] fn $name() {})* };
}

passing!(a b c d e g h i j k);

#[test]
fn f_aborts() {
    std::process::abort();
}

#[test]
fn fa_fails() {
    panic!("an ordinary failure");
}
