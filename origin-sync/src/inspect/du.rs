//! `du`: what releases, collections and kinds of objects cost on each mirror.

use std::collections::btree_map::Entry as Slot;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};
use snapshot::{CollectionName, Digest, Manifest, Sequence};

use super::{InspectError, Inspector};
use crate::mirror;

/// What an object is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// A manifest.
    Manifest,
    /// A segment.
    Segment,
    /// A value that is too long for a segment.
    Blob,
    /// A component.
    Component,
}

impl Use {
    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manifest => "manifests",
            Self::Segment => "segments",
            Self::Blob => "blobs",
            Self::Component => "components",
        }
    }
}

/// Objects and their bytes at rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// How many.
    pub objects: u64,
    /// Their bytes at rest.
    pub bytes: u64,
}

impl Cost {
    fn add(&mut self, bytes: u64) {
        self.objects += 1;
        self.bytes += bytes;
    }

    fn json(self) -> Json {
        json!({ "objects": self.objects, "bytes": self.bytes })
    }
}

/// What one mirror spends.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    /// Its URL.
    pub url: String,
    /// All that retained releases name, each object once.
    pub total: Cost,
    /// What no retained release names; unknown of a mirror that cannot list.
    pub unnamed: Option<Cost>,
    /// Each release, newest first.
    pub releases: Vec<ReleaseUsage>,
    /// Each collection over all releases. What two of them share counts in both.
    pub collections: BTreeMap<CollectionName, Cost>,
    /// Each kind of object over all releases.
    pub uses: BTreeMap<Use, Cost>,
}

/// What one release costs on one mirror.
#[derive(Clone, Copy, Debug)]
pub struct ReleaseUsage {
    /// Its number.
    pub sequence: Sequence,
    /// All that it names.
    pub all: Cost,
    /// What no other retained release names: what would be freed if it went.
    pub own: Cost,
    /// Objects that it names and the mirror has not.
    pub missing: u64,
}

impl Usage {
    /// For scripts.
    #[must_use]
    pub fn json(&self) -> Json {
        let releases = self.releases.iter().map(|release| {
            json!({
                "sequence": release.sequence.0,
                "all": release.all.json(),
                "own": release.own.json(),
                "shared": release.shared().json(),
                "missing": release.missing,
            })
        });
        let collections = self.collections.iter().map(|(name, cost)| {
            json!({ "collection": name.as_str(), "objects": cost.objects, "bytes": cost.bytes })
        });
        let uses = self.uses.iter();
        let uses: serde_json::Map<String, Json> = uses
            .map(|(of, cost)| (of.as_str().to_owned(), cost.json()))
            .collect();
        json!({
            "url": self.url,
            "total": self.total.json(),
            "unnamed": self.unnamed.map(Cost::json),
            "releases": releases.collect::<Vec<_>>(),
            "collections": collections.collect::<Vec<_>>(),
            "kinds": uses,
        })
    }
}

impl ReleaseUsage {
    /// What other retained releases name too.
    #[must_use]
    pub const fn shared(&self) -> Cost {
        Cost {
            objects: self.all.objects - self.own.objects,
            bytes: self.all.bytes - self.own.bytes,
        }
    }
}

/// What the retained releases name.
#[derive(Debug, Default)]
struct Named {
    releases: Vec<(Sequence, BTreeSet<Digest>)>,
    uses: BTreeMap<Digest, Use>,
    collections: BTreeMap<CollectionName, BTreeSet<Digest>>,
}

impl Inspector {
    /// What each mirror spends on the releases that any of them retains, and what cannot be told.
    ///
    /// # Errors
    /// No release; no mirror has one of them whole.
    pub async fn du(&self) -> Result<(Vec<Usage>, Vec<String>), InspectError> {
        // Without any the mirrors' own words are the answer.
        self.release(None).await?;
        let (lines, mut wrong) = self.releases(usize::MAX).await?;
        let mut named = Named::default();
        // Blobs are named by segments, and releases share most of those.
        let mut known: BTreeMap<Digest, BTreeSet<Digest>> = BTreeMap::new();
        for line in lines {
            let manifest =
                mirror::manifest(&self.mirrors, &self.store, &line.signed.release).await?;
            let names = self.names(&manifest, &mut known, &mut named).await?;
            named.uses.insert(line.manifest, Use::Manifest);
            let names = names.into_iter().chain([line.manifest]).collect();
            named.releases.push((line.sequence, names));
        }
        let mut usages = Vec::new();
        for mirror in self.mirrors.all() {
            let site = &self.mirrors.site;
            let mut usage = Usage {
                url: mirror.url().to_string(),
                ..Usage::default()
            };
            let lengths = if !mirror.can_list() {
                let mut lengths = BTreeMap::new();
                for digest in named.uses.keys() {
                    match mirror::length(mirror, site, digest).await {
                        Ok(Some(length)) => {
                            lengths.insert(*digest, length);
                        }
                        Ok(None) => {}
                        Err(error) => wrong.push(error.to_string()),
                    }
                }
                lengths
            } else {
                match mirror::lengths(mirror, site).await {
                    Ok(lengths) => {
                        usage.unnamed = Some(unnamed(&lengths, &named));
                        lengths
                    }
                    Err(error) => {
                        wrong.push(error.to_string());
                        continue;
                    }
                }
            };
            usage.count(&named, &lengths);
            usages.push(usage);
        }
        Ok((usages, wrong))
    }

    /// What `manifest` names, itself left out.
    async fn names(
        &self,
        manifest: &Manifest,
        known: &mut BTreeMap<Digest, BTreeSet<Digest>>,
        named: &mut Named,
    ) -> Result<BTreeSet<Digest>, InspectError> {
        let mut names = BTreeSet::new();
        for collection in &manifest.collections {
            let name = &collection.name;
            let of_it = named.collections.entry(name.clone()).or_default();
            for entry in &collection.segments {
                let blobs = match known.entry(entry.id) {
                    Slot::Occupied(blobs) => blobs.into_mut(),
                    Slot::Vacant(slot) => {
                        let one = vec![entry.clone()];
                        slot.insert(self.blobs(manifest, name, one).await?)
                    }
                };
                named.uses.insert(entry.id, Use::Segment);
                of_it.insert(entry.id);
                names.insert(entry.id);
                for blob in blobs.iter() {
                    named.uses.entry(*blob).or_insert(Use::Blob);
                    of_it.insert(*blob);
                    names.insert(*blob);
                }
            }
        }
        for component in &manifest.components {
            named.uses.insert(component.digest, Use::Component);
            names.insert(component.digest);
        }
        Ok(names)
    }
}

fn unnamed(lengths: &BTreeMap<Digest, u64>, named: &Named) -> Cost {
    let mut cost = Cost::default();
    for (digest, bytes) in lengths {
        if !named.uses.contains_key(digest) {
            cost.add(*bytes);
        }
    }
    cost
}

impl Usage {
    fn count(&mut self, named: &Named, lengths: &BTreeMap<Digest, u64>) {
        let mut times: BTreeMap<Digest, u64> = BTreeMap::new();
        for digest in named.releases.iter().flat_map(|(_, names)| names) {
            *times.entry(*digest).or_default() += 1;
        }
        for (digest, of) in &named.uses {
            if let Some(bytes) = lengths.get(digest) {
                self.total.add(*bytes);
                self.uses.entry(*of).or_default().add(*bytes);
            }
        }
        for (name, objects) in &named.collections {
            let cost = self.collections.entry(name.clone()).or_default();
            let held = objects.iter().filter_map(|object| lengths.get(object));
            held.for_each(|bytes| cost.add(*bytes));
        }
        for (sequence, names) in &named.releases {
            let mut usage = ReleaseUsage {
                sequence: *sequence,
                all: Cost::default(),
                own: Cost::default(),
                missing: 0,
            };
            for digest in names {
                let Some(bytes) = lengths.get(digest) else {
                    usage.missing += 1;
                    continue;
                };
                usage.all.add(*bytes);
                if times.get(digest) == Some(&1) {
                    usage.own.add(*bytes);
                }
            }
            self.releases.push(usage);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_releases_name_is_no_ones_own_and_counts_once() {
        let [a, b, c, gone] = [b"a", b"b", b"c", b"d"].map(|name| Digest::of(name));
        let named = Named {
            releases: vec![
                (Sequence(2), BTreeSet::from([a, b, gone])),
                (Sequence(1), BTreeSet::from([b, c])),
            ],
            uses: [a, b, c, gone].map(|digest| (digest, Use::Blob)).into(),
            collections: BTreeMap::from([("rows".parse().unwrap(), BTreeSet::from([a, b, c]))]),
        };
        let lengths = BTreeMap::from([(a, 1), (b, 10), (c, 100), (Digest::of(b"x"), 1000)]);
        let mut usage = Usage::default();
        usage.count(&named, &lengths);
        let cost = |objects, bytes| Cost { objects, bytes };
        assert_eq!(usage.total, cost(3, 111));
        assert_eq!(usage.uses[&Use::Blob], cost(3, 111));
        assert_eq!(usage.collections.values().next(), Some(&cost(3, 111)));
        let [newer, older] = usage.releases.as_slice() else {
            panic!("{usage:?}");
        };
        assert_eq!((newer.all, newer.own), (cost(2, 11), cost(1, 1)));
        assert_eq!((newer.shared(), newer.missing), (cost(1, 10), 1));
        assert_eq!((older.all, older.own), (cost(2, 110), cost(1, 100)));
        assert_eq!(unnamed(&lengths, &named), cost(1, 1000));
    }
}
