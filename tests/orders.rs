//! Orders by any path: brought to an edge, passed on from edge to edge, with no mirror left.

use std::path::PathBuf;

use http::Method;
use snapshot::limits::BUNDLE_BYTES;
use snapshot::order::Mode;
use snapshot::{Envelope, Epoch, KeySigner, Namespace, OfferedBundle, Order, encode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::scene::{Ask, Edge, Site, TOKEN, eventually, flood};

/// An edge of a fleet in which nobody asks for news by himself.
async fn edge(site: &Site, name: &str, next: &[&Edge]) -> Edge {
    let next: Vec<String> = next.iter().map(|edge| url(edge)).collect();
    let edge = site.edge().named(name).polling("1h").with_token(TOKEN);
    edge.beside(&next).giving().start().await
}

fn url(edge: &Edge) -> String {
    format!("http://{}", edge.peer())
}

async fn site() -> Site {
    let site = Site::small().init().await;
    site.publish().await;
    site
}

fn operator(site: &Site) -> PathBuf {
    site.path("keys/operator")
}

async fn obeys(edge: &Edge, mode: &str) {
    eventually(&format!("the mode {mode}"), async || {
        let orders = edge.status().await["orders"].clone();
        (orders[0]["mode"] == mode).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_order_told_to_one_edge_is_obeyed_by_all_with_every_mirror_gone() {
    let site = site().await;
    // In a row: each knows the next alone.
    let last = edge(&site, "edge-3", &[]).await;
    let middle = edge(&site, "edge-2", &[&last]).await;
    let first = edge(&site, "edge-1", &[&middle]).await;
    fs_err::remove_dir_all(site.path("mirror")).unwrap();
    let key = operator(&site);
    let degrade = ["degrade", "pay", "--why", "fire"];
    let given = site.order_via(&url(&first), &key, &degrade).await.expect(0);
    let said = format!("edge {}/: told, and in force there", url(&first));
    assert!(given.out.contains(&said), "{}", given.out);
    for edge in [&first, &middle, &last] {
        obeys(edge, "degraded").await;
    }
    // The next one goes on from it, brought to whichever edge.
    let recover = ["recover", "pay"];
    let given = site
        .order_via(&url(&middle), &key, &recover)
        .await
        .expect(0);
    assert!(given.out.contains("(order 2)"), "{}", given.out);
    obeys(&last, "automatic").await;
}

#[tokio::test]
async fn what_a_stranger_brings_is_told_to_him_and_changes_nothing() {
    let (site, other) = tokio::join!(site(), site());
    let edge = edge(&site, "edge-1", &[]).await;
    let stranger = operator(&other);
    let degrade = ["degrade", "pay", "--why", "fun"];
    let refused = site.order_via(&url(&edge), &stranger, &degrade).await;
    let refused = refused.expect(5);
    let all = format!("{}{}", refused.out, refused.err);
    assert!(all.contains("is not in allowed_signers"), "{all}");
    assert!(all.contains("/: NOT told: "), "{all}");
    // A publisher gives no orders.
    let publisher = site.path("keys/release");
    let refused = site.order_via(&url(&edge), &publisher, &degrade).await;
    refused.expect(5);
    let bring = |body: &str| {
        let host = edge.peer().to_string();
        Ask::new(edge.peer(), Method::PUT, &host, "/small/orders").body(body)
    };
    let unreadable = bring("no orders").await;
    assert_eq!(unreadable.status, 400);
    let status = edge.status().await;
    assert_eq!(status["orders"].as_array().unwrap().len(), 0);
    assert_eq!(status["refusals"].as_array().unwrap().len(), 0);
}

/// A bundle of one order about `pay`, really signed, by a key that nobody knows.
fn by_a_stranger() -> Vec<u8> {
    let order = Order {
        version: Order::VERSION,
        site: "small".parse().unwrap(),
        scope: "service:pay".parse().unwrap(),
        epoch: Epoch(1),
        predecessor: None,
        mode: Mode::Degraded,
        insists: false,
        notices: Vec::new(),
        pin: None,
        back: None,
        who: "nobody".to_owned(),
        why: "fun".to_owned(),
        ends_at: None,
        signed_at: edge::sync::wall_clock(),
    };
    let mut envelope = Envelope::seal(encode(&order).unwrap());
    let stranger = KeySigner::new(stage::forge::stranger()).unwrap();
    envelope.sign_with(&stranger, Namespace::Order).unwrap();
    encode(&(OfferedBundle::VERSION, [envelope])).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_bundles_that_a_stranger_signed_few_are_looked_at_and_an_operator_is_heard() {
    let site = site().await;
    let edge = edge(&site, "edge-1", &[]).await;
    let bundle = by_a_stranger();
    let (flood, ()) = tokio::join!(
        flood(edge.peer(), "/small/orders", &bundle, 1000),
        // Readers have nothing of it.
        async {
            for _ in 0..50 {
                assert_eq!(edge.get("/").await.status, 200);
            }
        }
    );
    assert_eq!(flood.answers.len(), 1000);
    flood.is_held_back();
    let status = edge.status().await;
    assert_eq!(status["orders"].as_array().unwrap().len(), 0);
    let degrade = ["degrade", "pay", "--why", "fire"];
    eventually("the operator to be heard again", async || {
        let key = operator(&site);
        let given = site.order_via(&url(&edge), &key, &degrade).await;
        (given.code == 0).then_some(())
    })
    .await;
    obeys(&edge, "degraded").await;
}

#[tokio::test]
async fn orders_without_end_are_not_waited_for() {
    let site = site().await;
    let edge = edge(&site, "edge-1", &[]).await;
    let said = async |head: &str, body: Vec<u8>| {
        let mut stream = TcpStream::connect(edge.peer()).await.unwrap();
        let head = format!("PUT /small/orders HTTP/1.1\r\nhost: x\r\n{head}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        // An answer may come before all was taken.
        stream.write_all(&body).await.ok();
        let mut status = [0; 12];
        stream.read_exact(&mut status).await.unwrap();
        String::from_utf8_lossy(&status).into_owned()
    };
    let large = format!("content-length: {}", 10 << 20);
    assert_eq!(said(&large, Vec::new()).await, "HTTP/1.1 413");
    let mut endless = format!("{:x}\r\n", BUNDLE_BYTES + 1).into_bytes();
    endless.resize(endless.len() + BUNDLE_BYTES + 1, b'x');
    let chunked = "transfer-encoding: chunked";
    assert_eq!(said(chunked, endless).await, "HTTP/1.1 413");
    assert_eq!(said("content-length: 10", Vec::new()).await, "HTTP/1.1 408");
}
