//! How each edge says it is: reached, its alarms, its certificates, its last rehearsals, its room.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use snapshot::{Manifest, SiteName, Timestamp};

use super::finding::{Finding, Topic};
use super::told::{Told, of_site};
use crate::alarm::Alarm;
use crate::cmd::ops::plain::plain;

/// What only edges can tell.
const TOLD_BY_EDGES: [Topic; 4] = [
    Topic::Age,
    Topic::Certificates,
    Topic::Rehearsal,
    Topic::Room,
];

/// What an edge is held to.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    pub(super) now: Timestamp,
    pub(super) rehearsed_within: Duration,
    pub(super) ending_within: Duration,
    /// The services of which there is a route to rehearse; `None`: nobody knows.
    pub(super) rehearsable: Option<BTreeSet<String>>,
}

/// The services that have a route which is the origin's in calm.
pub(super) fn rehearsable(manifest: &Manifest) -> BTreeSet<String> {
    let routes = manifest.routes.iter().filter(|route| !route.always);
    routes.map(|route| route.service.to_string()).collect()
}

/// What every edge said. Of one that said nothing nothing is well.
pub(super) fn findings(told: &[Told], site: &SiteName, policy: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut untold = Vec::new();
    for edge in told {
        let name = plain(&edge.name);
        match &edge.status {
            Ok(status) => match of_site(status, site) {
                Some(entry) => findings.extend(of_edge(edge, status, entry, policy)),
                None => {
                    let problem = format!("{name} does not serve {site}");
                    let remedy = format!("add [[site]] name = \"{site}\" to its edge.toml");
                    findings.push(Finding::new(Topic::Edges, problem, remedy));
                    untold.push(name);
                }
            },
            Err(no) => {
                let why = plain(&format!("{name}: {}", no.why));
                findings.push(Finding::unseen(Topic::Edges, why, no.remedy));
                untold.push(name);
            }
        }
    }
    if told.is_empty() {
        let remedy = "set edges in ops.toml, or give --edge URL";
        findings.push(Finding::unseen(Topic::Edges, "no edge is named", remedy));
        untold.push("no edge is named".to_owned());
    }
    if !untold.is_empty() {
        let (who, remedy) = (untold.join(", "), "mend what is said of these edges");
        let each = TOLD_BY_EDGES.into_iter();
        findings.extend(each.map(|topic| Finding::unseen(topic, who.clone(), remedy)));
    }
    findings
}

/// What one edge's `/status` says, as a whole and of the site.
fn of_edge(edge: &Told, status: &Value, entry: &Value, policy: &Policy) -> Vec<Finding> {
    let name = plain(&edge.name);
    let mut findings = alarms(&name, entry);
    if entry.get("release").is_none_or(Value::is_null) {
        let problem = format!("{name} holds no release");
        let remedy = "see `doing` and `refusals` in its /status";
        findings.push(Finding::new(Topic::Edges, &problem, remedy));
        for topic in [Topic::Age, Topic::Rehearsal] {
            findings.push(Finding::unseen(topic, &problem, remedy));
        }
    }
    findings.extend(certificates(&name, status, entry, policy));
    findings.extend(room(&name, entry));
    findings.extend(rehearsals(&name, edge, entry, policy));
    findings
}

/// The alarms that are raised, each with the next step that its reason names.
fn alarms(name: &str, entry: &Value) -> Vec<Finding> {
    let raised = entry.get("alarms").and_then(Value::as_array);
    let finding = |raised: &Value| {
        let alarm = raised.get("alarm")?.as_str()?;
        let why = raised
            .get("why")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let known = Alarm::of(alarm);
        let topic = match known {
            Some(Alarm::AgeOverPolicy) => Topic::Age,
            Some(Alarm::CertificateOrClock) => Topic::Certificates,
            Some(Alarm::Disk) => Topic::Room,
            _ => Topic::Edges,
        };
        let remedy = known.map_or("see `alarms` in its /status", Alarm::next);
        Some(Finding::new(
            topic,
            plain(&format!("{name}: {alarm}: {why}")),
            remedy,
        ))
    };
    raised.into_iter().flatten().filter_map(finding).collect()
}

/// Certificates that end soon, but for those of which an alarm tells already.
fn certificates(name: &str, status: &Value, entry: &Value, policy: &Policy) -> Vec<Finding> {
    let Some(all) = status.get("certificates").and_then(Value::as_array) else {
        let why = format!("{name} does not tell when its certificates end");
        let remedy = "bring that edge to the version of this program";
        return vec![Finding::unseen(Topic::Certificates, why, remedy)];
    };
    let raised = entry.get("alarms").and_then(Value::as_array);
    let raised = raised.into_iter().flatten();
    let whys: Vec<&str> = raised
        .filter_map(|raised| raised.get("why")?.as_str())
        .collect();
    let finding = |one: &Value| {
        let (file, ends) = (one.get("file")?.as_str()?, one.get("ends")?.as_str()?);
        let is_near = Timestamp::parse(ends)? <= policy.now.plus(policy.ending_within);
        if !is_near || whys.iter().any(|why| why.contains(file)) {
            return None;
        }
        let problem = plain(&format!("{name}: the certificate of {file} ends at {ends}"));
        let remedy = "put a new one in its place, and start that edge anew";
        Some(Finding::new(Topic::Certificates, problem, remedy))
    };
    all.iter().filter_map(finding).collect()
}

/// One more release may bring as much as all that is held, if everything in it changed.
fn room(name: &str, entry: &Value) -> Option<Finding> {
    let number = |field: &str| {
        entry
            .pointer(&format!("/store/{field}"))
            .and_then(Value::as_u64)
    };
    let (Some(free), Some(held)) = (number("free_bytes"), number("bytes")) else {
        let why = format!("the disk of {name} does not tell its room");
        let remedy = "look at it there: df, on the folder `data` of its edge.toml";
        return Some(Finding::unseen(Topic::Room, why, remedy));
    };
    (free < held).then(|| {
        let problem =
            format!("{name}: {free} bytes free, and a release of all new data takes up to {held}");
        let remedy = "make room, or move `data` of its edge.toml to a larger disk";
        Finding::new(Topic::Room, problem, remedy)
    })
}

/// Services that were not rehearsed lately, or did not pass. What cannot be rehearsed on this edge, since
/// it has no origin or the service no route of it, is not asked for.
fn rehearsals(name: &str, edge: &Told, entry: &Value, policy: &Policy) -> Option<Finding> {
    if entry.get("origin").is_none_or(Value::is_null) {
        return None;
    }
    let within = u64::try_from(policy.rehearsed_within.as_millis()).unwrap_or(u64::MAX);
    let oldest = Timestamp(policy.now.0.saturating_sub(within));
    let services = entry.get("services").and_then(Value::as_array);
    let missing: Vec<&str> = services
        .into_iter()
        .flatten()
        .filter(|service| {
            let last = service.get("last_rehearsal");
            let at = last.and_then(|last| last.get("at")).and_then(Value::as_str);
            let at = at.and_then(Timestamp::parse);
            let passed = last
                .and_then(|last| last.get("passed"))
                .and_then(Value::as_bool);
            at.is_none_or(|at| at < oldest) || passed != Some(true)
        })
        .filter_map(|service| service.get("name").and_then(Value::as_str))
        .filter(|service| {
            let all = policy.rehearsable.as_ref();
            all.is_none_or(|all| all.contains(*service))
        })
        .collect();
    let first = missing.first()?;
    let (since, services) = (oldest.rfc3339(), missing.join(", "));
    let problem = plain(&format!(
        "{name}: no passed rehearsal since {since}: {services}"
    ));
    let site = entry
        .get("site")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let at = match &edge.control {
        Some(control) => format!("--edge {control}"),
        None => "--config edge.toml".to_owned(),
    };
    let remedy = plain(&format!(
        "on the machine of {name}: edge rehearse {at} --site {site} --service {first} --share 5% \
         --for 10m"
    ));
    Some(Finding::new(Topic::Rehearsal, problem, remedy))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::told::Untold;
    use super::*;
    use crate::fixture::site;

    fn policy() -> Policy {
        Policy {
            now: Timestamp::from_secs(1_800_000_000),
            rehearsed_within: Duration::from_secs(86_400),
            ending_within: Duration::from_secs(30 * 86_400),
            rehearsable: None,
        }
    }

    fn edge(status: Result<Value, Untold>) -> Told {
        Told {
            name: "seoul-1".to_owned(),
            control: "http://10.0.0.1:8081".parse().ok(),
            status,
        }
    }

    fn found(site_status: &Value, policy: &Policy) -> Vec<Finding> {
        let status = json!({ "name": "seoul-1", "certificates": [], "sites": [site_status] });
        findings(&[edge(Ok(status))], &site(), policy)
    }

    fn told(site_status: &Value) -> Vec<(Topic, String)> {
        let findings = found(site_status, &policy()).into_iter();
        findings
            .map(|finding| (finding.topic, finding.problem))
            .collect()
    }

    fn rehearsed(at: u64, passed: bool) -> Value {
        let at = Timestamp::from_secs(at).rfc3339();
        json!([{ "name": "pay", "last_rehearsal": { "at": at, "passed": passed } }])
    }

    /// An edge with these services, and well otherwise.
    fn with(services: &Value) -> Value {
        let store = json!({ "bytes": 5, "free_bytes": 6 });
        json!({ "site": "dasom", "origin": "http://o", "release": {}, "alarms": [], "store": store, "services": services })
    }

    #[test]
    fn an_edge_that_is_well_is_not_told_of() {
        assert_eq!(told(&with(&rehearsed(1_799_990_000, true))), []);
    }

    #[test]
    fn each_thing_that_is_not_well_is_told_once() {
        let raised = |alarm: &str| json!({ "alarm": alarm, "why": "so it is" });
        let mut ill = with(&rehearsed(1_799_000_000, true));
        ill["alarms"] = json!([
            raised("age-over-policy"),
            raised("certificate-or-clock"),
            raised("disk"),
            raised("fork")
        ]);
        ill["store"] = json!({ "bytes": 6, "free_bytes": 5 });
        let topics: Vec<Topic> = told(&ill).into_iter().map(|(topic, _)| topic).collect();
        let expected = [
            Topic::Age,
            Topic::Certificates,
            Topic::Room,
            Topic::Edges,
            Topic::Room,
            Topic::Rehearsal,
        ];
        assert_eq!(topics, expected);
        assert_eq!(told(&with(&rehearsed(1_799_990_000, false))).len(), 1);
        assert_eq!(told(&with(&json!([{ "name": "pay" }]))).len(), 1);
    }

    #[test]
    fn what_was_not_looked_at_is_never_well() {
        let other = told(&json!({ "site": "other" }));
        assert_eq!(other[0].1, "seoul-1 does not serve dasom");
        let topics: Vec<Topic> = other.iter().map(|(topic, _)| *topic).collect();
        assert_eq!(topics.get(1..).unwrap(), TOLD_BY_EDGES);
        let untold = Untold {
            why: "no control listener of it is known".to_owned(),
            remedy: "write it",
        };
        for told in [vec![edge(Err(untold))], Vec::new()] {
            let found = findings(&told, &site(), &policy());
            let unseen = |topic| {
                let mut about = found.iter().filter(|finding| finding.topic == topic);
                about.any(|finding| finding.problem.starts_with("not looked at: "))
            };
            assert!(TOLD_BY_EDGES.into_iter().all(unseen), "{found:?}");
            assert!(unseen(Topic::Edges), "{found:?}");
        }
        // A disk that does not tell, an edge without a release, an older edge.
        let mut silent = with(&json!([]));
        silent["store"]["free_bytes"] = Value::Null;
        silent["release"] = Value::Null;
        let status = json!({ "name": "seoul-1", "sites": [silent] });
        let found = findings(&[edge(Ok(status))], &site(), &policy());
        let topics: Vec<Topic> = found.iter().map(|finding| finding.topic).collect();
        let expected = [
            Topic::Edges,
            Topic::Age,
            Topic::Rehearsal,
            Topic::Certificates,
            Topic::Room,
        ];
        assert_eq!(topics, expected);
    }

    #[test]
    fn what_cannot_be_rehearsed_is_not_asked_for_and_what_can_is_with_the_whole_command() {
        let mut never = with(&json!([{ "name": "club" }, { "name": "pay" }]));
        let only = |name: &str| Policy {
            rehearsable: Some(BTreeSet::from([name.to_owned()])),
            ..policy()
        };
        let asked = found(&never, &only("pay"));
        assert!(asked[0].problem.ends_with(": pay"), "{asked:?}");
        assert_eq!(
            asked[0].remedy,
            "on the machine of seoul-1: edge rehearse --edge http://10.0.0.1:8081/ --site dasom \
             --service pay --share 5% --for 10m"
        );
        assert_eq!(found(&never, &only("home")), []);
        never["origin"] = Value::Null;
        assert_eq!(found(&never, &policy()), []);
    }

    #[test]
    fn a_certificate_that_ends_soon_is_told_once() {
        let at = |secs| Timestamp::from_secs(secs).rfc3339();
        let (soon, later) = (at(1_800_000_000 + 30 * 86_400), at(1_900_000_000));
        let all = json!([{ "file": "a.pem", "ends": soon }, { "file": "b.pem", "ends": later }]);
        let mut well = with(&json!([]));
        let found = |entry: &Value| {
            let status = json!({ "name": "seoul-1", "certificates": all, "sites": [entry] });
            findings(&[edge(Ok(status))], &site(), &policy())
        };
        let ending = found(&well);
        assert_eq!(ending.len(), 1, "{ending:?}");
        assert_eq!(ending[0].topic, Topic::Certificates);
        assert_eq!(
            ending[0].problem,
            format!("seoul-1: the certificate of a.pem ends at {soon}")
        );
        let alarm = "the certificate of a.pem ends on it";
        well["alarms"] = json!([{ "alarm": "certificate-or-clock", "why": alarm }]);
        assert_eq!(found(&well).len(), 1);
    }
}
