//! A publisher in a test: a folder mirror, keys, and releases that are good or bad in one way.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use snapshot::manifest::{
    Canary, Collection, Component, Isolation, Privacy, Route, Service, Target,
};
use snapshot::order::{Mode, Notice};
use snapshot::trust::Generation;
use snapshot::{
    Digest, Entry, Envelope, Epoch, Key, KeySigner, LocalText, Manifest, Namespace, NodeCache,
    OfferedBundle, Order, Release, Scope, Sequence, SiteName, Store, Timestamp, at_rest, encode,
};
use ssh_key::private::{Ed25519Keypair, PrivateKey};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{Follower, Place, SiteState, SyncStatus, wall_clock};
use crate::config::{Host as HostName, Site};
use crate::copy::{Canaries, LoadedRelease};
use crate::host::{Host, HostLimits};

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A key with the given seed: 1 is the publisher's, 2 the operator's, anything else a stranger's.
pub(crate) fn key(seed: u8) -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32]))
}

pub(crate) fn signer(seed: u8) -> KeySigner {
    KeySigner::new(key(seed)).unwrap()
}

pub(crate) fn site() -> SiteName {
    "dasom".parse().unwrap()
}

/// The trust files: whoever has key 1 publishes, whoever has key 2 operates.
pub(crate) fn trust_files() -> (String, String) {
    let line = |name: &str, seed| {
        let key = key(seed).public_key().to_openssh().unwrap();
        format!("{name}@dasom.example {key}\n")
    };
    let signers = line("sora", 1) + &line("minho", 2);
    let person = |name, role| {
        format!("[person.\"{name}@dasom.example\"]\nroles = [\"{role}\"]\nsites = [\"dasom\"]\n")
    };
    (
        signers,
        person("sora", "publisher") + &person("minho", "operator"),
    )
}

pub(crate) fn generation() -> Arc<Generation> {
    let (signers, roles) = trust_files();
    Arc::new(Generation::parse(&signers, &roles).unwrap())
}

fn text(ko: &str) -> LocalText {
    [("ko", ko)].into_iter().collect()
}

/// One mirror and the directory the publisher works in.
#[derive(Debug)]
pub(crate) struct Publisher {
    pub(crate) dir: tempfile::TempDir,
    store: Store,
}

/// What a release holds. The default one is good.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) sequence: u64,
    pub(crate) records: u32,
    pub(crate) as_of: Timestamp,
    pub(crate) signed_by: u8,
    pub(crate) accepts_shrink: bool,
    pub(crate) canary: &'static str,
    pub(crate) title: String,
    pub(crate) manifest: fn(&mut Manifest),
    pub(crate) release: fn(&mut Release),
}

impl Draft {
    pub(crate) fn new(sequence: u64) -> Self {
        Self {
            sequence,
            records: 400,
            as_of: wall_clock(),
            signed_by: 1,
            accepts_shrink: false,
            canary: "sings",
            title: format!("다솜 {sequence}"),
            manifest: |_| {},
            release: |_| {},
        }
    }
}

/// A release that lies on the mirror.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    pub(crate) release: Release,
    pub(crate) manifest: Manifest,
    pub(crate) envelope: Vec<u8>,
}

impl Publisher {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs_err::create_dir(dir.path().join("mirror")).unwrap();
        let store = Store::open(dir.path().join("work")).unwrap();
        Self { dir, store }
    }

    pub(crate) fn mirror(&self) -> PathBuf {
        self.dir.path().join("mirror")
    }

    pub(crate) fn url(&self) -> Url {
        Url::from_file_path(self.mirror()).unwrap()
    }

    pub(crate) fn at(&self, place: &Place) -> PathBuf {
        self.mirror().join(place.as_str())
    }

    pub(crate) fn object(&self, digest: &Digest) -> PathBuf {
        self.at(&Place::object(&site(), digest))
    }

    fn put(&self, place: &Place, bytes: &[u8]) {
        let path = self.at(place);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        // As a store does it: whole or not at all.
        let temporary = path.with_extension("tmp");
        fs_err::write(&temporary, bytes).unwrap();
        fs_err::rename(&temporary, &path).unwrap();
    }

    /// Writes the objects, not the pointer.
    pub(crate) fn prepare(&self, draft: &Draft) -> Published {
        let collection = self.collection(draft);
        let mut manifest = Manifest {
            version: Manifest::VERSION,
            site: site(),
            title: text(&draft.title),
            languages: vec!["ko".to_owned()],
            services: vec![Service {
                name: "pay".parse().unwrap(),
                title: text("다솜페이"),
                meanwhile: text("계좌로 보내 주세요"),
                probe: "/pay/health".to_owned(),
            }],
            collections: vec![collection],
            components: Vec::<Component>::new(),
            routes: vec![Route {
                path: "/{*path}".to_owned(),
                service: "pay".parse().unwrap(),
                target: Target::Assets("pages".parse().unwrap()),
                collections: vec!["pages".parse().unwrap()],
                isolation: Isolation::Shared,
                capability: None,
                template: None,
                query: Vec::new(),
                now: false,
                always: false,
                rewrite: true,
                stale_after_s: 600,
                too_old_after_s: None,
            }],
            canaries: vec![Canary {
                path: "/0000.html".to_owned(),
                language: "ko".to_owned(),
                status: 200,
                contains: draft.canary.to_owned(),
            }],
            accepts_shrink: draft.accepts_shrink,
        };
        (draft.manifest)(&mut manifest);
        let bytes = encode(&manifest).unwrap();
        let digest = Digest::of(&bytes);
        self.put(&Place::object(&site(), &digest), &bytes);
        let mut release = Release {
            version: Release::VERSION,
            site: site(),
            sequence: Sequence(draft.sequence),
            manifest: digest,
            manifest_bytes: bytes.len() as u64,
            as_of: draft.as_of,
            positions: Vec::new(),
            signed_at: draft.as_of,
        };
        (draft.release)(&mut release);
        let envelope = seal(&release, draft.signed_by);
        Published {
            release,
            manifest,
            envelope,
        }
    }

    /// Writes the objects and the pointer.
    pub(crate) fn publish(&self, draft: &Draft) -> Published {
        let published = self.prepare(draft);
        self.point(&published.envelope);
        published
    }

    /// Writes the pointer.
    pub(crate) fn point(&self, envelope: &[u8]) {
        self.put(&Place::release(&site()), envelope);
    }

    /// Small records, and one value long enough to be a blob.
    fn collection(&self, draft: &Draft) -> Collection {
        let name = "pages".parse().unwrap();
        let mut builder = self.store.build(site(), "pages".parse().unwrap()).unwrap();
        for n in 0..draft.records {
            let value = if n == 7 {
                vec![b'x'; 200_000]
            } else {
                format!("<p>{} {n}", draft.title).repeat(9).into_bytes()
            };
            let entry = self.store.entry(value).unwrap();
            if let Entry::Blob(blob) = &entry {
                let bytes = self.store.read(&blob.digest, 1 << 20).unwrap();
                self.put(&Place::object(&site(), &blob.digest), &bytes);
            }
            let key = Key::new(format!("{n:04}.html")).unwrap();
            builder.push(&key, &entry).unwrap();
        }
        let segments = match builder.finish().unwrap() {
            None => Vec::new(),
            Some((staged, entry)) => {
                staged.persist_segment(&entry, &site(), &name).unwrap();
                let mut at_rest = Vec::new();
                let mut nodes = self.store.file(&entry.id).unwrap();
                at_rest::compress(&mut nodes, &mut at_rest).unwrap();
                self.put(&Place::object(&site(), &entry.id), &at_rest);
                vec![entry]
            }
        };
        Collection {
            name,
            privacy: Privacy::Public,
            complete: true,
            records: u64::from(draft.records),
            segments,
        }
    }

    /// Puts one order on the mirror, beside those that lie there.
    pub(crate) fn order(&self, order: &Order, signed_by: u8) {
        let place = Place::orders(&site());
        let held = fs_err::read(self.at(&place)).ok();
        let mut bundle = match held {
            Some(bytes) => OfferedBundle::from_bytes(&bytes).unwrap(),
            None => OfferedBundle::default(),
        };
        let mut envelope = Envelope::seal(encode(order).unwrap());
        envelope
            .sign_with(&signer(signed_by), Namespace::Order)
            .unwrap();
        bundle.put(envelope).unwrap();
        self.put(&place, &bundle.to_bytes().unwrap());
    }
}

pub(crate) fn seal(release: &Release, signed_by: u8) -> Vec<u8> {
    let mut envelope = Envelope::seal(encode(release).unwrap());
    envelope
        .sign_with(&signer(signed_by), Namespace::Release)
        .unwrap();
    envelope.to_bytes().unwrap()
}

pub(crate) fn order(scope: &str, epoch: u64, mode: Mode) -> Order {
    Order {
        version: Order::VERSION,
        site: site(),
        scope: scope.parse::<Scope>().unwrap(),
        epoch: Epoch(epoch),
        predecessor: None,
        mode,
        notices: vec![Notice {
            at: wall_clock(),
            text: text("복구 중입니다"),
        }],
        pin: None,
        who: "minho".to_owned(),
        why: "불".to_owned(),
        ends_at: None,
        signed_at: wall_clock(),
    }
}

/// Sings, unless the manifest's canary asks for anything else.
struct Singing;

impl Canaries for Singing {
    fn ask<'a>(
        &'a self,
        _: &'a Arc<LoadedRelease>,
        canary: &'a Canary,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        let sings = canary.contains == "sings";
        Box::pin(async move {
            if sings {
                Ok(())
            } else {
                Err("the component crashed".to_owned())
            }
        })
    }
}

/// An edge that follows, on one disk.
pub(crate) struct Following {
    pub(crate) state: Arc<SiteState>,
    stop: CancellationToken,
    following: tokio::task::JoinHandle<()>,
}

fn host(data: &Path) -> Arc<Host> {
    Arc::new(Host::new(HostLimits::default(), &data.join("compiled")).unwrap())
}

pub(crate) fn config(mirrors: Vec<Url>) -> Site {
    Site {
        name: site(),
        hosts: vec![HostName::Any],
        trust: PathBuf::new(),
        generation: generation(),
        mirrors,
        poll: Duration::from_millis(50),
        origin: None,
    }
}

impl Following {
    /// Opens and follows.
    pub(crate) async fn start(data: &Path, site: &Site) -> Self {
        let follower = Follower::open(site, data, host(data), NodeCache::new(1 << 20)).await;
        let follower = follower.unwrap();
        let stop = CancellationToken::new();
        Self {
            state: follower.state(),
            following: tokio::spawn(follower.run(Arc::new(Singing), stop.clone())),
            stop,
        }
    }

    /// Opens only.
    pub(crate) async fn open(data: &Path, site: &Site) -> Arc<SiteState> {
        let follower = Follower::open(site, data, host(data), NodeCache::new(1 << 20)).await;
        follower.unwrap().state()
    }

    /// Stops, and gives the disk back.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.following.await.unwrap();
    }

    pub(crate) fn sequence(&self) -> Option<u64> {
        self.state
            .current()
            .map(|current| current.release.sequence.0)
    }

    /// Waits until `holds` of the status.
    pub(crate) async fn until(
        &self,
        what: &str,
        holds: impl Fn(&SyncStatus) -> bool,
    ) -> SyncStatus {
        let wait = async {
            loop {
                let status = self.state.sync_status();
                if holds(&status) {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, wait).await;
        waited.unwrap_or_else(|_| panic!("not {what}: {:#?}", self.state.sync_status()))
    }

    pub(crate) async fn serves(&self, sequence: u64) -> SyncStatus {
        let on = |status: &SyncStatus| {
            status
                .release
                .as_ref()
                .is_some_and(|release| release.sequence == sequence)
        };
        self.until(&format!("on release {sequence}"), on).await
    }
}
