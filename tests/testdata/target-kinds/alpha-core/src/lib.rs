//! ```
//! assert_eq!(alpha_core::one(), 1);
//! ```

/// ```
/// assert_eq!(alpha_core::one(), 1);
/// ```
pub fn one() -> u32 {
    1
}

#[cfg(test)]
mod tests {
    #[test]
    fn one_is_one() {
        assert_eq!(super::one(), 1);
    }

    #[test]
    #[ignore = "slow"]
    fn one_is_slow() {}

    mod net {
        #[test]
        fn fetches() {}

        #[test]
        #[ignore]
        fn fetches_much() {}
    }
}
