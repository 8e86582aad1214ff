//! An edge that holds a good release and follows a mirror that lies.

use serde_json::Value;
use snapshot::manifest::Collection;
use snapshot::{Digest, Fingerprint, Manifest, Release};
use ssh_key::PrivateKey;
use stage::forge::{Forge, nodes};

use crate::scene::{Edge, Origin, Site, eventually};

/// What every first page says, whichever good release it is of.
const WORDS: &str = "Small House";
/// The mirror that the edge follows; what is published goes to another folder first.
const SHOWN: &str = "shown";

/// Pages of the site where everything is tested.
const MANY: u32 = 20_000;

/// The site, the edge, and what to forge from.
pub(super) struct World {
    pub(super) site: Site,
    pub(super) edge: Edge,
    pub(super) forge: Forge,
    /// The release in use, as `/status` has it.
    good: Good,
    /// Refusals that were expected and came.
    seen: Vec<Value>,
    _shelf: Option<Origin>,
}

/// What stays, whatever is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Good {
    sequence: u64,
    manifest: String,
}

impl World {
    /// A small site, published once, and an edge on it that follows a folder. Where everything is
    /// tested, its pages are many: segments of several levels and many frames.
    pub(super) async fn new() -> Self {
        let site = Site::small().init().await;
        if outside::all() {
            for n in 0..MANY {
                let words = format!(
                    "page {n} of a site at size {}",
                    Digest::of(&n.to_le_bytes())
                );
                site.write(&format!("public/many/{n}.txt"), words.repeat(6));
            }
        }
        site.publish().await;
        site.show(SHOWN);
        let edge = site.edge().following(&[SHOWN]).start().await;
        Self {
            forge: site.forge(SHOWN),
            good: Good::of(&edge.status().await).unwrap(),
            site,
            edge,
            seen: Vec::new(),
            _shelf: None,
        }
    }

    /// Lets a second edge follow the same folder over HTTP, and forgets the first one.
    pub(super) async fn over_http(&mut self) {
        let shelf = Origin::shelf(self.site.path(SHOWN)).await;
        let mirror = format!("http://{}", shelf.at());
        let edge = self.site.edge().named("over-http").following(&[&mirror]);
        self.edge = edge.start().await;
        self._shelf = Some(shelf);
    }

    /// Lets the mirror offer these bytes as the newest release.
    pub(super) fn offers(&self, pointer: &[u8]) {
        self.forge.point(pointer).unwrap();
    }

    /// Lets the mirror offer this release, signed by the publisher.
    pub(super) fn offers_release(&self, release: &Release) {
        self.offers(&self.signed(release));
    }

    /// Lets the mirror offer a next release with the manifest so changed, signed by the publisher.
    pub(super) fn offers_manifest(&self, change: impl FnOnce(&mut Manifest)) -> Release {
        let mut manifest = self.forge.manifest.clone();
        change(&mut manifest);
        let release = self.forge.next_of(&manifest).unwrap();
        self.offers_release(&release);
        release
    }

    /// Lets the mirror offer a next release with `segment` on top of the pages, signed by the
    /// publisher; at rest it is `bytes`.
    pub(super) fn offers_segment(&self, segment: &nodes::Segment, bytes: &[u8]) -> Release {
        self.forge.put_as(&segment.entry.id, bytes).unwrap();
        self.offers_manifest(|manifest| {
            let segments = &mut pages(manifest).segments;
            segments.insert(0, segment.entry.clone());
        })
    }

    /// A statement that the publisher signed.
    pub(super) fn signed(&self, release: &Release) -> Vec<u8> {
        self.forge.signed(release).unwrap().to_bytes().unwrap()
    }

    /// Waits for a refusal, which must be this one word for word, and blame the mirror where it is
    /// to blame; then the last good release must stand.
    pub(super) async fn refuses(&mut self, check: &str, object: &str, reason: &str) {
        let what = format!("a refusal by {check}: {reason}");
        let (new, url) = eventually(&what, async || {
            let status = self.edge.status().await;
            let refusals = status["refusals"].as_array()?.iter().map(told);
            let new = refusals
                .into_iter()
                .find(|told| !self.seen.contains(told))?;
            Some((new, status["sources"][0]["url"].clone()))
        })
        .await;
        let mirror = ["trust", "object"].contains(&check);
        let expected = serde_json::json!({
            "check": check,
            "object": (!object.is_empty()).then_some(object),
            "source": mirror.then_some(url),
            "reason": reason,
        });
        assert_eq!(new, expected);
        self.seen.push(new);
        self.stands().await;
    }

    /// How many refusals came: tells what is offered next from what was offered before.
    pub(super) fn refused(&self) -> usize {
        self.seen.len()
    }

    /// The last good release is in use and every page of it is served.
    pub(super) async fn stands(&self) {
        assert_eq!(
            Good::of(&self.edge.status().await).as_ref(),
            Some(&self.good)
        );
        for path in [
            "/",
            "/pages/plain.txt",
            "/photos/door.jpg",
            "/notes/one.html",
        ] {
            assert_eq!(self.edge.get(path).await.status, 200, "{path}");
        }
        let page = self.edge.get("/").await;
        assert!(page.from_snapshot() && page.text().contains(WORDS));
    }

    /// Waits until `release` is in use: from now on it is the good one.
    pub(super) async fn takes(&mut self, release: &Release) {
        let expected = Good {
            sequence: release.sequence.0,
            manifest: release.manifest.to_string(),
        };
        eventually(&format!("{expected:?} to be in use"), async || {
            (Good::of(&self.edge.status().await)? == expected).then_some(())
        })
        .await;
        self.good = expected;
        self.stands().await;
    }

    /// The publisher says something new, the mirror is as it should be: nobody has to touch the edge.
    pub(super) async fn goes_on(&mut self) {
        let mut words = format!("plainer words than in {}\n", self.good.manifest);
        // What was forged and taken stands for the publisher's own: the next one comes after it.
        loop {
            words.push_str("and more\n");
            self.site.write("public/plain.txt", &words);
            self.site.publish().await;
            if self.site.forge("mirror").release.sequence.0 > self.good.sequence {
                break;
            }
        }
        fs_err::remove_dir_all(self.site.at(SHOWN).join("objects")).unwrap();
        self.site.show(SHOWN);
        self.takes(&self.site.forge(SHOWN).release).await;
        assert_eq!(self.edge.get("/pages/plain.txt").await.text(), words);
    }

    /// Restarts the edge.
    pub(super) async fn restarts(&mut self) {
        self.edge.kill();
        self.edge.begin();
        self.edge.ready().await;
    }

    /// What `/status` alarms about, newest first.
    pub(super) async fn alarms(&self) -> Vec<String> {
        let status = self.edge.status().await;
        let alarms = status["remarks"].as_array().unwrap().iter();
        alarms
            .map(|alarm| alarm["text"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The URL of the mirror that the edge follows.
    pub(super) async fn mirror(&self) -> String {
        let status = self.edge.status().await;
        status["sources"][0]["url"].as_str().unwrap().to_owned()
    }

    /// A key of the site, by its file.
    pub(super) fn key(&self, file: &str) -> PrivateKey {
        PrivateKey::read_openssh_file(self.site.path(file)).unwrap()
    }

    /// The fingerprint of the publisher's key.
    pub(super) fn publisher(&self) -> Fingerprint {
        Fingerprint::of(self.key("keys/release").public_key().key_data())
    }

    /// The person whose line of `allowed_signers` has `word`.
    pub(super) fn person(&self, word: &str) -> String {
        let signers = fs_err::read_to_string(self.site.path("trust/allowed_signers")).unwrap();
        let line = signers.lines().find(|line| line.contains(word)).unwrap();
        line.split(' ').next().unwrap().to_owned()
    }
}

/// The collection `pages`.
pub(super) fn pages(manifest: &mut Manifest) -> &mut Collection {
    collection(manifest, "pages")
}

/// The collection of one note, at any size.
pub(super) fn notes(manifest: &mut Manifest) -> &mut Collection {
    collection(manifest, "notes")
}

fn collection<'m>(manifest: &'m mut Manifest, name: &str) -> &'m mut Collection {
    let mut collections = manifest.collections.iter_mut();
    collections.find(|c| c.name.as_str() == name).unwrap()
}

impl Good {
    fn of(status: &Value) -> Option<Self> {
        let release = status.get("release")?;
        Some(Self {
            sequence: release.get("sequence")?.as_u64()?,
            manifest: release.get("manifest")?.as_str()?.to_owned(),
        })
    }
}

/// What is compared of a refusal.
fn told(refusal: &Value) -> Value {
    let mut told = refusal.clone();
    let fields = told.as_object_mut().unwrap();
    fields.retain(|name, _| ["check", "object", "source", "reason"].contains(&name.as_str()));
    told
}
