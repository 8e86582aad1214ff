//! A mirror is never trusted: whatever it offers, the last good release stays and serves, and
//! `/status` names what was wrong.

use std::path::Path;

use snapshot::{Digest, Envelope, Manifest, Namespace, Release, Sequence, encode, limits};
use stage::forge::{Forge, signed_by, stranger};

use crate::scene::{Edge, Site, eventually};

/// The first page, then and now.
const BEFORE: &str = "Small House";
const AFTER: &str = "Newer words";

/// A mirror `shown` that the edge follows, one release behind the publisher's own.
async fn one_behind() -> (Site, Edge) {
    let site = Site::small().init().await;
    site.publish().await;
    site.show("shown");
    let edge = site.edge().following(&["shown"]).start().await;
    site.edit(
        "public/index.html",
        "The same words",
        "Newer words, Small House",
    );
    site.publish().await;
    (site, edge)
}

/// The page that was good stays: every reader gets it, and the release is still `sequence`.
async fn stands(edge: &Edge, sequence: u64) {
    assert_eq!(edge.sequence().await, Some(sequence));
    for path in [
        "/",
        "/pages/plain.txt",
        "/photos/door.jpg",
        "/notes/one.html",
    ] {
        assert_eq!(edge.get(path).await.status, 200, "{path}");
    }
    let page = edge.get("/").await.text();
    assert!(
        page.contains(BEFORE) && (sequence > 1 || !page.contains(AFTER)),
        "{page}"
    );
}

/// Offers the new release after changing what the mirror holds of it.
async fn tampered(change: impl Fn(&Path)) -> (Site, Edge) {
    let (site, edge) = one_behind().await;
    let before = site.objects("shown");
    site.show_objects("shown");
    let objects = site.objects("shown");
    let new: Vec<_> = objects
        .iter()
        .filter(|object| !before.contains(object))
        .collect();
    assert!(new.len() >= 2, "{new:?}");
    new.into_iter().for_each(|object| change(object));
    site.show_pointer("shown");
    (site, edge)
}

fn flip(object: &Path) {
    let mut bytes = fs_err::read(object).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs_err::write(object, bytes).unwrap();
}

fn cut(object: &Path) {
    let bytes = fs_err::read(object).unwrap();
    fs_err::write(object, &bytes[..bytes.len() / 2]).unwrap();
}

fn swell(object: &Path) {
    let mut bytes = fs_err::read(object).unwrap();
    bytes.resize(bytes.len() + (1 << 20), b'x');
    fs_err::write(object, bytes).unwrap();
}

fn error_page(object: &Path) {
    fs_err::write(
        object,
        "<html><body><h1>503 Service Unavailable</h1></body></html>\n",
    )
    .unwrap();
}

macro_rules! spoilt_objects_are_refused {
    ($($name:ident: $change:expr, $word:literal;)+) => {$(
        #[tokio::test]
        async fn $name() {
            let (site, edge) = tampered($change).await;
            let reason = edge.refuses("object", $word).await;
            assert!(!reason.is_empty());
            stands(&edge, 1).await;
            // The mirror is repaired by the next release; nobody has to touch the edge.
            fs_err::remove_dir_all(site.at("shown").join("objects")).unwrap();
            site.edit("public/plain.txt", "plain", "plainer");
            site.publish().await;
            site.show("shown");
            edge.reaches(3).await;
            stands(&edge, 3).await;
        }
    )+};
}

spoilt_objects_are_refused! {
    a_flipped_byte_is_refused: flip, "";
    a_truncated_object_is_refused: cut, "";
    an_oversized_object_is_refused: swell, "";
    an_error_page_in_place_of_an_object_is_refused: error_page, "";
    an_absent_object_is_refused: |object| fs_err::remove_file(object).unwrap(), "not there";
}

/// What the mirror's pointer is made to be, the check that refuses it, and the word that names it.
type Lie = (&'static str, &'static str, Vec<u8>);

/// Tells the edge, which is on release 2, one lie after the other, and then the truth.
async fn each_is_refused_by_name(site: &Site, edge: &Edge, lies: Vec<Lie>) {
    let refusals = async || edge.status().await["refusals"].as_array().unwrap().clone();
    for (check, word, pointer) in lies {
        let before = refusals().await.len();
        snapshot::durable::write(&site.at("shown").join("release"), &pointer).unwrap();
        let newest = eventually(&format!("a refusal for {word}"), async || {
            let refusals = refusals().await;
            (refusals.len() > before).then(|| refusals[0].clone())
        })
        .await;
        let reason = newest["reason"].as_str().unwrap();
        assert!(
            newest["check"] == check && reason.contains(word),
            "{check} {word}: {newest}"
        );
        stands(edge, 2).await;
    }
    site.edit("public/plain.txt", "plain", "plainer");
    site.publish().await;
    site.show("shown");
    edge.reaches(3).await;
}

/// An edge on release 2, and what to forge from.
async fn on_two() -> (Site, Edge, Forge) {
    let (site, edge) = one_behind().await;
    site.show("shown");
    edge.reaches(2).await;
    let forge = site.forge("shown");
    (site, edge, forge)
}

fn bytes(envelope: &Envelope) -> Vec<u8> {
    envelope.to_bytes().unwrap()
}

#[tokio::test]
async fn a_wrong_statement_is_refused_by_name() {
    let (site, edge, forge) = on_two().await;
    let next = forge.next().unwrap();
    let first = fs_err::read(site.at("mirror").join("releases/1")).unwrap();
    let key = |name: &str| ssh_key::PrivateKey::read_openssh_file(site.path(name)).unwrap();
    let by = |key, namespace| bytes(&signed_by(key, &next, namespace).unwrap());
    let good = bytes(&forge.signed(&next).unwrap());
    let saying = |change: &dyn Fn(&mut Release)| {
        let mut release = next.clone();
        change(&mut release);
        bytes(&forge.signed(&release).unwrap())
    };
    let mut changed = Envelope::seal(encode(&next).unwrap());
    let other = Release {
        manifest: Digest::of(b"other"),
        ..next.clone()
    };
    let other = forge.signed(&other).unwrap();
    changed.attach_armor(&other.armor().unwrap()[0]).unwrap();
    let mut version = good.clone();
    version[1] = 9;
    let month = 30 * 24 * 3600 * 1000;
    let lies: Vec<Lie> = vec![
        ("trust", "rollback", first),
        (
            "trust",
            "malformed",
            b"<html><body>503 Service Unavailable</body></html>".to_vec(),
        ),
        ("trust", "malformed", good[..good.len() / 2].to_vec()),
        ("trust", "bytes", vec![0x93; limits::ENVELOPE_BYTES + 1]),
        ("trust", "version 9", version),
        ("trust", "version 2", saying(&|release| release.version = 2)),
        (
            "trust",
            "unsigned",
            bytes(&Envelope::seal(encode(&next).unwrap())),
        ),
        ("trust", "wrong-key", by(stranger(), Namespace::Release)),
        (
            "trust",
            "role-swapped",
            by(key("keys/operator"), Namespace::Release),
        ),
        (
            "trust",
            "wrong-namespace",
            by(key("keys/release"), Namespace::Order),
        ),
        ("trust", "other bytes", bytes(&changed)),
        (
            "trust",
            "other-site",
            saying(&|release| release.site = "other".parse().unwrap()),
        ),
        (
            "trust",
            "fast-forward",
            saying(&|release| release.sequence = Sequence(1 << 40)),
        ),
        (
            "trust",
            "ahead-of-time",
            saying(&|release| release.as_of.0 += month),
        ),
    ];
    each_is_refused_by_name(&site, &edge, lies).await;
}

#[tokio::test]
async fn a_wrong_manifest_is_refused_by_name() {
    let (site, edge, forge) = on_two().await;
    let with = |change: &dyn Fn(&mut Manifest)| {
        let mut manifest = forge.manifest.clone();
        change(&mut manifest);
        let next = forge.next_of(&manifest).unwrap();
        bytes(&forge.signed(&next).unwrap())
    };
    let html = forge.put(b"<html><body>503 Service Unavailable</body></html>");
    let no_manifest = Release {
        manifest: html.unwrap(),
        manifest_bytes: 49,
        ..forge.next().unwrap()
    };
    let lies: Vec<Lie> = vec![
        (
            "manifest",
            "version 2",
            with(&|manifest| manifest.version = 2),
        ),
        (
            "manifest",
            "other",
            with(&|manifest| manifest.site = "other".parse().unwrap()),
        ),
        (
            "manifest",
            "pages",
            with(&|manifest| manifest.collections.clear()),
        ),
        (
            "manifest",
            "not readable",
            bytes(&forge.signed(&no_manifest).unwrap()),
        ),
        (
            "object",
            "not there",
            with(&|manifest| manifest.collections[0].segments[0].id = Digest::of(b"nowhere")),
        ),
        (
            "object",
            "still missing",
            with(&|manifest| manifest.collections[0].segments[0].bytes += 1),
        ),
        (
            "counts",
            "",
            with(&|manifest| manifest.collections.iter_mut().for_each(|c| c.records = 0)),
        ),
        (
            "canary",
            "words that no page has",
            with(&|manifest| manifest.canaries[0].contains = "words that no page has".to_owned()),
        ),
        (
            "canary",
            "200",
            with(&|manifest| manifest.canaries[0].status = 404),
        ),
    ];
    each_is_refused_by_name(&site, &edge, lies).await;
}

#[tokio::test]
async fn of_two_mirrors_the_honest_one_is_enough() {
    let (site, mut edge) = one_behind().await;
    edge.kill();
    site.show("shown");
    for object in site.objects("shown") {
        flip(&object);
    }
    let edge = site
        .edge()
        .named("edge-2")
        .following(&["shown", "mirror"])
        .start()
        .await;
    edge.reaches(2).await;
    stands(&edge, 2).await;
}

#[tokio::test]
async fn a_release_that_was_accepted_survives_a_restart_and_so_does_its_floor() {
    let (site, mut edge) = one_behind().await;
    site.show("shown");
    edge.reaches(2).await;
    edge.kill();
    let first = fs_err::read(site.at("mirror").join("releases/1")).unwrap();
    snapshot::durable::write(&site.at("shown").join("release"), &first).unwrap();
    edge.begin();
    edge.ready().await;
    edge.refuses("trust", "rollback").await;
    stands(&edge, 2).await;
}

#[tokio::test]
async fn a_mirror_that_freezes_shows_as_age() {
    let site = Site::small().init().await;
    site.publish().await;
    let edge = site.edge().start().await;
    let age = async || edge.status().await["release"]["age_s"].as_u64();
    eventually("the release to age", async || {
        (age().await? >= 2).then_some(())
    })
    .await;
    // A heartbeat makes it young again, and is no new release.
    site.try_publish(&[]).await.expect(10);
    eventually("the release to be young", async || {
        (age().await? <= 1).then_some(())
    })
    .await;
    assert_eq!(edge.sequence().await, Some(1));
}
