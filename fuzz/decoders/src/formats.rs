//! What mirrors and peers hand over: `snapshot/FORMAT.md`.

use std::hint::black_box;
use std::io::{Seek as _, Write as _};
use std::sync::LazyLock;

use serde_bytes::ByteBuf;
use snapshot::manifest::SegmentEntry;
use snapshot::segment::Fault;
use snapshot::{
    AcceptedRelease, Bundle, CollectionName, Digest, Entry, Envelope, Floor, Generation, Key,
    KeySigner, Manifest, Namespace, NodeCache, OfferedBundle, Release, Segment, SegmentBuilder,
    SegmentError, SiteName, Timestamp, accept_order, accept_release, at_rest, encode, limits,
};
use ssh_key::PrivateKey;
use ssh_key::private::Ed25519Keypair;

mod valid;
#[cfg(feature = "edge")]
pub(crate) use valid::town;

crate::decoders![
    node,
    segment,
    frames,
    manifest,
    release,
    order,
    envelope,
    signature,
    armor,
    bundle,
    floor,
    journal,
    kept_orders,
];

/// 2026-11-22T05:05:00Z.
pub(crate) const NOW: Timestamp = Timestamp(1_795_323_900_000);

/// One person who may sign everything, and the generation that says so.
pub(crate) static TRUST: LazyLock<(KeySigner, Generation)> = LazyLock::new(|| {
    let key = PrivateKey::from(Ed25519Keypair::from_seed(&[1; 32]));
    let line = key
        .public_key()
        .to_openssh()
        .map(|key| format!("sora {key}\n"));
    let roles = "[person.sora]\nroles = [\"publisher\", \"operator\"]\nsites = [\"dasom\"]\n";
    let generation = Generation::parse(&line.expect("a key has a line"), roles);
    let signer = KeySigner::new(key).expect("a key that is not locked");
    (signer, generation.expect("sound files"))
});

pub(crate) fn site() -> SiteName {
    "dasom".parse().expect("a name")
}

fn collection() -> CollectionName {
    "clubs".parse().expect("a name")
}

fn open(bytes: &[u8], root_at: u64, records: u64) -> Result<Segment, SegmentError> {
    let mut file = tempfile::tempfile().expect("a file without a name");
    file.write_all(bytes).expect("room for it");
    file.rewind().expect("a file can be rewound");
    let root = usize::try_from(root_at).ok().and_then(|at| bytes.get(at..));
    let entry = SegmentEntry {
        id: Digest::of_node(root.unwrap_or_default()),
        bytes: bytes.len() as u64,
        root_at,
        records,
        from: Vec::new(),
        bottom: false,
    };
    let cache = NodeCache::new(1 << 20);
    Segment::open(file, "it", &entry, &site(), &collection(), &cache)
}

/// True if the segment is sound; then its entries, built again, are the same bytes.
fn sound(segment: &Segment, bytes: &[u8]) -> bool {
    let entries: Result<Vec<(Key, Entry)>, _> = segment.iter(..).collect();
    let looked_up = Key::new("k").is_ok_and(|key| segment.get(&key).is_ok());
    if segment.verify().is_err() {
        return false;
    }
    assert!(looked_up, "a sound segment cannot be read");
    let mut builder = SegmentBuilder::new(Vec::new(), site(), collection());
    for (key, entry) in entries.expect("a sound segment can be read") {
        assert!(key.as_bytes().len() <= limits::KEY_BYTES);
        builder.push(&key, &entry).expect("it was built before");
    }
    let built = builder.finish().expect("it was built before");
    let (built, _) = built.expect("no segment is empty");
    assert_eq!(built, bytes, "two spellings");
    true
}

/// A node that is all of a segment.
fn node(bytes: &[u8]) -> bool {
    let segment = match open(bytes, 0, 0) {
        // The manifest knows the number of records; here the root is believed.
        Err(SegmentError {
            fault: Fault::Records { got, .. },
            ..
        }) => open(bytes, 0, got),
        other => other,
    };
    let Ok(segment) = segment else {
        return false;
    };
    assert!(bytes.len() <= limits::NODE_BYTES + limits::ROOT_HEAD_BYTES);
    sound(&segment, bytes)
}

/// A whole segment, behind what the manifest says: the root's place, and how many records.
fn segment(bytes: &[u8]) -> bool {
    let Some((claims, nodes)) = bytes.split_first_chunk::<16>() else {
        return false;
    };
    let claims = u128::from_be_bytes(*claims);
    let (root_at, records) = ((claims >> 64) as u64, claims as u64);
    open(nodes, root_at, records).is_ok_and(|segment| sound(&segment, nodes))
}

/// A segment at rest: zstd frames and the table of their lengths, behind the length claimed.
fn frames(bytes: &[u8]) -> bool {
    let Some((claim, packed)) = bytes.split_first_chunk::<8>() else {
        return false;
    };
    let entry = SegmentEntry {
        id: Digest::of(b""),
        bytes: u64::from_be_bytes(*claim),
        root_at: 0,
        records: 1,
        from: Vec::new(),
        bottom: false,
    };
    let mut out = Vec::new();
    let expanded = at_rest::expand(&mut &*packed, &entry, &mut out);
    assert!(out.len() as u64 <= entry.bytes, "more than was claimed");
    if expanded.is_ok() {
        assert_eq!(out.len() as u64, entry.bytes);
        assert!(packed.len() as u64 <= at_rest::limit(entry.bytes));
    }
    one_by_one(packed, entry.bytes);
    expanded.is_ok()
}

/// The same frame by frame, as a lazy read goes: by the table at its end, which may lie.
fn one_by_one(packed: &[u8], bytes: u64) {
    let Some(frames) = at_rest::Frames::read(packed, bytes) else {
        return;
    };
    for at in (0..bytes).step_by(limits::FRAME_BYTES) {
        let frame = frames.holding(at).expect("all of it is in frames");
        assert!(frame.start <= at && at < frame.start + frame.expanded);
        let part = |at: u64| usize::try_from(at).ok();
        let range = part(frame.at_rest).zip(part(frame.at_rest + frame.packed));
        if let Some(given) = range.and_then(|(from, until)| packed.get(from..until))
            && let Ok(out) = at_rest::expand_frame(given, frame.expanded)
        {
            assert_eq!(out.len() as u64, frame.expanded);
        }
    }
}

/// A manifest, under a release that names it.
fn manifest(bytes: &[u8]) -> bool {
    let release = Release {
        manifest: Digest::of(bytes),
        manifest_bytes: bytes.len() as u64,
        ..valid::stated()
    };
    let Ok(manifest) = Manifest::read(bytes, &release) else {
        return false;
    };
    assert!(bytes.len() <= limits::MANIFEST_BYTES);
    assert_eq!(manifest.to_bytes().expect("it was read"), bytes);
    true
}

pub(crate) fn signed(statement: &[u8], namespace: Namespace) -> Option<Envelope> {
    let mut envelope = Envelope::seal(statement.to_vec());
    envelope.sign_with(&TRUST.0, namespace).ok()?;
    Some(envelope)
}

/// What a publisher signed.
fn release(bytes: &[u8]) -> bool {
    let Some(envelope) = signed(bytes, Namespace::Release) else {
        assert!(bytes.len() > limits::STATEMENT_BYTES);
        return false;
    };
    let judged = accept_release(&TRUST.1, &envelope, &site(), &Floor::default(), NOW);
    let Ok((accepted, _)) = judged else {
        return false;
    };
    assert_eq!(encode(&accepted.release).expect("it was read"), bytes);
    journal(&accepted.to_bytes().expect("it was accepted"))
}

/// What an operator signed.
fn order(bytes: &[u8]) -> bool {
    let Some(envelope) = signed(bytes, Namespace::Order) else {
        assert!(bytes.len() > limits::STATEMENT_BYTES);
        return false;
    };
    let Ok((accepted, _)) = accept_order(&TRUST.1, &envelope, &site(), NOW) else {
        return false;
    };
    assert_eq!(encode(&accepted.order).expect("it was read"), bytes);
    let mut bundle = Bundle::default();
    bundle
        .merge(accepted, &TRUST.1, &site())
        .is_ok_and(|_| kept_orders(&bundle.to_bytes().expect("it was accepted")))
}

/// A statement with its signatures. Only what our key signed is ever believed.
fn envelope(bytes: &[u8]) -> bool {
    let Ok(envelope) = Envelope::from_bytes(bytes) else {
        return false;
    };
    assert!(bytes.len() <= limits::ENVELOPE_BYTES);
    assert!(envelope.payload().len() <= limits::STATEMENT_BYTES);
    assert!(envelope.signatures().len() <= limits::SIGNATURES);
    assert_eq!(envelope.to_bytes().expect("it was read"), bytes);
    envelope.armor().ok();
    let floor = Floor::default();
    if accept_release(&TRUST.1, &envelope, &site(), &floor, NOW).is_ok() {
        let stated = encode(&valid::stated()).expect("it can be written");
        assert_eq!(envelope.payload(), stated, "never signed");
    }
    accept_order(&TRUST.1, &envelope, &site(), NOW).ok();
    true
}

/// A signature inside an envelope, as OpenSSH writes it.
fn signature(bytes: &[u8]) -> bool {
    let parts = (
        Envelope::VERSION,
        ByteBuf::from(b"anything".to_vec()),
        vec![ByteBuf::from(bytes.to_vec())],
    );
    let document = encode(&parts).expect("it can be written");
    let Ok(envelope) = Envelope::from_bytes(&document) else {
        assert!(bytes.len() > limits::SIGNATURE_BYTES);
        return false;
    };
    let Ok(armor) = envelope.armor() else {
        return false;
    };
    assert!(bytes.len() <= limits::SIGNATURE_BYTES);
    let mut again = Envelope::seal(b"anything".to_vec());
    for armor in armor {
        again.attach_armor(&armor).expect("it was read");
    }
    assert_eq!(again.signatures().next(), Some(bytes));
    true
}

/// A signature as `ssh-keygen -Y sign` prints it.
fn armor(bytes: &[u8]) -> bool {
    let armor = crate::text(bytes);
    let mut envelope = Envelope::seal(b"anything".to_vec());
    if envelope.attach_armor(&armor).is_err() {
        return false;
    }
    assert!(armor.len() <= 2 * limits::SIGNATURE_BYTES);
    assert!(envelope.signatures().next().is_some_and(signature));
    true
}

/// The orders that a mirror holds.
fn bundle(bytes: &[u8]) -> bool {
    let Ok(bundle) = OfferedBundle::from_bytes(bytes) else {
        return false;
    };
    assert!(bytes.len() <= limits::BUNDLE_BYTES);
    assert!(bundle.envelopes().len() <= limits::BUNDLE_ORDERS);
    assert_eq!(bundle.to_bytes().expect("it was read"), bytes);
    let judged = bundle.accept(&TRUST.1, &site(), NOW);
    assert_eq!(judged.len(), bundle.envelopes().len());
    assert!(bundle.orders().len() <= judged.len());
    true
}

/// An edge's own floor, from a disk that may be damaged.
fn floor(bytes: &[u8]) -> bool {
    let Ok(floor) = Floor::from_bytes(bytes) else {
        return false;
    };
    black_box(floor.highest(&TRUST.1, &site()));
    assert_eq!(floor.to_bytes().expect("it was read"), bytes);
    true
}

/// An edge's own accepted release.
fn journal(bytes: &[u8]) -> bool {
    let Ok(accepted) = AcceptedRelease::from_bytes(bytes) else {
        return false;
    };
    assert_eq!(accepted.to_bytes().expect("it was read"), bytes);
    true
}

/// An edge's own accepted orders.
fn kept_orders(bytes: &[u8]) -> bool {
    Bundle::from_bytes(bytes).is_ok_and(|bundle| {
        bundle.offer().to_bytes().ok();
        true
    })
}
