//! What mirrors and peers share, as `ops.toml` labels them.

use std::collections::BTreeSet;

use super::finding::{Finding, Topic};
use crate::config::ops::{EdgePlace, Labels, MirrorPlace};

/// Mirrors, or edges, that one failure takes together.
pub(super) fn findings(mirrors: &[MirrorPlace], edges: &[EdgePlace]) -> Vec<Finding> {
    let mirrors: Vec<&Labels> = mirrors.iter().map(|place| &place.labels).collect();
    let edges: Vec<&Labels> = edges.iter().map(|place| &place.labels).collect();
    let mut findings = Vec::new();
    for (what, labels) in [("mirror", mirrors), ("edge", edges)] {
        for (kind, of) in [
            ("network", network as fn(&Labels) -> Option<&str>),
            ("provider", provider),
        ] {
            findings.extend(shared(what, kind, &labels, of));
        }
    }
    findings
}

fn network(labels: &Labels) -> Option<&str> {
    labels.network.as_deref()
}

fn provider(labels: &Labels) -> Option<&str> {
    labels.provider.as_deref()
}

fn shared(
    what: &str,
    kind: &str,
    labels: &[&Labels],
    of: fn(&Labels) -> Option<&str>,
) -> Option<Finding> {
    if labels.is_empty() {
        let problem = format!("ops.toml names no {what} at all");
        let remedy =
            format!("add a second path: {what}s = [{{ url = \"...\", {kind} = \"...\" }}]");
        return (kind == "network").then(|| Finding::new(Topic::Places, problem, remedy));
    }
    let named: BTreeSet<&str> = labels.iter().filter_map(|labels| of(labels)).collect();
    let unnamed = labels.iter().filter(|labels| of(labels).is_none()).count();
    if unnamed > 0 {
        let of_all = labels.len();
        let problem = format!(
            "{unnamed} of {of_all} {what}s say no {kind}: whether they share it is not known"
        );
        let remedy = format!("write {kind} = \"...\" beside each {what} in ops.toml");
        return Some(Finding::new(Topic::Places, problem, remedy));
    }
    let only = named.first().filter(|_| named.len() == 1)?;
    let problem = match labels.len() {
        1 => format!("there is one {what}, on the {kind} {only}"),
        n => format!("all {n} {what}s share the {kind} {only}"),
    };
    let remedy = format!("put one {what} on another {kind}");
    Some(Finding::new(Topic::Places, problem, remedy))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mirror(network: Option<&str>, provider: Option<&str>) -> MirrorPlace {
        MirrorPlace {
            url: "file:///mirror".parse().unwrap(),
            labels: Labels {
                network: network.map(str::to_owned),
                provider: provider.map(str::to_owned),
            },
        }
    }

    fn told(mirrors: &[MirrorPlace]) -> Vec<String> {
        let findings = findings(mirrors, &[]).into_iter();
        let mirrors = findings.filter(|finding| finding.problem.contains("mirror"));
        mirrors.map(|finding| finding.problem).collect()
    }

    #[test]
    fn what_all_of_them_share_is_found_and_what_they_do_not_say_is_asked_for() {
        let kt = mirror(Some("kt"), Some("naver"));
        let lg = mirror(Some("lg"), Some("naver"));
        let unsaid = mirror(None, Some("nhn"));
        assert_eq!(
            told(&[kt.clone(), lg.clone()]),
            ["all 2 mirrors share the provider naver"]
        );
        assert_eq!(
            told(std::slice::from_ref(&kt)),
            [
                "there is one mirror, on the network kt",
                "there is one mirror, on the provider naver"
            ]
        );
        assert_eq!(
            told(&[kt, unsaid]),
            ["1 of 2 mirrors say no network: whether they share it is not known"]
        );
        assert_eq!(told(&[]), ["ops.toml names no mirror at all"]);
        let nhn = mirror(Some("kt"), Some("nhn"));
        assert!(told(&[lg, nhn]).is_empty());
    }
}
