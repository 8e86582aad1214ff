//! Who may sign what, for people to read and for checks.

use std::collections::BTreeSet;

use crate::trust::policy::{Role, Sites};
use crate::trust::signers::Grant;
use crate::{Fingerprint, Generation, Namespace, SiteName, Timestamp};

/// A person of a generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// As `trust.toml` names them.
    pub person: String,
    /// What they may sign.
    pub roles: BTreeSet<Role>,
    /// For which sites; `None` is every one.
    pub sites: Option<BTreeSet<SiteName>>,
    /// Their keys, in the order of their names.
    pub keys: Vec<ListedKey>,
}

/// A key of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedKey {
    /// The key.
    pub key: Fingerprint,
    /// What it is listed for; the person's roles say which of it counts.
    pub namespaces: Vec<Namespace>,
    /// Its first moment, if it has one.
    pub starts: Option<Timestamp>,
    /// Its last moment (`valid-before`), if it has one.
    pub ends: Option<Timestamp>,
}

/// A key that may sign something for a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaySign {
    /// Whose it is.
    pub person: String,
    /// The key.
    pub key: Fingerprint,
    /// Its first moment, if it has one.
    pub starts: Option<Timestamp>,
    /// Its last moment, if it has one.
    pub ends: Option<Timestamp>,
}

impl Generation {
    /// Everybody, by name.
    #[must_use]
    pub fn listed(&self) -> Vec<Listed> {
        let persons = self.persons.iter();
        let listed = persons.map(|(name, person)| {
            let own = self.keys.iter();
            let own = own.filter(|(_, key)| key.person.as_ref() == Some(name));
            let keys = own.map(|(fingerprint, key)| {
                let grants = || key.grants.iter();
                let listed_for = |namespace: &Namespace| grants().any(|g| g.allows(*namespace));
                ListedKey {
                    key: *fingerprint,
                    namespaces: Namespace::ALL.into_iter().filter(listed_for).collect(),
                    starts: starts(grants()),
                    ends: ends(grants()),
                }
            });
            Listed {
                person: name.clone(),
                roles: person.roles.clone(),
                sites: match &person.sites {
                    Sites::All => None,
                    Sites::These(sites) => Some(sites.clone()),
                },
                keys: keys.collect(),
            }
        });
        listed.collect()
    }

    /// Each key that may sign this for `site`, at some time.
    #[must_use]
    pub fn may_sign(&self, namespace: Namespace, site: &SiteName) -> Vec<MaySign> {
        let able = self.keys.iter().filter_map(|(fingerprint, key)| {
            let (name, person) = self.person_of(key)?;
            let may = person.roles.contains(&Role::of(namespace)) && person.sites.has(site);
            let grants = || key.grants.iter().filter(|grant| grant.allows(namespace));
            (may && grants().next().is_some()).then(|| MaySign {
                person: name.to_owned(),
                key: *fingerprint,
                starts: starts(grants()),
                ends: ends(grants()),
            })
        });
        let mut able: Vec<MaySign> = able.collect();
        able.sort_by(|a, b| (&a.person, a.key).cmp(&(&b.person, b.key)));
        able
    }

    /// How many distinct persons could sign this for `site` at the moment `at`. Compare it with
    /// [`crate::trust::Thresholds::needed`].
    #[must_use]
    pub fn persons_able(&self, namespace: Namespace, site: &SiteName, at: Timestamp) -> usize {
        let able = self.may_sign(namespace, site).into_iter().filter(|key| {
            let begun = key
                .starts
                .is_none_or(|starts| starts.as_secs() <= at.as_secs());
            begun && key.ends.is_none_or(|ends| at.as_secs() <= ends.as_secs())
        });
        able.map(|key| key.person).collect::<BTreeSet<_>>().len()
    }
}

/// The earliest start of several lines; `None` if one of them has none.
fn starts<'a>(grants: impl Iterator<Item = &'a Grant>) -> Option<Timestamp> {
    let starts: Option<Vec<Timestamp>> = grants.map(|grant| grant.after).collect();
    starts?.into_iter().min()
}

/// The latest end of several lines; `None` if one of them has none.
fn ends<'a>(grants: impl Iterator<Item = &'a Grant>) -> Option<Timestamp> {
    let ends: Option<Vec<Timestamp>> = grants.map(|grant| grant.before).collect();
    ends?.into_iter().max()
}
