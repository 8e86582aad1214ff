//! Statements that are forged, replayed or of another version.

use snapshot::manifest::SegmentEntry;
use snapshot::{Digest, Envelope, Namespace, Release, Sequence, encode, limits};
use ssh_key::LineEnding;
use stage::forge::nodes::{Head, Nodes};
use stage::forge::{signed_by, signed_twice, stranger};

use super::whole::head;
use super::world::World;

pub(super) async fn wrong_version(world: &mut World) {
    let next = world.forge.next().unwrap();
    // Of the envelope: its second byte, outside what is signed.
    let mut envelope = world.signed(&next);
    envelope[1] = 9;
    world.offers(&envelope);
    let reason = "malformed: envelope of version 9: expected 1";
    world.refuses("trust", "release", reason).await;
    // Of the release, of its manifest, of a segment.
    let release = Release { version: 2, ..next };
    world.offers_release(&release);
    let reason = "malformed: release of version 2: expected 1";
    world.refuses("trust", "release", reason).await;
    let release = world.offers_manifest(|manifest| manifest.version = 2);
    let reason = format!(
        "manifest {} has version 2: this edge reads 1",
        release.manifest
    );
    world.refuses("manifest", "", &reason).await;
    let head = Head {
        version: 2,
        ..head(1)
    };
    let rows = [("a", snapshot::Entry::Tombstone)];
    let segment = Nodes::default().root_leaf(&head, &rows).unwrap();
    let SegmentEntry { id, .. } = segment.entry;
    world.offers_segment(&segment, &segment.at_rest().unwrap());
    let reason = format!(
        "segment pages/{} as it arrived, node at 0: \
         not readable: format version 2 where 1 is expected",
        id.short()
    );
    world
        .refuses("object", &format!("segment {id}"), &reason)
        .await;
}

pub(super) async fn rollback(world: &mut World) {
    let first = world.signed(&world.forge.release);
    world.goes_on().await;
    world.offers(&first);
    let reason = "rollback: sequence 1 after 2 was accepted";
    world.refuses("trust", "release", reason).await;
}

pub(super) async fn fast_forward(world: &mut World) {
    let floor = world.forge.release.sequence.0;
    let sequence = Sequence(floor + limits::FAST_FORWARD + 1);
    world.offers_release(&Release {
        sequence,
        ..world.forge.next().unwrap()
    });
    let reason = "fast-forward: 4294967298 after 1: at most 4294967296 further are allowed";
    world.refuses("trust", "release", reason).await;
}

pub(super) async fn same_sequence_other_manifest(world: &mut World) {
    let first = world.forge.release.clone();
    let mut twins = (0..).map(|n| {
        let mut manifest = world.forge.manifest.clone();
        manifest.title.0[0].1 = format!("twin {n}");
        Release {
            sequence: first.sequence,
            ..world.forge.next_of(&manifest).unwrap()
        }
    });
    let smaller = twins.find(|twin| twin.manifest < first.manifest).unwrap();
    let greater = twins.find(|twin| twin.manifest > first.manifest).unwrap();
    drop(twins);
    let (kept, got) = (first.manifest, smaller.manifest);
    world.offers_release(&smaller);
    let refused =
        format!("same-sequence-other-manifest: sequence 1 is {kept}; {got} is smaller and refused");
    world.refuses("trust", "release", &refused).await;
    assert_eq!(world.alarms().await, [refused.as_str()]);
    // Every edge takes the greater one, whichever it saw first, and alarms.
    world.offers_release(&greater);
    world.takes(&greater).await;
    let (kept, dropped) = (greater.manifest, first.manifest);
    let taken = format!(
        "same-sequence-other-manifest: sequence 1 is {kept} and {dropped}; {kept} is greater and stands"
    );
    assert_eq!(world.alarms().await, [taken, refused]);
}

pub(super) async fn wrong_key(world: &mut World) {
    let next = world.forge.next().unwrap();
    let key = snapshot::Fingerprint::of(stranger().public_key().key_data());
    world.offers(&by(stranger(), &next, Namespace::Release));
    let reason = format!("wrong-key: {key} is not in allowed_signers");
    world.refuses("trust", "release", &reason).await;
}

/// The edge took the release while the key was valid: that stays. What the key signs now does not
/// count, whatever date it bears, until the publisher signs with another.
pub(super) async fn expired_key(world: &mut World) {
    let (old, person) = (world.publisher(), world.person("release@holdfast"));
    let list = world.site.path("trust/allowed_signers");
    let listed = fs_err::read_to_string(&list).unwrap();
    let purpose = "namespaces=\"release@holdfast\"";
    let ended = format!("{purpose},valid-before=\"20200101Z\"");
    let new = stranger().public_key().to_openssh().unwrap();
    let listed = listed.replace(purpose, &ended);
    fs_err::write(&list, format!("{listed}{person} {purpose} {new}\n")).unwrap();
    world.restarts().await;
    let mut next = world.forge.next().unwrap();
    (next.as_of, next.signed_at) = (snapshot::Timestamp(0), snapshot::Timestamp(0));
    world.offers_release(&next);
    let reason = format!("expired-key: key {old} of {person} ended at 2020-01-01T00:00:00Z");
    world.refuses("trust", "release", &reason).await;
    stranger()
        .write_openssh_file(world.site.path("keys/release"), LineEnding::LF)
        .unwrap();
}

pub(super) async fn role_swapped(world: &mut World) {
    let (key, person) = (world.key("keys/operator"), world.person("order@holdfast"));
    let next = world.forge.next().unwrap();
    world.offers(&by(key, &next, Namespace::Release));
    let reason = format!("role-swapped: {person} is no publisher, which release@holdfast takes");
    world.refuses("trust", "release", &reason).await;
}

pub(super) async fn duplicate_signature(world: &mut World) {
    let once = world.forge.signed(&world.forge.next().unwrap()).unwrap();
    world.offers(&signed_twice(&once).unwrap());
    let reason = format!(
        "duplicate-signature: key {} signed twice",
        world.publisher()
    );
    world.refuses("trust", "release", &reason).await;
}

pub(super) async fn signature_over_other_bytes(world: &mut World) {
    let next = world.forge.next().unwrap();
    let mut changed = Envelope::seal(encode(&next).unwrap());
    let other = Release {
        manifest: Digest::of(b"other"),
        ..next
    };
    let other = world.forge.signed(&other).unwrap();
    changed.attach_armor(&other.armor().unwrap()[0]).unwrap();
    world.offers(&changed.to_bytes().unwrap());
    let publisher = world.publisher();
    let reason = format!("signature over other bytes: key {publisher} did not sign this payload");
    world.refuses("trust", "release", &reason).await;
}

pub(super) async fn wrong_namespace(world: &mut World) {
    let next = world.forge.next().unwrap();
    world.offers(&by(world.key("keys/release"), &next, Namespace::Order));
    let reason = "wrong-namespace: made for \"order@holdfast\", expected \"release@holdfast\"";
    world.refuses("trust", "release", reason).await;
}

pub(super) async fn unsigned(world: &mut World) {
    let next = encode(&world.forge.next().unwrap()).unwrap();
    world.offers(&Envelope::seal(next).to_bytes().unwrap());
    world.refuses("trust", "release", "unsigned").await;
}

pub(super) async fn other_site(world: &mut World) {
    world.offers_release(&Release {
        site: "other".parse().unwrap(),
        ..world.forge.next().unwrap()
    });
    let reason = "other-site: speaks of other, expected small";
    world.refuses("trust", "release", reason).await;
}

fn by(key: ssh_key::PrivateKey, release: &Release, namespace: Namespace) -> Vec<u8> {
    signed_by(key, release, namespace)
        .unwrap()
        .to_bytes()
        .unwrap()
}
