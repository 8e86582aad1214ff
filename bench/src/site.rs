//! A site at the size of a country: one collection of many records, a page for each by the guest
//! `view`, published by the real `origin-sync` into a folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::data;
use crate::measure::{self, Took};
use crate::options::Options;

const SITE: &str = r#"
site = "country"
title = { ko = "나라", en = "Country" }
languages = ["ko", "en"]

[service.home]
title = { ko = "나라", en = "Country" }
meanwhile = { ko = "읽을 수 있습니다.", en = "Pages can be read." }
probe = "/health"

[collection.people]
source = { ndjson = "people.ndjson", key = "id" }
complete = true
[collection.templates]
source = { folder = "templates" }
complete = true

[component.view]
file = "view.wasm"

[[route]]
path = "/p/{id}"
service = "home"
component = "view"
template = "person.html"
collections = ["people", "templates"]
isolation = "shared"

[[canary]]
path = "/p/CANARY"
language = "ko"
contains = "CANARY"

[publish]
mirrors = ["mirror"]
key = "keys/release"
"#;

const TEMPLATE: &str = "{% extends \"layout\" %}{% block title %}{{ record.id }}{% endblock %}\
{% block content %}<h1>{{ record.name }}</h1><p>{{ record.id }}</p><p>{{ record.memo }}</p>{% endblock %}\n";

/// The site in a folder of its own.
#[derive(Debug)]
pub(crate) struct Site {
    dir: PathBuf,
    origin_sync: PathBuf,
}

impl Site {
    /// Lays the site out in `dir`, without records.
    pub(crate) fn new(dir: &Path, options: &Options) -> Result<Self> {
        let site = Self {
            dir: dir.to_owned(),
            origin_sync: options.binaries.join("origin-sync"),
        };
        fs_err::create_dir_all(dir.join("templates"))?;
        fs_err::create_dir_all(dir.join("mirror"))?;
        fs_err::write(dir.join("site.toml"), SITE.replace("CANARY", &data::key(0)))?;
        fs_err::write(dir.join("templates/person.html"), TEMPLATE)?;
        fs_err::copy(options.components.join("view.wasm"), dir.join("view.wasm"))
            .context("the guests are built by `cargo xtask components`")?;
        let mut init = Command::new(&site.origin_sync);
        init.arg("init").arg(dir).args(["--site", "country"]);
        measure::run(&init)?;
        Ok(site)
    }

    /// The records' file.
    pub(crate) fn records(&self) -> PathBuf {
        self.dir.join("people.ndjson")
    }

    /// Publishes with these arguments; whole process.
    pub(crate) fn publish(&self, arguments: &[&str]) -> Result<Took> {
        let mut publish = Command::new(&self.origin_sync);
        publish.arg("publish").arg("--config");
        publish.arg(self.dir.join("site.toml")).args(arguments);
        measure::run(&publish)
    }

    /// Forgets every release, on the mirror and in the publisher's own copy; compiled components
    /// stay, as they do on a machine that publishes.
    pub(crate) fn forget(&self) -> Result<()> {
        for gone in [
            "mirror",
            ".holdfast/objects",
            ".holdfast/state",
            ".holdfast/lines",
        ] {
            let gone = self.dir.join(gone);
            if gone.exists() {
                fs_err::remove_dir_all(gone)?;
            }
        }
        Ok(fs_err::create_dir_all(self.dir.join("mirror"))?)
    }

    /// The newest release, on the mirror.
    pub(crate) fn release(&self) -> PathBuf {
        self.dir.join("mirror/country/release")
    }

    /// The mirror.
    pub(crate) fn mirror(&self) -> PathBuf {
        self.dir.join("mirror")
    }

    /// Whom an edge believes.
    pub(crate) fn trust(&self) -> PathBuf {
        self.dir.join("trust")
    }

    /// The key that signs orders.
    pub(crate) fn operator(&self) -> PathBuf {
        self.dir.join("keys/operator")
    }

    /// The publisher's own copy.
    pub(crate) fn copy(&self) -> PathBuf {
        self.dir.join(".holdfast")
    }

    /// What lies on the mirror, bytes.
    pub(crate) fn mirror_bytes(&self) -> Result<u64> {
        bytes_below(&self.mirror())
    }
}

/// The bytes of all files below `dir`.
pub(crate) fn bytes_below(dir: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs_err::read_dir(dir)? {
        let entry = entry?;
        let about = entry.metadata()?;
        bytes += match about.is_dir() {
            true => bytes_below(&entry.path())?,
            false => about.len(),
        };
    }
    Ok(bytes)
}
