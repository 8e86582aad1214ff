//! Settings that cannot be used: every mistake in one output, each with its line, exit 64, and
//! nothing was bound, asked or published.

use std::net::TcpListener;
use std::process::Command;

use crate::scene::{Ended, HOST, Site, binary, hold, run};

/// `edge serve` with this text as `edge.toml`, beside the site's trust.
async fn serve(site: &Site, text: impl AsRef<[u8]>) -> Ended {
    site.write("edge.toml", text);
    serve_file(site, "edge.toml").await
}

async fn serve_file(site: &Site, file: &str) -> Ended {
    let mut serve = Command::new(binary("edge"));
    serve
        .args(["serve", "--config", file])
        .current_dir(site.dir());
    run(serve).await
}

/// A right `edge.toml` on ports that are taken: an edge that went as far as binding would say so.
fn right(taken: &[TcpListener; 2]) -> String {
    let [public, control] = taken.each_ref().map(|port| port.local_addr().unwrap());
    format!(
        "name = \"edge-1\"\ndata = \"data\"\n\n[listen]\npublic = \"{public}\"\ncontrol = \"{control}\"\n\n\
         [[site]]\nname = \"small\"\nhosts = [\"{HOST}\"]\ntrust = \"trust\"\nmirrors = [\"mirror\"]\n"
    )
}

/// Fails unless the first line of `text`, a `file`, that has each of `words` was named, as compilers
/// write a place: `edge.toml:LINE`.
#[track_caller]
fn names_each(ended: &Ended, file: &str, text: &str, words: &[&str]) {
    for word in words {
        let line = text.lines().position(|line| line.contains(word)).unwrap() + 1;
        let place = format!("{file}:{line}:");
        assert!(
            ended.err.contains(&place),
            "no {place} for {word:?} in:\n{}",
            ended.err
        );
    }
}

#[tokio::test]
async fn an_edge_shows_every_mistake_at_once_and_binds_nothing() {
    let site = Site::small().init().await;
    let taken = [hold(), hold()];
    // Proof that the ports tell: right settings fail on them, and with another code.
    let bound = serve(&site, right(&taken)).await;
    assert!(bound.code != 64 && bound.code != 0, "{bound:?}");
    let address = taken[0].local_addr().unwrap().to_string();
    bound.says(&[&address]);

    let text = right(&taken)
        .replace("name = \"edge-1\"", "name = \"edge one\"\nnam = \"x\"")
        .replace("poll", "pol")
        .replace(
            "mirrors = [\"mirror\"]",
            "mirrors = []\npoll = \"5 minutes\"\norigin = \"https://a.example\"",
        )
        + "\n[[site]]\nname = \"Small!\"\nhosts = [\"small.example\", \"http://b.example/\"]\nmirrors = [\"mirror\"]\n";
    let ended = serve(&site, &text).await.expect(64);
    let words = [
        "edge one",
        "nam =",
        "mirrors = []",
        "5 minutes",
        "https://a.example",
        "Small!",
    ];
    names_each(&ended, "edge.toml", &text, &words);
    ended.says(&["small.example", "http://b.example/", "trust"]);
    assert!(!site.path("data").exists(), "the data folder was made");
}

#[tokio::test]
async fn an_edge_that_cannot_read_its_settings_says_which() {
    let site = Site::small().init().await;
    serve_file(&site, "absent.toml")
        .await
        .expect(64)
        .says(&["absent.toml"]);
    serve_file(&site, "public")
        .await
        .expect(64)
        .says(&["public"]);
    serve(&site, [0xff, 0xfe])
        .await
        .expect(64)
        .says(&["edge.toml"]);
    serve(&site, "name = \"edge\n[[site]\n")
        .await
        .expect(64)
        .says(&["edge.toml:1:"]);
    serve(&site, "")
        .await
        .expect(64)
        .says(&["name", "[[site]]"]);
    serve(&site, "#".repeat(9 << 20))
        .await
        .expect(64)
        .says(&["edge.toml"]);
    run(Command::new(binary("edge"))).await.expect(64);
    let mut unknown = Command::new(binary("edge"));
    unknown.args(["serve", "--confg", "edge.toml"]);
    run(unknown).await.expect(64).says(&["--confg"]);
}

#[tokio::test]
async fn contradictions_are_shown_with_both_places() {
    let site = Site::small().init().await;
    let taken = [hold(), hold()];
    let public = taken[0].local_addr().unwrap();
    let second = "\n[[site]]\nname = \"small\"\nhosts = [\"SMALL.example\"]\ntrust = \"trust\"\nmirrors = [\"mirror\", \"mirror/\"]\n";
    let text = right(&taken) + second;
    let ended = serve(&site, &text).await.expect(64);
    ended.says(&["small.example", "two sites", "twice"]);

    let control = taken[1].local_addr().unwrap().to_string();
    let text = right(&taken).replace(&control, &public.to_string());
    let ended = serve(&site, &text).await.expect(64);
    names_each(&ended, "edge.toml", &text, &["control ="]);
    ended.says(&[&public.to_string()]);

    let text = right(&taken) + &format!("origin = \"http://{public}\"\n");
    serve(&site, &text).await.expect(64).says(&["origin"]);
}

#[tokio::test]
async fn without_trust_an_edge_does_not_start() {
    let taken = [hold(), hold()];
    let right = right(&taken);
    // Absent, empty, silent about releases, unreadable: each names its file.
    let site = Site::small().init().await;
    let absent = right.replace("trust = \"trust\"", "trust = \"nowhere\"");
    serve(&site, &absent)
        .await
        .expect(64)
        .says(&["nowhere", "allowed_signers"]);
    let unsaid = right.replace("trust = \"trust\"\n", "");
    serve(&site, &unsaid).await.expect(64).says(&["trust"]);

    let signers = fs_err::read_to_string(site.path("trust/allowed_signers")).unwrap();
    for (text, words) in [
        ("", &["allowed_signers"][..]),
        ("# nobody yet\n", &["small"]),
        (
            "publisher@small.example ssh-ed25519 AAAA\n",
            &["allowed_signers:1"],
        ),
    ] {
        site.write("trust/allowed_signers", text);
        serve(&site, &right).await.expect(64).says(words);
    }
    // Operators alone cannot publish.
    let operators: Vec<&str> = signers
        .lines()
        .filter(|line| line.contains("operator@"))
        .collect();
    site.write("trust/allowed_signers", operators.join("\n"));
    serve(&site, &right).await.expect(64).says(&["small"]);

    site.write("trust/allowed_signers", &signers);
    site.edit(
        "trust/trust.toml",
        "roles = [\"publisher\"]",
        "roles = [\"king\"]\ncrown = true",
    );
    serve(&site, &right)
        .await
        .expect(64)
        .says(&["trust.toml", "king", "crown"]);
    site.write("trust/trust.toml", "");
    serve(&site, &right).await.expect(64).says(&["trust.toml"]);
    assert!(!site.path("data").exists());
}

#[tokio::test]
async fn a_publisher_shows_every_mistake_at_once() {
    let site = Site::small().init().await;
    let before = site.objects("mirror");
    for (from, to) in [
        (
            "languages = [\"ko\", \"en\"]",
            "languages = [\"ko\", \"en\"]\ncolour = \"red\"",
        ),
        (
            "path = \"/photos/{*path}\"\nservice = \"home\"",
            "path = \"/photos/{*path}\"\nservice = \"attic\"",
        ),
        ("path = \"/notes/{*path}\"", "path = \"/pages/{*rest}\""),
        ("assets = \"notes\"", "assets = \"cellar\""),
        (
            "source = { folder = \"notes\" }",
            "source = { ndjson = \"notes\" }\nsecret = \"cap\"",
        ),
        (
            "path = \"/\"\nlanguage = \"ko\"",
            "path = \"/nowhere\"\nlanguage = \"ko\"",
        ),
    ] {
        site.edit("site.toml", from, to);
    }
    let text = fs_err::read_to_string(site.path("site.toml")).unwrap();
    let ended = site.try_publish(&[]).await.expect(64);
    let words = [
        "colour",
        "attic",
        "/pages/{*rest}",
        "cellar",
        "secret =",
        "[[canary]]",
    ];
    names_each(&ended, "site.toml", &text, &words);
    assert_eq!(site.objects("mirror"), before);

    let mut absent = Command::new(binary("origin-sync"));
    absent.arg("publish").current_dir(site.path("public"));
    run(absent).await.expect(64).says(&["site.toml", "init"]);
}
