//! Objects that are not what their names say.

use snapshot::{Digest, at_rest, limits};

use super::whole::{Kind, Object, PLAIN, spoilt};
use super::world::World;

const HTML: &[u8] = b"<html><body><h1>503 Service Unavailable</h1></body></html>\n";

pub(super) async fn flipped_byte(world: &mut World) {
    for kind in PLAIN {
        spoilt(world, kind, |object| {
            let bytes = flipped(&object.bytes, object.bytes.len() / 2);
            let (name, got) = (object.digest, Digest::of(&bytes));
            let reason = format!("object {name}: its bytes hash to {got}");
            (Some(bytes), reason)
        })
        .await;
    }
    spoilt(world, Kind::Segment, |object| {
        let reason = "segment at rest, frame 0: cannot be expanded: Unknown frame descriptor";
        (Some(flipped(&object.bytes, 0)), reason.to_owned())
    })
    .await;
    spoilt(world, Kind::Segment, |object| {
        let last = object.bytes.len() - 1;
        (Some(flipped(&object.bytes, last)), TABLE.to_owned())
    })
    .await;
    // Within a node, whose frame is sound: the mirror compressed it anew.
    spoilt(world, Kind::Segment, |object| {
        let mut segment = object.segment.clone().unwrap();
        let id = segment.entry.id;
        segment.nodes = flipped(&segment.nodes, segment.nodes.len() - 8);
        let got = Digest::of_node(&segment.nodes);
        let reason = format!("{}: hash {got} where {id} is expected", arrived(object));
        (Some(segment.at_rest().unwrap()), reason)
    })
    .await;
    // Within the statement itself.
    let good = world.signed(&world.forge.next().unwrap());
    world.offers(&flipped(&good, 20));
    let publisher = world.publisher();
    let reason = format!("signature over other bytes: key {publisher} did not sign this payload");
    world.refuses("trust", "release", &reason).await;
}

pub(super) async fn truncated(world: &mut World) {
    for kind in PLAIN {
        spoilt(world, kind, |object| {
            let (whole, half) = (object.bytes.len(), object.bytes.len() / 2);
            let reason = format!("ends after {half} of {whole} bytes");
            (Some(object.bytes[..half].to_vec()), reason)
        })
        .await;
    }
    spoilt(world, Kind::Segment, |_| {
        let reason = "segment at rest, frame 0: cannot be expanded: incomplete frame";
        (
            Some(b"\x28\xb5\x2f\xfd\x00\x38".to_vec()),
            reason.to_owned(),
        )
    })
    .await;
    spoilt(world, Kind::Segment, |object| {
        let last = object.bytes.len() - 1;
        (Some(object.bytes[..last].to_vec()), TABLE.to_owned())
    })
    .await;
    spoilt(world, Kind::Segment, |object| {
        let nodes = object.segment.as_ref().unwrap().entry.bytes;
        let reason =
            format!("segment at rest, frame 0: 0 bytes of nodes where {nodes} are expected");
        (Some(Vec::new()), reason)
    })
    .await;
    let good = world.signed(&world.forge.next().unwrap());
    world.offers(&good[..good.len() / 2]);
    let reason = "malformed: envelope: not readable: \
                  IO error while reading data: unexpected end of file";
    world.refuses("trust", "release", reason).await;
}

pub(super) async fn oversized(world: &mut World) {
    let mirror = world.mirror().await;
    let too_large = |object: &Object, limit: u64| {
        let name = object.digest.to_string();
        let place = format!("small/objects/{}/{name}", &name[..2]);
        format!("{place} on mirror {mirror}: more than {limit} bytes")
    };
    for kind in PLAIN {
        spoilt(world, kind, |object| {
            let limit = object.bytes.len() as u64;
            (
                Some(swollen(&object.bytes, 1 << 20)),
                too_large(object, limit),
            )
        })
        .await;
    }
    spoilt(world, Kind::Segment, |object| {
        let limit = at_rest::limit(object.segment.as_ref().unwrap().entry.bytes);
        (
            Some(swollen(&object.bytes, 1 << 20)),
            too_large(object, limit),
        )
    })
    .await;
    spoilt(world, Kind::Segment, |object| {
        let reason = "segment at rest, frame 1: bytes after the table";
        (Some(swollen(&object.bytes, 1)), reason.to_owned())
    })
    .await;
    world.offers(&vec![0x93; limits::ENVELOPE_BYTES + 1]);
    let reason = format!("small/release on mirror {mirror}: more than 131072 bytes");
    world.refuses("trust", "release", &reason).await;
}

pub(super) async fn missing_object(world: &mut World) {
    for kind in [Kind::Manifest, Kind::Component, Kind::Segment, Kind::Blob] {
        spoilt(world, kind, |_| (None, "not there".to_owned())).await;
    }
}

pub(super) async fn html_error_page_with_200(world: &mut World) {
    world.over_http().await;
    for kind in PLAIN {
        spoilt(world, kind, |object| {
            let (got, whole) = (HTML.len(), object.bytes.len());
            let reason = format!("ends after {got} of {whole} bytes");
            (Some(HTML.to_vec()), reason)
        })
        .await;
    }
    spoilt(world, Kind::Segment, |_| {
        let reason = "segment at rest, frame 0: cannot be expanded: Unknown frame descriptor";
        (Some(HTML.to_vec()), reason.to_owned())
    })
    .await;
    world.offers(HTML);
    let page = "not a document of this format: it begins with \"<html><body><h1>503 Service Unav\"";
    let reason = format!("malformed: envelope: {page}");
    world.refuses("trust", "release", &reason).await;
    let orders = world.site.at("shown").join("orders");
    snapshot::durable::write(&orders, HTML).unwrap();
    let reason = format!("bundle: {page}");
    world.refuses("trust", "orders", &reason).await;
    fs_err::remove_file(orders).unwrap();
}

const TABLE: &str =
    "segment at rest, frame 1: the table of frame lengths says otherwise than its frames";

/// What a segment of one node is called in errors, with its only place.
fn arrived(object: &Object) -> String {
    let id = object.digest.short();
    format!("segment pages/{id} as it arrived, node at 0")
}

fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1;
    bytes
}

fn swollen(bytes: &[u8], by: usize) -> Vec<u8> {
    [bytes, &vec![b'x'; by]].concat()
}
