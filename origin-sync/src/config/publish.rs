//! `[publish]`: where releases go and which key signs them.

use std::path::{Path, PathBuf};

use edge::asking::Url;
use edge::settings::Section;
use edge::signing::KeySource;
use edge::sync::mirror;

use super::resolve;

/// Most mirrors of one site.
pub(crate) const MIRRORS: usize = 16;

/// Most edges that are asked.
pub(crate) const EDGES: usize = 256;

/// `[publish]`, resolved. Every field can be overruled on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish {
    /// URLs of mirrors; folders are written as `file://` URLs by now.
    pub mirrors: Vec<String>,
    /// Where the key is.
    pub key: Option<KeySource>,
    /// The folder with `allowed_signers` and `trust.toml`; releases found on mirrors count only if
    /// it accepts them.
    pub trust: Option<PathBuf>,
    /// Where the publisher keeps its own copy of what it published.
    pub cache: PathBuf,
    /// Control listeners of edges, which say when what was erased is gone from them.
    pub edges: Vec<Url>,
}

impl Publish {
    pub(super) fn default_in(dir: &Path) -> Self {
        Self {
            mirrors: Vec::new(),
            key: None,
            trust: existing_trust(dir),
            cache: resolve(dir, ".holdfast"),
            edges: Vec::new(),
        }
    }

    pub(super) fn read(mut section: Section<'_, '_>, dir: &Path) -> Self {
        let mut publish = Self::default_in(dir);
        if let Some(mirrors) = section.texts("mirrors") {
            section.problems().count("mirrors", &mirrors, 0..=MIRRORS);
            for mirror in mirrors.value.iter().take(MIRRORS) {
                let url = section.accepted(mirror, target_url(dir, &mirror.value));
                match url {
                    Some(url) if publish.mirrors.contains(&url) => {
                        let message = format!("mirror {url} is named twice");
                        section.problems().add(mirror.span, message);
                    }
                    url => publish.mirrors.extend(url),
                }
            }
        }
        publish.key = section
            .parsed::<KeySource>("key")
            .map(|key| key.value.relative_to(dir));
        if let Some(trust) = section.text("trust") {
            publish.trust = Some(resolve(dir, &trust.value));
        }
        if let Some(cache) = section.text("cache") {
            publish.cache = resolve(dir, &cache.value);
        }
        if let Some(edges) = section.texts("edges") {
            section.problems().count("edges", &edges, 0..=EDGES);
            for edge in edges.value.iter().take(EDGES) {
                let url = edge.value.parse::<Url>();
                let url = url.map_err(|why| format!("edge {:?} is no URL: {why}", edge.value));
                publish.edges.extend(section.accepted(edge, url));
            }
        }
        section.finish();
        publish
    }
}

fn existing_trust(dir: &Path) -> Option<PathBuf> {
    let usual = resolve(dir, "trust");
    usual.is_dir().then_some(usual)
}

/// A mirror as written by a person, as a URL: folders may be written as plain paths.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn mirror_url(dir: &Path, text: &str) -> Result<String, String> {
    let url = mirror::parse_url(text, dir).map_err(|error| error.to_string())?;
    Ok(url.to_string())
}

/// The same of a mirror to write to.
fn target_url(dir: &Path, text: &str) -> Result<String, String> {
    let url = mirror_url(dir, text)?;
    if url.starts_with("http") {
        return Err(format!(
            "mirror {url} can only be read: name the folder or bucket that the server shows; \
             `origin-sync inspect --mirror` reads it as it is"
        ));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_only_be_read_is_no_place_to_publish_to() {
        let dir = Path::new("/srv");
        assert_eq!(target_url(dir, "mirror").unwrap(), "file:///srv/mirror");
        assert_eq!(target_url(dir, "s3://town/m").unwrap(), "s3://town/m");
        for url in ["http://mirror.example/m", "https://mirror.example/m"] {
            assert_eq!(mirror_url(dir, url).unwrap(), url);
            let refused = target_url(dir, url).unwrap_err();
            assert!(refused.contains("can only be read"), "{refused}");
        }
    }
}
