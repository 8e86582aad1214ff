//! Segments that deceive, each signed by the publisher as the forger would have it: only the edge's
//! own reading of every node stands between them and readers.

use snapshot::manifest::SegmentEntry;
use snapshot::{Digest, Entry, limits};
use stage::forge::frames::{bomb, greedy};
use stage::forge::nodes::{Child, Head, Nodes, Segment};

use super::whole::{Kind, head, spoilt};
use super::world::{World, notes, pages};

/// What an edge may take of memory at most, whatever it is offered: bytes.
const MEMORY: u64 = 300 << 20;
/// A value of which four do not fit into a node.
const FULL: usize = limits::NODE_BYTES / 3 - 20;

pub(super) async fn zip_bomb(world: &mut World) {
    // In place of a good one: 100 MB out of 3 KB.
    spoilt(world, Kind::Segment, |object| {
        let most = object.segment.as_ref().unwrap().entry.bytes;
        let reason =
            format!("segment at rest, frame 0: expands to more than the {most} bytes allowed");
        (Some(bomb(800)), reason)
    })
    .await;
    spoilt(world, Kind::Segment, |_| {
        let reason = "segment at rest, frame 0: cannot be expanded: \
                      Frame requires too much memory for decoding";
        (Some(greedy()), reason.to_owned())
    })
    .await;
    // Signed as what it is: a gigabyte in one frame, then as much in frames of a lawful size.
    let claiming = |bytes: u64, salt: &[u8]| {
        let segment = Nodes::default().root_leaf(&head(1), &[("a", Entry::Tombstone)]);
        let entry = SegmentEntry {
            id: Digest::of(salt),
            bytes,
            root_at: bytes - 100,
            ..segment.unwrap().entry
        };
        Segment {
            nodes: Vec::new(),
            entry,
        }
    };
    let one = claiming(1 << 30, b"one frame");
    let reason = "segment at rest, frame 0: expands to more than the 131072 bytes allowed";
    refused(world, &one, &bomb(8 << 10), reason).await;
    let many = claiming(1 << 30, b"many frames");
    let reason = "segment at rest, frame 0: \
                  no row of whole nodes: at 0 of 131072 expanded bytes there is no node";
    refused(world, &many, &bomb(1).repeat(8 << 10), reason).await;
    // Signed as larger than any may be: nothing of it is fetched.
    let endless = claiming(u64::MAX, b"endless");
    let id = endless.entry.id;
    world.offers_segment(&endless, &bomb(1));
    let reason = format!(
        "manifest: segment {id} of collection pages of 18446744073709551615 bytes, \
         at most 68719476736"
    );
    world.refuses("manifest", "", &reason).await;
    let peak = world.edge.peak_memory();
    assert!(peak < MEMORY, "{peak} bytes of memory");
}

pub(super) async fn lying_count(world: &mut World) {
    let two = [("a", Entry::Tombstone), ("b", Entry::Tombstone)];
    // The root says three and the manifest agrees.
    let root = Nodes::default().root_leaf(&head(3), &two).unwrap();
    refuses_node(world, &root, 0, "2 entries where 3 are expected").await;
    // The manifest says three.
    let mut manifest = Nodes::default().root_leaf(&head(2), &two).unwrap();
    manifest.entry.records = 3;
    refuses_node(world, &manifest, 0, "2 entries where 3 are expected").await;
    // The leaves below a root.
    let (tree, children) = full_leaves(["a", "b", "c", "d", "e", "f"]);
    let lie = tree.root(&head(7), &children).unwrap();
    let root_at = lie.entry.root_at;
    refuses_node(world, &lie, root_at, "6 entries where 7 are expected").await;
    // The collection says more than its segments hold.
    let held = pages(&mut world.forge.manifest.clone()).records;
    let states = held + 1;
    world.offers_manifest(|manifest| pages(manifest).records = states);
    let reason =
        format!("manifest: collection pages states {states} records, its segments hold {held}");
    world.refuses("manifest", "", &reason).await;
    // Of a segment that the edge holds already: it is read again, and the mirror is asked.
    let held = notes(&mut world.forge.manifest.clone()).segments[0].clone();
    let name = format!("segment {}", held.id);
    world.offers_manifest(|manifest| notes(manifest).segments[0].bytes += 1);
    let reason = "segment at rest, frame 1: expands to nothing: \
                  1 bytes of nodes are still missing";
    world.refuses("object", &name, reason).await;
    world.offers_manifest(|manifest| notes(manifest).segments[0].records += 1);
    let (short, at) = (held.id.short(), held.root_at);
    let reason = format!(
        "segment notes/{short} as it arrived, node at {at}: 1 entries where 2 are expected"
    );
    world.refuses("object", &name, &reason).await;
}

pub(super) async fn keys_out_of_order(world: &mut World) {
    for [first, second] in [["b", "a"], ["a", "a"]] {
        let rows = [(first, Entry::Tombstone), (second, Entry::Tombstone)];
        let leaf = Nodes::default().root_leaf(&head(2), &rows).unwrap();
        let fault = format!("key {second} after {first}: keys must ascend");
        refuses_node(world, &leaf, 0, &fault).await;
    }
    // Leaves in the wrong order, as their parent has it.
    let (tree, children) = full_leaves(["d", "e", "f", "a", "b", "c"]);
    let lie = tree.root(&head(6), &children).unwrap();
    let root_at = lie.entry.root_at;
    refuses_node(world, &lie, root_at, "key a after d: keys must ascend").await;
    // A leaf that reaches into the next one.
    let (tree, children) = full_leaves(["a", "b", "e", "d", "f", "g"]);
    let lie = tree.root(&head(6), &children).unwrap();
    let fault = "key e where only keys below d are expected";
    refuses_node(world, &lie, 0, fault).await;
}

pub(super) async fn node_of_another_segment(world: &mut World) {
    // Another tree's leaf, of the same length, in place of the right one.
    let (tree, children) = full_leaves(["a", "b", "c", "d", "e", "f"]);
    let mut segment = tree.root(&head(6), &children).unwrap();
    let (other, others) = full_leaves(["a", "b", "x", "y", "z", "zz"]);
    let stranger = other.root(&head(6), &others).unwrap();
    let length = usize::try_from(children[0].bytes).unwrap();
    assert_eq!(children[0].bytes, others[0].bytes);
    segment.nodes[..length].copy_from_slice(&stranger.nodes[..length]);
    let (got, expected) = (others[0].digest, children[0].digest);
    let fault = format!("hash {got} where {expected} is expected");
    refuses_node(world, &segment, 0, &fault).await;
    // Named by a parent that lies about its keys.
    let (tree, mut children) = full_leaves(["b", "c", "d", "e", "f", "g"]);
    children[0].key = snapshot::Key::new("a").unwrap();
    let lie = tree.root(&head(6), &children).unwrap();
    refuses_node(world, &lie, 0, "first key b where a is expected").await;
    // A part of a segment, offered as the whole of one.
    let mut leaf = Nodes::default();
    let root = leaf.leaf(&[("a", Entry::Tombstone)]).unwrap();
    let part = leaf.end(&root, 1);
    let fault = "another kind of node where a root is expected";
    refuses_node(world, &part, 0, fault).await;
}

pub(super) async fn segment_of_another_site(world: &mut World) {
    let belonging = |site: &str, collection: &str| {
        let head = Head {
            site: site.to_owned(),
            collection: collection.to_owned(),
            ..head(1)
        };
        let rows = [("a", Entry::Tombstone)];
        Nodes::default().root_leaf(&head, &rows).unwrap()
    };
    let theirs = belonging("other", "pages");
    let fault = "belongs to site other where small is expected";
    refuses_node(world, &theirs, 0, fault).await;
    let photos = belonging("small", "photos");
    let fault = "belongs to collection photos where pages is expected";
    refuses_node(world, &photos, 0, fault).await;
    // One that the edge holds, and serves where it belongs.
    let manifest = &world.forge.manifest;
    let photos = manifest
        .collections
        .iter()
        .find(|c| c.name.as_str() == "photos");
    let held = photos.unwrap().segments[0].clone();
    world.offers_manifest(|manifest| pages(manifest).segments.push(held.clone()));
    let (id, at) = (held.id, held.root_at);
    let reason = format!(
        "segment pages/{} as it arrived, node at {at}: {fault}",
        id.short()
    );
    world
        .refuses("object", &format!("segment {id}"), &reason)
        .await;
}

/// Offers `segment` at rest as its nodes are; the node at `at` must be found at fault.
async fn refuses_node(world: &mut World, segment: &Segment, at: u64, fault: &str) {
    let short = segment.entry.id.short();
    let reason = format!("segment pages/{short} as it arrived, node at {at}: {fault}");
    refused(world, segment, &segment.at_rest().unwrap(), &reason).await;
}

async fn refused(world: &mut World, segment: &Segment, at_rest: &[u8], reason: &str) {
    world.offers_segment(segment, at_rest);
    let name = format!("segment {}", segment.entry.id);
    world.refuses("object", &name, reason).await;
}

/// Two leaves of three entries each, cut as the rule has it, and what a parent says of them.
fn full_leaves(keys: [&str; 6]) -> (Nodes, [Child; 2]) {
    let rows = keys.map(|key| (key, Entry::Inline(vec![7; FULL])));
    let mut nodes = Nodes::default();
    let children = [&rows[..3], &rows[3..]].map(|rows| nodes.leaf(rows).unwrap());
    (nodes, children)
}
