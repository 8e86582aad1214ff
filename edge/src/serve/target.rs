//! What a request is addressed to: the host, told in up to two places that must agree.

use http::header::{HOST, HeaderMap};
use http::uri::Authority;
use http::{Uri, Version};

/// A request that names no host, or several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadHost {
    /// None, or none that can be read.
    #[error("the request names no host")]
    Missing,
    /// `Host` more than once (RFC 9112 section 3.2).
    #[error("the request names several hosts")]
    Several,
    /// `Host` and the target's authority differ (RFC 9113 section 8.3.1).
    #[error("the request names two hosts")]
    Contradiction,
}

/// The host asked for, as sent: `name` or `name:port`.
///
/// # Errors
/// See [`BadHost`].
pub fn authority(version: Version, uri: &Uri, headers: &HeaderMap) -> Result<Authority, BadHost> {
    let mut fields = headers.get_all(HOST).iter();
    let field = fields.next().map(|value| {
        let text = value.to_str().ok();
        text.and_then(|text| text.parse::<Authority>().ok())
            .filter(|authority| !authority.as_str().contains('@'))
            .ok_or(BadHost::Missing)
    });
    if fields.next().is_some() {
        return Err(BadHost::Several);
    }
    match (uri.authority(), field.transpose()?) {
        (Some(target), Some(field)) if !same(target, &field) => Err(BadHost::Contradiction),
        // RFC 9112 section 3.2: HTTP/1.1 always has the field.
        (Some(target), None) if version == Version::HTTP_2 => Ok(target.clone()),
        (_, Some(field)) => Ok(field),
        (_, None) => Err(BadHost::Missing),
    }
}

/// The host's name in the form that sites are found by: lower case, no port, no last dot, an
/// IPv6 address without its brackets.
#[must_use]
pub fn host_name(authority: &Authority) -> String {
    let host = authority
        .host()
        .trim_start_matches('[')
        .trim_end_matches(']');
    host.trim_end_matches('.').to_ascii_lowercase()
}

fn same(one: &Authority, other: &Authority) -> bool {
    let port = |authority: &Authority| authority.port_u16().unwrap_or(80);
    host_name(one) == host_name(other) && port(one) == port(other)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(version: Version, uri: &str, hosts: &[&'static str]) -> Result<String, BadHost> {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, HeaderValue::from_static(host));
        }
        authority(version, &uri.parse().unwrap(), &headers).map(|found| host_name(&found))
    }

    #[test]
    fn one_host_is_found_and_two_are_refused() {
        let (one, two) = (Version::HTTP_11, Version::HTTP_2);
        for (version, uri, hosts, expected) in [
            (one, "/", &["Dasom.Example:8080"][..], Ok("dasom.example")),
            (one, "/", &["dasom.example."], Ok("dasom.example")),
            (one, "/", &["[::1]:80"], Ok("::1")),
            (one, "/", &[], Err(BadHost::Missing)),
            (one, "/", &["a b"], Err(BadHost::Missing)),
            (one, "/", &["user@a"], Err(BadHost::Missing)),
            (one, "/", &["a", "a"], Err(BadHost::Several)),
            (one, "http://a/", &[], Err(BadHost::Missing)),
            (one, "http://a/", &["A"], Ok("a")),
            (one, "http://a/", &["b"], Err(BadHost::Contradiction)),
            (two, "http://a/", &[], Ok("a")),
            (two, "http://a/", &["a:80"], Ok("a")),
            (two, "http://a/", &["b"], Err(BadHost::Contradiction)),
            (two, "http://a:81/", &["a"], Err(BadHost::Contradiction)),
        ] {
            let expected = expected.map(str::to_owned);
            assert_eq!(of(version, uri, hosts), expected, "{uri} {hosts:?}");
        }
    }
}
