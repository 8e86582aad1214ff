//! A small site for this room's tests.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use snapshot::manifest::{Collection, Isolation, Privacy, Route, Service, Target};
use snapshot::{
    CollectionName, Digest, Key, LocalText, Manifest, NodeCache, Release, Sequence, Stack, Store,
    Timestamp,
};

use super::Routes;
use crate::copy::LoadedRelease;

pub(crate) fn manifest(routes: Vec<Route>) -> Manifest {
    let text = |ko: &str, en: &str| LocalText::from_iter([("ko", ko), ("en", en)]);
    Manifest {
        version: Manifest::VERSION,
        site: "dasom".parse().unwrap(),
        title: text("다솜", "Dasom"),
        languages: vec!["ko".to_owned(), "en".to_owned()],
        services: vec![Service {
            name: "pay".parse().unwrap(),
            title: text("다솜페이", "Dasom Pay"),
            meanwhile: text("계좌로 보내 주세요", "Send to the account"),
            probe: "/pay/health".to_owned(),
        }],
        collections: Vec::new(),
        components: Vec::new(),
        routes,
        canaries: Vec::new(),
        accepts_shrink: false,
    }
}

pub(crate) fn component(path: &str, name: &str) -> Route {
    Route {
        path: path.to_owned(),
        service: "pay".parse().unwrap(),
        target: Target::Component(name.parse().unwrap()),
        collections: Vec::new(),
        isolation: Isolation::Shared,
        capability: None,
        template: None,
        query: Vec::new(),
        now: false,
        always: false,
        rewrite: true,
        stale_after_s: 600,
        too_old_after_s: None,
    }
}

pub(crate) fn assets(path: &str, collection: &str) -> Route {
    Route {
        target: Target::Assets(collection.parse().unwrap()),
        collections: vec![collection.parse().unwrap()],
        ..component(path, "unused")
    }
}

/// A release of `files` in the collection `files`, as of `as_of`, kept in `dir`.
pub(crate) fn loaded(
    dir: &Path,
    routes: Vec<Route>,
    files: &[(&str, &str)],
    as_of: Timestamp,
) -> LoadedRelease {
    let store = Arc::new(Store::open(dir).unwrap());
    let name: CollectionName = "files".parse().unwrap();
    let mut manifest = manifest(routes);
    let site = manifest.site.clone();
    let mut builder = store.build(site.clone(), name.clone()).unwrap();
    let files: BTreeMap<_, _> = files.iter().copied().collect();
    for (key, value) in &files {
        let entry = store.entry(value.as_bytes().to_vec()).unwrap();
        builder.push(&Key::new(*key).unwrap(), &entry).unwrap();
    }
    let (staged, entry) = builder.finish().unwrap().unwrap();
    staged.persist_segment(&entry, &site, &name).unwrap();
    let cache = NodeCache::new(1 << 20);
    let segment = store.segment(&entry, &site, &name, &cache).unwrap();
    manifest.collections.push(Collection {
        name: name.clone(),
        privacy: Privacy::Public,
        complete: false,
        records: files.len() as u64,
        segments: vec![entry],
    });
    let routes = Routes::new(&manifest).unwrap();
    LoadedRelease {
        release: Release {
            version: Release::VERSION,
            site,
            sequence: Sequence(7),
            manifest: Digest::of(b"manifest"),
            manifest_bytes: 8,
            as_of,
            positions: Vec::new(),
            signed_at: as_of,
        },
        manifest: Arc::new(manifest),
        routes: Arc::new(routes),
        stacks: Arc::new(BTreeMap::from([(name, Stack::new(vec![segment]))])),
        guests: Arc::default(),
        store,
    }
}
