//! Formats move: a release states the least edge that reads it, an older edge stays where it is and
//! says so, and a publisher leaves no edge behind that its site still runs.

use std::collections::BTreeMap;
use std::process::Command;

use snapshot::{EdgeVersion, Envelope, KeySigner, Namespace, Sequence, encode};
use ssh_key::PrivateKey;

use crate::scene::{Edge, Ended, Site, binary, eventually, run};

/// A version that no edge of this workspace is.
const LATER: EdgeVersion = EdgeVersion::new(65_000, 2, 1);

/// The bytes of a release that only later edges read: its head, and then what today's cannot.
fn of_later(site: &Site, sequence: Sequence) -> Vec<u8> {
    let later = BTreeMap::from([("a map", 1.5f64)]);
    let name = site.name();
    let payload = encode(&(1u16, LATER, name, sequence, later, "more", [0u8; 3])).unwrap();
    let key = PrivateKey::read_openssh_file(site.path("keys/release")).unwrap();
    let mut envelope = Envelope::seal(payload);
    let signer = KeySigner::new(key).unwrap();
    envelope.sign_with(&signer, Namespace::Release).unwrap();
    envelope.to_bytes().unwrap()
}

async fn small() -> Site {
    let site = Site::small().init().await;
    site.publish().await;
    site
}

async fn shown(site: &Site, edge: &Edge) -> String {
    let control = format!("http://{}", edge.control);
    let ended = site.order(&["show", "--edge", &control]).await;
    ended.out
}

/// Waits until the edge says what it says when it is left behind by release `sequence`.
async fn left_behind(edge: &Edge, sequence: u64) {
    eventually("the edge to be left behind", async || {
        let told = edge.status().await["left_behind"].clone();
        (told["release"] == sequence).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_too_old_for_a_release_stays_and_says_so_everywhere() {
    let site = small().await;
    let mut edge = site.edge().start().await;
    edge.reaches(1).await;
    assert!(edge.status().await["left_behind"].is_null());
    let forge = site.forge("mirror");
    forge.point(&of_later(&site, Sequence(2))).unwrap();
    left_behind(&edge, 2).await;

    let status = edge.status().await;
    let this = EdgeVersion::THIS;
    assert_eq!(status["left_behind"]["needs"], LATER.to_string());
    assert_eq!(status["left_behind"]["version"], this.to_string());
    assert_eq!(status["release"]["sequence"], 1);
    let reason =
        format!("needs-later-edge: release 2 needs version {LATER} or later, and this is {this}");
    let refusal = &status["refusals"][0];
    assert_eq!(refusal["reason"], reason.as_str());
    assert_eq!(status["sources"][0]["error"], reason.as_str());
    let words = format!("release 2 needs edge {LATER} or later and this is {this}, since ");
    let metrics = edge.ops("/metrics").await.text();
    assert!(
        metrics.contains("\nholdfast_left_behind{site=\"small\"} 1\n"),
        "{metrics}"
    );
    let ready = edge.ops("/readyz").await;
    assert_eq!(ready.status, 200);
    assert!(ready.text().starts_with("ready\nleft behind: small: "));
    assert!(ready.text().contains(&words));
    let told = shown(&site, &edge).await;
    assert!(
        told.contains("LEFT BEHIND: ") && told.contains(&words),
        "{told}"
    );
    assert!(edge.logged().contains("left behind: release 2 needs edge"));
    // Readers go on, and see the age of what they read.
    let page = edge.get("/").await;
    assert!(page.status == 200 && page.from_snapshot());

    // A restart forgets nothing: the mirror says it again, and the last good release stands.
    edge.kill();
    let synced = run(edge.syncing()).await.expect(1);
    synced.says(&["small: left behind: ", &words]);
    edge.begin();
    edge.ready().await;
    left_behind(&edge, 2).await;
    assert_eq!(edge.sequence().await, Some(1));

    // A release that it can read ends it.
    let next = forge.signed(&forge.next().unwrap()).unwrap();
    forge.point(&next.to_bytes().unwrap()).unwrap();
    edge.reaches(2).await;
    eventually("the edge to be left behind no longer", async || {
        let status = edge.status().await;
        status["left_behind"].is_null().then_some(())
    })
    .await;
    assert_eq!(edge.ops("/readyz").await.text(), "ready\n");
    let metrics = edge.ops("/metrics").await.text();
    assert!(metrics.contains("\nholdfast_left_behind{site=\"small\"} 0\n"));

    // What is not newer leaves nobody behind.
    forge.point(&of_later(&site, Sequence(1))).unwrap();
    edge.refuses("trust", "rollback: sequence 1 ").await;
    assert!(edge.status().await["left_behind"].is_null());
}

async fn origin_sync(site: &Site, arguments: &[&str]) -> Ended {
    let mut command = Command::new(binary("origin-sync"));
    command.args(arguments);
    command.arg("--config").arg(site.path("site.toml"));
    run(command).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_an_edge_still_run_could_not_read_is_not_published() {
    let site = small().await;
    site.write("public/plain.txt", "new words\n");
    let oldest = "min_edge = \"0.0.9\"\n";
    site.edit(
        "site.toml",
        "site = \"small\"\n",
        &format!("site = \"small\"\n{oldest}"),
    );
    let says = [
        "the release needs edge 0.1.0 or later, and min_edge in site.toml says that 0.0.9 is still run",
        "update every edge first",
    ];
    site.try_publish(&[]).await.expect(26).says(&says);
    let back = ["rollback", "--to", "1"];
    assert_eq!(site.forge("mirror").release.sequence, Sequence(1));
    site.edit("site.toml", oldest, "");
    site.publish().await;
    site.edit(
        "site.toml",
        "site = \"small\"\n",
        &format!("site = \"small\"\n{oldest}"),
    );
    origin_sync(&site, &back).await.expect(26).says(&says);
    let file = site.path("public/plain.txt");
    let set = format!("pages/plain.txt=@{}", file.display());
    site.write("public/plain.txt", "words by hand\n");
    let by_hand = ["amend", "--set", &set];
    origin_sync(&site, &by_hand).await.expect(26).says(&says);
    assert_eq!(site.forge("mirror").release.sequence, Sequence(2));

    site.edit("site.toml", oldest, "min_edge = \"0.1.0\"\n");
    let done = origin_sync(&site, &back).await.expect(0);
    assert!(done.out.contains("release 3"), "{}", done.out);
    assert_eq!(site.forge("mirror").release.least_edge, EdgeVersion::FIRST);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_published_over_a_release_of_a_later_publisher() {
    let site = small().await;
    let later = site.at("mirror").join("releases/2");
    fs_err::write(&later, of_later(&site, Sequence(2))).unwrap();
    site.write("public/plain.txt", "new words\n");
    let needs = format!("releases/2: needs-later-edge: release 2 needs version {LATER} or later");
    let ended = site.try_publish(&[]).await.expect(26);
    ended.says(&[&needs, "update origin-sync"]);
    assert_eq!(site.forge("mirror").release.sequence, Sequence(1));
    fs_err::remove_file(&later).unwrap();
    assert_eq!(site.publish().await["sequence"], 2);
}
