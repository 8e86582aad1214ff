//! Route templates: `/i/{id}/{cap}/`, `/assets/{*path}`. A segment of a path is words or one
//! parameter, never both, so that a template can be filled in and taken apart in one way only.

use std::fmt;
use std::str::FromStr;

/// Longest template, bytes.
pub const TEMPLATE_BYTES: usize = 512;

/// A parsed template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Segment>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Words(String),
    Param(String),
    Rest(String),
}

/// A text that is not a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{template:?} is not a route: {why}")]
pub struct InvalidTemplate {
    template: String,
    why: &'static str,
}

impl Template {
    /// Its parameters, the rest parameter included.
    pub fn params(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|segment| match segment {
            Segment::Words(_) => None,
            Segment::Param(name) | Segment::Rest(name) => Some(name.as_str()),
        })
    }

    /// The name of its `{*rest}` parameter.
    #[must_use]
    pub fn rest(&self) -> Option<&str> {
        match self.0.last() {
            Some(Segment::Rest(name)) => Some(name),
            _ => None,
        }
    }

    /// The folder that a `{*rest}` template is about: its path up to there.
    #[must_use]
    pub fn folder(&self) -> Option<String> {
        self.rest()?;
        let text = self.to_string();
        text.find("{*")
            .and_then(|at| text.get(..at))
            .map(str::to_owned)
    }

    /// The path with every parameter filled in, percent-encoded (RFC 3986 section 3.3). `None` if
    /// `value` has nothing for one of them, or only an empty text.
    pub fn fill<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> Option<String> {
        let mut path = String::new();
        for segment in &self.0 {
            path.push('/');
            match segment {
                Segment::Words(words) => path.push_str(words),
                Segment::Param(name) => {
                    let value = value(name).filter(|value| !value.is_empty())?;
                    encode(&mut path, value, false);
                }
                Segment::Rest(name) => encode(&mut path, value(name)?, true),
            }
        }
        Some(path)
    }
}

/// Unreserved characters and what a segment may hold as it is; a rest keeps its slashes.
fn encode(path: &mut String, value: &str, slashes: bool) {
    for byte in value.bytes() {
        let plain = byte.is_ascii_alphanumeric()
            || b"-._~!$'()*,;:@=+&".contains(&byte)
            || (slashes && byte == b'/');
        if plain {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.0 {
            match segment {
                Segment::Words(words) => write!(f, "/{words}")?,
                Segment::Param(name) => write!(f, "/{{{name}}}")?,
                Segment::Rest(name) => write!(f, "/{{*{name}}}")?,
            }
        }
        Ok(())
    }
}

impl FromStr for Template {
    type Err = InvalidTemplate;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = |why| InvalidTemplate {
            template: text.chars().take(80).collect(),
            why,
        };
        if text.len() > TEMPLATE_BYTES {
            return Err(refuse("longer than 512 bytes"));
        }
        let below = text
            .strip_prefix('/')
            .ok_or_else(|| refuse("expected a path, starting with /"))?;
        let mut segments = Vec::new();
        let mut names = Vec::new();
        let mut rest = below.split('/').peekable();
        while let Some(part) = rest.next() {
            let last = rest.peek().is_none();
            let inner = part.strip_prefix('{').and_then(|p| p.strip_suffix('}'));
            let segment = match inner {
                Some(name) => {
                    let (name, is_rest) = match name.strip_prefix('*') {
                        Some(name) => (name, true),
                        None => (name, false),
                    };
                    if !is_name(name) {
                        return Err(refuse("a parameter's name is made of a-z, 0-9 and _"));
                    }
                    if is_rest && !last {
                        return Err(refuse("`{*rest}` can only come last"));
                    }
                    if names.contains(&name) {
                        return Err(refuse("two parameters have one name"));
                    }
                    names.push(name);
                    if is_rest {
                        Segment::Rest(name.to_owned())
                    } else {
                        Segment::Param(name.to_owned())
                    }
                }
                None if part.is_empty() && !last => {
                    return Err(refuse("an empty segment"));
                }
                None if !part.bytes().all(is_word) => {
                    return Err(refuse(
                        "a segment is {name}, or letters, digits and -._~%, percent-encoded",
                    ));
                }
                None => Segment::Words(part.to_owned()),
            };
            segments.push(segment);
        }
        Ok(Self(segments))
    }
}

fn is_name(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for text in [
            "/",
            "/i/{id}/",
            "/i/{id}/{cap}/gift",
            "/assets/{*path}",
            "/i/{id}/event.ics",
        ] {
            assert_eq!(text.parse::<Template>().unwrap().to_string(), text);
        }
        for bad in [
            "",
            "i",
            "//",
            "/a//b",
            "/{*rest}/a",
            "/{a}{b}",
            "/x{a}",
            "/{A}",
            "/{a}/{a}",
            "/ä",
            "/a?b",
            &format!("/{}", "a".repeat(TEMPLATE_BYTES)),
        ] {
            assert!(bad.parse::<Template>().is_err(), "{bad}");
        }
    }

    #[test]
    fn of_a_template_too_long_only_the_start_is_shown() {
        let at_most = format!("/{}", "a".repeat(TEMPLATE_BYTES - 1));
        assert!(at_most.parse::<Template>().is_ok());
        let refused = format!("{at_most}a").parse::<Template>().unwrap_err();
        let start = format!("/{}", "a".repeat(79));
        assert_eq!(
            refused.to_string(),
            format!("{start:?} is not a route: longer than 512 bytes")
        );
    }

    #[test]
    fn fills_in_percent_encoded() {
        let template: Template = "/i/{id}/{cap}/".parse().unwrap();
        let fill = |name: &str| Some(if name == "id" { "가/b" } else { "c d" });
        assert_eq!(template.fill(fill).unwrap(), "/i/%EA%B0%80%2Fb/c%20d/");
        assert_eq!(template.fill(|_| Some("")), None);
        let assets: Template = "/a/{*path}".parse().unwrap();
        assert_eq!(assets.fill(|_| Some("x/y.css")).unwrap(), "/a/x/y.css");
        assert_eq!(assets.folder().as_deref(), Some("/a/"));
        assert_eq!(template.folder(), None);
    }
}
