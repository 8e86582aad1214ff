//! A good next release that brings an object of each kind, of which one is spoilt.

use snapshot::manifest::Component;
use snapshot::{BlobRef, Digest, Entry, Release, encode};
use stage::forge::nodes::{Head, Nodes, Segment};

use super::world::{World, pages};

/// The kind of an object, as it is called in `/status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Manifest,
    Component,
    Segment,
    Blob,
}

/// Kinds whose name is the hash of their bytes as they lie on a mirror.
pub(super) const PLAIN: [Kind; 3] = [Kind::Manifest, Kind::Component, Kind::Blob];

/// An object as it should be.
pub(super) struct Object {
    pub(super) digest: Digest,
    /// Its bytes on the mirror.
    pub(super) bytes: Vec<u8>,
    /// Of a segment, its nodes and what the manifest says of it.
    pub(super) segment: Option<Segment>,
}

/// What lies there instead of an object, and why that is refused.
pub(super) type Spoilt = (Option<Vec<u8>>, String);

/// Offers a good release of which the one object of this kind is spoilt.
pub(super) async fn spoilt(world: &mut World, kind: Kind, spoil: impl FnOnce(&Object) -> Spoilt) {
    let (release, object) = on_the_mirror(world, kind);
    let (bytes, reason) = spoil(&object);
    match bytes {
        Some(bytes) => world.forge.put_as(&object.digest, &bytes).unwrap(),
        None => world.forge.remove(&object.digest).unwrap(),
    }
    world.offers_release(&release);
    let name = format!("{} {}", format!("{kind:?}").to_lowercase(), object.digest);
    world.refuses("object", &name, &reason).await;
}

/// Head of a segment of the pages.
pub(super) fn head(records: u64) -> Head {
    Head {
        version: 1,
        site: "small".to_owned(),
        collection: "pages".to_owned(),
        records,
    }
}

/// A next release like no other, whole, and its object of this kind.
fn on_the_mirror(world: &World, kind: Kind) -> (Release, Object) {
    let words = format!("what is spoilt after {} refusals\n", world.refused());
    let (blob, component) = (words.repeat(200).into_bytes(), words.repeat(9).into_bytes());
    let rows = [("spoilt", Entry::Blob(BlobRef::of(&blob)))];
    let segment = Nodes::default().root_leaf(&head(1), &rows).unwrap();
    let mut manifest = world.forge.manifest.clone();
    manifest.components.push(Component {
        name: "spoilt".parse().unwrap(),
        digest: Digest::of(&component),
        bytes: component.len() as u64,
    });
    pages(&mut manifest)
        .segments
        .insert(0, segment.entry.clone());
    world.forge.put(&blob).unwrap();
    world.forge.put(&component).unwrap();
    let at_rest = segment.at_rest().unwrap();
    world.forge.put_as(&segment.entry.id, &at_rest).unwrap();
    let release = world.forge.next_of(&manifest).unwrap();
    let plain = |bytes: Vec<u8>| Object {
        digest: Digest::of(&bytes),
        bytes,
        segment: None,
    };
    let object = match kind {
        Kind::Manifest => plain(encode(&manifest).unwrap()),
        Kind::Component => plain(component),
        Kind::Blob => plain(blob),
        Kind::Segment => Object {
            digest: segment.entry.id,
            bytes: at_rest,
            segment: Some(segment),
        },
    };
    (release, object)
}
