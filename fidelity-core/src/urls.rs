//! URLs in texts that are stored or shown: who logs in is nobody's business.
//!
//! Must not know where a text comes from. Pure.

/// Returns what must not be shown of the URLs in `text`: of each user part with a password, the whole and the password.
///
/// A name alone is no secret, and hiding it wherever it occurs would eat the output.
pub fn passwords(text: &str) -> Vec<String> {
    let users = text.split("://").skip(1).filter_map(|after| {
        let (authority, _) = after.split_at(after.find(ends_authority).unwrap_or(after.len()));
        authority.rsplit_once('@')
    });
    users
        .filter_map(|(user, _)| {
            let (_, password) = user.split_once(':')?;
            Some([user.to_owned(), password.to_owned()])
        })
        .flatten()
        .collect()
}

fn ends_authority(c: char) -> bool {
    c.is_whitespace() || "/?#\"'`,<>".contains(c)
}

/// Returns `text` with the user part of every URL in it masked: `postgres://***@host/db`.
pub fn without_users(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        let (authority, others) = after.split_at(after.find(ends_authority).unwrap_or(after.len()));
        shown.push_str(before);
        shown.push_str("://");
        match authority.rsplit_once('@') {
            Some((_, host)) => {
                shown.push_str("***@");
                shown.push_str(host);
            }
            None => shown.push_str(authority),
        }
        rest = others;
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_part_of_a_url_is_masked_and_nothing_else_is() {
        for (text, shown) in [
            (
                "high.env.URL=postgres://ann:s3cret@db/x?y=z@w",
                "high.env.URL=postgres://***@db/x?y=z@w",
            ),
            ("a://u@b c://d e://f:g@h", "a://***@b c://d e://***@h"),
            ("a://b@c@d/e@f", "a://***@d/e@f"),
            ("no url, ann@db", "no url, ann@db"),
            ("://", "://"),
            ("x://@", "x://***@"),
        ] {
            assert_eq!(without_users(text), shown);
        }
    }

    #[test]
    fn only_passwords_are_secrets() {
        assert_eq!(
            passwords("a://ann:s3cret@db/x b://bob@c d://:pw@e"),
            ["ann:s3cret", "s3cret", ":pw", "pw"]
        );
        assert_eq!(passwords("ann:s3cret@db"), Vec::<String>::new());
    }
}
