//! Records that are files.

use std::ops::Range;
use std::sync::Arc;

use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderValue, StatusCode};
use snapshot::{CollectionName, Digest, Key, Value};

use super::path::encode;
use super::routes::Matched;
use crate::copy::{HeldBlob, LoadedRelease};
use crate::host::Read;
use crate::page::{BodyError, Draft, DraftBody, VerifiedBytes};

/// What a folder is asked for.
const INDEX: &str = "index.html";

/// A look-up of a file.
pub(super) enum Asset {
    /// Here it is.
    Found(Draft),
    /// It is proven absent.
    Absent,
}

/// A copy that cannot tell.
#[derive(Debug, thiserror::Error)]
#[error("collection {collection}: {why}")]
pub(super) struct Unreadable {
    collection: CollectionName,
    why: String,
}

/// The file that `matched` asks `collection` for, and what was looked up for it. Blocks.
pub(super) fn look_up(
    release: &LoadedRelease,
    collection: &CollectionName,
    matched: &Matched,
) -> Result<(Asset, Vec<Read>), Unreadable> {
    let unreadable = |why: String| Unreadable {
        collection: collection.clone(),
        why,
    };
    let mut reads = Vec::new();
    let mut get = |key: &str| {
        reads.push(Read::Key {
            store: collection.to_string(),
            key: Digest::of(key.as_bytes()),
        });
        match Key::new(key) {
            Ok(key) => release
                .get(collection, &key)
                .map_err(|e| unreadable(e.to_string())),
            // What cannot be a key is proven absent.
            Err(_) => Ok(None),
        }
    };
    let below = below(matched);
    let folder = below.is_empty() || below.ends_with('/');
    let key = if folder {
        format!("{below}{INDEX}")
    } else {
        below.clone()
    };
    let asset = match get(&key)? {
        Some(value) => Asset::Found(draft(release, collection, &key, value).map_err(unreadable)?),
        None if !folder && get(&format!("{below}/{INDEX}"))?.is_some() => {
            Asset::Found(to_folder(&below))
        }
        None => Asset::Absent,
    };
    Ok((asset, reads))
}

/// The path below the collection's root: what `{*path}` stands for, or a fixed template itself.
fn below(matched: &Matched) -> String {
    if matched.route.path.contains("{*") {
        return matched.below().to_owned();
    }
    let decoded = super::path::decode(&matched.path).unwrap_or_default();
    decoded.trim_start_matches('/').to_owned()
}

fn draft(
    release: &LoadedRelease,
    collection: &CollectionName,
    key: &str,
    value: Value,
) -> Result<Draft, String> {
    let kind = content_type(key);
    let body = match value {
        Value::Inline(bytes) => DraftBody::Bytes(bytes.into()),
        Value::Blob(entry) => {
            let blob = release
                .blob(collection, &entry)
                .map_err(|e| e.to_string())?;
            DraftBody::Blob(Arc::new(blob))
        }
    };
    let mut draft = Draft::new(StatusCode::OK, "application/octet-stream", "");
    draft.html = kind.starts_with("text/html");
    draft.body = body;
    if let Ok(kind) = HeaderValue::from_str(&kind) {
        draft.headers.insert(CONTENT_TYPE, kind);
    }
    Ok(draft)
}

/// A folder asked for without its slash: relative links in its index would lead astray.
fn to_folder(below: &str) -> Draft {
    let name = below.rsplit('/').next().unwrap_or_default();
    let mut draft = Draft::new(
        StatusCode::MOVED_PERMANENTLY,
        "text/plain; charset=utf-8",
        "",
    );
    // A first segment with a colon would be read as a scheme: RFC 3986 section 4.2.
    if let Ok(place) = HeaderValue::from_str(&format!("./{}/", encode(name))) {
        draft.headers.insert(LOCATION, place);
    }
    draft
}

/// By the name's extension; text is UTF-8.
fn content_type(key: &str) -> String {
    let guess = mime_guess::from_path(key).first_or_octet_stream();
    let kind = guess.essence_str();
    let text = guess.type_() == "text"
        || matches!(
            kind,
            "image/svg+xml" | "application/javascript" | "application/json" | "application/xml"
        )
        || kind.ends_with("+json");
    if text {
        format!("{kind}; charset=utf-8")
    } else {
        kind.to_owned()
    }
}

impl VerifiedBytes for HeldBlob {
    fn len(&self) -> u64 {
        self.entry().bytes
    }

    fn digest(&self) -> Digest {
        self.entry().digest
    }

    fn read(&self, range: Range<u64>) -> Result<Vec<u8>, BodyError> {
        Self::read(self, range).map_err(BodyError::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_follow_names_and_text_is_utf8() {
        for (key, expected) in [
            ("index.html", "text/html; charset=utf-8"),
            ("a/style.css", "text/css; charset=utf-8"),
            ("copy.js", "text/javascript; charset=utf-8"),
            ("logo.svg", "image/svg+xml; charset=utf-8"),
            ("x.json", "application/json; charset=utf-8"),
            ("river.jpg", "image/jpeg"),
            ("LICENSE", "application/octet-stream"),
        ] {
            assert_eq!(content_type(key), expected);
        }
    }
}
