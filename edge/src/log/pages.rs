//! What readers were shown, counted until it is written down.

use std::collections::BTreeMap;

use super::Event;

/// An answer that a reader was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The living origin's.
    Origin,
    /// Out of the copy, fresh, this many seconds old.
    Fresh(u64),
    /// Out of the copy, stale.
    Stale(u64),
    /// Out of the copy, too old.
    TooOld(u64),
    /// The edge's own: there was nothing better.
    Nothing,
}

/// Counts by site and service: as many as routes have services, never more for what readers ask.
#[derive(Debug, Default)]
pub(super) struct Pages(BTreeMap<String, BTreeMap<String, Counts>>);

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    origin: u64,
    fresh: u64,
    stale: u64,
    too_old: u64,
    none: u64,
    oldest_s: u64,
}

impl Pages {
    pub(super) fn count(&mut self, site: &str, service: &str, shown: Shown) {
        let known = self
            .0
            .get_mut(site)
            .and_then(|known| known.get_mut(service));
        if let Some(counts) = known {
            return counts.add(shown);
        }
        let services = self.0.entry(site.to_owned()).or_default();
        services.entry(service.to_owned()).or_default().add(shown);
    }

    /// Each site with what to note about one of its services.
    pub(super) fn events(self) -> impl Iterator<Item = (String, Event)> {
        self.0.into_iter().flat_map(|(site, services)| {
            services
                .into_iter()
                .map(move |(service, counts)| (site.clone(), counts.event(service)))
        })
    }
}

impl Counts {
    fn add(&mut self, shown: Shown) {
        let (count, age_s) = match shown {
            Shown::Origin => (&mut self.origin, 0),
            Shown::Fresh(age_s) => (&mut self.fresh, age_s),
            Shown::Stale(age_s) => (&mut self.stale, age_s),
            Shown::TooOld(age_s) => (&mut self.too_old, age_s),
            Shown::Nothing => (&mut self.none, 0),
        };
        *count = count.saturating_add(1);
        self.oldest_s = self.oldest_s.max(age_s);
    }

    const fn event(self, service: String) -> Event {
        Event::Pages {
            service,
            origin: self.origin,
            fresh: self.fresh,
            stale: self.stale,
            too_old: self.too_old,
            none: self.none,
            oldest_s: self.oldest_s,
        }
    }
}
