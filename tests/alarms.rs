//! The five alarms, each fired on a running edge: in its metrics, its status and its log, and over again
//! once its condition is. The rules that are loaded from `deploy/` name what an edge exports.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::scene::{Clock, Disk, Edge, EdgeBuilder, Fleet, Site, TOKEN, eventually, run};

const DAY_S: i64 = 24 * 3600;

async fn site() -> Site {
    let site = Site::small().init().await;
    site.publish().await;
    site
}

/// What the metrics say of an alarm.
async fn gauge(edge: &Edge, alarm: &str) -> Option<u64> {
    let metrics = edge.ops("/metrics").send().await.ok()?.text();
    let start = format!("holdfast_alarm{{site=\"small\",alarm=\"{alarm}\"}} ");
    let line = metrics.lines().find_map(|line| line.strip_prefix(&start));
    line?.parse().ok()
}

/// Waits until `alarm` alone is raised, and says why.
async fn raised(edge: &Edge, alarm: &str) -> String {
    let why = eventually(&format!("the alarm {alarm}"), async || {
        let status = edge.status().await;
        let all = status["alarms"].as_array()?;
        let one = all.iter().find(|one| one["alarm"] == alarm)?;
        assert!(
            one["since"]
                .as_str()
                .is_some_and(|since| since.ends_with('Z')),
            "{one}"
        );
        Some(one["why"].as_str()?.to_owned())
    })
    .await;
    assert_eq!(gauge(edge, alarm).await, Some(1));
    why
}

/// Waits until it is over; the log then has both.
async fn over(edge: &Edge, alarm: &str) {
    eventually(&format!("the end of {alarm}"), async || {
        (gauge(edge, alarm).await? == 0).then_some(())
    })
    .await;
    let log = edge.ops("/log").await.text();
    let told: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for kind in ["alarm-raised", "alarm-cleared"] {
        let is = |line: &Value| line["kind"] == kind && line["alarm"] == alarm;
        assert!(told.iter().any(is), "{kind} of {alarm}: {log}");
    }
}

async fn calm(edge: &Edge) {
    for alarm in [
        "age-over-policy",
        "release-refused",
        "fork",
        "certificate-or-clock",
        "disk",
    ] {
        eventually("calm", async || {
            (gauge(edge, alarm).await? == 0).then_some(())
        })
        .await;
    }
    assert_eq!(edge.status().await["alarms"], serde_json::json!([]));
}

#[tokio::test]
async fn age_over_policy_and_a_clock_that_is_off_are_alarms() {
    if !outside::have("cc") {
        return;
    }
    let site = site().await;
    let clock = Clock::of(&site);
    let edge = site
        .edge()
        .by(&clock)
        .set("age-alarm = \"2h\"")
        .start()
        .await;
    calm(&edge).await;
    clock.is_wrong_by(3 * 3600);
    let why = raised(&edge, "age-over-policy").await;
    assert!(why.contains("over 2 h old"), "{why}");
    clock.is_wrong_by(0);
    over(&edge, "age-over-policy").await;
    // What was signed lies far ahead of this machine.
    clock.is_wrong_by(-30 * DAY_S);
    let why = raised(&edge, "certificate-or-clock").await;
    assert!(why.contains("ahead of this machine's clock"), "{why}");
    clock.is_wrong_by(0);
    over(&edge, "certificate-or-clock").await;
    calm(&edge).await;
}

#[tokio::test]
async fn a_release_that_is_refused_is_an_alarm_while_it_is_offered() {
    let site = site().await;
    let edge = site.edge().start().await;
    calm(&edge).await;
    let pointer = site.at("mirror").join("release");
    let good = fs_err::read(&pointer).unwrap();
    snapshot::durable::write(&pointer, b"no release").unwrap();
    let why = raised(&edge, "release-refused").await;
    assert!(why.contains("offers") && why.contains("/mirror"), "{why}");
    snapshot::durable::write(&pointer, &good).unwrap();
    over(&edge, "release-refused").await;
    // Believed, and not to be used: its canary says something else.
    site.edit(
        "site.toml",
        "contains = \"Small House\"",
        "contains = \"Other House\"",
    );
    site.write(
        "public/index.html",
        "<!doctype html><title>Other House</title><p>Other House</p>",
    );
    site.publish().await;
    edge.reaches(2).await;
    let forge = site.forge("mirror");
    let mut manifest = forge.manifest.clone();
    manifest.canaries[0].contains = "nowhere".to_owned();
    let next = forge.next_of(&manifest).unwrap();
    let envelope = forge.signed(&next).unwrap().to_bytes().unwrap();
    forge.point(&envelope).unwrap();
    let why = raised(&edge, "release-refused").await;
    assert!(why.contains("release 3: canary"), "{why}");
    assert_eq!(edge.sequence().await, Some(2));
    // A later one that is good ends it.
    site.write("public/plain.txt", "again");
    site.publish().await;
    over(&edge, "release-refused").await;
}

#[tokio::test]
async fn two_orders_of_one_epoch_are_an_alarm_until_a_later_one_settles_it() {
    let site = site().await;
    let edge = site.edge().with_token(TOKEN).giving().start().await;
    let (key, via) = (
        site.path("keys/operator"),
        format!("http://{}", edge.peer()),
    );
    // Two people at once: one at the mirror, the other at the edge, neither knows of the other.
    site.write("apart/small/keep", "");
    let apart = site.path("apart").display().to_string();
    let one = ["degrade", "pay", "--why", "fire"];
    let two = ["notice", "pay", "--text", "ko=불", "--text", "en=fire"];
    site.order_via(&apart, &key, &one).await.expect(0);
    site.order_via(&via, &key, &two).await.expect(0);
    let mirror = site.at("mirror").join("orders");
    fs_err::copy(site.at("apart").join("orders"), mirror).unwrap();
    let why = raised(&edge, "fork").await;
    assert!(why.contains("epoch 1 of service:pay"), "{why}");
    // Both are kept whole, whichever won.
    let log = edge.ops("/log").await.text();
    let both: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &Value| line["epoch"] == 1 && line["envelope"].is_string())
        .collect();
    assert_eq!(both.len(), 2, "{log}");
    assert_ne!(both[0]["digest"], both[1]["digest"]);
    let later = both
        .iter()
        .find(|order| order["equal_epoch"].is_string())
        .unwrap();
    assert!(
        both.iter()
            .any(|order| order["digest"] == later["equal_epoch"]),
        "{log}"
    );
    site.order_via(&via, &key, &["recover", "pay"])
        .await
        .expect(0);
    over(&edge, "fork").await;
}

#[tokio::test]
async fn two_manifests_of_one_sequence_are_an_alarm_until_a_later_release_settles_it() {
    let site = site().await;
    let edge = site.edge().start().await;
    calm(&edge).await;
    edge.reaches(1).await;
    let forge = site.forge("mirror");
    let mut manifest = forge.manifest.clone();
    // As good as the other one: it is not to be refused for anything else.
    manifest.canaries[0].contains = "Small".to_owned();
    let mut other = forge.next_of(&manifest).unwrap();
    other.sequence = forge.release.sequence;
    let envelope = forge.signed(&other).unwrap().to_bytes().unwrap();
    let before = forge.point(&envelope).unwrap();
    let why = raised(&edge, "fork").await;
    assert!(why.contains("sequence 1 is "), "{why}");
    // Whichever of the two it is, it goes on to answer out of one of them.
    assert_eq!(edge.sequence().await, Some(1));
    assert_eq!(edge.get("/").await.status, 200);
    forge.point(&before).unwrap();
    site.write("public/plain.txt", "again");
    site.publish().await;
    edge.reaches(2).await;
    over(&edge, "fork").await;
}

#[tokio::test]
async fn a_clock_that_runs_ahead_of_the_other_edges_is_an_alarm() {
    if !outside::have("cc") {
        return;
    }
    let site = site().await;
    let right = site.edge().named("right").with_token(TOKEN).giving();
    let right = right.start().await;
    let clock = Clock::of(&site);
    let peer = format!("http://{}", right.peer());
    let wrong = site.edge().named("wrong").by(&clock);
    let wrong = wrong.with_token(TOKEN).beside(&[peer]);
    let wrong = wrong.set("age-alarm = \"24h\"").start().await;
    calm(&wrong).await;
    clock.is_wrong_by(3 * 3600);
    let why = raised(&wrong, "certificate-or-clock").await;
    let words = "ahead of its sources': set it";
    assert!(why.contains(words), "{why}");
    clock.is_wrong_by(0);
    over(&wrong, "certificate-or-clock").await;
}

#[tokio::test]
async fn a_certificate_near_its_end_is_an_alarm() {
    let site = site().await;
    let fleet = Fleet::found(&site, "fleet");
    fleet.certify(&site, "lasting");
    fleet.certify_until(
        &site,
        "ending",
        std::time::Duration::from_secs(3 * 24 * 3600),
    );
    let start = async |edge: EdgeBuilder<'_>, name: &str| {
        edge.named(name)
            .certified("fleet", name)
            .giving()
            .start()
            .await
    };
    let lasting = start(site.edge(), "lasting").await;
    let ending = start(site.edge(), "ending").await;
    let why = raised(&ending, "certificate-or-clock").await;
    assert!(why.contains("ending.pem ends on"), "{why}");
    calm(&lasting).await;
}

#[tokio::test]
async fn a_disk_that_takes_nothing_is_an_alarm_until_it_does() {
    if !outside::have("cc") {
        return;
    }
    let site = site().await;
    let disk = Disk::of(&site, "edge-1");
    let edge = site.edge().on(&disk).start().await;
    calm(&edge).await;
    disk.is_full_from(1);
    site.order(&["degrade", "pay", "--why", "drill"]).await;
    let why = raised(&edge, "disk").await;
    assert!(why.contains("No space left on device"), "{why}");
    assert_eq!(edge.get("/").await.status, 200);
    disk.is_sound();
    over(&edge, "disk").await;
}

#[tokio::test]
async fn every_metric_that_the_rules_name_is_exported_and_every_alarm_has_a_rule() {
    let site = site().await;
    let edge = site.edge().start().await;
    calm(&edge).await;
    let metrics = edge.ops("/metrics").await.text();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/alerts.yml");
    let rules = fs_err::read_to_string(path).unwrap();
    let mut expressions = 0;
    for line in rules.lines() {
        let Some((_, expression)) = line.split_once("expr: ") else {
            continue;
        };
        expressions += 1;
        let metric = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let metric = metric.filter(|word| word.starts_with("holdfast_"));
        for metric in metric {
            assert!(
                metrics.contains(&format!("\n{metric}{{")),
                "{metric} in {expression}"
            );
        }
        let alarm = expression
            .split("alarm=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        let exported = format!("alarm=\"{}\"", alarm.unwrap());
        assert!(metrics.contains(&exported), "{exported}");
    }
    let named: BTreeSet<&str> = metrics
        .lines()
        .filter_map(|line| line.split("alarm=\"").nth(1)?.split('"').next())
        .collect();
    assert_eq!((expressions, named.len()), (5, 5));
    for alarm in &named {
        assert!(
            rules.contains(&format!("{{alarm=\"{alarm}\"}}")),
            "{alarm} has no rule"
        );
    }
    assert_eq!(
        rules.matches("next: \"").count(),
        expressions,
        "each says what to do"
    );
    if outside::have("promtool") {
        site.write("alerts.yml", &rules);
        site.write("fired.yml", fired(&named));
        let fired = site.path("fired.yml").display().to_string();
        for arguments in [["check", "rules", path], ["test", "rules", &fired]] {
            let mut promtool = std::process::Command::new("promtool");
            promtool.args(arguments);
            run(promtool).await.expect(0);
        }
    }
}

/// A test of the rules beside it: each fires while its alarm is raised, and not after.
fn fired(alarms: &BTreeSet<&str>) -> String {
    let mut test =
        "rule_files: [alerts.yml]\nevaluation_interval: 30s\ntests:\n  - interval: 30s\n    \
                    input_series:\n"
            .to_owned();
    for alarm in alarms {
        let labels = format!("{{site=\"small\",alarm=\"{alarm}\",instance=\"one\"}}");
        test +=
            &format!("      - series: 'holdfast_alarm{labels}'\n        values: '0x3 1x20 0x5'\n");
    }
    let expect = |expression: &str, time: &str, samples: &str| {
        format!(
            "      - expr: {expression}\n        eval_time: {time}\n        exp_samples: {samples}\n"
        )
    };
    let firing = "count(ALERTS{alertstate=\"firing\"})";
    let all = format!("[{{labels: '{{}}', value: {}}}]", alarms.len());
    test += "    promql_expr_test:\n";
    test + &expect(firing, "10m", &all) + &expect(firing, "14m", "[]")
}
