//! Content codings by `Accept-Encoding` (RFC 9110 section 12.5.3): zstd (RFC 8878) and gzip.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{CONTENT_TYPE, HeaderMap};

use super::qvalue::weighted;

/// Smaller content is not worth a coding, bytes.
pub(super) const MIN_BYTES: usize = 512;
/// zstd's level: 56 us for a page of 30 KB.
const ZSTD_LEVEL: i32 = 3;
/// gzip's level: 140 us for a page of 30 KB.
const GZIP_LEVEL: u32 = 6;

/// A coding that an answer can be sent in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Identity,
    Gzip,
    Zstd,
}

impl Coding {
    /// Its name in `Content-Encoding`; none for the content as it is.
    pub(super) const fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
        }
    }
}

/// The coding a reader likes best; of equals the one that costs least. `identity` is sent even to
/// who refuses it, since a page beats a 406.
pub(super) fn choose(accept_encoding: &str) -> Coding {
    let members = weighted(accept_encoding);
    let weight_of = |names: &[&str]| {
        let named = members
            .iter()
            .find(|m| names.iter().any(|name| m.value.eq_ignore_ascii_case(name)));
        named
            .or_else(|| members.iter().find(|m| m.value == "*"))
            .map(|m| m.weight)
    };
    let zstd = weight_of(&["zstd"]).unwrap_or(0);
    let gzip = weight_of(&["gzip", "x-gzip"]).unwrap_or(0);
    let identity = members
        .iter()
        .find(|m| m.value.eq_ignore_ascii_case("identity"))
        .map_or(0, |m| m.weight);
    if zstd > 0 && zstd >= gzip && zstd >= identity {
        Coding::Zstd
    } else if gzip > 0 && gzip >= identity {
        Coding::Gzip
    } else {
        Coding::Identity
    }
}

/// True when the content type says text, by itself or as a format made of text.
pub(super) fn is_compressible(headers: &HeaderMap) -> bool {
    let Some(kind) = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
    else {
        return false;
    };
    let kind = kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    kind.starts_with("text/")
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
        || matches!(
            kind.as_str(),
            "application/json"
                | "application/javascript"
                | "application/xml"
                | "application/wasm"
                | "application/manifest+json"
                | "image/x-icon"
                | "font/ttf"
                | "font/otf"
        )
}

/// `content` in `coding`, or as it is where that is not smaller.
pub(super) fn encode(content: Bytes, coding: Coding) -> (Bytes, Coding) {
    let packed = match coding {
        Coding::Identity => return (content, coding),
        Coding::Gzip => gzip(&content),
        Coding::Zstd => zstd::bulk::compress(&content, ZSTD_LEVEL),
    };
    match packed {
        Ok(packed) if packed.len() < content.len() => (packed.into(), coding),
        // Compression into memory fails only for want of memory; the page itself is at hand.
        _ => (content, Coding::Identity),
    }
}

fn gzip(content: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(GZIP_LEVEL));
    encoder.write_all(content)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use std::io::Read;

    #[test]
    fn the_reader_chooses() {
        for (field, expected) in [
            ("", Coding::Identity),
            ("gzip", Coding::Gzip),
            ("x-gzip", Coding::Gzip),
            ("gzip, deflate, br, zstd", Coding::Zstd),
            ("gzip;q=1, zstd;q=0.5", Coding::Gzip),
            ("zstd;q=0, gzip", Coding::Gzip),
            ("gzip;q=0", Coding::Identity),
            ("gzip;q=0, *", Coding::Zstd),
            ("*;q=0", Coding::Identity),
            ("identity, gzip;q=0.5", Coding::Identity),
            ("identity;q=0", Coding::Identity),
            ("identity;q=0, gzip;q=0.1", Coding::Gzip),
            ("br", Coding::Identity),
        ] {
            assert_eq!(choose(field), expected, "{field}");
        }
    }

    #[test]
    fn both_codings_come_back_as_they_were() {
        let content = Bytes::from("다솜페이 ".repeat(500));
        let (packed, coding) = encode(content.clone(), Coding::Gzip);
        assert_eq!(coding, Coding::Gzip);
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(&packed[..])
            .read_to_end(&mut plain)
            .unwrap();
        assert_eq!(plain, content);
        let (packed, coding) = encode(content.clone(), Coding::Zstd);
        assert_eq!(coding, Coding::Zstd);
        assert_eq!(zstd::decode_all(&packed[..]).unwrap(), content);
    }

    #[test]
    fn what_does_not_shrink_is_sent_as_it_is() {
        let content = Bytes::from_static(b"abc");
        assert_eq!(
            encode(content.clone(), Coding::Gzip),
            (content, Coding::Identity)
        );
    }

    #[test]
    fn text_is_compressible_and_photos_are_not() {
        for (kind, expected) in [
            ("text/html; charset=utf-8", true),
            ("TEXT/CSS", true),
            ("image/svg+xml", true),
            ("application/problem+json", true),
            ("image/jpeg", false),
            ("application/octet-stream", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            assert_eq!(is_compressible(&headers), expected, "{kind}");
        }
        assert!(!is_compressible(&HeaderMap::new()));
    }
}
