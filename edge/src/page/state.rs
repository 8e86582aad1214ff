//! What a page must say about itself: the site's troubles and the age of its data, in the words
//! of one reader's language.

use snapshot::order::Scope;
use snapshot::{Language, Sequence, ServiceName, Timestamp};

use super::UtcOffset;

/// Everything that the rewriter, the emergency pages and the headers need to know.
///
/// Texts are already in the reader's language, or in the nearest the publisher wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageState {
    /// The site's name for readers.
    pub site_title: String,
    /// The negotiated language: one of the site's.
    pub language: Language,
    /// Every service of the site.
    pub services: Vec<ServiceState>,
    /// What ops wrote, in any order; pages show the newest first.
    pub notices: Vec<NoticeLine>,
    /// Where the answer comes from.
    pub source: Source,
    /// The time zone in which pages print moments.
    pub offset: UtcOffset,
}

/// One service as a reader finds it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceState {
    /// The name that `data-needs` and `data-without` use.
    pub name: ServiceName,
    /// Its name for readers.
    pub title: String,
    /// What still works, or what to use meanwhile. May be empty.
    pub meanwhile: String,
    /// True when this request is answered without it: by an order, by the breaker, or because
    /// the origin failed just this request.
    pub degraded: bool,
    /// Who answers for it, whoever answers this request: `normal`, `probing` or `degraded`.
    pub mode: &'static str,
    /// Since when it is so, where that is known.
    pub since: Option<Timestamp>,
    /// Since when it is back, for as long as ops want that said.
    pub back: Option<Timestamp>,
}

/// One entry of a notice's time line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeLine {
    /// What it speaks of.
    pub scope: Scope,
    /// When it was written.
    pub at: Timestamp,
    /// The language its words are really in.
    pub language: Language,
    /// The words: plain text, never mark-up.
    pub text: String,
    /// The same in each language that ops wrote.
    pub texts: Vec<(Language, String)>,
}

/// Where an answer comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The living origin.
    Origin,
    /// The edge's copy.
    Snapshot {
        /// The moment as of which it is true.
        as_of: Timestamp,
        /// Its age by the route's own limits.
        freshness: Freshness,
        /// The release.
        sequence: Sequence,
    },
}

/// The age of data, by a route's limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Freshness {
    /// Recent enough to need no words.
    #[default]
    Fresh,
    /// Old enough that the page says how old.
    Stale,
    /// Too old to be used for what it is.
    TooOld,
}

impl Freshness {
    /// Its name in `holdfast-freshness` and in status.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Stale => "stale",
            Self::TooOld => "too-old",
        }
    }
}

impl NoticeLine {
    /// Whether it speaks of that service.
    #[must_use]
    pub fn is_about(&self, service: &ServiceName) -> bool {
        matches!(&self.scope, Scope::Service(name) if name == service)
    }
}

impl PageState {
    /// The services that are down.
    pub fn degraded(&self) -> impl Iterator<Item = &ServiceState> {
        self.services.iter().filter(|service| service.degraded)
    }

    /// The services that are back and of which ops still say so, with since when.
    pub fn back(&self) -> impl Iterator<Item = (&ServiceState, Timestamp)> {
        let up = self.services.iter().filter(|service| !service.degraded);
        up.filter_map(|service| Some((service, service.back?)))
    }

    /// True when the service of that name is known and down.
    #[must_use]
    pub fn is_degraded(&self, name: &str) -> bool {
        self.degraded().any(|service| service.name.as_str() == name)
    }

    /// True when there is something that every page of the site must say.
    #[must_use]
    pub fn has_banner(&self) -> bool {
        self.degraded().next().is_some()
            || self.back().next().is_some()
            || !self.notices.is_empty()
            || matches!(
                self.source,
                Source::Snapshot {
                    freshness: Freshness::Stale | Freshness::TooOld,
                    ..
                }
            )
    }

    /// The moment as of which the answer is true; `None` for the living origin's.
    #[must_use]
    pub const fn as_of(&self) -> Option<Timestamp> {
        match self.source {
            Source::Origin => None,
            Source::Snapshot { as_of, .. } => Some(as_of),
        }
    }

    /// The notices, newest first.
    #[must_use]
    pub fn newest_notices(&self) -> Vec<&NoticeLine> {
        let mut lines: Vec<_> = self.notices.iter().collect();
        lines.sort_by_key(|line| std::cmp::Reverse(line.at));
        lines
    }
}

#[cfg(test)]
pub(super) mod samples {
    use super::*;

    /// Calm, from the origin.
    pub(in crate::page) fn calm(language: &str) -> PageState {
        PageState {
            site_title: "다솜".to_owned(),
            language: language.to_owned(),
            services: ["pay", "club"]
                .iter()
                .map(|name| ServiceState {
                    name: name.parse().unwrap(),
                    title: format!("Dasom {name}"),
                    meanwhile: format!("Meanwhile for {name}"),
                    degraded: false,
                    mode: "normal",
                    since: None,
                    back: None,
                })
                .collect(),
            notices: Vec::new(),
            source: Source::Origin,
            offset: UtcOffset::default(),
        }
    }

    /// `pay` is down since 13:20 KST, from a copy of 14:05 KST on 22 November 2026.
    pub(in crate::page) fn outage(language: &str) -> PageState {
        let mut state = calm(language);
        state.source = Source::Snapshot {
            as_of: Timestamp::from_secs(1_795_323_900),
            freshness: Freshness::Fresh,
            sequence: Sequence(7),
        };
        state.services[0].degraded = true;
        state.services[0].mode = "degraded";
        state.services[0].since = Some(Timestamp::from_secs(1_795_321_200));
        state
    }

    /// A notice of the whole site at `minute` minutes after 14:00 KST.
    pub(in crate::page) fn notice(minute: u64, text: &str) -> NoticeLine {
        NoticeLine {
            scope: Scope::Site,
            at: Timestamp::from_secs(1_795_323_600 + minute * 60),
            language: "ko".to_owned(),
            text: text.to_owned(),
            texts: vec![("ko".to_owned(), text.to_owned())],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::samples::{calm, notice, outage};
    use super::*;

    #[test]
    fn a_banner_stands_exactly_when_there_is_something_to_say() {
        assert!(!calm("ko").has_banner());
        assert!(outage("ko").has_banner());
        let mut back = calm("ko");
        back.services[0].back = Some(Timestamp::from_secs(1));
        assert!(back.has_banner());
        let mut told = calm("ko");
        told.notices.push(notice(0, "점검"));
        assert!(told.has_banner());
        let mut copy = outage("ko");
        copy.services[0].degraded = false;
        assert!(!copy.has_banner(), "a fresh asset in calm says nothing");
        copy.source = Source::Snapshot {
            as_of: Timestamp::from_secs(0),
            freshness: Freshness::Stale,
            sequence: Sequence(7),
        };
        assert!(copy.has_banner());
    }
}
