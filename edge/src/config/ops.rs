//! `ops.toml`: what `edge order` needs, so that nobody types it during an outage.

use std::path::{Path, PathBuf};

use snapshot::SiteName;
use url::Url;

use super::{Fields, MIRRORS, Placed, Problems, read_settings};
use crate::signing::KeySource;
use crate::sync::mirror;

/// A usable `ops.toml`. Every field may be given or overridden on the command line.
#[derive(Clone, Debug, Default)]
pub struct Ops {
    /// `site`: the site the orders are about.
    pub site: Option<SiteName>,
    /// `mirrors`: where the orders are written.
    pub mirrors: Vec<Url>,
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
    pub fn load(path: &Path) -> Result<Self, Problems> {
        let source = read_settings(path)?;
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let base = absolute.parent().unwrap_or(Path::new("/"));
        let mut problems = Problems::new(path, &source);
        let ops = Fields::parse(&source, &mut problems)
            .map(|fields| Self::read(fields, base, &mut problems));
        problems.none_or(ops)
    }

    fn read(mut fields: Fields<'_>, base: &Path, problems: &mut Problems) -> Self {
        let site = fields.text("site", problems);
        let mirrors = fields.texts("mirrors", problems);
        let edges = fields.texts("edges", problems);
        let key = fields.text("key", problems);
        let trust = fields.text("trust", problems);
        fields.done(problems);
        Self {
            site: site.and_then(|text| {
                let parsed = text.value.parse();
                parsed.map_err(|e| problem(&text, &e, problems)).ok()
            }),
            mirrors: urls(mirrors, problems, |text| mirror::parse_url(text, base)),
            edges: urls(edges, problems, parse_edge),
            key: key.and_then(|text| {
                let parsed = text.value.parse::<KeySource>();
                let parsed = parsed.map_err(|e| problem(&text, &e, problems)).ok();
                parsed.map(|source| source.relative_to(base))
            }),
            trust: trust.map(|dir| base.join(dir.value)),
        }
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

fn urls<E: std::fmt::Display>(
    texts: Option<Placed<Vec<Placed<String>>>>,
    problems: &mut Problems,
    parse: impl Fn(&str) -> Result<Url, E>,
) -> Vec<Url> {
    let texts = texts.map(|list| list.value).unwrap_or_default();
    let mut parsed = Vec::new();
    for text in texts.iter().take(MIRRORS) {
        match parse(&text.value) {
            Ok(url) => parsed.push(url),
            Err(error) => problem(text, &error, problems),
        }
    }
    if let Some(extra) = texts.get(MIRRORS) {
        problem(extra, &format!("more than {MIRRORS} entries"), problems);
    }
    parsed
}

fn problem(text: &Placed<String>, error: &dyn std::fmt::Display, problems: &mut Problems) {
    problems.add(Some(text.span.clone()), error.to_string(), "here");
}
