//! What an order changes, for which services and pages, before it is given.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};
use snapshot::order::Mode;
use snapshot::{LocalText, Order, Scope, ServiceName, Timestamp};

use super::facts::SiteFacts;
use super::mirrors::Held;
use crate::cmd::ops::Settings;
use crate::cmd::ops::obeying::names;
use crate::cmd::ops::plain::plain;

/// Most pages of a service, and edges, that are named.
const PAGES: usize = 12;

/// What an order would change.
#[derive(Clone, Debug)]
pub(super) struct Preview {
    order: Order,
    before: Option<Order>,
    /// Why the signatures of that one hold no longer.
    lapsed: Option<String>,
    services: Vec<ServiceChange>,
    /// The release that services and pages are those of.
    facts: Option<u64>,
    now: Timestamp,
}

/// What becomes of one service, orders of the site and its own taken together.
#[derive(Clone, Debug)]
struct ServiceChange {
    name: ServiceName,
    title: Option<String>,
    before: Mode,
    after: Mode,
    pages: Vec<String>,
    is_known: bool,
}

impl Preview {
    /// Of an order that is about to follow what `held` has in force.
    pub(super) fn of(
        order: &Order,
        facts: Option<&SiteFacts>,
        held: &Held,
        now: Timestamp,
    ) -> Self {
        let before = held.newest(&order.scope);
        let lapsed = before
            .and_then(|known| held.lapsed(known))
            .map(str::to_owned);
        let before = before.map(|known| known.order.clone());
        let services = match &order.scope {
            Scope::Service(name) => vec![name.clone()],
            Scope::Site => every_service(facts, held),
        };
        let services = services.into_iter().map(|name| {
            let own = Scope::Service(name.clone());
            let mode = |scope: &Scope, with_new: bool| {
                let order = match with_new && *scope == order.scope {
                    true => Some(order),
                    false => held.newest(scope).map(|known| &known.order),
                };
                order.map(|order| order.mode_at(now)).unwrap_or_default()
            };
            let effective = |with_new| mode(&Scope::Site, with_new).max(mode(&own, with_new));
            let service = facts.and_then(|facts| facts.manifest.service(&name));
            let pages = facts.map(|facts| facts.pages(&name)).unwrap_or_default();
            ServiceChange {
                title: service.and_then(|service| Some(service.title.get("")?.1.to_owned())),
                before: effective(false),
                after: effective(true),
                pages: pages.into_iter().map(ToOwned::to_owned).collect(),
                is_known: facts.is_none() || service.is_some(),
                name,
            }
        });
        Self {
            services: services.collect(),
            order: order.clone(),
            before,
            lapsed,
            facts: facts.map(|facts| facts.release.sequence.0),
            now,
        }
    }

    /// Prints it: what would be done, or what is about to be. Only a preview that is all there is goes
    /// where programs read.
    pub(super) fn show(&self, settings: &Settings, is_all: bool) {
        match (settings.json, is_all) {
            (true, true) => println!("{}", self.json()),
            (true, false) => {}
            (false, _) => print!("{}{}", self.words(), by(settings)),
        }
    }

    /// For people.
    pub(super) fn words(&self) -> String {
        let mut text = String::new();
        let order = &self.order;
        writeln!(
            text,
            "order {} about {} of {}, by {}{}",
            order.epoch,
            order.scope,
            order.site,
            plain(&order.who),
            because(&order.why)
        )
        .ok();
        if let Some(before) = &self.before {
            let (epoch, who, at) = (before.epoch, plain(&before.who), before.signed_at.rfc3339());
            let why = because(&before.why);
            writeln!(text, "  after    order {epoch} of {at}, by {who}{why}").ok();
        }
        if let Some(lapsed) = &self.lapsed {
            let lapsed = plain(lapsed);
            writeln!(text, "           whose signatures hold no longer: {lapsed}").ok();
        }
        for service in &self.services {
            writeln!(text, "  service  {}", service.words(order)).ok();
            if !service.pages.is_empty() {
                writeln!(text, "           pages {}", first(&service.pages, "  ")).ok();
            }
        }
        match self.facts {
            Some(release) => writeln!(text, "  as of    release {release}").ok(),
            None => writeln!(
                text,
                "  as of    no release that can be read from here: pages are not known"
            )
            .ok(),
        };
        if let Some(until) = self.until() {
            writeln!(text, "  until    {until}").ok();
        }
        self.said(&mut text);
        text
    }

    /// What readers are told.
    fn said(&self, text: &mut String) {
        let order = &self.order;
        let before = self.before.as_ref();
        let notices = before.map_or(&[][..], |before| &before.notices);
        if notices == order.notices {
            if let Some(notice) = order.notices.last() {
                writeln!(text, "  readers  go on to see: {}", words_of(&notice.text)).ok();
            }
        } else {
            let gone = notices
                .iter()
                .filter(|one| !order.notices.contains(one))
                .count();
            if gone > 0 {
                writeln!(text, "  readers  no longer see {gone} of the notices").ok();
            }
            for notice in order.notices.iter().filter(|one| !notices.contains(one)) {
                writeln!(text, "  readers  see: {}", words_of(&notice.text)).ok();
            }
        }
        if let Some(back) = order.back.filter(|back| self.now < back.until) {
            let (since, until) = (back.since.rfc3339(), back.until.rfc3339());
            writeln!(text, "  readers  see \"back since {since}\" until {until}").ok();
        }
        let pinned = before.and_then(|before| before.pin);
        match (pinned, order.pin) {
            (_, Some(pin)) if pinned != order.pin => writeln!(
                text,
                "  pin      release {}, manifest {}",
                pin.sequence, pin.manifest
            )
            .ok(),
            (Some(pin), None) => writeln!(
                text,
                "  pin      release {} no longer: the newest is followed",
                pin.sequence
            )
            .ok(),
            (Some(pin), Some(_)) => {
                writeln!(text, "  pin      stays release {}", pin.sequence).ok()
            }
            (None, _) => None,
        };
    }

    fn until(&self) -> Option<String> {
        let end = self.order.end()?;
        let announced = self.order.end_announced_at()?.rfc3339();
        let left = lasting(end.since(self.now));
        let end = end.rfc3339();
        Some(format!(
            "{end}, in {left}; then automatic (announced from {announced})"
        ))
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let order = &self.order;
        let services = self.services.iter().map(|service| {
            json!({
                "service": service.name,
                "known": service.is_known,
                "before": service.before.as_str(),
                "after": service.after.as_str(),
                "pages": service.pages,
            })
        });
        json!({
            "site": order.site,
            "scope": order.scope.to_string(),
            "epoch": order.epoch.0,
            "predecessor": order.predecessor.map(|digest| digest.to_string()),
            "who": order.who,
            "why": order.why,
            "services": services.collect::<Vec<_>>(),
            "release": self.facts,
            "ends_at": order.end().map(Timestamp::rfc3339),
            "pin": order.pin.map(|pin| pin.sequence.0),
            "notices": order.notices.iter().map(|notice| notice_json(&notice.text)).collect::<Vec<_>>(),
            "back_until": order.back.map(|back| back.until.rfc3339()),
        })
    }
}

impl ServiceChange {
    fn words(&self, order: &Order) -> String {
        let mut words = match &self.title {
            Some(title) => format!("{} ({title}): ", self.name),
            None => format!("{}: ", self.name),
        };
        let (before, after) = (self.before.as_str(), self.after.as_str());
        if self.before == self.after {
            words += &format!("stays {after}");
        } else {
            words += &format!("{before} -> {after}");
        }
        let own = order.mode_at(order.signed_at);
        if self.after != own {
            let other = match order.scope {
                Scope::Site => "its own order",
                Scope::Service(_) => "the order about the whole site",
            };
            words += &format!(", since {other} is stronger");
        } else if self.after == Mode::Normal && !order.insists {
            words += ", where an edge has seen its origin well";
        }
        if !self.is_known {
            words += " (unknown to this release: kept, shown, and without effect)";
        }
        words
    }
}

/// Which way it would go, and who would be asked.
fn by(settings: &Settings) -> String {
    let paths = settings.known_paths().iter();
    let paths: Vec<&str> = paths.map(|path| path.url().as_str()).collect();
    let edges = names(settings);
    let asked = match edges.is_empty() {
        true => "none is named, so nobody can say who obeys".to_owned(),
        false => format!(
            "{} asked whether they obey: {}",
            edges.len(),
            first(&edges, ", ")
        ),
    };
    format!("  by way   {}\n  edges    {asked}\n", paths.join("  "))
}

/// The services of the release, and those that orders speak of all the same.
fn every_service(facts: Option<&SiteFacts>, held: &Held) -> Vec<ServiceName> {
    let known = facts.into_iter().flat_map(SiteFacts::services);
    let mut services: Vec<ServiceName> = known.cloned().collect();
    for known in held.iter() {
        if let Scope::Service(name) = &known.order.scope
            && !services.contains(name)
        {
            services.push(name.clone());
        }
    }
    services
}

pub(super) fn first(names: &[String], between: &str) -> String {
    let shown: Vec<&str> = names.iter().take(PAGES).map(String::as_str).collect();
    match names.len().saturating_sub(PAGES) {
        0 => shown.join(between),
        more => format!("{} and {more} more", shown.join(between)),
    }
}

/// Words in every language there is.
pub(super) fn words_of(text: &LocalText) -> String {
    let each = text.0.iter();
    let each = each.map(|(language, words)| plain(&format!("{language}: {words}")));
    each.collect::<Vec<_>>().join(" | ")
}

pub(super) fn notice_json(text: &LocalText) -> Value {
    let words = text.0.iter();
    words
        .map(|(language, words)| (language.clone(), Value::from(words.clone())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// `: the reason`, where one was given.
pub(super) fn because(why: &str) -> String {
    match why {
        "" => String::new(),
        why => format!(": {}", plain(why)),
    }
}

/// A length of time in its two largest units.
pub(super) fn lasting(time: Duration) -> String {
    // What is left of an hour an instant later is still called an hour.
    let minutes = time.as_secs().saturating_add(59) / 60;
    let (days, hours, minutes) = (minutes / (24 * 60), minutes / 60 % 24, minutes % 60);
    match (days, hours, minutes) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, 0) => format!("{hours} h"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, 0, _) => format!("{days} d"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use snapshot::Envelope;

    use super::*;
    use crate::fixture::order;

    fn held(orders: &[Order]) -> Held {
        let mut held = Held::default();
        for order in orders {
            let bytes = snapshot::encode(order).unwrap();
            held.put(&Envelope::seal(bytes));
        }
        held
    }

    fn preview(order: &Order, before: &[Order]) -> String {
        let now = order.signed_at;
        Preview::of(order, None, &held(before), now).words()
    }

    #[test]
    fn the_stronger_of_two_orders_is_named() {
        let site = order("site", 1, Mode::Degraded);
        let mut recover = order("service:pay", 2, Mode::Automatic);
        recover.notices.clear();
        let words = preview(&recover, std::slice::from_ref(&site));
        assert!(
            words.contains("pay: stays degraded, since the order about the whole site is stronger"),
            "{words}"
        );
        assert!(words.contains("pages are not known"), "{words}");
        // A site-wide one names every service that is spoken of.
        let mut all = order("site", 2, Mode::Automatic);
        all.signed_at = site.signed_at;
        let words = preview(&all, &[site, order("service:pay", 1, Mode::Degraded)]);
        assert!(
            words.contains("pay: stays degraded, since its own order is stronger"),
            "{words}"
        );
    }

    #[test]
    fn the_end_of_a_forced_mode_is_said_and_what_readers_see() {
        let mut degrade = order("service:pay", 1, Mode::Degraded);
        degrade.ends_at = Some(degrade.signed_at.plus(Duration::from_secs(24 * 3600)));
        let words = preview(&degrade, &[]);
        assert!(words.contains("pay: automatic -> degraded\n"), "{words}");
        assert!(
            words.contains(", in 1 d; then automatic (announced from "),
            "{words}"
        );
        assert!(words.contains("readers  see: ko: 복구 중입니다"), "{words}");
        let mut silent = order("service:pay", 2, Mode::Degraded);
        silent.notices.clear();
        let words = preview(&silent, &[degrade]);
        assert!(words.contains("no longer see 1 of the notices"), "{words}");
    }

    #[test]
    fn others_words_do_nothing_to_a_terminal() {
        let mut odd = order("service:pay", 1, Mode::Degraded);
        odd.why = "fire\u{1b}[2J\r\nedge: all is well\u{202e}".to_owned();
        odd.who = "minho\u{7}".to_owned();
        let words = preview(&odd, &[]);
        assert!(
            words.contains("by minho : fire [2J  edge: all is well \n"),
            "{words:?}"
        );
    }

    #[test]
    fn lengths_of_time_are_rounded_up_to_minutes() {
        for (seconds, said) in [
            (0, "0 min"),
            (7_199, "2 h"),
            (7_201, "2 h 1 min"),
            (86_399, "1 d"),
            (90_000, "1 d 1 h"),
        ] {
            assert_eq!(lasting(Duration::from_secs(seconds)), said);
        }
    }

    #[test]
    fn of_very_many_pages_the_first_are_named() {
        let pages: Vec<String> = (0..=PAGES).map(|n| format!("/{n}")).collect();
        assert!(first(&pages, "  ").ends_with("/11 and 1 more"));
    }
}
