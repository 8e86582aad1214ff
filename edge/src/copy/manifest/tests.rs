//! Manifests at and beyond each limit.

use snapshot::LocalText;
use snapshot::manifest::{Component, SegmentEntry, Service, Thresholds};

use super::*;
use crate::fixture::{assets, manifest, site};

/// What is said of a manifest that was changed so.
fn said(change: impl FnOnce(&mut Manifest)) -> String {
    let mut manifest = manifest(Vec::new());
    change(&mut manifest);
    match check_manifest(&manifest, &site()) {
        Ok(_) => String::new(),
        Err(fault) => fault.to_string(),
    }
}

fn service(n: usize) -> Service {
    Service {
        name: format!("s{n}").parse().unwrap(),
        title: LocalText::default(),
        meanwhile: LocalText::default(),
        presets: Vec::new(),
        probe: String::new(),
        breaker: Thresholds::default(),
    }
}

fn component(n: usize) -> Component {
    Component {
        name: format!("c{n}").parse().unwrap(),
        digest: Digest::of(b"component"),
        bytes: limits::COMPONENT_BYTES as u64,
    }
}

fn collection(n: usize) -> Collection {
    Collection {
        name: format!("c{n}").parse().unwrap(),
        privacy: snapshot::manifest::Privacy::Public,
        complete: false,
        records: 0,
        segments: Vec::new(),
    }
}

fn canary() -> Canary {
    Canary {
        path: "/".to_owned(),
        language: "ko".to_owned(),
        status: 200,
        contains: String::new(),
    }
}

#[test]
fn only_so_many_parts_of_each_kind() {
    let too_many = |what| format!("manifest: {} times {what}, at most {PARTS}", PARTS + 1);
    for most in [PARTS, PARTS + 1] {
        let expected = |what| match most {
            PARTS => String::new(),
            _ => too_many(what),
        };
        let services = said(|m| m.services = (0..most).map(service).collect());
        assert_eq!(services, expected("service"));
        let collections = said(|m| m.collections = (0..most).map(collection).collect());
        assert_eq!(collections, expected("collection"));
        let components = said(|m| m.components = (0..most).map(component).collect());
        assert_eq!(components, expected("component"));
        let routes = said(|m| {
            m.collections = vec![collection(0)];
            m.routes = (0..most).map(|n| assets(&format!("/{n}"), "c0")).collect();
        });
        assert_eq!(routes, expected("route"));
    }
    assert_eq!(said(|m| m.canaries = vec![canary(); PARTS]), "");
    let canaries = said(|m| m.canaries = vec![canary(); PARTS + 1]);
    assert_eq!(canaries, "manifest: 1025 canaries, at most 1024");
}

#[test]
fn a_breaker_beyond_its_bounds_is_refused() {
    let breaker = said(|m| m.services[0].breaker.window_ms = 1);
    assert_eq!(
        breaker,
        "manifest: service pay: its breaker's window_ms is 1, expected from 1000 to 600000"
    );
}

#[test]
fn at_least_one_language_and_not_too_many() {
    let languages = |n: usize| said(|m| m.languages = vec!["ko".to_owned(); n]);
    assert_eq!(languages(LANGUAGES), "");
    assert_eq!(languages(0), "manifest: 0 languages, expected 1 to 32");
    assert_eq!(
        languages(LANGUAGES + 1),
        "manifest: 33 languages, expected 1 to 32"
    );
}

#[test]
fn components_and_stacks_have_their_limits() {
    let large = said(|m| {
        let mut component = component(0);
        component.bytes += 1;
        m.components = vec![component];
    });
    assert_eq!(
        large,
        "manifest: component c0 of 16777217 bytes, at most 16777216"
    );
    let segment = |n: usize| SegmentEntry {
        id: Digest::of(&n.to_le_bytes()),
        bytes: 1,
        root_at: 0,
        records: 0,
        from: Vec::new(),
        bottom: false,
    };
    let stack = |n: usize| {
        said(|m| {
            let segments = (0..n).map(segment).collect();
            m.collections = vec![Collection {
                segments,
                ..collection(0)
            }];
        })
    };
    assert_eq!(stack(limits::STACK_SEGMENTS), "");
    let tall = "manifest: collection c0 of 65 segments, at most 64";
    assert_eq!(stack(limits::STACK_SEGMENTS + 1), tall);

    let merged = |inputs: usize| {
        said(|m| {
            let from = vec![(&segment(0)).into(); inputs];
            let segments = vec![SegmentEntry { from, ..segment(0) }];
            m.collections = vec![Collection {
                segments,
                ..collection(0)
            }];
        })
    };
    assert_eq!(merged(limits::STACK_SEGMENTS), "");
    let wide = merged(limits::STACK_SEGMENTS + 1);
    assert!(
        wide.ends_with("of collection c0 merged from 65 others, at most 64"),
        "{wide}"
    );

    // Before a byte of it is fetched.
    let of = |bytes| {
        said(|m| {
            let segments = vec![SegmentEntry {
                bytes,
                ..segment(0)
            }];
            m.collections = vec![Collection {
                segments,
                ..collection(0)
            }];
        })
    };
    assert_eq!(of(limits::SEGMENT_BYTES), "");
    let large = of(limits::SEGMENT_BYTES + 1);
    assert!(
        large.ends_with("of collection c0 of 68719476737 bytes, at most 68719476736"),
        "{large}"
    );
}

#[test]
fn a_collection_may_lose_a_share_and_no_more() {
    let counting = |records| Manifest {
        collections: vec![Collection {
            records,
            ..collection(0)
        }],
        ..manifest(Vec::new())
    };
    let least = 100 - SHRINK_PERCENT;
    assert_eq!(check_counts(&counting(100), &counting(least)), Ok(()));
    let fell = check_counts(&counting(100), &counting(least - 1)).unwrap_err();
    assert!(
        fell.starts_with("collection c0 fell from 100 to 69 records"),
        "{fell}"
    );
}
