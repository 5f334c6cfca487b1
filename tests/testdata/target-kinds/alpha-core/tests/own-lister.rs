//! A harness of its own that lists its tests, among other lines, and filters them.

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    if has("--list") {
        if !has("--ignored") {
            println!("case/1 with space: test");
            println!("case/2,comma: test");
            println!("case: 3: test");
        }
        println!("case/ignored: test");
        return;
    }
    println!("test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out");
}
