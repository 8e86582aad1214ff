//! Stock Spin: `origin-sync export spin` writes an application, and behind it each guest says byte
//! for byte what it says on an edge.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use edge::answer::{AnswerContext, RequestPath, SnapshotRequest, asked};
use edge::copy::LoadedRelease;
use edge::host::{Host, HostLimits};
use edge::page::Reader;
use http::header::ACCEPT_LANGUAGE;
use http::{HeaderMap, HeaderValue, Method};
use rusqlite::Connection;
use snapshot::manifest::Target;
use snapshot::order::{Notice, Scope};
use snapshot::{LocalText, NodeCache, Store, Timestamp, Value};
use stage::forge::Forge;

use crate::scene::{Ended, PATIENCE, Site, Spin, Town, binary, run, seen};

/// `origin-sync export spin DIR` of the site that `config` declares.
async fn export(config: &Path, dir: &Path) -> Ended {
    let mut export = Command::new(binary("origin-sync"));
    export.args(["export", "spin", "--json", "--config"]);
    export.arg(config).arg(dir);
    run(export).await
}

/// The town as an edge holds it, and as Spin does.
struct Both {
    town: Town,
    release: LoadedRelease,
    host: Arc<Host>,
    dir: PathBuf,
    exported: serde_json::Value,
}

impl Both {
    async fn new() -> Self {
        let town = Town::lay_out().await;
        town.publish().await;
        let (site, dir) = (town.world.site(), town.world.dir.join("spin"));
        let exported = export(&site.join("site.toml"), &dir).await.expect(0).json();
        // What the publisher keeps is laid out as an edge's copy is.
        let kept = site.join(".holdfast");
        let limits = HostLimits {
            deadline: PATIENCE,
            patience: PATIENCE,
            ..HostLimits::default()
        };
        let host = Arc::new(Host::new(limits, &kept.join("compiled")).unwrap());
        let statement = Forge::of(
            &town.world.mirror().join("dasom"),
            &site.join("keys/release"),
        );
        let store = Arc::new(Store::open_shared(kept).unwrap());
        let cache = NodeCache::new(16 << 20);
        let release = LoadedRelease::open(store, &host, &cache, statement.unwrap().release).await;
        Self {
            release: release.unwrap(),
            town,
            host,
            dir,
            exported,
        }
    }

    /// In calm; and an hour into an outage of pay, with a notice.
    fn times(&self) -> [AnswerContext; 2] {
        let manifest = &self.release.manifest;
        let as_of = self.release.release.as_of;
        let hour = Duration::from_secs(3600);
        let later = Timestamp(as_of.0 + u64::try_from(hour.as_millis()).unwrap());
        let host = || Arc::clone(&self.host);
        let mut calm = AnswerContext::without_origin("edge-1", as_of, manifest, host());
        calm.degraded = BTreeMap::new();
        let mut outage = AnswerContext::without_origin("edge-1", later, manifest, host());
        outage.degraded = [("pay".parse().unwrap(), Some(as_of))].into();
        let words = [("ko", "점검 \"중\""), ("en", "being <mended>")];
        let notice = Notice {
            at: as_of,
            text: LocalText::from_iter(words),
        };
        outage.notices = vec![(Scope::Site, notice)];
        [calm, outage]
    }

    /// Every path that a component answers, and some that are absent or not allowed.
    fn paths(&self) -> Vec<String> {
        let urls = self.town.urls();
        let mut paths: Vec<String> = urls.iter().cloned().collect();
        let gift = paths.iter().find(|path| path.ends_with("/gift")).unwrap();
        let id = gift.split('/').nth(2).unwrap();
        let wrong = format!("/i/{id}/no-such-capability/gift");
        let absent = ["/i/none/", "/club/none/", "/guide/none/"];
        paths.extend(absent.map(str::to_owned));
        paths.push(wrong);
        paths.extend(["html", "json", "atom"].map(|form| format!("/status.{form}")));
        paths
    }
}

fn reader(language: &'static str) -> Reader {
    let value = HeaderValue::from_static(language);
    Reader::new(
        &Method::GET,
        &HeaderMap::from_iter([(ACCEPT_LANGUAGE, value)]),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn each_guest_says_behind_stock_spin_what_it_says_on_an_edge() {
    let both = Both::new().await;
    let spin = Spin::up(&both.dir);
    let mut cases: BTreeMap<String, Vec<_>> = BTreeMap::new();
    let mut routes = BTreeSet::new();
    for context in both.times() {
        for (path, language) in both.paths().iter().flat_map(|p| [(p, "ko"), (p, "en")]) {
            let path = RequestPath::parse(path).unwrap();
            let reader = reader(language);
            let request = SnapshotRequest {
                path: &path,
                query: None,
                reader: &reader,
            };
            let Some((name, request, records)) = asked(&both.release, &context, &request) else {
                continue;
            };
            let asked = request.uri.path();
            assert_eq!(spin.component(asked), Some(name.as_str()), "{asked}");
            routes.insert(
                request.headers["holdfast-route"]
                    .to_str()
                    .unwrap()
                    .to_owned(),
            );
            let guest = &both.release.guests[&name];
            let said = both.host.call(guest, request.clone(), records).await;
            let case = (request.uri, request.headers, said.unwrap());
            cases.entry(name.to_string()).or_default().push(case);
        }
    }
    let manifest = &both.release.manifest;
    let declared = manifest.routes.iter();
    let declared = declared.filter(|route| matches!(route.target, Target::Component(_)));
    assert_eq!(routes, declared.map(|route| route.path.clone()).collect());
    let names: Vec<&str> = cases.keys().map(String::as_str).collect();
    assert_eq!(names, ["account", "invitation", "view"]);

    for (name, cases) in cases {
        let requests: Vec<_> = cases
            .iter()
            .map(|(uri, h, _)| (uri.clone(), h.clone()))
            .collect();
        let fresh = spin.ask(&name, vec![requests[0].clone()]).await;
        let answers = spin.ask(&name, requests).await;
        assert_eq!(fresh[0].body(), answers[0].body(), "{name}");
        let mut found = BTreeSet::new();
        for ((uri, headers, on_an_edge), behind_spin) in cases.iter().zip(&answers) {
            let (status, body) = (behind_spin.status(), behind_spin.body());
            assert_eq!(
                seen(status, behind_spin.headers(), body),
                seen(on_an_edge.status, &on_an_edge.headers, &on_an_edge.body),
                "{name} {} {headers:?}",
                uri.path(),
            );
            found.insert(status.as_u16());
        }
        // Records were found, and absent ones missed.
        assert_eq!(found, [200, 404].into(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exported_store_holds_the_release_s_records_and_no_secret() {
    let both = Both::new().await;
    let file = both.dir.join(".spin/sqlite_key_value.db");
    let connection = Connection::open(&file).unwrap();
    let mut all = connection
        .prepare("SELECT key, value FROM spin_key_value WHERE store=$1 ORDER BY key")
        .unwrap();
    for (name, stack) in both.release.stacks.iter() {
        let told = &both.exported["collections"][name.as_str()];
        let rows = all.query_map([name.as_str()], |row| Ok((row.get(0)?, row.get(1)?)));
        let rows: Vec<(String, Vec<u8>)> = rows.unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(told["records"], rows.len(), "{name}");
        assert_eq!(told["left_out"], 0, "{name}");
        let records = stack.iter(..).map(|record| {
            let (key, value) = record.unwrap();
            let value = match value {
                Value::Inline(bytes) => bytes,
                Value::Blob(blob) => {
                    let store = &both.release.store;
                    store.blob(&blob).unwrap().read(0..blob.bytes).unwrap()
                }
            };
            (key.to_string(), value)
        });
        assert!(records.eq(rows), "{name}");
    }
    let bytes = fs_err::read(&file).unwrap();
    let mut capabilities = 0;
    for path in &both.town.urls().pages {
        // Capabilities are longer than any word of a path.
        if let Some(capability) = path.split('/').nth(3).filter(|part| part.len() > 20) {
            capabilities += 1;
            let found = bytes
                .windows(capability.len())
                .any(|w| w == capability.as_bytes());
            assert!(!found, "a capability is in the exported store");
        }
    }
    assert!(capabilities > 20, "{capabilities} were looked for");
}

#[tokio::test]
async fn an_export_is_whole_or_nothing_and_goes_over_nothing() {
    let site = Site::small().init().await;
    site.publish().await;
    let (config, dir) = (site.path("site.toml"), site.path("spin"));
    fs_err::create_dir(&dir).unwrap();
    let exported = export(&config, &dir).await.expect(0).json();
    // Nothing but files: no component, and each route is told of.
    assert_eq!(
        (&exported["components"], &exported["routes"]),
        (&0.into(), &0.into())
    );
    assert_eq!(exported["left_out"].as_array().unwrap().len(), 4);
    let manifest = fs_err::read_to_string(dir.join("spin.toml")).unwrap();
    assert!(
        manifest.contains("# Left out: /photos/{*path}\n"),
        "{manifest}"
    );

    let again = export(&config, &dir).await.expect(64);
    again.says(&["is not empty"]);
    assert_eq!(
        fs_err::read_to_string(dir.join("spin.toml")).unwrap(),
        manifest
    );

    for object in site.objects("mirror") {
        fs_err::remove_file(object).unwrap();
    }
    let other = site.path("other");
    export(&config, &other)
        .await
        .expect(65)
        .says(&["no mirror has it whole"]);
    assert!(!other.exists());
}
