//! How each edge says it is: reached, its alarms, its last rehearsals, its room.

use std::time::Duration;

use futures::future::join_all;
use serde_json::Value;
use snapshot::{SiteName, Timestamp};

use super::finding::{Finding, Topic};
use crate::asking;
use crate::cmd::ops::Settings;

/// What an edge is held to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Policy {
    pub(super) now: Timestamp,
    pub(super) rehearsed_within: Duration,
}

/// Asks every edge that `ops.toml` names.
pub(super) async fn findings(settings: &Settings, policy: &Policy) -> Vec<Finding> {
    let client = asking::client();
    let controls = settings
        .edges
        .iter()
        .filter_map(|edge| edge.control.as_ref());
    let controls: Vec<_> = controls.collect();
    if controls.is_empty() {
        let problem = "no edge's control listener is known, so no edge says how it is";
        let remedy = "set edges in ops.toml, or give --edge URL";
        return vec![Finding::new(Topic::Edges, problem, remedy)];
    }
    let asked = join_all(controls.iter().map(|url| asking::status(&client, url))).await;
    let mut findings = Vec::new();
    for (url, status) in controls.iter().zip(asked) {
        match status {
            Ok(status) => findings.extend(of_edge(&status, &settings.site, policy)),
            Err(why) => {
                let problem = format!("the edge at {url} does not say how it is: {why}");
                let remedy = "start it, or mend the way to its control listener";
                findings.push(Finding::new(Topic::Edges, problem, remedy));
            }
        }
    }
    findings
}

/// What one edge's `/status` says.
fn of_edge(status: &Value, site: &SiteName, policy: &Policy) -> Vec<Finding> {
    let name = status
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or("an edge");
    let sites = status.get("sites").and_then(Value::as_array);
    let named = |entry: &&Value| entry.get("site").and_then(Value::as_str) == Some(site.as_str());
    let Some(entry) = sites.into_iter().flatten().find(named) else {
        let problem = format!("{name} does not serve {site}");
        let remedy = format!("add [[site]] name = \"{site}\" to its edge.toml");
        return vec![Finding::new(Topic::Edges, problem, remedy)];
    };
    let mut findings = alarms(name, entry);
    if entry.get("release").is_none_or(Value::is_null) {
        let problem = format!("{name} holds no release");
        let remedy = "see `doing` and `refusals` in its /status";
        findings.push(Finding::new(Topic::Edges, problem, remedy));
    }
    findings.extend(room(name, entry));
    findings.extend(rehearsals(name, entry, policy));
    findings
}

/// The alarms that are raised, each with the next step that its reason names.
fn alarms(name: &str, entry: &Value) -> Vec<Finding> {
    let raised = entry.get("raised").and_then(Value::as_array);
    let finding = |raised: &Value| {
        let alarm = raised.get("alarm")?.as_str()?;
        let why = raised
            .get("why")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let (topic, remedy) = match alarm {
            "age-over-policy" => (Topic::Age, "publish: origin-sync publish"),
            "certificate-or-clock" => (
                Topic::Certificates,
                "renew the certificate, or set the clock",
            ),
            "disk" => (
                Topic::Room,
                "make room, or move `data` of its edge.toml to a sound disk",
            ),
            _ => (
                Topic::Edges,
                "see docs/runbook.md, and `alarms` in its /status",
            ),
        };
        Some(Finding::new(
            topic,
            format!("{name}: {alarm}: {why}"),
            remedy,
        ))
    };
    raised.into_iter().flatten().filter_map(finding).collect()
}

/// One more release may bring as much as all that is held, if everything in it changed.
fn room(name: &str, entry: &Value) -> Option<Finding> {
    let number = |field: &str| {
        entry
            .pointer(&format!("/store/{field}"))
            .and_then(Value::as_u64)
    };
    let (free, held) = (number("free_bytes")?, number("bytes")?);
    (free < held).then(|| {
        let problem =
            format!("{name}: {free} bytes free, and a release of all new data takes up to {held}");
        let remedy = "make room, or move `data` of its edge.toml to a larger disk";
        Finding::new(Topic::Room, problem, remedy)
    })
}

/// Services that were not rehearsed lately, or did not pass.
fn rehearsals(name: &str, entry: &Value, policy: &Policy) -> Option<Finding> {
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
        .collect();
    let first = missing.first()?;
    let problem = format!(
        "{name}: no passed rehearsal since {}: {}",
        oldest.rfc3339(),
        missing.join(", ")
    );
    let remedy = format!("edge rehearse --service {first} --share 5% --for 10m");
    Some(Finding::new(Topic::Rehearsal, problem, remedy))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixture::site;

    fn told(site_status: &Value) -> Vec<(Topic, String)> {
        let status = json!({ "name": "seoul-1", "sites": [site_status] });
        let policy = Policy {
            now: Timestamp::from_secs(1_800_000_000),
            rehearsed_within: Duration::from_secs(86_400),
        };
        let findings = of_edge(&status, &site(), &policy).into_iter();
        findings
            .map(|finding| (finding.topic, finding.problem))
            .collect()
    }

    fn rehearsed(at: u64, passed: bool) -> Value {
        let at = Timestamp::from_secs(at).rfc3339();
        json!([{ "name": "pay", "last_rehearsal": { "at": at, "passed": passed } }])
    }

    #[test]
    fn an_edge_that_is_well_is_not_told_of() {
        let services = rehearsed(1_799_990_000, true);
        let store = json!({ "bytes": 5, "free_bytes": 6 });
        let well = json!({ "site": "dasom", "release": {}, "raised": [], "store": store, "services": services });
        assert_eq!(told(&well), []);
    }

    #[test]
    fn each_thing_that_is_not_well_is_told_once() {
        let raised = |alarm: &str| json!({ "alarm": alarm, "why": "so it is" });
        let raised = json!([
            raised("age-over-policy"),
            raised("certificate-or-clock"),
            raised("disk"),
            raised("fork")
        ]);
        let store = json!({ "bytes": 6, "free_bytes": 5 });
        let services = rehearsed(1_799_000_000, true);
        let ill =
            json!({ "site": "dasom", "raised": raised, "store": store, "services": services });
        let topics: Vec<Topic> = told(&ill).into_iter().map(|(topic, _)| topic).collect();
        let expected = [
            Topic::Age,
            Topic::Certificates,
            Topic::Room,
            Topic::Edges,
            Topic::Edges,
            Topic::Room,
            Topic::Rehearsal,
        ];
        assert_eq!(topics, expected);
        let failed =
            json!({ "site": "dasom", "release": {}, "services": rehearsed(1_799_990_000, false) });
        assert_eq!(told(&failed).len(), 1);
        let never = json!({ "site": "dasom", "release": {}, "services": [{ "name": "pay" }] });
        assert_eq!(told(&never).len(), 1);
        let other = json!({ "site": "other" });
        assert_eq!(told(&other)[0].1, "seoul-1 does not serve dasom");
    }
}
