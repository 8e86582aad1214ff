//! How a mirror is named: one folder, one spelling.

use std::path::{Path, PathBuf};

use url::Url;

use super::MirrorError;

/// What may name a mirror.
const EXPECTED: &str = "expected file:///PATH, a folder, or http://HOST/PATH";

/// Reads a mirror's URL, or a folder's path meant from `base`.
///
/// # Errors
/// [`MirrorError::BadUrl`].
pub fn parse_url(text: &str, base: &Path) -> Result<Url, MirrorError> {
    let bad = |why| MirrorError::BadUrl {
        url: text.to_owned(),
        why,
    };
    if text.is_empty() {
        return Err(bad(EXPECTED));
    }
    let path = if text.contains("://") {
        let url = Url::parse(text).map_err(|_| bad(EXPECTED))?;
        match url.scheme() {
            "http" => {
                return plain(url).ok_or_else(|| bad("expected http://HOST/PATH and no more"));
            }
            "file" => url
                .to_file_path()
                .map_err(|()| bad("expected file:///PATH, without a host"))?,
            _ => return Err(bad(EXPECTED)),
        }
    } else {
        std::path::absolute(base.join(text)).map_err(|_| bad("expected a folder"))?
    };
    // One folder, one spelling: two settings that mean the same compare equal.
    let tidy: PathBuf = path.components().collect();
    Url::from_file_path(tidy).map_err(|()| bad("expected an absolute path"))
}

/// A URL without a person, query or fragment, its path without a last slash.
fn plain(mut url: Url) -> Option<Url> {
    let more = !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some();
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    (!more && url.has_host()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_and_folders_name_a_mirror_one_way() {
        let base = Path::new("/srv");
        let url = |text| parse_url(text, base).map(|url| url.to_string());
        for text in [
            "file:///srv/mirror",
            "file:///srv/mirror/",
            "mirror",
            "/srv/./mirror/",
        ] {
            assert_eq!(url(text).unwrap(), "file:///srv/mirror", "{text}");
        }
        for text in ["http://Host/a/", "http://host:80/a"] {
            assert_eq!(url(text).unwrap(), "http://host/a", "{text}");
        }
        assert_eq!(url("http://host").unwrap(), "http://host/");
        for bad in [
            "",
            "s3://bucket",
            "https://host/",
            "file://host/srv",
            "http://",
            "http://me@host/",
            "http://host/?a",
            "http://host/#a",
        ] {
            assert!(url(bad).is_err(), "{bad}");
        }
    }
}
