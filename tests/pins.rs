//! Staying on the release that an order pins, whatever is published, until the pin is gone.

use crate::scene::{Edge, Site, TOKEN, eventually};

/// A site that was published twice; the first release has the better words.
async fn site() -> Site {
    let site = Site::small().init().await;
    site.publish().await;
    site.edit("public/plain.txt", "plain", "wrong");
    site.publish().await;
    site
}

/// The manifest of a release on the site's mirror.
fn manifest(site: &Site, sequence: u64) -> String {
    let place = format!("releases/{sequence}");
    let statement = fs_err::read(site.at("mirror").join(place)).unwrap();
    let envelope = snapshot::Envelope::from_bytes(&statement).unwrap();
    let limit = snapshot::limits::STATEMENT_BYTES;
    let release: snapshot::Release = snapshot::decode(envelope.payload(), limit).unwrap();
    release.manifest.to_string()
}

async fn words(edge: &Edge) -> String {
    edge.get("/pages/plain.txt").await.text()
}

async fn does(edge: &Edge, what: &str) {
    eventually(what, async || {
        (edge.status().await["doing"] == what).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_pinned_release_stays_until_the_pin_is_gone() {
    let site = site().await;
    let mut edge = site.edge().start().await;
    edge.reaches(2).await;
    assert_eq!(words(&edge).await, "wrong words\n");
    let pinned = site.order(&["pin", "1", "--why", "2 is wrong"]).await;
    let changes =
        "release 1 for 2 changes the collections pages\n  and the pages /  /pages/{*path}";
    pinned.says(&[changes]);
    edge.reaches(1).await;
    assert_eq!(words(&edge).await, "plain words\n");
    does(&edge, "staying on release 1, which is pinned").await;
    // Nothing newer comes in, over a restart either.
    site.edit("public/plain.txt", "wrong", "right");
    site.publish().await;
    edge.kill();
    edge.begin();
    edge.ready().await;
    assert_eq!(words(&edge).await, "plain words\n");
    does(&edge, "staying on release 1, which is pinned").await;
    assert_eq!(edge.sequence().await, Some(1));
    site.order(&["unpin"]).await;
    edge.reaches(3).await;
    assert_eq!(words(&edge).await, "right words\n");
}

/// The release before the one in use lies on the edge's own disk.
#[tokio::test]
async fn the_release_before_is_gone_back_to_with_every_mirror_gone() {
    let site = Site::small().init().await;
    site.publish().await;
    let edge = site.edge().with_token(TOKEN).giving().start().await;
    edge.reaches(1).await;
    site.edit("public/plain.txt", "plain", "wrong");
    site.publish().await;
    edge.reaches(2).await;
    let manifest = manifest(&site, 1);
    fs_err::remove_dir_all(site.path("mirror")).unwrap();
    let via = format!("http://{}", edge.peer());
    let pin = ["pin", "1", "--manifest", &manifest];
    let key = site.path("keys/operator");
    site.order_via(&via, &key, &pin).await.expect(0);
    edge.reaches(1).await;
    assert_eq!(words(&edge).await, "plain words\n");
}

/// What lies on the edge's own disk is enough, after a restart as well, there and back.
#[tokio::test]
async fn with_every_mirror_gone_a_restarted_edge_goes_to_a_pin_and_back() {
    let site = Site::small().init().await;
    site.publish().await;
    let mut edge = site.edge().with_token(TOKEN).giving().start().await;
    edge.reaches(1).await;
    site.edit("public/plain.txt", "plain", "wrong");
    site.publish().await;
    edge.reaches(2).await;
    let manifest = manifest(&site, 1);
    fs_err::remove_dir_all(site.path("mirror")).unwrap();
    let restart = async |edge: &mut Edge| {
        edge.kill();
        edge.begin();
        edge.ready().await;
    };
    let key = site.path("keys/operator");
    restart(&mut edge).await;
    assert_eq!(edge.sequence().await, Some(2));
    let via = format!("http://{}", edge.peer());
    let pin = ["pin", "1", "--manifest", &manifest];
    site.order_via(&via, &key, &pin).await.expect(0);
    edge.reaches(1).await;
    assert_eq!(words(&edge).await, "plain words\n");
    restart(&mut edge).await;
    assert_eq!(words(&edge).await, "plain words\n");
    let via = format!("http://{}", edge.peer());
    site.order_via(&via, &key, &["unpin"]).await.expect(0);
    edge.reaches(2).await;
    assert_eq!(words(&edge).await, "wrong words\n");
}

/// A pin that nobody has changes nothing, and says what is missing.
#[tokio::test]
async fn a_pin_that_cannot_be_had_leaves_the_edge_where_it_is() {
    let site = site().await;
    let edge = site.edge().start().await;
    edge.reaches(2).await;
    let nowhere = "a".repeat(64);
    let pin = ["pin", "7", "--manifest", &nowhere, "--anyway"];
    site.order(&pin).await;
    does(&edge, "looking for release 7, which is pinned").await;
    assert_eq!(edge.sequence().await, Some(2));
    assert_eq!(words(&edge).await, "wrong words\n");
}
