//! `ops.toml`: what `edge order` needs, so that nobody types it during an outage.

use std::path::{Path, PathBuf};

use snapshot::SiteName;
use url::Url;

use super::MIRRORS;
use crate::settings::{self, Mistakes, Problems, Section};
use crate::signing::KeySource;
use crate::sync::mirror;

/// A usable `ops.toml`. Every field may be given or overridden on the command line.
#[derive(Clone, Debug, Default)]
pub struct Ops {
    /// `site`: the site the orders are about.
    pub site: Option<SiteName>,
    /// `mirrors`: where the orders are written.
    pub mirrors: Vec<Url>,
    /// `peers`: edges' peer listeners, which the orders are pushed to.
    pub peers: Vec<Url>,
    /// `authority`: certificates that sign those of the peers; without it those of this machine count.
    pub authority: Option<PathBuf>,
    /// `edges`: control listeners that are asked whether an order is in force.
    pub edges: Vec<Url>,
    /// `key`: the operator's key: a file, `agent:SHA256:...`, `agent:FILE.pub` or `env:NAME`.
    pub key: Option<KeySource>,
    /// `trust`: trust files; orders on the mirrors that nobody in them signed are passed over.
    pub trust: Option<PathBuf>,
}

impl Ops {
    /// Reads `path`. Relative paths in it are relative to it.
    ///
    /// # Errors
    /// All mistakes.
    pub fn load(path: &Path) -> Result<Self, Mistakes> {
        let source = settings::read(path, "--ops names another")?;
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Self::parse(path, &source, absolute.parent().unwrap_or(Path::new("/")))
    }

    /// Reads the text of `path`. Relative paths in it are relative to `base`.
    ///
    /// # Errors
    /// All mistakes.
    pub fn parse(path: &Path, source: &str, base: &Path) -> Result<Self, Mistakes> {
        let problems = Problems::default();
        let ops = Section::parse(source, &problems).map(|file| Self::read(file, base));
        problems.none_or(ops, path, source)
    }

    fn read(mut file: Section<'_, '_>, base: &Path) -> Self {
        let key = file.parsed::<KeySource>("key");
        let ops = Self {
            site: file.parsed("site").map(|site| site.value),
            mirrors: urls(&mut file, "mirrors", |text| mirror::parse_url(text, base)),
            peers: urls(&mut file, "peers", parse_peer),
            authority: file.text("authority").map(|path| base.join(path.value)),
            edges: urls(&mut file, "edges", parse_edge),
            key: key.map(|source| source.value.relative_to(base)),
            trust: file.text("trust").map(|dir| base.join(dir.value)),
        };
        file.finish();
        ops
    }
}

/// Reads the URL of a control listener.
///
/// # Errors
/// In words, when it is not `http://HOST:PORT`.
pub fn parse_edge(text: &str) -> Result<Url, String> {
    match Url::parse(text) {
        Ok(url) if url.scheme() == "http" && url.has_host() => Ok(url),
        _ => Err(format!(
            "{text:?} is not a control listener: expected a URL, as in http://127.0.0.1:8081"
        )),
    }
}

/// Reads the URL of a peer listener.
///
/// # Errors
/// In words, when it is not `https://HOST:PORT` or `http://HOST:PORT`.
pub fn parse_peer(text: &str) -> Result<Url, String> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => Err(format!(
            "{text:?} is not a peer listener: expected a URL, as in https://busan-2.example:8443"
        )),
    }
}

fn urls<E: std::fmt::Display>(
    file: &mut Section<'_, '_>,
    key: &'static str,
    parse: impl Fn(&str) -> Result<Url, E>,
) -> Vec<Url> {
    let Some(list) = file.texts(key) else {
        return Vec::new();
    };
    file.problems().count(key, &list, 0..=MIRRORS);
    let texts = list.value.iter().take(MIRRORS);
    texts
        .filter_map(|text| file.accepted(text, parse(&text.value)))
        .collect()
}
