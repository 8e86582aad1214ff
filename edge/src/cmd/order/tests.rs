//! Orders given by the command line, as they lie on a folder mirror and as an edge obeys them.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use clap::Parser;
use snapshot::order::Mode;
use snapshot::{OfferedBundle, Order as Statement};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Exit, Fault, Order};
use crate::fixture::{Draft, Following, Publisher, config, key_file, listening, order, site};
use crate::sync::{EdgeStatus, Place};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    order: Order,
}

async fn run(publisher: &Publisher, arguments: &[&str]) -> Result<Exit, Fault> {
    let key = key_file(publisher.dir.path()).display().to_string();
    let mirror = publisher.mirror().display().to_string();
    let common = [
        "--site", "dasom", "--mirror", &mirror, "--key", &key, "--wait", "5s",
    ];
    let yes: &[&str] = match arguments.first() {
        Some(&"show") => &[],
        _ => &["--yes"],
    };
    let line = ["order"].iter().chain(arguments).chain(yes).chain(&common);
    Line::parse_from(line).order.run().await
}

fn orders(publisher: &Publisher) -> Vec<Statement> {
    let bytes = fs_err::read(publisher.at(&Place::orders(&site()))).unwrap();
    OfferedBundle::from_bytes(&bytes).unwrap().orders()
}

/// Answers every request with the status of `edge`, as a control listener does.
fn control(edge: &Following) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let state = Arc::clone(&edge.state);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let sites = vec![state.sync_status()];
            let status = EdgeStatus {
                name: "seoul-1".to_owned(),
                sites,
            };
            let body = serde_json::to_string(&status).unwrap();
            let mut request = [0; 4096];
            if stream.read(&mut request).unwrap_or(0) == 0 {
                continue;
            }
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length";
            write!(stream, "{head}: {}\r\n\r\n{body}", body.len()).ok();
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_comes_into_force_and_the_command_says_so() {
    let publisher = Publisher::new();
    publisher.publish(&Draft::new(1));
    let data = tempfile::tempdir().unwrap();
    let edge = Following::start(data.path(), &config(vec![publisher.url()])).await;
    edge.serves(1).await;
    let url = control(&edge);
    let asked = ["--edge", url.as_str()];
    let degrade = ["degrade", "pay", "--why", "불"];
    let exit = run(&publisher, &[degrade.as_slice(), &asked].concat())
        .await
        .unwrap();
    assert_eq!(exit, Exit::Done);
    let pay = "pay".parse().unwrap();
    let mode = || {
        edge.state
            .orders()
            .borrow()
            .service_mode(&pay, edge.state.edge_time())
    };
    assert_eq!(mode(), Mode::Degraded);

    let notice = ["notice", "site", "복구", "중입니다"];
    assert_eq!(
        run(&publisher, &[notice.as_slice(), &asked].concat())
            .await
            .unwrap(),
        Exit::Done
    );
    let recover = ["recover", "pay"];
    assert_eq!(
        run(&publisher, &[recover.as_slice(), &asked].concat())
            .await
            .unwrap(),
        Exit::Done
    );
    assert_eq!(mode(), Mode::Automatic);
    let notices = edge.state.orders().borrow().notices()[0].1.clone();
    // The site's first language, since none was said.
    assert_eq!(notices.text.get("ko"), Some(("ko", "복구 중입니다")));
    assert_eq!(
        run(&publisher, &["show", "--json", "--edge", &url])
            .await
            .unwrap(),
        Exit::Done
    );
    // One edge obeys, the other is not there.
    let dead = "http://127.0.0.1:1";
    let both = [
        "degrade", "pay", "--yes", "--edge", &url, "--edge", dead, "--wait", "300ms",
    ];
    let key = key_file(publisher.dir.path()).display().to_string();
    let mirror = publisher.mirror().display().to_string();
    let common = ["--site", "dasom", "--mirror", &mirror, "--key", &key];
    let line = ["order"].iter().chain(&both).chain(&common);
    assert_eq!(
        Line::parse_from(line).order.run().await.unwrap(),
        Exit::SomeEdges
    );
    edge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_of_other_scopes_stay_and_epochs_grow() {
    let publisher = Publisher::new();
    publisher.order(&order("service:club", 7, Mode::Normal), 2);
    for arguments in [["degrade", "club"], ["degrade", "pay"], ["recover", "club"]] {
        assert_eq!(run(&publisher, &arguments).await.unwrap(), Exit::Done);
    }
    let held = orders(&publisher);
    let found: Vec<_> = held
        .iter()
        .map(|o| (o.scope.to_string(), o.epoch.0, o.mode))
        .collect();
    assert_eq!(
        found,
        [
            ("service:club".to_owned(), 9, Mode::Automatic),
            ("service:pay".to_owned(), 1, Mode::Degraded),
        ]
    );
    // Notices outlive the recovery.
    assert_eq!(held[0].notices.len(), 1);
    assert!(held[0].predecessor.is_some());
    assert_eq!(
        run(&publisher, &["notice", "club", "--clear"])
            .await
            .unwrap(),
        Exit::Done
    );
    assert!(orders(&publisher)[0].notices.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn trust_files_keep_forged_orders_out_of_the_way() {
    let publisher = Publisher::new();
    publisher.order(&order("service:pay", u64::MAX, Mode::Degraded), 9);
    publisher.order(&order("site", 9, Mode::Degraded), 9);
    let trust = tempfile::tempdir().unwrap();
    let (signers, roles) = crate::fixture::trust_files();
    fs_err::write(trust.path().join("allowed_signers"), signers).unwrap();
    fs_err::write(trust.path().join("trust.toml"), roles).unwrap();
    let dir = trust.path().display().to_string();
    let exit = run(&publisher, &["recover", "pay", "--trust", &dir])
        .await
        .unwrap();
    assert_eq!(exit, Exit::Done);
    // Neither what a stranger signed nor an epoch that no edge goes to is built on.
    let recover = ["recover", "site", "--trust", &dir];
    assert_eq!(run(&publisher, &recover).await.unwrap(), Exit::Done);
    let epochs = orders(&publisher).into_iter().map(|order| order.epoch.0);
    assert_eq!(epochs.collect::<Vec<_>>(), [1, 1]);
}

/// A peer listener that is busy so many times, and then takes orders and gives them to everybody.
async fn busy_peer(times: usize) -> (String, Arc<AtomicUsize>) {
    let brought = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&brought);
    let held: Arc<Mutex<Option<Vec<u8>>>> = Arc::default();
    let url = listening(move |mut stream, head| {
        let (held, counted) = (Arc::clone(&held), Arc::clone(&counted));
        async move {
            let lower = head.to_ascii_lowercase();
            let length = lower
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().unwrap());
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await.unwrap();
            let answer = if !head.starts_with("PUT") {
                held.lock().unwrap().clone().ok_or("404 Not Found")
            } else if counted.fetch_add(1, Ordering::Relaxed) < times {
                Err("429 Too Many Requests\r\nretry-after: 1")
            } else {
                *held.lock().unwrap() = Some(body);
                Ok(Vec::new())
            };
            let (status, body) = match answer {
                Ok(body) => ("200 OK", body),
                Err(status) => (status, Vec::new()),
            };
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\
                 last-modified: Sun, 22 Nov 2026 05:05:00 GMT\r\n\r\n",
                body.len()
            );
            let answer = [head.into_bytes(), body].concat();
            stream.write_all(&answer).await.unwrap_or_default();
        }
    });
    (url.await.to_string(), brought)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_is_busy_is_brought_the_order_again() {
    let publisher = Publisher::new();
    let key = key_file(publisher.dir.path()).display().to_string();
    let (peer, brought) = busy_peer(2).await;
    let degrade = |wait: &'static str| {
        let common = [
            "--site", "dasom", "--key", &key, "--via", &peer, "--wait", wait,
        ];
        let line = [&["order", "degrade", "pay", "--yes"], common.as_slice()].concat();
        Line::parse_from(line).order.run()
    };
    // Who does not wait is told at once.
    let fault = degrade("0s").await.unwrap_err();
    assert_eq!(fault.exit(), Exit::NoMirror);
    assert_eq!(brought.load(Ordering::Relaxed), 1);
    brought.store(0, Ordering::Relaxed);
    assert_eq!(degrade("60s").await.unwrap(), Exit::Done);
    assert_eq!(brought.load(Ordering::Relaxed), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_with_the_next_step() {
    let publisher = Publisher::new();
    publisher.publish(&Draft::new(1));
    let fault = run(&publisher, &["degrade", "pai"]).await.unwrap_err();
    assert_eq!(fault.exit(), Exit::Usage);
    assert!(fault.to_string().contains("it has pay"), "{fault}");
    assert_eq!(
        run(&publisher, &["degrade", "pai", "--anyway"])
            .await
            .unwrap(),
        Exit::Done
    );
    let fault = run(&publisher, &["degrade", "Pay"]).await.unwrap_err();
    assert_eq!(fault.exit(), Exit::Usage);
    let edge = [
        "degrade",
        "pay",
        "--yes",
        "--edge",
        "http://127.0.0.1:1",
        "--wait",
        "0s",
    ];
    let key = key_file(publisher.dir.path()).display().to_string();
    let mirror = publisher.mirror().display().to_string();
    let common = ["--site", "dasom", "--mirror", &mirror, "--key", &key];
    let line = ["order"].iter().chain(&edge).chain(&common);
    assert_eq!(
        Line::parse_from(line).order.run().await.unwrap(),
        Exit::NoEdge
    );
    fs_err::remove_dir_all(publisher.mirror()).unwrap();
    let fault = run(&publisher, &["degrade", "pay"]).await.unwrap_err();
    assert_eq!(fault.exit(), Exit::NoMirror);
    assert!(fault.to_string().contains("is not there"), "{fault}");
    assert!(!publisher.mirror().exists());
}
