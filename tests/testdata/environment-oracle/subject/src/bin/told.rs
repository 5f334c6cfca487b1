fn main() {
    println!("{}", subject::the_answer());
}

#[cfg(test)]
#[path = "../../../report.rs"]
mod report;

#[test]
fn reports() {
    report::write();
}
