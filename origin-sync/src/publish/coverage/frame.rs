//! What of a manifest every page can show.

use snapshot::manifest::{Collection, Privacy, Service};
use snapshot::{CollectionName, Manifest};

use crate::build::AMENDED;

/// Whether all that every page may show or be found by is the same: names, languages, services,
/// routes, and what collections there are. Their records and the components are a page's own matter.
pub(super) fn same_frame(a: &Manifest, b: &Manifest) -> bool {
    // Every field by name: a new one has to be judged here.
    let Manifest {
        version,
        site,
        title,
        languages,
        presets: _,
        services,
        collections,
        components: _,
        routes,
        canaries: _,
        accepts_shrink: _,
    } = a;
    *version == b.version
        && *site == b.site
        && *title == b.title
        && *languages == b.languages
        && shown(services).eq(shown(&b.services))
        && *routes == b.routes
        && kinds(collections).eq(kinds(&b.collections))
}

/// Presets are words for ops, until an order says them.
fn shown(services: &[Service]) -> impl Iterator<Item = Service> {
    services.iter().map(|service| Service {
        presets: Vec::new(),
        ..service.clone()
    })
}

/// What collections there are. That of the amended records is read by no page.
fn kinds(all: &[Collection]) -> impl Iterator<Item = (&CollectionName, Privacy, bool)> {
    let read = all.iter().filter(|c| c.name.as_str() != AMENDED);
    read.map(kind)
}

fn kind(collection: &Collection) -> (&CollectionName, Privacy, bool) {
    let Collection {
        name,
        privacy,
        complete,
        records: _,
        segments: _,
    } = collection;
    (name, *privacy, *complete)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use snapshot::Digest;
    use snapshot::manifest::{Component, Preset, SegmentEntry};

    use super::*;
    use crate::config::Site;

    fn manifest() -> Manifest {
        let text = "site = \"x\"\n[collection.rows]\nsource = { folder = \"x\" }\n\
                    [service.home]\ntitle = \"Home\"\nmeanwhile = \"\"\nprobe = \"/\"\n\
                    [[route]]\npath = \"/\"\nassets = \"rows\"\n";
        let site = Site::parse(Path::new("site.toml"), text).unwrap();
        let component = Component {
            name: "view".parse().unwrap(),
            digest: Digest::of(b""),
            bytes: 0,
        };
        Manifest {
            version: Manifest::VERSION,
            title: site.title,
            languages: site.languages,
            presets: site.presets,
            services: site.services,
            collections: vec![collection()],
            components: vec![component],
            routes: site.routes.into_iter().map(|route| route.route).collect(),
            canaries: vec![],
            accepts_shrink: false,
            site: site.site,
        }
    }

    fn preset() -> Preset {
        Preset {
            cause: "fire".parse().unwrap(),
            text: Default::default(),
        }
    }

    fn segment() -> SegmentEntry {
        SegmentEntry {
            id: Digest::of(b"another"),
            bytes: 1,
            root_at: 0,
            records: 1,
            from: vec![],
            bottom: false,
        }
    }

    fn collection() -> Collection {
        named("rows")
    }

    fn named(name: &str) -> Collection {
        Collection {
            name: name.parse().unwrap(),
            privacy: Privacy::Public,
            complete: false,
            records: 0,
            segments: Vec::new(),
        }
    }

    #[test]
    fn whatever_every_page_shows_is_the_frame() {
        type Change = fn(&mut Manifest);
        let same = manifest();
        let apart: [Change; 8] = [
            |m| m.site = "y".parse().unwrap(),
            |m| m.title = m.services[0].title.clone(),
            |m| m.languages.push("ko".to_owned()),
            |m| m.services.clear(),
            |m| m.routes.clear(),
            |m| m.collections[0].privacy = Privacy::Sealed,
            |m| m.collections[0].complete = true,
            |m| m.collections.push(named("more")),
        ];
        for (at, change) in apart.into_iter().enumerate() {
            let mut other = same.clone();
            change(&mut other);
            assert!(!same_frame(&same, &other), "{at}");
        }
        let alike: [Change; 7] = [
            |m| m.collections[0].segments.push(segment()),
            |m| m.collections[0].records = 9,
            |m| m.components.clear(),
            |m| m.accepts_shrink = true,
            |m| m.collections.push(named(AMENDED)),
            |m| m.presets.push(preset()),
            |m| m.services[0].presets.push(preset()),
        ];
        for (at, change) in alike.into_iter().enumerate() {
            let mut other = same.clone();
            change(&mut other);
            assert!(same_frame(&same, &other), "{at}");
        }
    }
}
