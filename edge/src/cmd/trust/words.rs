//! A generation, and what changes from one to the next, in words.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::time::Duration;

use snapshot::trust::{Generation, Listed, ListedKey};
use snapshot::{Fingerprint, Namespace, SiteName, Timestamp};

/// Keys that end sooner than this are pointed out.
const SOON: Duration = Duration::from_secs(30 * 24 * 3600);

/// What each person may sign, with the end of each key, and how many it takes.
pub(super) fn generation(generation: &Generation, now: Timestamp) -> Vec<String> {
    let mut lines = Vec::new();
    for person in generation.listed() {
        let (roles, sites) = (roles(&person), sites(&person));
        lines.push(format!("{}: {roles} of {sites}", person.person));
        let keys = person.keys.iter();
        lines.extend(keys.map(|key| format!("  key {}", described(key, now))));
    }
    let thresholds = generation.thresholds().named().into_iter();
    let thresholds = thresholds.map(|(name, need)| format!("{name} {need}"));
    lines.push(format!("persons needed: {}", list(thresholds)));
    lines
}

/// What changes, one thing a line; empty if only remarks and spaces do.
pub(super) fn changes(old: &Generation, new: &Generation, now: Timestamp) -> Vec<String> {
    let mut lines = Vec::new();
    let by_name = |generation: &Generation| -> BTreeMap<String, Listed> {
        let listed = generation.listed().into_iter();
        listed.map(|it| (it.person.clone(), it)).collect()
    };
    let (before, after) = (by_name(old), by_name(new));
    for (name, gone) in before.iter().filter(|(name, _)| !after.contains_key(*name)) {
        let keys = list(gone.keys.iter().map(|key| key.key));
        lines.push(format!("- {name}, {}, is let go, with {keys}", roles(gone)));
    }
    for (name, new) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
        let (roles, sites) = (roles(new), sites(new));
        let keys = list(new.keys.iter().map(|key| described(key, now)));
        lines.push(format!(
            "+ {name} comes, as {roles} of {sites}, with {keys}"
        ));
    }
    for (name, old) in &before {
        if let Some(new) = after.get(name) {
            lines.extend(changed(old, new, now));
        }
    }
    let thresholds = old.thresholds().named().into_iter();
    for ((name, from), (_, to)) in thresholds.zip(new.thresholds().named()) {
        if from != to {
            lines.push(format!("~ {name} takes {to} persons instead of {from}"));
        }
    }
    lines
}

/// What may sign too little, or soon will.
pub(super) fn warnings(generation: &Generation, site: &SiteName, now: Timestamp) -> Vec<String> {
    let mut lines = Vec::new();
    let thresholds = generation.thresholds();
    for namespace in Namespace::ALL {
        let need = thresholds.needed(namespace, None);
        let able = |at| generation.persons_able(namespace, site, at);
        let (have, then) = (able(now), able(now.plus(SOON)));
        if have < need {
            lines.push(format!(
                "{namespace}: takes {need} persons, and {have} can sign now"
            ));
        } else if then < need {
            lines.push(format!(
                "{namespace}: takes {need} persons, and in 30 days {then} can sign"
            ));
        }
    }
    lines
}

fn changed(old: &Listed, new: &Listed, now: Timestamp) -> Vec<String> {
    let (name, mut lines) = (&old.person, Vec::new());
    let (from, to) = (roles(old), roles(new));
    if from != to {
        lines.push(format!("~ {name} is {to} instead of {from}"));
    }
    let (from, to) = (sites(old), sites(new));
    if from != to {
        lines.push(format!("~ {name} signs for {to} instead of {from}"));
    }
    let keys = |person: &Listed| -> BTreeMap<Fingerprint, ListedKey> {
        person
            .keys
            .iter()
            .map(|key| (key.key, key.clone()))
            .collect()
    };
    let (before, after) = (keys(old), keys(new));
    let known: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    for key in known {
        match (before.get(key), after.get(key)) {
            (Some(_), None) => lines.push(format!("- {name}: key {key} goes")),
            (None, Some(new)) => {
                lines.push(format!("+ {name}: key {} comes", described(new, now)));
            }
            (Some(old), Some(new)) if old != new => {
                lines.push(format!("~ {name}: key {} now", described(new, now)));
            }
            _ => {}
        }
    }
    lines
}

fn roles(person: &Listed) -> String {
    list(&person.roles)
}

fn sites(person: &Listed) -> String {
    person.sites.as_ref().map_or("every site".to_owned(), list)
}

/// A key, what it is listed for unless that is everything, and its dates.
fn described(key: &ListedKey, now: Timestamp) -> String {
    let mut text = key.key.to_string();
    if key.namespaces.len() < Namespace::ALL.len() {
        text += &format!(" for {}", list(&key.namespaces));
    }
    if let Some(starts) = key.starts {
        text += &format!(" from {}", starts.rfc3339());
    }
    match key.ends {
        Some(ends) if ends < now => text += &format!(", ENDED {}", ends.rfc3339()),
        Some(ends) => {
            let days = ends.since(now).as_secs() / 86_400;
            text += &format!(", ends {} (in {days} days)", ends.rfc3339());
        }
        None => {}
    }
    text
}

fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    match items.is_empty() {
        true => "nothing".to_owned(),
        false => items.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{key, site, trust_files};

    const NOW: Timestamp = Timestamp(1_795_323_900_000);

    fn line(name: &str, options: &str, seed: u8) -> String {
        let key = key(seed).public_key().to_openssh().unwrap();
        format!("{name}@dasom.example {options} {key}\n")
    }

    fn of(signers: &str, roles: &str) -> Generation {
        Generation::parse(signers, roles).unwrap()
    }

    fn sha(seed: u8) -> Fingerprint {
        Fingerprint::of(key(seed).public_key().key_data())
    }

    #[test]
    fn every_change_is_said_and_remarks_are_none() {
        let (signers, roles) = trust_files();
        let old = of(&signers, &roles);
        let remark = of(&format!("# hello\n{signers}"), &roles);
        assert_eq!(changes(&old, &remark, NOW), Vec::<String>::new());

        let to = line("sora", "namespaces=\"release@holdfast\"", 1)
            + &line("sora", "valid-before=\"20270101Z\"", 5)
            + &line("dori", "", 4);
        let policy = roles
            .replace("minho", "dori")
            .replace("sites = [\"dasom\"]", "sites = [\"*\"]")
            + "[thresholds]\nrelease = 1\n";
        let new = of(&to, &policy);
        let (minho, dori) = (sha(2), sha(4));
        let said = changes(&old, &new, NOW);
        for expected in [
            format!("- minho@dasom.example, operator, is let go, with {minho}"),
            format!("+ dori@dasom.example comes, as operator of every site, with {dori}"),
            "~ sora@dasom.example signs for every site instead of dasom".to_owned(),
            format!(
                "~ sora@dasom.example: key {} for release@holdfast now",
                sha(1)
            ),
            format!(
                "+ sora@dasom.example: key {}, ends 2027-01-01T00:00:00Z (in 39 days) comes",
                sha(5)
            ),
        ] {
            assert!(said.contains(&expected), "{expected}: {said:#?}");
        }
        assert_eq!(said.len(), 5, "{said:#?}");
        let back = changes(&new, &old, NOW);
        assert!(back.contains(&format!("- sora@dasom.example: key {} goes", sha(5))));
    }

    #[test]
    fn thresholds_and_roles_are_said() {
        let (signers, roles) = trust_files();
        let more = line("dori", "", 4) + &signers;
        let person =
            "[person.\"dori@dasom.example\"]\nroles = [\"operator\"]\nsites = [\"dasom\"]\n";
        let old = of(&more, &(person.to_owned() + &roles));
        let both = person.replace("[\"operator\"]", "[\"operator\", \"publisher\"]");
        let new = of(
            &more,
            &format!("{both}{roles}[thresholds]\nsite-order = 2\n"),
        );
        assert_eq!(
            changes(&old, &new, NOW),
            [
                "~ dori@dasom.example is publisher, operator instead of operator",
                "~ site-order takes 2 persons instead of 1",
                "~ trust takes 2 persons instead of 1",
            ]
        );
        let told = generation(&new, NOW).join("\n");
        assert!(told.contains("dori@dasom.example: publisher, operator of dasom\n  key SHA256:"));
        assert!(told.ends_with("persons needed: release 1, order 1, site-order 2, trust 2"));
    }

    #[test]
    fn too_few_who_can_sign_now_or_soon_are_pointed_out() {
        let (_, roles) = trust_files();
        let with = |options: &str| of(&(line("sora", "", 1) + &line("minho", options, 2)), &roles);
        assert!(warnings(&with(""), &site(), NOW).is_empty());
        let ended = with("valid-before=\"20260101Z\"");
        let said = warnings(&ended, &site(), NOW);
        assert_eq!(
            said[0],
            "order@holdfast: takes 1 persons, and 0 can sign now"
        );
        assert!(
            generation(&ended, NOW)
                .join("\n")
                .contains(", ENDED 2026-01-01T00:00:00Z")
        );
        let soon = with("valid-before=\"20261201Z\"");
        let said = warnings(&soon, &site(), NOW);
        assert_eq!(
            said[1],
            "trust@holdfast: takes 1 persons, and in 30 days 0 can sign"
        );
    }
}
