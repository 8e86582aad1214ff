//! Documents of the formats, as their writers write them.

use snapshot::manifest::{
    Canary, Collection, Component, Isolation, Preset, Privacy, Route, SegmentEntry, Service,
    Target, Thresholds,
};
use snapshot::order::{Mode, Notice, Pin};
use snapshot::{
    AcceptedOrder, BlobRef, Bundle, Digest, Entry, Envelope, Epoch, Floor, Key, LocalText,
    Manifest, Namespace, OfferedBundle, Order, Release, Scope, SegmentBuilder, Sequence,
    accept_order, accept_release, at_rest, encode,
};

use super::{NOW, TRUST, collection, signed, site};

pub(super) fn stated() -> Release {
    Release {
        version: Release::VERSION,
        least_edge: snapshot::EdgeVersion::FIRST,
        site: site(),
        sequence: Sequence(7),
        manifest: Digest::of(b"a manifest"),
        manifest_bytes: 100,
        as_of: NOW,
        positions: vec![("town.db".to_owned(), "17".to_owned())],
        signed_at: NOW,
        erased: Sequence(0),
    }
}

fn built(records: usize, value: usize) -> (Vec<u8>, SegmentEntry) {
    let mut builder = SegmentBuilder::new(Vec::new(), site(), collection());
    for record in 0..records {
        let key = Key::new(format!("key-{record:06}")).expect("a key");
        let entry = match record % 3 {
            0 => Entry::Inline(vec![7; value]),
            1 => Entry::Blob(BlobRef::of(&vec![1; 5000])),
            _ => Entry::Tombstone,
        };
        builder.push(&key, &entry).expect("keys ascend");
    }
    let built = builder.finish().expect("memory takes it");
    built.expect("it is not empty")
}

pub(super) fn node() -> Vec<Vec<u8>> {
    [(1, 0), (5, 30), (20, 300)]
        .map(|(records, value)| built(records, value).0)
        .to_vec()
}

pub(super) fn segment() -> Vec<Vec<u8>> {
    [(3, 20), (120, 1500), (1000, 60)]
        .map(|(records, value)| {
            let (nodes, entry) = built(records, value);
            let claims = [entry.root_at.to_be_bytes(), entry.records.to_be_bytes()].concat();
            [claims, nodes].concat()
        })
        .to_vec()
}

pub(super) fn frames() -> Vec<Vec<u8>> {
    [(3, 20), (1000, 2000)]
        .map(|(records, value)| {
            let (nodes, entry) = built(records, value);
            let mut document = entry.bytes.to_be_bytes().to_vec();
            at_rest::compress(&mut nodes.as_slice(), &mut document).expect("whole nodes");
            document
        })
        .to_vec()
}

pub(super) fn manifest() -> Vec<Vec<u8>> {
    vec![town().to_bytes().expect("it can be written")]
}

/// A small site.
pub(crate) fn town() -> Manifest {
    let words = LocalText::from_iter([("ko", "다솜페이"), ("en", "Dasom Pay")]);
    let route = |path: &str, target: Target| Route {
        path: path.to_owned(),
        service: "pay".parse().expect("a name"),
        target,
        collections: vec![collection()],
        isolation: Isolation::Single,
        capability: path.contains("{cap}").then(|| "cap".to_owned()),
        template: None,
        query: vec!["page".to_owned()],
        now: false,
        always: true,
        rewrite: true,
        status: false,
        stale_after_s: 600,
        too_old_after_s: Some(3600),
    };
    let preset = Preset {
        cause: "fire".parse().expect("a name"),
        text: words.clone(),
    };
    Manifest {
        version: Manifest::VERSION,
        site: site(),
        title: words.clone(),
        languages: vec!["ko".into(), "en".into()],
        presets: vec![preset.clone()],
        services: vec![Service {
            name: "pay".parse().expect("a name"),
            title: words.clone(),
            meanwhile: words,
            presets: vec![preset],
            probe: "/pay/health".to_owned(),
            breaker: Thresholds::default(),
        }],
        collections: vec![Collection {
            name: collection(),
            privacy: Privacy::Public,
            complete: true,
            records: 3,
            segments: vec![built(3, 20).1],
        }],
        components: vec![Component {
            name: "account".parse().expect("a name"),
            digest: Digest::of(b"wasm"),
            bytes: 4,
        }],
        routes: vec![
            route("/{*path}", Target::Assets(collection())),
            route(
                "/i/{id}/{cap}/gift",
                Target::Component("account".parse().expect("a name")),
            ),
        ],
        canaries: vec![Canary {
            path: "/guide/".to_owned(),
            language: "ko".into(),
            status: 200,
            contains: "다솜".to_owned(),
        }],
        accepts_shrink: false,
    }
}

pub(super) fn release() -> Vec<Vec<u8>> {
    vec![encode(&stated()).expect("it can be written")]
}

fn orders() -> [Order; 2] {
    let of = |scope: Scope, mode| Order {
        version: Order::VERSION,
        site: site(),
        scope,
        epoch: Epoch(3),
        predecessor: Some(Digest::of(b"before")),
        mode,
        insists: false,
        notices: vec![Notice {
            at: NOW,
            text: LocalText::from_iter([("ko", "점검 중"), ("en", "under repair")]),
        }],
        pin: None,
        back: None,
        who: "sora".to_owned(),
        why: "fire".to_owned(),
        ends_at: None,
        signed_at: NOW,
    };
    let pinned = Order {
        pin: Some(Pin {
            sequence: Sequence(7),
            manifest: Digest::of(b"a manifest"),
        }),
        ..of(Scope::Site, Mode::Automatic)
    };
    let pay = Scope::Service("pay".parse().expect("a name"));
    [pinned, of(pay, Mode::Degraded)]
}

pub(super) fn order() -> Vec<Vec<u8>> {
    orders()
        .map(|order| encode(&order).expect("it can be written"))
        .to_vec()
}

fn envelopes() -> Vec<Envelope> {
    let releases = release().into_iter().map(|it| (it, Namespace::Release));
    let orders = order().into_iter().map(|it| (it, Namespace::Order));
    let signed = |(statement, namespace): (Vec<u8>, _)| signed(&statement, namespace);
    releases.chain(orders).filter_map(signed).collect()
}

pub(super) fn envelope() -> Vec<Vec<u8>> {
    let envelopes = envelopes();
    let bytes = envelopes.iter().map(|envelope| envelope.to_bytes());
    bytes
        .map(|bytes| bytes.expect("it can be written"))
        .collect()
}

pub(super) fn signature() -> Vec<Vec<u8>> {
    let envelopes = envelopes();
    let signatures = envelopes.iter().flat_map(Envelope::signatures);
    signatures.map(<[u8]>::to_vec).collect()
}

pub(super) fn armor() -> Vec<Vec<u8>> {
    let envelopes = envelopes();
    let armor = envelopes.iter().flat_map(|envelope| envelope.armor().ok());
    armor.flatten().map(String::into_bytes).collect()
}

pub(super) fn bundle() -> Vec<Vec<u8>> {
    let mut bundle = OfferedBundle::default();
    let empty = bundle.to_bytes().expect("it can be written");
    for envelope in envelopes() {
        // A release is no order, and is not put in.
        bundle.put(envelope).ok();
    }
    vec![empty, bundle.to_bytes().expect("it can be written")]
}

fn accepted() -> snapshot::AcceptedRelease {
    let statement = encode(&stated()).expect("it can be written");
    let envelope = signed(&statement, Namespace::Release).expect("our key signs");
    let floor = Floor::default();
    let judged = accept_release(&TRUST.1, &envelope, &site(), &floor, NOW);
    judged.expect("our key is trusted").0
}

pub(super) fn floor() -> Vec<Vec<u8>> {
    let mut floor = Floor::default();
    floor.raise(accepted().mark());
    vec![floor.to_bytes().expect("it can be written")]
}

pub(super) fn journal() -> Vec<Vec<u8>> {
    vec![accepted().to_bytes().expect("it can be written")]
}

pub(super) fn kept_orders() -> Vec<Vec<u8>> {
    let mut bundle = Bundle::default();
    for statement in order() {
        let envelope = signed(&statement, Namespace::Order).expect("our key signs");
        let judged = accept_order(&TRUST.1, &envelope, &site(), NOW);
        let accepted: AcceptedOrder = judged.expect("our key is trusted").0;
        bundle
            .merge(accepted, &TRUST.1, &site())
            .expect("it is newer");
    }
    vec![bundle.to_bytes().expect("it can be written")]
}
