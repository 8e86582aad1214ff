//! What the public is told of a site's status, by real edges: a page, a document and a feed, in calm
//! and in trouble, whatever ops' orders hold, and with everything else gone.

use http::Method;
use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value;
use snapshot::order::{Back, Mode, Notice};
use snapshot::{
    Envelope, Epoch, LocalText, Namespace, OfferedBundle, Order, Scope, Timestamp, encode,
};

use crate::scene::{
    Ask, Edge, INDEX, Origin, Site, component_file, elements, eventually, parse, problems, unlike,
};

const SCHEMA: &str = include_str!("../docs/status.schema.json");

/// A site of one page, two services and a view.
const TOML: &str = r#"
site = "small"
title = { ko = "작은집", en = "Small House" }
languages = ["ko", "en"]
[service.home]
title = { ko = "대문", en = "Front Door" }
probe = "/health"
[service.pay]
title = { ko = "작은페이", en = "Small Pay" }
meanwhile = { ko = "현금을 쓰세요.", en = "Use cash." }
probe = "/pay/health"
[collection.pages]
source = { folder = "public" }
complete = true
[component.view]
file = "VIEW"
[[route]]
path = "/{*path}"
service = "home"
assets = "pages"
[[route]]
path = "/pay/{*path}"
service = "pay"
assets = "pages"
[publish]
mirrors = ["mirror"]
key = "keys/release"
"#;

async fn site() -> Site {
    let view = component_file("view").display().to_string();
    let site = Site::new("small", &TOML.replace("VIEW", &view));
    let site = site.file("public/index.html", INDEX).init().await;
    let published = site.publish().await;
    assert_eq!(published["warnings"], serde_json::json!([]), "{published}");
    site
}

/// `/status.json`, which is as its schema says.
async fn told(edge: &Edge) -> Value {
    let answer = edge.get("/status.json").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let told: Value = serde_json::from_slice(&answer.body).unwrap();
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let wrong = unlike(&schema, &told);
    assert!(wrong.is_empty(), "{wrong:#?}\n{told:#}");
    told
}

async fn until(edge: &Edge, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    eventually(what, async || {
        let told = told(edge).await;
        holds(&told).then_some(told)
    })
    .await
}

/// `/status.html`, which is a page as every page must be.
async fn page(edge: &Edge, language: &str) -> String {
    let answer = edge.get("/status.html").language(language).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let wrong = problems(&answer.text(), language);
    assert!(wrong.is_empty(), "{wrong:#?}\n{}", answer.text());
    answer.text()
}

/// The entries of `/status.atom`, each the texts of its elements by name, and the feed's own first.
async fn feed(edge: &Edge) -> Vec<Vec<(String, String)>> {
    let answer = edge.get("/status.atom").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(
        answer
            .header("content-type")
            .starts_with("application/atom+xml")
    );
    let text = answer.text();
    let mut reader = Reader::from_str(&text);
    reader.config_mut().check_end_names = true;
    let mut entries = vec![Vec::new()];
    let mut open: Vec<String> = Vec::new();
    loop {
        let event = reader
            .read_event()
            .unwrap_or_else(|error| panic!("{error}\n{text}"));
        match event {
            Event::Start(tag) => {
                let name = String::from_utf8(tag.name().as_ref().to_vec()).unwrap();
                assert_eq!(open.is_empty(), name == "feed", "{text}");
                if name == "entry" {
                    entries.push(Vec::new());
                }
                let entry = entries.last_mut().unwrap();
                entry.push((name.clone(), String::new()));
                open.push(name);
            }
            Event::End(_) => drop(open.pop()),
            Event::Text(part) => {
                let part = part.decode().unwrap().into_owned();
                let last = entries.last_mut().unwrap().last_mut();
                last.into_iter().for_each(|(_, text)| text.push_str(&part));
            }
            Event::GeneralRef(reference) => {
                let name = reference.decode().unwrap();
                let known = ["lt", "gt", "amp", "quot", "#39"].contains(&&*name);
                assert!(known, "&{name}; in {text}");
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(open.is_empty(), "{text}");
    // RFC 4287 sections 4.1.1 and 4.1.2.
    for (at, entry) in entries.iter().enumerate() {
        for name in ["id", "title", "updated"] {
            let count = entry.iter().filter(|(own, _)| own == name).count();
            assert_eq!(count, 1, "{name} of {at} in {text}");
        }
        let id = &value(entry, "id");
        assert!(id.starts_with("urn:uuid:"), "{id}");
        let twice = entries[..at].iter().any(|other| value(other, "id") == *id);
        assert!(!twice, "{id} twice in {text}");
    }
    assert!(
        entries[0].iter().any(|(name, _)| name == "name"),
        "no author: {text}"
    );
    entries
}

fn value(entry: &[(String, String)], name: &str) -> String {
    let found = entry.iter().find(|(own, _)| own == name);
    found
        .map(|(_, text)| text.trim().to_owned())
        .unwrap_or_default()
}

/// Puts an order about the site on the mirror, signed by its operator, as any program may write one.
fn put(site: &Site, epoch: u64, notices: &[&[(&str, &str)]], back: Option<Back>) {
    let notices = notices.iter().enumerate().map(|(at, texts)| Notice {
        at: Timestamp::from_secs(1_700_000_000 + at as u64),
        text: texts.iter().copied().collect::<LocalText>(),
    });
    let order = Order {
        version: Order::VERSION,
        site: "small".parse().unwrap(),
        scope: Scope::Site,
        epoch: Epoch(epoch),
        predecessor: None,
        mode: Mode::Automatic,
        insists: false,
        notices: notices.collect(),
        pin: None,
        back,
        who: "secret-sora".to_owned(),
        why: "secret-reason".to_owned(),
        ends_at: None,
        signed_at: Timestamp(1),
    };
    let key = site.path("keys/operator").display().to_string();
    let signer = key
        .parse::<edge::signing::KeySource>()
        .unwrap()
        .load()
        .unwrap();
    let mut envelope = Envelope::seal(encode(&order).unwrap());
    envelope
        .sign_with(signer.as_ref(), Namespace::Order)
        .unwrap();
    let mut bundle = OfferedBundle::default();
    bundle.put(envelope).unwrap();
    let at = site.at("mirror").join("orders");
    snapshot::durable::write(&at, &bundle.to_bytes().unwrap()).unwrap();
}

async fn origin() -> Origin {
    Origin::start(|_| {
        http::Response::builder()
            .header("content-type", "text/html; charset=utf-8")
            .body("<!doctype html><body><p>alive".into())
            .unwrap()
    })
    .await
}

#[tokio::test]
async fn calm_and_an_outage_are_told_in_three_forms() {
    let (site, origin) = tokio::join!(site(), origin());
    let edge = site.edge().before(&origin).start().await;
    let calm = told(&edge).await;
    assert_eq!(calm["mode"], "normal");
    assert_eq!(calm["title"]["en"], "Small House");
    assert_eq!(calm["services"][1]["meanwhile"]["ko"], "현금을 쓰세요.");
    assert_eq!(calm["notices"], serde_json::json!([]));
    assert!(page(&edge, "ko").await.contains("모든 서비스가 정상입니다"));
    assert!(page(&edge, "en").await.contains("All services are working"));
    assert_eq!(feed(&edge).await.len(), 1);

    site.order(&["degrade", "pay", "--why", "secret-reason"])
        .await;
    site.order(&[
        "notice",
        "pay",
        "--text",
        "ko=곧 됩니다",
        "--text",
        "en=soon",
        "--why",
        "x",
    ])
    .await;
    site.order(&["notice", "site", "--text", "en=only English", "--why", "x"])
        .await;
    let down = until(&edge, "the notices", |told| {
        told["notices"].as_array().unwrap().len() == 2
    })
    .await;
    assert_eq!(down["mode"], "degraded");
    assert_eq!(down["services"][0]["mode"], "normal");
    assert_eq!(down["services"][1]["mode"], "degraded");
    assert!(down["services"][1]["since"].is_string(), "{down:#}");
    assert_eq!(down["notices"][0]["service"], Value::Null);
    assert_eq!(down["notices"][1]["service"], "pay");
    assert_eq!(down["notices"][1]["text"]["ko"], "곧 됩니다");
    let korean = page(&edge, "ko").await;
    assert!(korean.contains("일부 서비스가 멈춰 있습니다"), "{korean}");
    // A language that is missing falls back, and says which it is.
    assert!(korean.contains("lang=\"en\">only English</p>"), "{korean}");
    let entries = feed(&edge).await;
    assert_eq!(entries.len(), 4, "{entries:#?}");
    let told = ["/status.html", "/status.json", "/status.atom"];
    for path in told {
        let answer = edge.get(path).await;
        assert!(
            !answer.text().contains("secret"),
            "{path}: {}",
            answer.text()
        );
    }
    // Nobody asked the origin for any of it.
    let asked = origin.seen().into_iter().map(|seen| seen.target);
    let asked: Vec<String> = asked.filter(|target| target.contains("status")).collect();
    assert_eq!(asked, [""; 0]);
}

#[tokio::test]
async fn a_status_is_kept_for_ten_seconds_and_read_by_any_script() {
    let site = site().await;
    let edge = site.edge().start().await;
    for path in ["/status.html", "/status.json", "/status.atom"] {
        let whole = edge.get(path).await;
        assert_eq!(whole.status, 200);
        let cached = "public, max-age=10, s-maxage=10";
        assert_eq!(whole.header("cache-control"), cached, "{path}");
        assert_eq!(whole.header("access-control-allow-origin"), "*", "{path}");
        assert_eq!(whole.header("x-content-type-options"), "nosniff");
        let mut varies = whole.headers.get_all("vary").iter();
        let varies = varies.any(|vary| vary == "Accept-Language");
        assert_eq!(varies, path == "/status.html", "{path}");
        let head = edge.ask(Method::HEAD, path).await;
        assert_eq!((head.status.as_u16(), head.body.len()), (200, 0), "{path}");
        // But for the turn of a minute.
        eventually("a condition that holds", async || {
            let tag = edge.get(path).await.header("etag").to_owned();
            let again = edge.get(path).header("if-none-match", &tag).await;
            let open = again.header("access-control-allow-origin") == "*";
            (again.status == 304 && again.body.is_empty() && open).then_some(())
        })
        .await;
        let asked = edge
            .ask(Method::OPTIONS, path)
            .header("origin", "https://board.example");
        let asked = asked.header("access-control-request-method", "GET").await;
        assert_eq!(asked.status, 204, "{path}");
        assert_eq!(asked.header("access-control-allow-origin"), "*");
        assert!(asked.header("access-control-allow-methods").contains("GET"));
        let written = edge.ask(Method::POST, path).body("x").await;
        assert_eq!(written.status, 405, "{path}");
        assert_eq!(written.header("allow"), "GET, HEAD, OPTIONS");
    }
    // What is not status stays closed to others.
    let other = edge.get("/").await;
    assert_eq!(other.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn a_service_whose_origin_is_gone_is_down_since_then() {
    let (site, mut origin) = tokio::join!(site(), origin());
    let edge = site.edge().before(&origin).start().await;
    assert_eq!(told(&edge).await["mode"], "normal");
    origin.die().await;
    let down = eventually("the breakers to open", async || {
        for n in 0..8 {
            edge.get(&format!("/{n}")).await;
            edge.get(&format!("/pay/{n}")).await;
        }
        let told = told(&edge).await;
        let modes = told["services"].as_array()?.iter();
        let all = modes
            .map(|service| &service["mode"])
            .all(|mode| mode == "degraded");
        all.then_some(told)
    })
    .await;
    assert!(down["services"][0]["since"].is_string(), "{down:#}");
    assert!(page(&edge, "en").await.contains("All services are down"));
}

#[tokio::test]
async fn what_is_back_is_said_for_as_long_as_the_order_says() {
    let (site, origin) = tokio::join!(site(), origin());
    let edge = site.edge().before(&origin).start().await;
    let since = Timestamp::from_secs(1_700_000_000);
    let until_when = |until| Some(Back { since, until });
    put(&site, 1, &[], until_when(Timestamp(u64::MAX)));
    let back = until(&edge, "word that it is back", |told| {
        told["services"][0]["back_since"].is_string()
    })
    .await;
    assert_eq!(back["mode"], "normal");
    assert_eq!(back["services"][1]["back_since"], "2023-11-14T22:13:20Z");
    assert!(
        page(&edge, "en")
            .await
            .contains("since Wed 15 November 2023, 7:13 am KST")
    );
    let first = edge.get("/").language("ko").await.text();
    assert!(
        first.contains("11월 15일 07:13(KST)부터 다시 됩니다"),
        "{first}"
    );
    let first = edge.get("/").language("en").await.text();
    assert!(first.contains("back since 07:13 KST, 15 Nov"), "{first}");
    // Over: nothing is said any more.
    put(
        &site,
        2,
        &[],
        until_when(Timestamp::from_secs(1_700_000_001)),
    );
    until(&edge, "no word of it", |told| {
        told["services"][0]["back_since"].is_null()
    })
    .await;
    let first = edge.get("/").language("en").await.text();
    assert!(!first.contains("back since"), "{first}");
}

/// What an order may hold, whoever wrote it, by the attack's name.
const HOSTILE: [(&str, &str); 6] = [
    ("markup", "<script>alert(1)</script>\"'&]]>--><!--"),
    ("control", "a\u{0}b\u{7}c\u{1b}[2Jd\u{85}e\u{7f}f"),
    ("lines", "one\r\ntwo\n\n\nthree\u{2028}four"),
    ("bidi", "pay \u{202e}yap\u{2066} \u{202c}now"),
    ("no-characters", "x\u{feff}y\u{ffff}z\u{fdd0}\u{1fffe}"),
    (
        "template",
        "{{ site }}{% for a in range(9999) %}x{% endfor %}${1+1}",
    ),
];

#[tokio::test]
async fn whatever_an_order_says_is_shown_as_harmless_text() {
    let site = site().await;
    let edge = site.edge().start().await;
    let long = "가".repeat(15_000);
    let mut notices: Vec<Vec<(&str, &str)>> = HOSTILE
        .iter()
        .map(|(_, words)| vec![("ko", *words), ("en", *words)])
        .collect();
    notices.push(vec![("en", &long)]);
    notices.push(vec![("\"><script>alert(1)</script>", "of no language")]);
    let all: Vec<&[(&str, &str)]> = notices.iter().map(Vec::as_slice).collect();
    put(&site, 1, &all, None);
    let count = notices.len();
    let told = until(&edge, "every notice", |told| {
        told["notices"].as_array().unwrap().len() == count
    })
    .await;
    let shown = |at: usize| {
        told["notices"][count - 1 - at]["text"]["en"]
            .as_str()
            .unwrap()
    };
    for (at, (attack, words)) in HOSTILE.iter().enumerate() {
        let steers = |c: char| {
            c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        assert!(!shown(at).contains(steers), "{attack}: {:?}", shown(at));
        assert_eq!(
            *words == shown(at),
            !words.contains(steers) && *attack != "no-characters"
        );
    }
    assert_eq!(shown(HOSTILE.len()).len(), 1200);
    assert_eq!(told["notices"][0]["text"]["und"], "of no language");
    // The feed is whole, and has each of them.
    let entries = feed(&edge).await;
    let notices = entries
        .iter()
        .filter(|entry| entry.iter().any(|(name, _)| name == "content"));
    assert!(notices.count() >= count, "{entries:#?}");
    for (language, path) in [("ko", "/status.html"), ("en", "/status.html"), ("en", "/")] {
        let answer = edge.get(path).language(language).await;
        let html = answer.text();
        let parsed = parse(&html);
        for element in elements(&parsed) {
            let script = element.value().name() == "script";
            assert!(!script || element.attr("src").is_some(), "{path}: {html}");
            let bad = |(name, _): (&str, &str)| name.starts_with("on") || name.contains('<');
            assert!(!element.value().attrs().any(bad), "{path}: {html}");
        }
        assert!(
            html.contains("&lt;script&gt;"),
            "{path} shows no notice: {html}"
        );
        let raw = |c: char| c == '\u{202e}' || c == '\u{1b}' || c == '\u{feff}';
        assert!(!html.contains(raw), "{path}: {html:?}");
        for value in answer.headers.values() {
            assert!(value.to_str().is_ok_and(|value| !value.contains("alert")));
        }
    }
}

#[tokio::test]
async fn ten_megabytes_of_notice_change_nothing() {
    let site = site().await;
    let edge = site.edge().start().await;
    put(&site, 1, &[&[("en", "first")]], None);
    until(&edge, "the notice", |told| {
        told["notices"][0]["text"]["en"] == "first"
    })
    .await;
    let before = fs_err::read(site.at("mirror").join("orders")).unwrap();
    let mut large = before.clone();
    large.resize(10 << 20, b'x');
    snapshot::durable::write(&site.at("mirror").join("orders"), &large).unwrap();
    eventually("a refusal", async || {
        let status = edge.status().await;
        let known = status["sources"].to_string() + &status["refusals"].to_string();
        known.contains("4194304").then_some(())
    })
    .await;
    assert_eq!(told(&edge).await["notices"][0]["text"]["en"], "first");
}

#[tokio::test]
async fn the_status_has_a_host_of_its_own() {
    let (site, origin) = tokio::join!(site(), origin());
    let own = "status.small.example";
    let settings = format!("status-hosts = [\"{own}\"]");
    let edge = site.edge().before(&origin).set(&settings).start().await;
    let ask = |path: &str| Ask::new(edge.public, Method::GET, own, path);
    let first = ask("/").language("en").await;
    assert_eq!(first.status, 200);
    assert!(
        first.text().contains("All services are working"),
        "{}",
        first.text()
    );
    assert_eq!(first.header("access-control-allow-origin"), "*");
    assert_eq!(ask("/status.json").await.status, 200);
    assert_eq!(ask("/status.atom").await.status, 200);
    // Nothing else of the site is there, and no origin is asked.
    for path in ["/index.html", "/pay/x", "/robots.txt"] {
        let absent = ask(path).await;
        assert_eq!(absent.status, 404, "{path}");
    }
    let written = Ask::new(edge.public, Method::POST, own, "/pay/x")
        .body("x")
        .await;
    assert_eq!(written.status, 404);
    let asked = origin.seen().into_iter();
    let asked: Vec<String> = asked.map(|seen| seen.target).collect();
    assert_eq!(asked, [""; 0]);
    // The site's own host is as it was.
    assert!(edge.get("/").await.text().contains("alive"));
}

#[tokio::test]
async fn with_everything_else_gone_a_restarted_edge_still_tells() {
    let (site, mut origin) = tokio::join!(site(), origin());
    let mut edge = site.edge().before(&origin).start().await;
    site.order(&["degrade", "pay", "--why", "fire"]).await;
    site.order(&[
        "notice", "pay", "--text", "ko=불", "--text", "en=fire", "--why", "x",
    ])
    .await;
    let has = |told: &Value| told["notices"][0]["text"]["en"] == "fire";
    until(&edge, "the notice", has).await;
    origin.die().await;
    fs_err::remove_dir_all(site.path("mirror")).unwrap();
    edge.kill();
    edge.begin();
    edge.ready().await;
    let told = until(&edge, "the notice", has).await;
    assert_eq!(told["services"][1]["mode"], "degraded");
    assert!(page(&edge, "ko").await.contains("불"));
    assert!(feed(&edge).await.len() >= 3);
}
