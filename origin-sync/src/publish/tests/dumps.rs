//! Dumps that come again: what is remembered of them, and when nothing is.

use super::*;
use crate::build::Ask;
use crate::publish::dumps::Dumps;

/// A site whose rows are a dump of lines.
fn bench() -> Bench {
    let bench = Bench::new(1);
    let site = fs::read_to_string(bench.path("site.toml")).unwrap();
    let site = site.replace("csv = \"rows.csv\"", "ndjson = \"rows.ndjson\"");
    fs::write(bench.path("site.toml"), site).unwrap();
    bench
}

impl Bench {
    fn dump(&self, lines: &[(&str, &str)]) {
        let line = |(id, v): &(&str, &str)| format!("{{\"id\":\"{id}\",\"v\":\"{v}\"}}\n");
        let text: String = lines.iter().map(line).collect();
        fs::write(self.path("rows.ndjson"), text).unwrap();
    }

    /// Whether the next publish would pass over lines of the last dump.
    async fn remembers(&self) -> bool {
        let publisher = self.publisher();
        let inspector = self.inspector();
        let last = inspector.release(None).await.unwrap();
        let last = inspector.manifest(&last).await.unwrap();
        let declared = publisher.site.collections.iter();
        let declared = declared
            .clone()
            .find(|c| c.name.as_str() == "rows")
            .unwrap();
        let dumps = Dumps::of(&publisher.store);
        let lines = |ask| dumps.lines(Some(&last), declared, ask).is_some();
        assert!(!lines(Ask::Afresh));
        lines(Ask::First)
    }
}

#[tokio::test]
async fn a_dump_is_remembered_for_the_release_made_of_it() {
    let bench = bench();
    bench.dump(&[("a", "1"), ("b", "1"), ("c", "1")]);
    bench.publish().await.unwrap();
    assert!(bench.remembers().await);
    bench.dump(&[("c", "1"), ("d", "1"), ("a", "2")]);
    let report = bench.publish().await.unwrap();
    let rows = report
        .changes
        .iter()
        .find(|c| c.collection.as_str() == "rows");
    let rows = rows.unwrap();
    assert_eq!((rows.records, rows.upserts, rows.removed), (3, 2, 1));
    assert!(bench.remembers().await);
    assert_eq!(bench.value("a").await, r#"{"id":"a","v":"2"}"#);
    assert_eq!(bench.value("c").await, r#"{"id":"c","v":"1"}"#);
    bench.assert_whole().await;

    // What changed is known otherwise: the dump's lines are not what is held.
    fs::write(
        bench.path("changes.ndjson"),
        "{\"put\":{\"id\":\"a\",\"v\":\"9\"}}\n",
    )
    .unwrap();
    let changes = [("rows".parse().unwrap(), bench.path("changes.ndjson"))];
    let wishes = Wishes {
        changes: changes.into(),
        ..Wishes::default()
    };
    let publisher = bench.publisher();
    publisher.publish(wishes, ticking, &Silent).await.unwrap();
    drop(publisher);
    assert!(!bench.remembers().await);
    bench.publish().await.unwrap();
    assert_eq!(bench.value("a").await, r#"{"id":"a","v":"2"}"#);
    assert!(bench.remembers().await);
}

#[tokio::test]
async fn a_key_that_comes_twice_is_told_whatever_is_remembered() {
    let bench = bench();
    bench.dump(&[("a", "1"), ("b", "1")]);
    bench.publish().await.unwrap();
    bench.dump(&[("a", "1"), ("b", "1"), ("a", "2")]);
    let error = bench.publish().await.unwrap_err();
    assert_eq!(error.exit(), Exit::BadData);
    let told = error.to_string();
    assert!(told.contains("rows.ndjson:3"), "{told}");
    assert!(told.contains("key a was used before, at"), "{told}");
}

#[tokio::test]
async fn records_with_weak_secrets_are_counted_each_time() {
    let bench = bench();
    let site = fs::read_to_string(bench.path("site.toml")).unwrap();
    let sealed = site.replace(
        "[collection.rows]",
        "[collection.rows]\nprivacy = \"sealed\"\nsecret = \"v\"",
    );
    fs::write(bench.path("site.toml"), sealed).unwrap();
    let weak = |report: &Report| {
        report
            .warnings
            .iter()
            .any(|w| w.contains("1 secrets are shorter"))
    };
    for a in ["first-long-secret", "second-long-secret"] {
        bench.dump(&[("a", a), ("b", "short")]);
        let report = bench.publish().await.unwrap();
        assert!(weak(&report), "{:?}", report.warnings);
    }
}

#[tokio::test]
async fn nothing_is_remembered_of_what_is_erased() {
    let bench = bench();
    bench.dump(&[("a", "1"), ("b", "1")]);
    bench.publish().await.unwrap();
    let publisher = bench.publisher();
    let erase = Erase {
        collection: &"rows".parse().unwrap(),
        given: "a",
        dry_run: false,
    };
    publisher.erase(erase, ticking, &Silent).await.unwrap();
    drop(publisher);
    assert!(!bench.path(".holdfast/lines").exists());
    // It is left out for as long as the source has it.
    bench.publish().await.unwrap();
    assert!(!bench.remembers().await);
    bench.dump(&[("b", "2")]);
    bench.publish().await.unwrap();
    assert!(bench.remembers().await);
}
