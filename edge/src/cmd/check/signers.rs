//! Who can sign, and for how long yet.

use std::collections::BTreeSet;
use std::time::Duration;

use snapshot::trust::Generation;
use snapshot::{Namespace, Scope, SiteName, Timestamp};

use super::finding::{Finding, Topic};

/// Too few signers, or one whose key ends within `soon`.
pub(super) fn findings(
    generation: Option<&Generation>,
    site: &SiteName,
    now: Timestamp,
    soon: Duration,
) -> Vec<Finding> {
    let Some(generation) = generation else {
        let problem = "nobody here knows who may sign: no trust files are named";
        let remedy = "set trust in ops.toml, or give --trust DIR";
        return vec![Finding::new(Topic::Signers, problem, remedy)];
    };
    let mut findings = Vec::new();
    let service = "any".parse().ok().map(Scope::Service);
    for (what, namespace, scope) in [
        ("releases", Namespace::Release, None),
        ("orders about a service", Namespace::Order, service.as_ref()),
        (
            "orders about the whole site",
            Namespace::Order,
            Some(&Scope::Site),
        ),
        ("a change of trust", Namespace::Trust, None),
    ] {
        let need = generation.thresholds().needed(namespace, scope);
        let able = generation.persons_able(namespace, site, now);
        let spare = "sign in another person: edge trust propose";
        if able < need {
            let problem = format!("{what}: {able} of the {need} persons needed can sign today");
            findings.push(Finding::new(Topic::Signers, problem, spare));
        } else if able == need {
            let who = match able {
                1 => "only one person can sign".to_owned(),
                n => format!("all {n} who can sign are needed"),
            };
            let problem = format!("{what}: {who}; one lost key stops it");
            findings.push(Finding::new(Topic::Signers, problem, spare));
        }
    }
    findings.extend(ending(generation, site, now, soon));
    findings
}

/// Each key whose end comes within `soon`, once, whatever it signs.
fn ending(
    generation: &Generation,
    site: &SiteName,
    now: Timestamp,
    soon: Duration,
) -> Vec<Finding> {
    let keys = Namespace::ALL.into_iter();
    let keys = keys.flat_map(|namespace| generation.may_sign(namespace, site));
    let ending: BTreeSet<(Timestamp, String, String)> = keys
        .filter_map(|key| Some((key.ends?, key.person, key.key.to_string())))
        .filter(|(ends, ..)| *ends >= now && *ends <= now.plus(soon))
        .collect();
    let findings = ending.into_iter().map(|(ends, person, key)| {
        let ends = ends.rfc3339();
        let problem = format!("the key {key} of {person} ends at {ends}");
        let remedy = "give them a new key, or this one a later end: edge trust propose";
        Finding::new(Topic::Signers, problem, remedy)
    });
    findings.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{generation, site};

    const SOON: Duration = Duration::from_secs(30 * 86_400);

    #[test]
    fn one_person_for_everything_is_told_for_each() {
        let now = Timestamp::from_secs(1_800_000_000);
        let findings = findings(Some(&generation()), &site(), now, SOON);
        let problems: Vec<&str> = findings.iter().map(|f| f.problem.as_str()).collect();
        let expected = "releases: only one person can sign; one lost key stops it";
        assert!(problems.contains(&expected), "{problems:?}");
    }

    #[test]
    fn a_key_that_ends_soon_is_told_once_and_one_that_has_ended_or_lasts_is_not() {
        let (signers, roles) = crate::fixture::trust_files();
        let line = crate::fixture::key(2).public_key().to_openssh().unwrap();
        let told = |now: &str| {
            let until = format!("valid-before=\"20270201Z\" {line}");
            let ending = Generation::parse(&signers.replace(&line, &until), &roles).unwrap();
            let now = Timestamp::parse(now).unwrap();
            let findings = findings(Some(&ending), &site(), now, SOON).into_iter();
            let problems = findings.map(|finding| finding.problem);
            problems
                .filter(|problem| problem.contains(" ends at "))
                .collect::<Vec<_>>()
        };
        let soon = told("2027-01-02T00:00:00Z");
        assert_eq!(soon.len(), 1, "{soon:?}");
        assert!(
            soon[0].contains(" of minho@dasom.example ends at 2027-0"),
            "{soon:?}"
        );
        assert!(told("2027-01-01T00:00:00Z").is_empty());
        assert!(told("2027-02-02T00:00:00Z").is_empty());
    }

    #[test]
    fn without_trust_files_that_is_the_finding() {
        let findings = findings(None, &site(), Timestamp(0), SOON);
        assert_eq!(findings.len(), 1);
    }
}
