//! Orders that are carried: no mirror, no way to an edge but somebody's.

use std::process::Command;

use crate::operators::{order, scene};
use crate::scene::{binary, run};

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_order_is_carried_by_hand_to_the_one_listener_that_is_left() {
    let (site, edge) = scene().await;
    let out = [
        "degrade",
        "pay",
        "--why",
        "by hand",
        "--out",
        "order.txt",
        "--yes",
    ];
    order(&site, &out).await.expect(0);
    assert_eq!(edge.status().await["orders"].as_array().unwrap().len(), 0);
    // Origin, mirrors and control listeners are gone; there is the text and one way.
    fs_err::remove_dir_all(site.path("mirror")).unwrap();
    let peer = format!("http://{}", edge.peer());
    let mut apply = Command::new("sh");
    let line = format!(
        "{} order apply - --yes --site small --via {peer} < order.txt",
        binary("edge").display()
    );
    apply
        .current_dir(site.path("keys"))
        .arg("-c")
        .arg(line.replace("order.txt", "../order.txt"));
    let applied = run(apply).await.expect(0);
    for words in [
        "no release that can be read from here",
        "in force on 1 of 1 edges",
    ] {
        assert!(
            applied.out.contains(words),
            "no {words:?} in {}",
            applied.out
        );
    }
    assert_eq!(edge.status().await["orders"][0]["why"], "by hand");
    // Again changes nothing, and says the same.
    order(&site, &["apply", "order.txt", "--yes", "--via", &peer])
        .await
        .expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_path_answers_an_order_is_made_by_its_number_and_carried() {
    let (site, edge) = scene().await;
    order(&site, &["degrade", "pay", "--yes"]).await.expect(0);
    // Whoever makes it sees nothing: no mirror, no edge.
    fs_err::remove_dir_all(site.path("mirror")).unwrap();
    site.write(
        "ops.toml",
        "site = \"small\"\nmirrors = [\"mirror\"]\nkey = \"keys/operator\"\ntrust = \"trust\"\n",
    );
    let recover = ["recover", "pay", "--out", "order.txt", "--yes"];
    let asked = order(&site, &recover).await.expect(5);
    asked.says(&[
        "is not there",
        "edge order show",
        "--epoch N (1 if there is none)",
    ]);
    assert!(!site.path("order.txt").exists());
    // The same where not even a path is known.
    let ops = "site = \"small\"\nkey = \"keys/operator\"\n";
    site.write("bare.toml", ops);
    let mut bare = Command::new(binary("edge"));
    bare.current_dir(site.dir()).arg("order").args(recover);
    bare.args(["--ops", "bare.toml"]);
    let asked = run(bare).await.expect(64);
    asked.says(&["no path", "--epoch N (1 if there is none)"]);
    // A number alone goes nowhere.
    order(&site, &["recover", "pay", "--epoch", "2", "--yes"])
        .await
        .expect(64);
    let by_number = [&recover, ["--epoch", "2"].as_slice()].concat();
    let made = order(&site, &by_number).await.expect(0);
    made.says(&["what is ordered about service:pay now is not known here"]);
    // Whoever reaches an edge reads out the number, and carries it there.
    let peer = format!("http://{}", edge.peer());
    let show = ["show", "--json", "--via", &peer];
    let shown = order(&site, &show).await.json();
    assert_eq!(shown["orders"][0]["epoch"], 1);
    let apply = ["apply", "order.txt", "--yes", "--via", &peer];
    let applied = order(&site, &apply).await.expect(0);
    assert!(
        applied.out.contains("in force on 1 of 1 edges"),
        "{}",
        applied.out
    );
    let obeyed = edge.status().await["orders"][0].clone();
    assert_eq!(
        (&obeyed["epoch"], &obeyed["mode"]),
        (&2.into(), &"automatic".into())
    );
    // A number that is there already is none.
    let late = [&by_number, ["--via", &peer].as_slice()].concat();
    order(&site, &late)
        .await
        .expect(64)
        .says(&["--epoch 2: there is order 2 about service:pay already"]);
}
