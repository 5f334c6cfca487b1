//! Environments that could not be provided, once more.

/// How often an environment is tried.
const TRIES: u32 = 2;

/// Makes passes until the environment of one is provided, a few at most: another program may have disturbed the first.
pub(super) fn until_provided<T, E>(
    mut pass: impl FnMut() -> Result<Result<T, String>, E>,
) -> Result<Result<T, String>, E> {
    let mut made = pass()?;
    for _ in 1..TRIES {
        if made.is_ok() {
            break;
        }
        made = pass()?;
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_that_is_not_provided_is_tried_once_more() {
        let tries = |mut passes: Vec<Result<Result<u32, &'static str>, &'static str>>| {
            passes.reverse();
            let mut made = 0;
            let ended = until_provided(|| {
                made += 1;
                passes
                    .pop()
                    .unwrap()
                    .map(|pass| pass.map_err(str::to_owned))
            });
            (ended, made)
        };
        let refused = |reason: &str| Ok(Err(reason.to_owned()));
        assert_eq!(tries(vec![Ok(Ok(7))]), (Ok(Ok(7)), 1));
        assert_eq!(tries(vec![Ok(Err("busy")), Ok(Ok(7))]), (Ok(Ok(7)), 2));
        let never = vec![Ok(Err("busy")), Ok(Err("gone")), Ok(Ok(7))];
        assert_eq!(tries(never), (refused("gone"), 2));
        // What is no refusal ends it at once.
        assert_eq!(tries(vec![Err("interrupted")]), (Err("interrupted"), 1));
    }
}
