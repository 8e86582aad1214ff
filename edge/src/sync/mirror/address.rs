//! How a mirror is named: one folder, one spelling.

use std::path::{Path, PathBuf};

use url::Url;

use super::MirrorError;

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
        return Err(bad("expected file:///PATH or a folder"));
    }
    let path = if text.contains("://") {
        let url = Url::parse(text).map_err(|_| bad("expected file:///PATH or a folder"))?;
        if url.scheme() != "file" {
            return Err(bad(
                "expected file:///PATH: this build reaches no other store",
            ));
        }
        url.to_file_path()
            .map_err(|()| bad("expected file:///PATH, without a host"))?
    } else {
        std::path::absolute(base.join(text)).map_err(|_| bad("expected a folder"))?
    };
    // One folder, one spelling: two settings that mean the same compare equal.
    let tidy: PathBuf = path.components().collect();
    Url::from_file_path(tidy).map_err(|()| bad("expected an absolute path"))
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
        for bad in ["", "s3://bucket", "http://host/", "file://host/srv"] {
            assert!(url(bad).is_err(), "{bad}");
        }
    }
}
