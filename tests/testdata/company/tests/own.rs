//! A harness of its own: two tests, one name at a time.

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let names: Vec<&String> = words.iter().filter(|word| !word.starts_with("--") && *word != "terse").collect();
    assert!(names.len() < 2, "one name at a time");
    if words.iter().any(|word| word == "--list") {
        if words.iter().all(|word| word != "--ignored") {
            println!("one: test\ntwo: test");
        }
        return;
    }
    let run = ["one", "two"].iter().filter(|test| names.iter().all(|name| name == *test)).count();
    println!("test result: ok. {run} passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
}
