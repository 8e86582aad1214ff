//! `edge why`: how an edge would answer, told by the edge, without answering.

use std::process::Command;

use serde_json::Value;

use crate::scene::{Edge, HOST, Origin, Site, Town, binary, eventually, run, run_fed};

async fn site() -> Site {
    let site = Site::small().init().await;
    site.publish().await;
    site
}

/// What `edge why` says in JSON of the small site's `target`.
async fn why(edge: &Edge, target: &str) -> Value {
    let url = format!("https://{HOST}{target}");
    let told = run(edge.command(&["why", &url, "--json"])).await.expect(0);
    serde_json::from_str(&told.out).unwrap()
}

/// What was found at one step, in one line.
fn found(told: &Value, step: &str) -> String {
    let steps = told["steps"].as_array().unwrap();
    let known = steps.iter().find(|known| known["step"] == step);
    let known = known.unwrap_or_else(|| panic!("no step {step} in {told:#}"));
    let lines = known["found"].as_array().unwrap().iter();
    lines
        .map(|line| line.as_str().unwrap())
        .collect::<Vec<_>>()
        .join("; ")
}

#[tokio::test]
async fn in_calm_it_names_the_origin_and_asks_it_nothing() {
    let site = site().await;
    let origin = Origin::small().await;
    let edge = site.edge().before(&origin).start().await;
    let told = why(&edge, "/notes/one.html?s3cret=1").await;
    assert_eq!(told["site"], "small");
    assert_eq!(told["route"], "/notes/{*path}");
    assert_eq!(told["service"]["name"], "home");
    assert_eq!(told["service"]["state"], "normal");
    assert_eq!(told["release"]["sequence"], 1);
    assert_eq!(told["release"]["freshness"], "fresh");
    assert_eq!(told["collection"], "notes");
    assert!(told["answer"].is_null() && told["memo"].is_null());
    assert_eq!(told["without_origin"]["status"], 200);
    assert!(found(&told, "who").contains(&origin.at().to_string()));
    assert_eq!(found(&told, "orders"), "none for site or service:home");
    // Every step that was something to do took its time.
    let steps = told["steps"].as_array().unwrap();
    let timed = steps
        .iter()
        .filter(|step| step["took_us"].as_f64() > Some(0.0));
    assert!(timed.count() >= 7, "{told:#}");
    // Nobody was asked, nothing counted, nothing logged, nothing repeated.
    assert!(origin.seen().is_empty());
    let metrics = edge.ops("/metrics").await.text();
    assert!(!metrics.contains("holdfast_requests_total{"), "{metrics}");
    let all = format!("{told}{}", edge.logged());
    assert!(
        !all.contains("s3cret") && !all.contains("one.html"),
        "{all}"
    );
}

#[tokio::test]
async fn under_an_order_it_names_the_order_and_what_the_reader_gets() {
    let site = site().await;
    let origin = Origin::small().await;
    let edge = site.edge().before(&origin).start().await;
    site.order(&[
        "degrade",
        "home",
        "--why",
        "the hall is on fire",
        "--edge",
        &control(&edge),
    ])
    .await;
    let told = why(&edge, "/").await;
    assert_eq!(told["service"]["state"], "degraded");
    assert_eq!(told["service"]["reason"], "service-order");
    assert!(told["service"]["since"].is_string());
    let orders = found(&told, "orders");
    assert!(orders.contains("service:home: degraded"), "{orders}");
    assert!(
        orders.contains("order 1") && orders.contains("on fire"),
        "{orders}"
    );
    assert_eq!(found(&told, "who"), "the snapshot: service-order");
    assert!(told["without_origin"].is_null());
    // The very status and fields that a reader gets.
    let got = edge.get("/").await;
    assert_eq!(told["answer"]["status"], got.status.as_u16());
    let fields = told["answer"]["headers"].as_array().unwrap();
    for name in ["etag", "cache-control", "holdfast-as-of", "content-length"] {
        let field = fields.iter().find(|field| field[0] == name);
        let field = field.unwrap_or_else(|| panic!("no {name} in {told:#}"));
        assert_eq!(field[1].as_str().unwrap(), got.header(name), "{name}");
    }
    let write = run(edge.command(&["why", "--method", "post", &format!("http://{HOST}/")])).await;
    let write = write.expect(0).out;
    assert!(
        write.contains("nobody: a write, and service-order"),
        "{write}"
    );
    assert!(write.contains("answer: 503 by the edge"), "{write}");
    assert!(origin.seen().is_empty());
}

#[tokio::test]
async fn of_a_capability_the_template_alone_is_shown() {
    let town = Town::lay_out().await.open_edges(1).await;
    let urls = town.urls();
    let gift = urls
        .pages
        .iter()
        .find(|page| page.ends_with("/gift"))
        .unwrap();
    let parts: Vec<&str> = gift.split('/').collect();
    let (id, capability) = (parts[2], parts[3]);
    let edge = &town.world.edges[0];
    let control = format!("http://{}", edge.control);
    // The town's origin never ran.
    eventually("the edge to know that", async || {
        let status = town.world.status(edge).await.unwrap();
        let mut services = status["sites"][0]["services"].as_array()?.iter();
        services
            .all(|service| service["state"] == "degraded")
            .then_some(())
    })
    .await;
    let asked = async |json: bool| {
        let mut why = Command::new(binary("edge"));
        why.args([
            "why",
            "-",
            "--show-url",
            "--language",
            "en",
            "--edge",
            &control,
        ]);
        why.args(json.then_some("--json"));
        run_fed(why, &format!("https://{}{gift}\n", stage::world::HOST)).await
    };
    let (words, json) = (asked(false).await.expect(0), asked(true).await.expect(0));
    let told: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(told["route"], "/i/{id}/{cap}/gift");
    assert_eq!(told["component"]["name"], "account");
    assert_eq!(told["component"]["digest"].as_str().unwrap().len(), 64);
    assert_eq!(told["answer"]["status"], 200);
    assert!(
        words.out.contains("its capability taken out"),
        "{}",
        words.out
    );
    assert!(words.out.contains("µs"), "{}", words.out);
    let log = town.world.dir.join(format!("{}.log", edge.name));
    let log = fs_err::read_to_string(log).unwrap();
    for text in [&words.out, &words.err, &json.out, &json.err, &log] {
        assert!(!text.contains(capability) && !text.contains(id), "{text}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_explained_too() {
    let site = site().await;
    let edge = site.edge().start().await;
    let elsewhere = run(edge.command(&["why", "https://elsewhere.example/"]))
        .await
        .expect(0);
    let said = elsewhere.out;
    assert!(
        said.contains("no site of this edge has the host elsewhere.example"),
        "{said}"
    );
    assert!(said.contains(&format!("small: {HOST}")), "{said}");
    assert!(said.contains("answer: 421 by the edge"), "{said}");
    let told = why(&edge, "/nowhere").await;
    assert!(told["route"].is_null());
    assert!(
        found(&told, "route").contains("none of the 4 of release 1"),
        "{told:#}"
    );
    assert_eq!(told["answer"]["status"], 503);
    let none = run(edge.command(&["why", "ftp://small.example/s3cret"]))
        .await
        .expect(64);
    assert!(
        !none.err.contains("s3cret") && none.err.contains("expected"),
        "{}",
        none.err
    );
    // Nobody to ask.
    let empty = tempfile::tempdir().unwrap();
    let mut nobody = Command::new(binary("edge"));
    nobody.args(["why", HOST]).current_dir(empty.path());
    run(nobody)
        .await
        .expect(64)
        .says(&["which edge?", "--edge URL"]);
    let gone = ["why", HOST, "--edge", "http://127.0.0.1:9"];
    let mut command = Command::new(binary("edge"));
    command.args(gone);
    run(command)
        .await
        .expect(1)
        .says(&["no edge explains it", "is it running?"]);
}

fn control(edge: &Edge) -> String {
    format!("http://{}", edge.control)
}
