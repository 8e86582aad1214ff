//! A small site for this room's tests.

use snapshot::manifest::{Isolation, Route, Service, Target};
use snapshot::{LocalText, Manifest};

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
