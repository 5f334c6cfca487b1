extern "C" {
    fn answer() -> i32;
}

/// The answer of the shared library, without which the binary does not even start.
pub fn the_answer() -> i32 {
    unsafe { answer() }
}

/// What a procedural macro made.
pub const MADE: u32 = derive::seven!();

#[cfg(test)]
#[path = "../../report.rs"]
mod report;

#[test]
fn reports() {
    assert_eq!((the_answer(), MADE), (42, 7));
    assert_eq!(env!("FROM_BUILD_SCRIPT"), "set by the build script");
    assert_eq!(include_str!(concat!(env!("OUT_DIR"), "/made.txt")), "made by the build script");
    report::write();
}
