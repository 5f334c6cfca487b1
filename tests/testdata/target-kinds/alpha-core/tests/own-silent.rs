//! A harness of its own that does not know of listing.

fn main() {
    println!("all is well");
}
