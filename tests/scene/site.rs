//! A site on its publisher's disk: files, `site.toml`, keys, a mirror; published by the real
//! `origin-sync`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use stage::forge::Forge;
use tempfile::TempDir;

use super::built::share_compiled;
use super::{EdgeBuilder, Ended, binary, run};

/// The host that edges of these tests answer for.
pub(crate) const HOST: &str = "small.example";

/// A site without components: pages that pass the rewriter, a photograph of several groups, and
/// a collection that does not claim to be complete.
const SMALL: &str = r#"
site = "small"
title = { ko = "작은집", en = "Small House" }
languages = ["ko", "en"]

[service.home]
title = { ko = "대문", en = "Front Door" }
meanwhile = { ko = "읽을 수 있습니다.", en = "Pages can be read." }
probe = "/health"
[service.pay]
title = { ko = "작은페이", en = "Small Pay" }
meanwhile = { ko = "현금을 쓰세요.", en = "Use cash." }
probe = "/pay/health"

[collection.pages]
source = { folder = "public" }
complete = true
[collection.photos]
source = { folder = "photos" }
complete = true
[collection.notes]
source = { folder = "notes" }

[[route]]
path = "/"
service = "home"
assets = "pages"
[[route]]
path = "/pages/{*path}"
service = "home"
assets = "pages"
[[route]]
path = "/photos/{*path}"
service = "home"
assets = "photos"
always = true
[[route]]
path = "/notes/{*path}"
service = "home"
assets = "notes"

[status]
serve = false

[[canary]]
path = "/"
language = "ko"
contains = "Small House"

[publish]
mirrors = ["mirror"]
key = "keys/release"
"#;

/// The small site's first page.
pub(crate) const INDEX: &str = r#"<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Small House</title></head>
<body><h1>Small House</h1><p>The same words on every day, long enough to be worth a coding: the house has a door, the door has a
bell, the bell has a ring, the ring has a sound, and the sound is heard by whoever is at home when somebody comes to call.</p>
<p data-needs="pay"><a href="/pay">Pay here</a></p><p data-without="pay">Pay in cash</p></body></html>
"#;

/// A site. Its folder goes with the value.
#[derive(Debug)]
pub(crate) struct Site {
    dir: TempDir,
    name: String,
}

impl Site {
    /// The small site.
    pub(crate) fn small() -> Self {
        // Incompressible enough, and longer than is verified at once.
        let photo: Vec<u8> = (0..200_000_u64).map(|n| (n * n / 7 % 251) as u8).collect();
        Self::new("small", SMALL)
            .file("public/index.html", INDEX)
            .file("public/plain.txt", "plain words\n")
            .file("photos/door.jpg", photo)
            .file(
                "notes/one.html",
                "<!doctype html><title>One</title><p>one</p>",
            )
    }

    /// A site with this `site.toml`.
    pub(crate) fn new(name: &str, toml: &str) -> Self {
        let dir = tempfile::Builder::new().prefix("holdfast-").tempdir();
        let site = Self {
            dir: dir.unwrap(),
            name: name.to_owned(),
        };
        share_compiled(&site.path(".holdfast"));
        site.file("site.toml", toml)
    }

    /// With this file.
    pub(crate) fn file(self, path: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.write(path, bytes);
        self
    }

    /// Writes a file anew.
    pub(crate) fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, bytes).unwrap();
    }

    /// Changes a file's text.
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        let text = fs_err::read_to_string(self.path(path)).unwrap();
        assert!(text.contains(from), "{path} has no {from:?}");
        self.write(path, text.replace(from, to));
    }

    /// Keys, trust and mirror, by `origin-sync init`.
    pub(crate) async fn init(self) -> Self {
        let mut init = Command::new(binary("origin-sync"));
        init.arg("init")
            .arg(self.dir())
            .args(["--site", &self.name]);
        run(init).await.expect(0);
        self
    }

    /// `origin-sync publish` with these arguments, not yet run.
    pub(crate) fn publishing(&self, arguments: &[&str]) -> Command {
        let mut publish = Command::new(binary("origin-sync"));
        publish.arg("publish").arg("--config");
        publish.arg(self.path("site.toml")).args(arguments);
        publish
    }

    /// Publishes a new release; gives the JSON of what was done.
    pub(crate) async fn publish(&self) -> serde_json::Value {
        self.try_publish(&["--json"]).await.expect(0).json()
    }

    /// Publishes, whatever comes of it.
    pub(crate) async fn try_publish(&self, arguments: &[&str]) -> Ended {
        run(self.publishing(arguments)).await
    }

    /// `edge order` with these arguments, written to the mirror. Nobody is asked.
    pub(crate) async fn order(&self, arguments: &[&str]) -> Ended {
        let ops = format!(
            "site = {:?}\nmirrors = [\"mirror\"]\nkey = \"keys/operator\"\n",
            self.name
        );
        self.write("ops.toml", ops);
        let mut order = Command::new(binary("edge"));
        order
            .arg("order")
            .args(arguments)
            .arg("--ops")
            .arg(self.path("ops.toml"));
        if arguments.first() != Some(&"show") {
            order.arg("--yes");
        }
        run(order).await.expect(0)
    }

    /// `edge order` with these arguments by the path `via` alone, signed with `key`, whatever comes of it.
    pub(crate) async fn order_via(&self, via: &str, key: &Path, arguments: &[&str]) -> Ended {
        let mut order = Command::new(binary("edge"));
        order.arg("order").args(arguments);
        order.args(["--yes", "--site", &self.name, "--via", via]);
        order.arg("--key").arg(key);
        run(order).await
    }

    /// An edge that follows this site's mirror.
    pub(crate) fn edge(&self) -> EdgeBuilder<'_> {
        EdgeBuilder::new(self)
    }

    /// What `mirror` holds of it, to forge from.
    pub(crate) fn forge(&self, mirror: &str) -> Forge {
        Forge::of(&self.at(mirror), &self.path("keys/release")).unwrap()
    }

    /// The site's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The site's folder.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A path below the site's folder.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    /// What of `mirror` belongs to this site.
    pub(crate) fn at(&self, mirror: &str) -> PathBuf {
        self.path(mirror).join(&self.name)
    }

    /// How many objects `mirror` holds.
    pub(crate) fn objects(&self, mirror: &str) -> Vec<PathBuf> {
        let mut objects = Vec::new();
        for shard in read_dir(&self.at(mirror).join("objects")) {
            objects.extend(read_dir(&shard));
        }
        objects.sort();
        objects
    }

    /// Everything below `folder` was written so long ago.
    pub(crate) fn age(&self, folder: &str, by: Duration) {
        fn each(path: &Path, at: SystemTime) {
            if path.is_dir() && !path.is_symlink() {
                read_dir(path).iter().for_each(|path| each(path, at));
            } else if path.is_file() {
                let file = fs_err::OpenOptions::new().read(true).open(path).unwrap();
                file.file().set_modified(at).unwrap();
            }
        }
        each(&self.path(folder), SystemTime::now() - by);
    }

    /// `origin-sync sweep` with these arguments, not yet run.
    pub(crate) fn sweeping(&self, arguments: &[&str]) -> Command {
        let mut sweep = Command::new(binary("origin-sync"));
        sweep.arg("sweep").arg("--config");
        sweep.arg(self.path("site.toml")).args(arguments);
        sweep
    }

    /// Copies what is new in the mirror to the mirror `shown`, the pointer last, as a mirror
    /// that follows another would.
    pub(crate) fn show(&self, shown: &str) {
        self.show_objects(shown);
        self.show_pointer(shown);
    }

    /// Everything but the pointer.
    pub(crate) fn show_objects(&self, shown: &str) {
        let (from, to) = (self.at("mirror"), self.at(shown));
        let releases = read_dir(&from.join("releases"));
        for path in self.objects("mirror").into_iter().chain(releases) {
            let target = to.join(path.strip_prefix(&from).unwrap());
            if !target.exists() {
                copy(&path, &target);
            }
        }
    }

    /// The pointer.
    pub(crate) fn show_pointer(&self, shown: &str) {
        let pointer = fs_err::read(self.at("mirror").join("release")).unwrap();
        snapshot::durable::write(&self.at(shown).join("release"), &pointer).unwrap();
    }
}

fn copy(from: &Path, to: &Path) {
    fs_err::create_dir_all(to.parent().unwrap()).unwrap();
    fs_err::copy(from, to).unwrap();
}

/// What a folder holds; nothing if it is absent.
fn read_dir(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs_err::read_dir(folder) else {
        return Vec::new();
    };
    entries.map(|entry| entry.unwrap().path()).collect()
}
