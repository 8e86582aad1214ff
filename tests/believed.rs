//! Orders in force of signers who are believed no longer, or on the edges alone: what follows them stands
//! above them, and nothing is written below.

use std::time::SystemTime;

use snapshot::Timestamp;

use crate::operators::{order, scene, second_operator};
use crate::scene::eventually;

#[tokio::test(flavor = "multi_thread")]
async fn an_order_whose_signers_key_has_ended_is_built_on_and_not_written_over() {
    let (site, edge) = scene().await;
    order(&site, &["degrade", "pay", "--why", "fire", "--yes"])
        .await
        .expect(0);
    // His key ends in a moment, and another operator goes on.
    second_operator(&site);
    let ended = Timestamp(wall_ms() + 2_000).rfc3339();
    let digits: String = ended
        .chars()
        .filter(char::is_ascii_digit)
        .take(14)
        .collect();
    let signers = fs_err::read_to_string(site.path("trust/allowed_signers")).unwrap();
    let begins = "namespaces=\"order@holdfast,trust@holdfast\"";
    assert!(signers.contains(begins), "{signers}");
    let until = format!("{begins},valid-before=\"{digits}Z\"");
    site.write("trust/allowed_signers", signers.replace(begins, &until));
    let ops = fs_err::read_to_string(site.path("ops.toml")).unwrap();
    site.write("ops.toml", ops.replace("keys/operator", "keys/second"));
    let shown = eventually("the key to have ended", async || {
        let shown = order(&site, &["show"]).await;
        shown
            .out
            .contains("signatures hold no longer")
            .then_some(shown)
    })
    .await;
    assert!(shown.out.contains("(order 1, "), "{}", shown.out);
    assert!(
        shown.out.contains("in force on 1 of 1 edges"),
        "{}",
        shown.out
    );
    eventually("the edge to believe the second operator", async || {
        let may_sign = edge.status().await["trust"]["may_sign"].to_string();
        may_sign.contains("jiwoo@small.example").then_some(())
    })
    .await;
    let recovered = order(&site, &["recover", "pay", "--yes"]).await.expect(0);
    for words in [
        "order 2 about service:pay",
        "whose signatures hold no longer",
        "degraded -> automatic",
        "in force on 1 of 1 edges",
    ] {
        assert!(
            recovered.out.contains(words),
            "no {words:?} in {}",
            recovered.out
        );
    }
    // Where the mirrors have lost it, what an edge obeys is not passed off as what they give.
    fs_err::remove_file(site.at("mirror").join("orders")).unwrap();
    let mirror = site.path("mirror").display().to_string();
    let shown = order(&site, &["show", "--via", &mirror]).await.expect(4);
    assert!(
        shown.out.contains("it obeys order 2 about service:pay by "),
        "{}",
        shown.out
    );
}

fn wall_ms() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.unwrap().as_millis() as u64
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_that_believes_others_than_we_do_is_not_written_below() {
    let (site, edge) = scene().await;
    order(&site, &["degrade", "pay", "--yes"]).await.expect(0);
    let before = fs_err::read(site.at("mirror").join("orders")).unwrap();
    // The stick has trust files of another time, in which nobody has heard of who gave it.
    for name in ["allowed_signers", "trust.toml"] {
        let text = fs_err::read_to_string(site.path("trust").join(name)).unwrap();
        site.write(&format!("stick/{name}"), text);
    }
    second_operator(&site);
    let operator = fs_err::read_to_string(site.path("stick/allowed_signers")).unwrap();
    let key = |name: &str| {
        let signers = fs_err::read_to_string(site.path("trust/allowed_signers")).unwrap();
        let line = signers.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace()
            .skip_while(|word| !word.starts_with("ssh-"))
            .nth(1)
            .unwrap()
            .to_owned()
    };
    let other = operator.replace(&key("operator@"), &key("jiwoo@"));
    site.write("stick/allowed_signers", other);
    fs_err::write(site.path("ops.toml"), {
        let ops = fs_err::read_to_string(site.path("ops.toml")).unwrap();
        ops.replace("keys/operator", "keys/second")
            .replace("\"trust\"", "\"stick\"")
    })
    .unwrap();
    let stopped = order(&site, &["recover", "pay", "--yes"]).await.expect(1);
    stopped.says(&[
        "edge-1 obeys order 1 about service:pay",
        "is not believed here",
        "--trust DIR",
    ]);
    assert_eq!(
        fs_err::read(site.at("mirror").join("orders")).unwrap(),
        before
    );
    assert_eq!(edge.status().await["orders"][0]["epoch"], 1);
}
