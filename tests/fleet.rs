//! The fleet as one picture: `edge fleet`, and the page of the control listener.

use std::process::{Command, Stdio};

use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;

use crate::scene::{Edge, Origin, PATIENCE, Site, binary, eventually, hold, problems, run};

fn control(edge: &Edge) -> String {
    format!("http://{}", edge.control)
}

async fn site() -> Site {
    let site = Site::small().init().await;
    site.publish().await;
    site
}

fn fleet(site: &Site, arguments: &[&str]) -> Command {
    let mut fleet = Command::new(binary("edge"));
    fleet
        .arg("fleet")
        .args(arguments)
        .arg("--ops")
        .arg(site.path("fleet.toml"));
    fleet
}

#[tokio::test]
async fn every_edge_is_shown_and_who_is_gone_is_named() {
    let site = site().await;
    let (one, two) = tokio::join!(
        site.edge().named("seoul-1").start(),
        site.edge().named("busan-2").start()
    );
    // Nobody answers there.
    let nobody = hold();
    let dead = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let all = [control(&one), control(&two), dead];
    site.write("fleet.toml", format!("site = \"small\"\nedges = {all:?}\n"));
    site.order(&[
        "notice", "site", "--text", "en=Soon", "--edge", &all[0], "--edge", &all[1],
    ])
    .await;
    let told = run(fleet(&site, &["--json"])).await.expect(3);
    let view: Value = serde_json::from_str(&told.out).unwrap();
    let edges = view["edges"].as_array().unwrap();
    let names: Vec<&Value> = edges.iter().map(|edge| &edge["name"]).collect();
    assert_eq!(
        names,
        [
            &Value::from("seoul-1"),
            &Value::from("busan-2"),
            &Value::Null
        ]
    );
    let small = &edges[0]["sites"][0];
    assert_eq!(small["release"]["sequence"], 1);
    assert_eq!(small["orders"][0]["notices"], 1);
    assert_eq!(small["services"][0]["reason"], "no-origin");
    assert!(edges[2]["error"].is_string());
    // In words, once: it is no terminal.
    let told = run(fleet(&site, &[])).await.expect(3).out;
    for word in [
        "EDGE",
        "seoul-1",
        "home degraded (no-origin",
        "site automatic with notices (1)",
    ] {
        assert!(told.contains(word), "no {word:?} in:\n{told}");
    }
    assert!(
        told.contains(&format!("{}/: not reached: ", all[2])),
        "{told}"
    );
    assert!(told.contains("2 of 3 edges answer"), "{told}");
    site.write(
        "fleet.toml",
        format!("site = \"small\"\nedges = {:?}\n", &all[2..]),
    );
    run(fleet(&site, &[])).await.expect(4);
    site.write(
        "fleet.toml",
        format!("site = \"small\"\nedges = {:?}\n", &all[..2]),
    );
    run(fleet(&site, &[])).await.expect(0);
}

#[tokio::test]
async fn on_a_terminal_it_follows_what_changes_until_it_is_interrupted() {
    if !outside::have("script") {
        return;
    }
    let site = site().await;
    let origin = Origin::start(|_| http::Response::new("origin".into())).await;
    let edge = site.edge().before(&origin).start().await;
    let all = [control(&edge)];
    site.write("fleet.toml", format!("site = \"small\"\nedges = {all:?}\n"));
    let line = format!(
        "exec {} fleet --ops fleet.toml --every 500ms",
        binary("edge").display()
    );
    // Everything that the terminal was sent, frame after frame, lies in a file.
    let mut script = tokio::process::Command::new("script");
    script.args(["-qefc", &line, "screen"]);
    script.current_dir(site.dir()).kill_on_drop(true);
    script.stdin(Stdio::piped()).stdout(Stdio::null());
    let mut script = script.stderr(Stdio::null()).spawn().unwrap();
    let shows = async |words: &str| {
        eventually(&format!("a frame with {words:?}"), async || {
            let screen = fs_err::read(site.path("screen")).ok()?;
            String::from_utf8_lossy(&screen).find(words)
        })
        .await
    };
    let before = shows("home normal (").await;
    site.order(&["degrade", "home", "--why", "fire"]).await;
    let after = shows("home degraded (service-order").await;
    assert!(before < after);
    let mut keys = script.stdin.take().unwrap();
    keys.write_all(b"\x03").await.unwrap();
    keys.flush().await.unwrap();
    let ended = timeout(PATIENCE, script.wait()).await.expect("an end");
    assert_eq!(ended.unwrap().code(), Some(0));
}

#[tokio::test]
async fn the_page_needs_nothing_from_elsewhere_and_its_data_names_every_edge() {
    let site = site().await;
    let mut other = site.edge().named("busan-2").start().await;
    let edge = site
        .edge()
        .named("seoul-1")
        .knowing(&[control(&other)])
        .start()
        .await;
    let page = edge.ops("/fleet").await;
    assert_eq!(page.status, 200);
    assert_eq!(problems(&page.text(), "en"), [""; 0]);
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("connect-src 'self'"));
    let view =
        async || -> Value { serde_json::from_slice(&edge.ops("/fleet.json").await.body).unwrap() };
    let seen = view().await;
    assert_eq!(seen["edges"][0]["name"], "seoul-1");
    assert!(seen["edges"][0]["url"].is_null());
    assert_eq!(seen["edges"][1]["name"], "busan-2");
    assert_eq!(seen["edges"][1]["url"], format!("{}/", control(&other)));
    other.kill();
    eventually("the other to be missed", async || {
        let edge = &view().await["edges"][1];
        edge["error"].is_string().then_some(())
    })
    .await;
}
