//! What the host tells a guest about its request, in `holdfast-*` headers that no client can set.

use std::collections::BTreeMap;
use std::fmt;

use crate::capability::Capability;
use crate::language::Language;
use crate::moment::Moment;
use crate::outage::{self, Notice, Service, Words};
use crate::percent::decode;
use crate::records::{Place, Privacy};

const PREFIX: &str = "holdfast-";

/// How old the copy is, by the route's own measure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Freshness {
    /// As new as it should be.
    #[default]
    Fresh,
    /// Older than it should be: pages say so.
    Stale,
    /// Too old to be relied on: pages say so, and what to do.
    TooOld,
}

impl Freshness {
    /// As the host and templates spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Stale => "stale",
            Self::TooOld => "too-old",
        }
    }
}

/// A request's context.
#[derive(Clone, Debug)]
pub struct Context {
    /// The path without the capability, as it was asked for.
    pub path: String,
    /// The site's name.
    pub site: String,
    /// The route's template, with all its parameters.
    pub route: String,
    /// The path's parameters but the capability.
    pub params: BTreeMap<String, String>,
    /// The capability, on a `single` route that has one.
    pub capability: Option<Capability>,
    /// The reader's language.
    pub language: Language,
    /// The site's languages, its own first.
    pub languages: Vec<String>,
    /// As of when the records are true.
    pub as_of: Option<Moment>,
    /// The same in RFC 3339, for templates.
    pub as_of_text: String,
    /// How old they are.
    pub freshness: Freshness,
    /// The effective mode of each service: `normal` or `degraded`.
    pub modes: BTreeMap<String, String>,
    /// Ops' notices, newest first.
    pub notices: Vec<Notice>,
    /// The site's services.
    pub services: Vec<Service>,
    /// The site's name for readers in every language; on status pages alone.
    pub title: Words,
    /// The number of the release; on status pages alone.
    pub release: Option<u64>,
    /// The minute it is, in RFC 3339, where the route declares it.
    pub now: Option<String>,
    /// The template of the route.
    pub template: Option<String>,
    /// The route's collections in its own order, with who can read them.
    pub collections: Vec<(String, Privacy)>,
}

/// A context that cannot be understood. Names the header, never its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContextError {
    /// A header that the host always sends.
    Missing(&'static str),
    /// A header that is not in its form.
    Malformed(String),
    /// A second collection, of templates, that is not there.
    Collection(usize),
}

impl fmt::Display for ContextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(
                f,
                "no header {PREFIX}{name}: this component answers behind a Holdfast edge, which sends it"
            ),
            Self::Malformed(name) => write!(f, "header {name} is not in its form"),
            Self::Collection(at) => {
                write!(f, "the route declares no collection number {}", at + 1)
            }
        }
    }
}

impl std::error::Error for ContextError {}

impl Context {
    /// Reads the context of a request to `path` with these headers. Names are lower case, as
    /// HTTP libraries give them; other headers are passed over.
    ///
    /// # Errors
    /// [`ContextError`] for a header that is missing or not in its form.
    pub fn read<'a>(
        path: &str,
        headers: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, ContextError> {
        let headers: BTreeMap<&str, &str> = headers
            .into_iter()
            .filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?, value)))
            .collect();
        let read = Headers(headers);
        let privacy = read.pairs("privacy")?.into_iter().map(|(name, who)| {
            Privacy::parse(&who)
                .map(|who| (name, who))
                .ok_or_else(|| malformed("privacy"))
        });
        let as_of_text = read.text("as-of").unwrap_or_default().to_owned();
        Ok(Self {
            path: path.to_owned(),
            site: read.required("site")?.to_owned(),
            route: read.required("route")?.to_owned(),
            params: read.params()?,
            capability: read.decoded("capability")?.map(Capability::new),
            language: Language::new(read.required("language")?),
            languages: read.list("languages"),
            as_of: match as_of_text.as_str() {
                "" => None,
                text => Some(Moment::parse(text).ok_or_else(|| malformed("as-of"))?),
            },
            as_of_text,
            freshness: match read.text("freshness") {
                None | Some("fresh") => Freshness::Fresh,
                Some("stale") => Freshness::Stale,
                Some("too-old") => Freshness::TooOld,
                Some(_) => return Err(malformed("freshness")),
            },
            modes: read.pairs("modes")?.into_iter().collect(),
            notices: read.json("notices", outage::notices)?,
            services: read.json("services", outage::services)?,
            title: read.title()?,
            release: match read.text("release") {
                None => None,
                Some(number) => Some(number.parse().map_err(|_| malformed("release"))?),
            },
            now: read.text("now").map(str::to_owned),
            template: read.decoded("template")?,
            collections: privacy.collect::<Result<_, _>>()?,
        })
    }

    /// The first parameter in the route's order that is not the capability: a record's key.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.route
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
            .find_map(|name| self.params.get(name.trim_start_matches('*')))
            .map(String::as_str)
    }

    /// Whether the page lies below a capability, and so knows relative links to what it opens.
    #[must_use]
    pub fn is_below_capability(&self) -> bool {
        self.capability.is_some()
            || self
                .route
                .split('/')
                .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
                .any(|name| !self.params.contains_key(name.trim_start_matches('*')))
    }

    /// The route's collection number `at`, from 0.
    ///
    /// # Errors
    /// [`ContextError::Collection`] if the route declares fewer.
    pub fn collection(&self, at: usize) -> Result<(&str, Privacy), ContextError> {
        self.collections
            .get(at)
            .map(|(name, who)| (name.as_str(), *who))
            .ok_or(ContextError::Collection(at))
    }

    /// Where the record `key` of the route's collection number `at` lies; `None` for a sealed one
    /// without its capability.
    ///
    /// # Errors
    /// [`ContextError::Collection`] if the route declares fewer.
    pub fn place<'a>(&'a self, at: usize, key: &'a str) -> Result<Option<Place<'a>>, ContextError> {
        let (collection, privacy) = self.collection(at)?;
        let capability = self.capability.as_ref();
        Ok(Place::of(&self.site, collection, privacy, key, capability))
    }
}

/// The headers without their prefix.
struct Headers<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Headers<'a> {
    fn text(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).copied()
    }

    fn required(&self, name: &'static str) -> Result<&'a str, ContextError> {
        self.text(name).ok_or(ContextError::Missing(name))
    }

    fn decoded(&self, name: &str) -> Result<Option<String>, ContextError> {
        self.text(name)
            .map(|text| decode(text).ok_or_else(|| malformed(name)))
            .transpose()
    }

    fn list(&self, name: &str) -> Vec<String> {
        let items = self.text(name).unwrap_or_default().split(',');
        let items = items.map(str::trim).filter(|item| !item.is_empty());
        items.map(str::to_owned).collect()
    }

    /// `a=b,c=d`, in the header's order.
    fn pairs(&self, name: &str) -> Result<Vec<(String, String)>, ContextError> {
        let pair = |item: String| {
            item.split_once('=')
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .ok_or_else(|| malformed(name))
        };
        self.list(name).into_iter().map(pair).collect()
    }

    fn params(&self) -> Result<BTreeMap<String, String>, ContextError> {
        let mut params = BTreeMap::new();
        for name in self.0.keys() {
            if let Some(param) = name.strip_prefix("param-")
                && let Some(value) = self.decoded(name)?
            {
                params.insert(param.to_owned(), value);
            }
        }
        Ok(params)
    }

    fn title(&self) -> Result<Words, ContextError> {
        let Some(json) = self.decoded("title")? else {
            return Ok(Words::new());
        };
        serde_json::from_str(&json)
            .ok()
            .and_then(|read: serde_json::Value| outage::words(Some(&read)))
            .ok_or_else(|| malformed("title"))
    }

    fn json<T>(
        &self,
        name: &str,
        read: impl Fn(&str) -> Option<Vec<T>>,
    ) -> Result<Vec<T>, ContextError> {
        match self.decoded(name)? {
            None => Ok(Vec::new()),
            Some(json) => read(&json).ok_or_else(|| malformed(name)),
        }
    }
}

fn malformed(name: &str) -> ContextError {
    ContextError::Malformed(format!("{PREFIX}{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALM: [(&str, &str); 3] = [
        ("holdfast-site", "dasom"),
        ("holdfast-route", "/i/{id}/"),
        ("holdfast-language", "ko"),
    ];

    fn read(more: &[(&'static str, &'static str)]) -> Result<Context, ContextError> {
        let headers = CALM.into_iter().chain(more.iter().copied());
        Context::read("/i/a%20b/", headers)
    }

    #[test]
    fn a_whole_context_is_read() {
        let context = read(&[
            ("accept", "text/html"),
            ("holdfast-route", "/i/{id}/{cap}/gift"),
            ("holdfast-param-id", "a%20b"),
            ("holdfast-capability", "k7Qp"),
            ("holdfast-languages", "ko,en"),
            ("holdfast-as-of", "2026-11-22T05:05:00Z"),
            ("holdfast-freshness", "stale"),
            ("holdfast-modes", "club=normal,pay=degraded"),
            ("holdfast-privacy", "accounts=sealed,guides=public"),
            ("holdfast-template", "meeting.html"),
            ("holdfast-now", "2026-11-22T05:06:00Z"),
            ("holdfast-release", "12"),
            ("holdfast-title", "[[%22ko%22,%22%EB%8B%A4%22]]"),
            (
                "holdfast-services",
                "%5B%7B%22name%22:%22pay%22,%22title%22:%22%EB%8B%A4%22,%22meanwhile%22:%22%22,%22state%22:%22normal%22,%22since%22:null%7D%5D",
            ),
        ])
        .unwrap();
        assert_eq!(context.key(), Some("a b"));
        assert!(context.is_below_capability());
        assert_eq!(context.as_of.unwrap().plain(), "2026-11-22 14:05");
        assert_eq!(context.freshness, Freshness::Stale);
        assert_eq!(context.modes["pay"], "degraded");
        assert_eq!(context.languages, ["ko", "en"]);
        assert_eq!(context.services[0].title, "다");
        assert_eq!(context.title, [("ko".to_owned(), "다".to_owned())]);
        assert_eq!(context.release, Some(12));
        assert_eq!(context.template.as_deref(), Some("meeting.html"));
        assert_eq!(context.collection(0), Ok(("accounts", Privacy::Sealed)));
        assert_eq!(context.collection(2), Err(ContextError::Collection(2)));
        assert!(!format!("{context:?}").contains("k7Qp"));
        let place = context.place(0, "a b").unwrap().unwrap();
        assert_eq!(place.name(), seal::record_name("dasom", "accounts", "k7Qp"));
    }

    #[test]
    fn a_shared_page_below_a_capability_is_told_by_its_route() {
        let id = ("holdfast-param-id", "a");
        assert!(!read(&[id]).unwrap().is_below_capability());
        let below = read(&[id, ("holdfast-route", "/i/{id}/{cap}/")]).unwrap();
        assert!(below.is_below_capability());
        assert_eq!(below.key(), Some("a"));
    }

    #[test]
    fn what_is_missing_or_malformed_is_named_without_its_value() {
        assert_eq!(
            Context::read("/", []).unwrap_err(),
            ContextError::Missing("site")
        );
        for (name, value) in [
            ("holdfast-as-of", "14:05"),
            ("holdfast-freshness", "rotten"),
            ("holdfast-modes", "pay"),
            ("holdfast-privacy", "accounts=hidden"),
            ("holdfast-param-id", "%zz"),
            ("holdfast-capability", "%k7Qp"),
            ("holdfast-notices", "%5B1%5D"),
            ("holdfast-services", "null"),
            ("holdfast-title", "%5B1%5D"),
            ("holdfast-release", "-1"),
        ] {
            let error = read(&[(name, value)]).unwrap_err();
            assert_eq!(error, ContextError::Malformed(name.to_owned()));
            assert!(!error.to_string().contains(value));
        }
    }
}
