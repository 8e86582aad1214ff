//! Operators at their commands: what they are shown and asked, how many it takes, two at once, by hand.

use std::process::Command;

use ssh_key::private::{Ed25519Keypair, PrivateKey};

use crate::scene::{Edge, Ended, Fault, Site, TOKEN, Wire, binary, eventually, run};

/// A site with one edge that polls its mirror and takes orders from whoever brings them.
pub(crate) async fn scene() -> (Site, Edge) {
    let site = Site::small().init().await;
    site.publish().await;
    let edge = site.edge().with_token(TOKEN).giving().start().await;
    edge.reaches(1).await;
    let ops = format!(
        "site = \"small\"\nmirrors = [\"mirror\"]\nkey = \"keys/operator\"\ntrust = \"trust\"\n\
         edges = [{{ control = \"http://{}\", peer = \"http://{}\" }}]\n",
        edge.control,
        edge.peer()
    );
    site.write("ops.toml", ops);
    (site, edge)
}

fn command(site: &Site, arguments: &[&str]) -> Command {
    let mut order = Command::new(binary("edge"));
    order
        .arg("order")
        .args(arguments)
        .arg("--ops")
        .arg(site.path("ops.toml"));
    order.current_dir(site.dir());
    order
}

pub(crate) async fn order(site: &Site, arguments: &[&str]) -> Ended {
    run(command(site, arguments)).await
}

/// The same by somebody at a terminal who types this.
async fn typing(site: &Site, arguments: &[&str], typed: &str) -> Ended {
    site.write("typed", typed);
    let mut script = Command::new("sh");
    script.current_dir(site.dir());
    let line = format!(
        "script -qec '{} order {} --ops ops.toml' /dev/null < typed",
        binary("edge").display(),
        arguments.join(" ")
    );
    script.arg("-c").arg(line);
    run(script).await
}

async fn shown(site: &Site) -> serde_json::Value {
    order(site, &["show", "--json"]).await.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_names_services_and_pages_and_nothing_is_signed_without_consent() {
    let (site, _edge) = scene().await;
    let orders = site.at("mirror").join("orders");
    let looked = order(&site, &["degrade", "home", "--dry-run", "--why", "fire"])
        .await
        .expect(0);
    for words in [
        "order 1 about service:home of small",
        "home (대문): automatic -> degraded",
        "/pages/{*path}",
        "in 1 d; then automatic",
    ] {
        assert!(looked.out.contains(words), "no {words:?} in {}", looked.out);
    }
    let json = order(&site, &["degrade", "site", "--dry-run", "--json"])
        .await
        .expect(0)
        .json();
    assert_eq!(json["services"].as_array().unwrap().len(), 2);
    assert_eq!(json["services"][0]["after"], "degraded");
    // Nobody is here to be asked.
    let refused = order(&site, &["degrade", "home"]).await.expect(64);
    refused.says(&["--yes", "--dry-run"]);
    order(&site, &["degrade", "home", "--for", "8d", "--yes"])
        .await
        .expect(64);
    assert!(!orders.exists());
    let given = order(&site, &["degrade", "home", "--yes"]).await.expect(0);
    assert!(
        given.out.contains("in force on 1 of 1 edges after "),
        "{}",
        given.out
    );
    assert_eq!(shown(&site).await["orders"][0]["mode"], "degraded");
}

#[tokio::test(flavor = "multi_thread")]
async fn at_a_terminal_a_site_wide_order_takes_the_sites_name() {
    if !outside::have("script") {
        return;
    }
    let (site, _edge) = scene().await;
    for wrong in ["y\n", "smal\n", "\n"] {
        let stopped = typing(&site, &["degrade", "site"], wrong).await.expect(1);
        assert!(
            stopped.out.contains("Type its name, small"),
            "{}",
            stopped.out
        );
    }
    assert!(!site.at("mirror").join("orders").exists());
    typing(&site, &["degrade", "site"], "small\n")
        .await
        .expect(0);
    // One service takes less.
    typing(&site, &["recover", "pay"], "n\n").await.expect(1);
    typing(&site, &["recover", "pay"], "y\n").await.expect(0);
    let orders = shown(&site).await["orders"].clone();
    assert_eq!(orders.as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forced_mode_is_extended_ended_and_told_as_back() {
    let (site, _edge) = scene().await;
    order(&site, &["extend", "pay", "--for", "2h", "--yes"])
        .await
        .expect(1)
        .says(&["none to extend"]);
    order(&site, &["degrade", "pay", "--for", "1h", "--yes"])
        .await
        .expect(0);
    let first = shown(&site).await["orders"][0]["ends_at"].clone();
    order(&site, &["extend", "pay", "--for", "3h", "--yes"])
        .await
        .expect(0);
    let second = shown(&site).await["orders"][0].clone();
    assert!(second["ends_at"].as_str() > first.as_str(), "{second}");
    assert_eq!(second["mode"], "degraded");
    let recovered = order(&site, &["recover", "pay", "--yes"]).await.expect(0);
    assert!(
        recovered.out.contains("degraded -> automatic"),
        "{}",
        recovered.out
    );
    let third = shown(&site).await["orders"][0].clone();
    assert!(third["back_since"].is_string(), "{third}");
    assert!(third["ends_at"].is_null(), "{third}");
    order(
        &site,
        &[
            "recover", "pay", "--normal", "--insist", "--for", "1h", "--yes",
        ],
    )
    .await
    .expect(0);
    let fourth = shown(&site).await["orders"][0].clone();
    assert_eq!(
        (&fourth["mode"], &fourth["insists"]),
        (&"normal".into(), &true.into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_is_found_shown_and_taken_out_again() {
    let (site, edge) = scene().await;
    site.edit("public/plain.txt", "plain", "plainer");
    site.publish().await;
    edge.reaches(2).await;
    order(&site, &["pin", "9", "--yes"])
        .await
        .expect(1)
        .says(&["has release 9"]);
    let pinned = order(&site, &["pin", "1", "--yes", "--why", "2 is wrong"])
        .await
        .expect(0);
    pinned.says(&["release 1: as of ", "held by 1 of 1 edges"]);
    // A notice about the site leaves the pin where it is.
    order(
        &site,
        &["notice", "site", "restoring", "--language", "en", "--yes"],
    )
    .await
    .expect(0);
    assert_eq!(shown(&site).await["orders"][0]["pin"]["release"], 1);
    order(&site, &["unpin", "--yes"]).await.expect(0);
    assert!(shown(&site).await["orders"][0]["pin"].is_null());
    order(&site, &["unpin", "--yes"])
        .await
        .expect(1)
        .says(&["nothing to unpin"]);
}

/// A second operator, and two of them for an order about the whole site.
pub(crate) fn second_operator(site: &Site) {
    let key = PrivateKey::from(Ed25519Keypair::from_seed(&[77; 32]));
    let text = key.to_openssh(ssh_key::LineEnding::LF).unwrap();
    site.write("keys/second", text.as_bytes());
    use std::os::unix::fs::PermissionsExt as _;
    let private = std::fs::Permissions::from_mode(0o600);
    fs_err::set_permissions(site.path("keys/second"), private).unwrap();
    let public = key.public_key().to_openssh().unwrap();
    let signers = fs_err::read_to_string(site.path("trust/allowed_signers")).unwrap();
    site.write(
        "trust/allowed_signers",
        format!("{signers}jiwoo@small.example {public}\n"),
    );
    site.edit("trust/trust.toml", "site-order = 1", "site-order = 2");
    let policy = fs_err::read_to_string(site.path("trust/trust.toml")).unwrap();
    let person = "[person.\"jiwoo@small.example\"]\nroles = [\"operator\"]\nsites = [\"small\"]\n";
    site.write("trust/trust.toml", format!("{policy}\n{person}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_takes_two_travels_as_text_between_them() {
    let site = Site::small().init().await;
    second_operator(&site);
    site.publish().await;
    let edge = site.edge().start().await;
    let ops = |key: &str| {
        let control = edge.control;
        let ops = format!(
            "site = \"small\"\nmirrors = [\"mirror\"]\nkey = \"keys/{key}\"\ntrust = \"trust\"\n\
             edges = [\"http://{control}\"]\n"
        );
        site.write("ops.toml", ops);
    };
    ops("operator");
    let degrade = [
        "degrade",
        "site",
        "--why",
        "fire",
        "--out",
        "order.txt",
        "--yes",
    ];
    let proposed = order(&site, &degrade).await.expect(6);
    for words in [
        "it has 1 of the 2 signatures it takes",
        "jiwoo@small.example",
        "edge order sign order.txt",
    ] {
        assert!(
            proposed.out.contains(words),
            "no {words:?} in {}",
            proposed.out
        );
    }
    assert!(!site.at("mirror").join("orders").exists());
    // The same person again is still one.
    order(&site, &["sign", "order.txt", "--yes"])
        .await
        .expect(6);
    let early = order(&site, &["apply", "order.txt", "--yes"])
        .await
        .expect(1);
    early.says(&["1 of the 2 signatures"]);
    // Through a chat, which quotes it.
    let text = fs_err::read_to_string(site.path("order.txt")).unwrap();
    let quoted: String = text.lines().map(|line| format!("> {line} \r\n")).collect();
    site.write("pasted.txt", &quoted);
    ops("second");
    let looked = order(&site, &["sign", "pasted.txt", "--dry-run"])
        .await
        .expect(0);
    assert!(
        looked.out.contains("pay (작은페이): automatic -> degraded"),
        "{}",
        looked.out
    );
    assert!(looked.out.contains(": fire"), "{}", looked.out);
    let signed = order(&site, &["sign", "pasted.txt", "--yes"])
        .await
        .expect(0);
    assert!(
        signed.out.contains("in force on 1 of 1 edges"),
        "{}",
        signed.out
    );
    assert_eq!(edge.status().await["orders"][0]["why"], "fire");
    // A paste that lost a line is named.
    let lost: Vec<&str> = quoted.lines().collect();
    let lost: String = lost
        .iter()
        .enumerate()
        .filter(|(at, _)| *at != lost.len() - 4)
        .map(|(_, line)| format!("{line}\n"))
        .collect();
    site.write("lost.txt", lost);
    order(&site, &["apply", "lost.txt", "--yes"])
        .await
        .expect(1)
        .says(&["lost.txt: it"]);
    // One service takes one person.
    order(&site, &["degrade", "pay", "--yes"]).await.expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_operators_at_once_the_one_who_lost_goes_on_from_the_other() {
    let (site, edge) = scene().await;
    let wire = Wire::to(edge.peer()).await;
    let slow = format!("http://{}", wire.at());
    let fast = format!("http://{}", edge.peer());
    for round in 0..4 {
        let say = |who: &str, via: &str| {
            let words = format!("{who}-{round}");
            let notice = [
                "notice",
                "pay",
                words.as_str(),
                "--language",
                "en",
                "--why",
                who,
                "--yes",
                "--via",
                via,
            ];
            run(command(&site, &notice))
        };
        // Both may have read before either writes: what one of them writes comes late.
        let late = std::time::Duration::from_millis(100 * (round % 2));
        wire.is(Fault::SlowFirstByte(late));
        let (one, two) = tokio::join!(say("sora", &slow), say("minho", &fast));
        let (one, two) = (one.expect(0), two.expect(0));
        let show = order(&site, &["show", "--json", "--via", &fast])
            .await
            .expect(0)
            .json();
        let notices = show["orders"][0]["notices"].to_string();
        let said = format!("{}{}", one.out, two.out);
        for who in ["sora", "minho"] {
            // Nobody's words are lost without somebody being told.
            let words = format!("{who}-{round}");
            assert!(
                notices.contains(&words) || said.contains("is that one still wanted?"),
                "{words} is lost: {notices}\n{said}\n{}{}",
                one.err,
                two.err
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_obey_is_named() {
    let (site, edge) = scene().await;
    let dead = crate::scene::hold();
    let ops = format!(
        "site = \"small\"\nmirrors = [\"mirror\"]\nkey = \"keys/operator\"\nedges = [\n\"http://{}\",\n\
         {{ name = \"seoul-7\", control = \"http://{}\" }}]\n",
        edge.control,
        dead.local_addr().unwrap()
    );
    site.write("ops.toml", ops);
    let given = order(&site, &["degrade", "pay", "--yes", "--wait", "3s"])
        .await
        .expect(3);
    assert!(
        given.out.contains("in force on 1 of 2 edges after "),
        "{}",
        given.out
    );
    assert!(
        given.out.contains(" s; not reached: seoul-7"),
        "{}",
        given.out
    );
    let json = order(
        &site,
        &["recover", "pay", "--yes", "--wait", "3s", "--json"],
    )
    .await
    .expect(3);
    assert_eq!(
        json.json()["edges"]["not_reached"],
        serde_json::json!(["seoul-7"])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_service_is_kept_shown_and_harmless() {
    let (site, edge) = scene().await;
    order(&site, &["degrade", "taxi", "--yes"])
        .await
        .expect(64)
        .says(&["it has home, pay"]);
    let given = order(&site, &["degrade", "taxi", "--anyway", "--yes"])
        .await
        .expect(0);
    assert!(
        given.out.contains("unknown to this release"),
        "{}",
        given.out
    );
    let shown = order(&site, &["show"]).await.expect(0);
    assert!(
        shown
            .out
            .contains("service:taxi: degraded, a service that the release does not know"),
        "{}",
        shown.out
    );
    assert_eq!(edge.get("/").await.status, 200);
    eventually("the edge to show it", async || {
        let orders = edge.status().await["orders"].clone();
        (orders[0]["scope"] == "service:taxi").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ops_toml_is_made_in_calm_and_read_where_it_lies() {
    let (site, edge) = scene().await;
    fs_err::remove_file(site.path("ops.toml")).unwrap();
    let (control, peer) = (
        format!("http://{}", edge.control),
        format!("http://{}", edge.peer()),
    );
    let init = |more: &[&str]| {
        let mut init = Command::new(binary("edge"));
        init.current_dir(site.dir())
            .args(["ops", "init"])
            .args(more);
        run(init)
    };
    let given = [
        "--site",
        "small",
        "--mirror",
        "mirror",
        "--edge",
        &control,
        "--peer",
        &peer,
        "--key",
        "keys/operator",
        "--trust",
        "trust",
    ];
    init(&given).await.expect(0);
    init(&given).await.expect(1).says(&["--force"]);
    let from = ["--from", "edge-1.toml", "--key", "keys/operator", "--force"];
    init(&from).await.expect(0);
    let mut order = Command::new(binary("edge"));
    order
        .current_dir(site.dir())
        .args(["order", "degrade", "pay", "--yes"]);
    let given = run(order).await.expect(0);
    assert!(
        given.out.contains("in force on 1 of 1 edges"),
        "{}",
        given.out
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_ordered_before_is_told_and_comes_back() {
    let (site, edge) = scene().await;
    let degrade = ["degrade", "pay", "--why", "fire", "--for", "2h", "--yes"];
    order(&site, &degrade).await.expect(0);
    let first = shown(&site).await["orders"][0].clone();
    let recover = ["recover", "pay", "--why", "it seemed over", "--yes"];
    order(&site, &recover).await.expect(0);
    let told = order(&site, &["history", "pay"]).await.expect(0);
    for words in [
        "service:pay  order 1: degraded until ",
        ": fire; signed by ",
        "order 2: automatic",
        ": it seemed over; signed by ",
        "on 1 edge",
    ] {
        assert!(told.out.contains(words), "no {words:?} in {}", told.out);
    }
    let looked = order(&site, &["undo", "pay", "--dry-run"]).await.expect(0);
    assert!(
        looked.out.contains("automatic -> degraded"),
        "{}",
        looked.out
    );
    looked.says(&[
        "undoes order 2 about service:pay",
        "back to order 1 about service:pay",
    ]);
    order(&site, &["undo", "pay", "--yes"]).await.expect(0);
    let third = shown(&site).await["orders"][0].clone();
    assert_eq!(third["mode"], "degraded");
    assert_eq!(third["ends_at"], first["ends_at"]);
    // Before the first order of a scope there was none.
    order(&site, &["degrade", "home", "--yes"]).await.expect(0);
    order(&site, &["undo", "home", "--yes"]).await.expect(0);
    let told = order(&site, &["history", "home", "--json"])
        .await
        .expect(0)
        .json();
    let told = told["orders"].as_array().unwrap();
    assert_eq!(told.len(), 2);
    assert_eq!(told[1]["order"]["mode"], "automatic");
    assert_eq!(told[1]["was_in_force"], true);

    // A mirror alone knows, an edge's peer listener alone knows the last.
    let (mirror, peer) = (
        site.path("mirror").display().to_string(),
        format!("http://{}", edge.peer()),
    );
    let alone = async |path: &str, arguments: &[&str]| {
        let mut order = Command::new(binary("edge"));
        order.current_dir(site.path("keys"));
        order.arg("order").args(arguments);
        order.args(["--site", "small", "--key", "operator", "--via", path]);
        run(order).await
    };
    let told = alone(&mirror, &["history", "pay"]).await.expect(0).out;
    let epochs = [
        "order 1: degraded",
        "order 2: automatic",
        "order 3: degraded",
    ];
    assert!(epochs.iter().all(|words| told.contains(words)), "{told}");
    let told = alone(&peer, &["history", "pay", "--json"]).await.expect(0);
    assert_eq!(told.json()["orders"].as_array().unwrap().len(), 2);
    for path in [&mirror, &peer] {
        let undone = alone(path, &["undo", "pay", "--dry-run"]).await.expect(0);
        undone.says(&["back to order 2 about service:pay"]);
    }
    // A control listener tells the same, and takes nothing.
    let told = [
        ("release", 200),
        ("orders", 200),
        ("trust", 404),
        ("state/orders", 404),
    ];
    for (place, status) in told {
        let got = edge.ops(&format!("/small/{place}")).await;
        assert_eq!(got.status, status, "{place}");
    }
    // Where nobody knows nothing is guessed, nor is what bears the name of another believed.
    let past = site.at("mirror").join("past");
    let newest = shown(&site).await["orders"].clone();
    let pay = newest.as_array().unwrap().iter();
    let pay = pay
        .clone()
        .find(|one| one["scope"] == "service:pay")
        .unwrap();
    let before = past.join(pay["predecessor"].as_str().unwrap());
    fs_err::copy(past.join(pay["digest"].as_str().unwrap()), before).unwrap();
    alone(&mirror, &["undo", "pay", "--yes"])
        .await
        .expect(1)
        .says(&["the logs of edges know it"]);
}
