//! `user`: who a test runs as, where the tool runs as root. Permissions then hold, as they do for the developers of a
//! project and for most services.
//!
//! HOME stays what it is unless the `home` knob changes it; USER and LOGNAME become the user's name unless the profile
//! says otherwise. What the user has to reach is the runner's to see to.

use serde::{Deserialize, Serialize};

use super::idmap::Owner;
use crate::domain::Tier;

use super::{CanaryReport, Family, KnobId, KnobValue, Sandbox, Scene, text};
use crate::exec::sys;
use crate::exec::sys::account::{Account, account};

pub(crate) const NAME: &str = "user";
/// The variables that hold the user's name.
const NAMES: [&str; 2] = ["LOGNAME", "USER"];

/// Who a process becomes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// What people call it.
    pub(crate) name: String,
    /// User and primary group.
    pub(crate) owner: Owner,
    /// Every group.
    pub(crate) groups: Vec<u32>,
}

/// Returns the account that a value names.
fn named(value: &KnobValue) -> Result<Account, String> {
    let name = text(value)?;
    account(name).ok_or_else(|| format!("there is no user `{name}` here: add one, or use a number"))
}

pub(super) struct User;

impl Family for User {
    fn owns(&self, knob: &KnobId) -> bool {
        knob.0 == NAME
    }

    fn prepare(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        sandbox: &mut Sandbox,
        _scene: &Scene<'_>,
    ) -> Result<(), String> {
        let account = named(value)?;
        let own = sys::effective_user();
        if account.user != own {
            if own != 0 {
                return Err(
                    "only root can run tests as another user: run the tool as root, in a container for \
                     example, or leave `user` out"
                        .to_owned(),
                );
            }
            sandbox.confinement.identity = Some(Identity {
                name: text(value)?.to_owned(),
                owner: Owner {
                    user: account.user,
                    group: account.group,
                },
                groups: account.groups,
            });
        }
        for variable in NAMES {
            let value = account.name.as_ref().map(Into::into);
            sandbox.variables.entry(variable.into()).or_insert(value);
        }
        Ok(())
    }

    fn observe(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        seen: &CanaryReport,
    ) -> Result<String, String> {
        let account = named(value)?;
        let person = &seen.person;
        if person.users != (account.user, account.user) {
            let (real, effective) = person.users;
            return Err(format!(
                "a process started with it is user {real}, in effect {effective}"
            ));
        }
        // Who is not changed keeps the groups there are.
        let changed = account.user != sys::effective_user();
        if changed && !has_groups(person, &account) {
            return Err(format!(
                "a process started with it is in the groups {:?}",
                person.supplementary
            ));
        }
        if let Some(error) = &person.executable_error {
            return Err(format!("it cannot read its own executable: {error}"));
        }
        if let Some(error) = &seen.tmpdir.write_error {
            return Err(format!("it cannot write to its TMPDIR: {error}"));
        }
        if account.user != 0 && person.kept_out != Some(true) {
            return Err("it can read a file that nobody may read".to_owned());
        }
        Ok(words(&account, seen))
    }

    fn tier(&self, _knob: &KnobId, _value: &KnobValue) -> Tier {
        Tier::Privileged
    }

    fn harsher(&self, _value: &KnobValue, _production: &KnobValue) -> bool {
        true
    }
}

fn has_groups(person: &crate::exec::canary::Person, account: &Account) -> bool {
    let sorted = |groups: &[u32]| {
        let mut groups = groups.to_vec();
        groups.sort_unstable();
        groups.dedup();
        groups
    };
    person.groups == (account.group, account.group)
        && sorted(&person.supplementary) == sorted(&account.groups)
}

/// Says what was seen of a user that arrived.
fn words(account: &Account, seen: &CanaryReport) -> String {
    let mut words = format!("user {}, group {}", account.user, account.group);
    match &seen.home.path {
        None => words.push_str("; HOME is not set"),
        Some(path) if seen.home.exists => words.push_str(&format!("; HOME is {path}")),
        Some(path) => words.push_str(&format!("; HOME is {path}, which it cannot reach")),
    }
    if !seen.person.mapped.is_empty() {
        words.push_str(&format!(
            "; sees as its own: {}",
            seen.person.mapped.join(", ")
        ));
    }
    words
}
