//! How a mirror is named: one folder, one spelling.
//!
//! ```text
//! /srv/mirror  file:///srv/mirror      a folder
//! http://HOST/PATH  https://HOST/PATH  a web server that shows one: read only
//! s3://BUCKET/PREFIX?endpoint=URL&region=NAME&credentials=FILE
//! ```
//!
//! No name of a mirror holds a secret: names are printed, logged and shown on `/status`. So a
//! password or a key within one is refused, and not repeated in the refusal.

use std::path::{Path, PathBuf};

use url::{Url, form_urlencoded};

use super::MirrorError;

/// What may name a mirror.
const EXPECTED: &str =
    "expected a folder, file:///PATH, http://HOST/PATH, https://HOST/PATH, or s3://BUCKET/PREFIX";

/// What may follow the `?` of a bucket's URL, in the order in which it is written.
const OPTIONS: [&str; 3] = ["endpoint", "region", "credentials"];

/// Reads a mirror's URL, or a folder's path meant from `base`.
///
/// # Errors
/// [`MirrorError::BadUrl`].
pub fn parse_url(text: &str, base: &Path) -> Result<Url, MirrorError> {
    let bad = |why| MirrorError::BadUrl {
        url: shown(text),
        why,
    };
    if text.is_empty() {
        return Err(bad(EXPECTED));
    }
    let path = if text.contains("://") {
        let url = Url::parse(text).map_err(|_| bad(EXPECTED))?;
        match url.scheme() {
            "http" | "https" => {
                return plain(url).ok_or_else(|| bad("expected http://HOST/PATH and no more"));
            }
            "s3" => return bucket(&url, base).map_err(bad),
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

/// The text without what may be a secret in it: what stands before an `@`, and after a `?`.
fn shown(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    format!("{scheme}://{rest}")
}

/// A URL without a person, query or fragment, its path without a last slash.
fn plain(mut url: Url) -> Option<Url> {
    let more = url.query().is_some();
    trim(&mut url);
    (!more && is_bare(&url)).then_some(url)
}

fn trim(url: &mut Url) {
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
}

/// Whether nobody's name, password or fragment is in it.
fn is_bare(url: &Url) -> bool {
    url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none()
        && url.has_host()
}

fn bucket(given: &Url, base: &Path) -> Result<Url, &'static str> {
    let mut url = given.clone();
    trim(&mut url);
    if !is_bare(&url) || url.port().is_some() {
        return Err("expected s3://BUCKET/PREFIX: keys come from the environment or a file");
    }
    let mut values: [Option<String>; 3] = [None, None, None];
    for (name, value) in given.query_pairs() {
        let known = OPTIONS.iter().zip(&mut values).find(|(o, _)| **o == name);
        let Some((name, slot)) = known else {
            return Err("expected nothing but endpoint=, region= and credentials= after the ?");
        };
        let value = match *name {
            "endpoint" => endpoint(&value)
                .ok_or("endpoint= expects http://HOST:PORT or https://HOST, and no more")?,
            "credentials" => std::path::absolute(base.join(&*value))
                .ok()
                .and_then(|path| path.into_os_string().into_string().ok())
                .filter(|_| !value.is_empty())
                .ok_or("credentials= expects a file's path")?,
            _ if value.is_empty() => return Err("region= expects a name"),
            _ => value.into_owned(),
        };
        if slot.replace(value).is_some() {
            return Err("endpoint=, region= and credentials= may each be given once");
        }
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in OPTIONS.iter().zip(&values) {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    url.set_query((!query.is_empty()).then_some(&query));
    Ok(url)
}

fn endpoint(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let url = matches!(url.scheme(), "http" | "https").then_some(url)?;
    Some(plain(url)?.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Result<String, MirrorError> {
        parse_url(text, Path::new("/srv")).map(|url| url.to_string())
    }

    #[test]
    fn urls_and_folders_name_a_mirror_one_way() {
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
        assert_eq!(url("https://host/a/").unwrap(), "https://host/a");
        for bad in [
            "",
            "ftp://host/",
            "file://host/srv",
            "http://",
            "http://me@host/",
            "http://host/?a",
            "http://host/#a",
        ] {
            assert!(url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_bucket_is_named_one_way() {
        assert_eq!(url("s3://town/").unwrap(), "s3://town");
        assert_eq!(url("s3://town/a/b/").unwrap(), "s3://town/a/b");
        let full = "s3://town/a?endpoint=http%3A%2F%2F127.0.0.1%3A3900&region=garage\
                    &credentials=%2Fsrv%2Fs3.credentials";
        for text in [
            "s3://town/a?credentials=s3.credentials&region=garage&endpoint=http://127.0.0.1:3900/",
            "s3://town/a/?endpoint=http://127.0.0.1:3900&region=garage&credentials=/srv/s3.credentials",
            full,
        ] {
            assert_eq!(url(text).unwrap(), full, "{text}");
        }
        for bad in [
            "s3://",
            "s3://town:80/a",
            "s3://town/?region=",
            "s3://town/?credentials=",
            "s3://town/?region=a&region=b",
            "s3://town/?endpoint=ftp://host",
            "s3://town/?endpoint=http://host/?a",
            "s3://town/#a",
        ] {
            assert!(url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_secret_in_a_name_is_refused_and_not_repeated() {
        for bad in [
            "s3://me:SECRET@town/a",
            "s3://town/a?secret_access_key=SECRET",
            "s3://town/a?endpoint=http://me:SECRET@host/",
            "http://me:SECRET@host/a",
            "https://host/a?token=SECRET",
            "ftp://me:SEC@RET@host/a#SECRET",
        ] {
            let said = url(bad).unwrap_err().to_string();
            assert!(!said.contains("SECRET") && !said.contains("RET@"), "{said}");
        }
    }
}
