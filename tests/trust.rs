//! Whom edges believe, by any path: a stolen key is thrown out with the building gone.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use http::Method;
use snapshot::trust::{Chain, Succession, TrustFiles};
use snapshot::{Envelope, KeySigner, Namespace, Signer as _, Timestamp, encode};
use ssh_key::PrivateKey;
use ssh_key::private::Ed25519Keypair;
use stage::client::Answer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::scene::{Ask, Edge, Ended, Site, TOKEN, binary, eventually, flood, run};

const OPERATOR: &str = "operator@small.example";
const SECOND: &str = "second@small.example";

/// An edge of a fleet in which nobody asks for news by himself.
async fn edge(site: &Site, name: &str, next: &[&Edge]) -> Edge {
    let next: Vec<String> = next.iter().map(|edge| url(edge)).collect();
    let edge = site.edge().named(name).polling("1h").with_token(TOKEN);
    edge.beside(&next).giving().start().await
}

fn url(edge: &Edge) -> String {
    format!("http://{}", edge.peer())
}

fn key(seed: u8) -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32]))
}

fn files(site: &Site) -> TrustFiles {
    let read = |name: &str| fs_err::read_to_string(site.path("trust").join(name)).unwrap();
    TrustFiles {
        allowed_signers: read("allowed_signers"),
        trust_toml: read("trust.toml"),
    }
}

/// The same without this person, as somebody edits it.
fn without(files: &TrustFiles, person: &str) -> TrustFiles {
    let lines = files.allowed_signers.lines();
    let kept = lines.filter(|line| !line.starts_with(person));
    let table = format!("[person.\"{person}\"]\n");
    let (before, after) = files.trust_toml.split_once(&table).unwrap();
    let after = after.split_once("\n[").map_or("", |(_, after)| after);
    TrustFiles {
        allowed_signers: kept.map(|line| format!("{line}\n")).collect(),
        trust_toml: format!("{before}[{after}"),
    }
}

/// A site with a second operator, whose key is kept elsewhere.
async fn site() -> Site {
    let site = Site::small().init().await;
    site.publish().await;
    let line = key(7).public_key().to_openssh().unwrap();
    let files = files(&site);
    let signers = format!("{}{SECOND} {line}\n", files.allowed_signers);
    site.write("trust/allowed_signers", signers);
    let person = format!("[person.\"{SECOND}\"]\nroles = [\"operator\"]\nsites = [\"small\"]\n");
    site.write("trust/trust.toml", person + &files.trust_toml);
    let second = key(7).to_openssh(ssh_key::LineEnding::LF).unwrap();
    site.write("second", second.as_bytes());
    let private = std::fs::Permissions::from_mode(0o600);
    fs_err::set_permissions(site.path("second"), private).unwrap();
    site
}

/// From the files beside the edges to these, signed with this key.
fn chain(site: &Site, to: &TrustFiles, signed_by: u8) -> Vec<u8> {
    let succession = Succession {
        version: Succession::VERSION,
        site: site.name().parse().unwrap(),
        number: 1,
        follows: files(site).digest(),
        allowed_signers: to.allowed_signers.clone(),
        trust_toml: to.trust_toml.clone(),
        who: SECOND.into(),
        why: "the operator's key was in the building".into(),
        signed_at: Timestamp(1_760_500_000_000),
    };
    let mut envelope = Envelope::seal(encode(&succession).unwrap());
    let signer = KeySigner::new(key(signed_by)).unwrap();
    assert!(signer.public_key().key_data().is_ed25519());
    envelope.sign_with(&signer, Namespace::Trust).unwrap();
    let mut chain = Chain::default();
    chain.push(envelope).unwrap();
    chain.to_bytes().unwrap()
}

/// `edge trust` with these arguments by the path `via` alone, with the second operator's key.
async fn trust(site: &Site, via: &str, arguments: &[&str]) -> Ended {
    let mut trust = Command::new(binary("edge"));
    trust.arg("trust").args(arguments);
    trust.args(["--site", "small", "--via", via]);
    trust.arg("--key").arg(site.path("second"));
    trust.arg("--trust").arg(site.path("trust"));
    run(trust).await
}

async fn bring(edge: &Edge, body: impl AsRef<[u8]>) -> Answer {
    let host = edge.peer().to_string();
    let put = Ask::new(edge.peer(), Method::PUT, &host, "/small/trust");
    put.body(body).await
}

async fn given(edge: &Edge) -> Answer {
    let host = edge.peer().to_string();
    Ask::new(edge.peer(), Method::GET, &host, "/small/trust").await
}

async fn believes(edge: &Edge, number: u64) {
    eventually(&format!("generation {number}"), async || {
        (edge.status().await["trust"]["number"] == number).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_stolen_key_is_thrown_out_with_the_origin_and_every_mirror_gone() {
    let site = site().await;
    // In a row: each knows the next alone.
    let mut last = edge(&site, "edge-3", &[]).await;
    let middle = edge(&site, "edge-2", &[&last]).await;
    let first = edge(&site, "edge-1", &[&middle]).await;
    fs_err::remove_dir_all(site.path("mirror")).unwrap();
    let (stolen, second) = (site.path("keys/operator"), site.path("second"));
    let before = ["degrade", "pay", "--why", "fire"];
    let heard = site.order_via(&url(&first), &second, &before).await;
    heard.expect(0);
    let thief = ["degrade", "pay", "--why", "mine"];
    let heard = site.order_via(&url(&first), &stolen, &thief).await;
    heard.expect(0);
    let to = without(&files(&site), OPERATOR);
    site.write("new/allowed_signers", &to.allowed_signers);
    site.write("new/trust.toml", &to.trust_toml);
    let (new, proposal) = (site.path("new"), site.path("proposal"));
    let (new, proposal) = (new.to_str().unwrap(), proposal.to_str().unwrap());
    let propose = ["propose", new, "--out", proposal, "--why", "stolen"];
    let proposed = trust(&site, &url(&first), &propose).await.expect(0);
    let gone = format!("- {OPERATOR}, operator, is let go, with SHA256:");
    for said in [gone.as_str(), "that is enough"] {
        assert!(proposed.err.contains(said), "{}", proposed.err);
    }
    let apply = ["apply", proposal, "--yes"];
    let told = trust(&site, &url(&first), &apply).await.expect(0);
    let said = format!("edge {}/: told, and in force there", url(&first));
    for said in [said.as_str(), "in force on 1 of 1 edges"] {
        assert!(told.out.contains(said), "{}", told.out);
    }
    for edge in [&first, &middle, &last] {
        believes(edge, 1).await;
    }
    let trust = last.status().await["trust"].clone();
    assert_eq!(trust["succession"]["signers"][0], SECOND);
    let may_sign = trust["may_sign"].to_string();
    assert!(!may_sign.contains(OPERATOR), "{may_sign}");
    // He is heard nowhere any more, and who is left is.
    for edge in [&first, &middle, &last] {
        let refused = site.order_via(&url(edge), &stolen, &thief).await;
        let refused = refused.expect(5);
        let all = format!("{}{}", refused.out, refused.err);
        assert!(all.contains("is not in allowed_signers"), "{all}");
    }
    // Above the thief's, which nobody believes and the edges obey until then, and above all before it.
    let mut recover = Command::new(binary("edge"));
    recover.args(["order", "recover", "pay", "--yes", "--site", "small"]);
    recover
        .args(["--via", &url(&first)])
        .arg("--key")
        .arg(&second);
    recover.arg("--trust").arg(site.path("trust"));
    let recovered = run(recover).await.expect(0);
    assert!(recovered.out.contains("(order 3)"), "{}", recovered.out);
    eventually("the order of who is left", async || {
        let orders = last.status().await["orders"].clone();
        (orders[0]["mode"] == "automatic").then_some(())
    })
    .await;
    // A restart believes the same, whatever the files beside it still say.
    last.kill();
    last.begin();
    last.ready().await;
    believes(&last, 1).await;
    let refused = site.order_via(&url(&last), &stolen, &thief).await;
    refused.expect(5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generation_that_strangers_bring_changes_nothing() {
    let site = site().await;
    let edge = edge(&site, "edge-1", &[]).await;
    assert_eq!(given(&edge).await.status, 404);
    let to = without(&files(&site), OPERATOR);
    let forged = bring(&edge, chain(&site, &to, 9)).await;
    assert_eq!(forged.status, 403);
    assert!(
        forged.text().starts_with("wrong-key: "),
        "{}",
        forged.text()
    );
    // Who is left lets go of everybody else, himself included.
    let nobody = without(&to, SECOND);
    let alone = bring(&edge, chain(&site, &nobody, 7)).await;
    assert_eq!(alone.status, 403);
    assert!(
        alone.text().starts_with("too-few-left: "),
        "{}",
        alone.text()
    );
    assert_eq!(bring(&edge, "no chain").await.status, 400);
    // Who says beforehand how much it is need not send it.
    let mut stream = TcpStream::connect(edge.peer()).await.unwrap();
    let large = snapshot::limits::CHAIN_BYTES + 1;
    let head = format!("PUT /small/trust HTTP/1.1\r\nhost: x\r\ncontent-length: {large}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).await.unwrap();
    assert_eq!(status, *b"HTTP/1.1 413");
    assert_eq!(edge.status().await["trust"]["number"], 0);
    // As fast as it goes: signatures are looked at of a few.
    let forged = chain(&site, &to, 9);
    let flood = flood(edge.peer(), "/small/trust", &forged, 1000).await;
    flood.is_held_back();
    assert_eq!(edge.status().await["trust"]["number"], 0);
    let good = chain(&site, &to, 7);
    eventually("the second operator to be heard", async || {
        let host = edge.peer().to_string();
        let put = Ask::new(edge.peer(), Method::PUT, &host, "/small/trust");
        let answer = put.body(&good).send().await.ok()?;
        (answer.status == 200).then_some(())
    })
    .await;
    // It is given to everybody, as it was signed.
    let held = given(&edge).await;
    assert!(held.status == 200 && held.body == good);
    let tag = held.headers["etag"].to_str().unwrap().to_owned();
    let host = edge.peer().to_string();
    let again = Ask::new(edge.peer(), Method::GET, &host, "/small/trust");
    assert_eq!(again.header("if-none-match", &tag).await.status, 304);
}
