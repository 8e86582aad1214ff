//! `edge order show`: what is ordered, by whom, until when, and which edges obey.

use std::fmt::Write as _;
use std::time::Duration;

use futures::future::join;
use serde_json::{Value, json};
use snapshot::order::Mode;
use snapshot::{Order, Scope, Timestamp};
use tokio::time::Instant;

use super::facts::SiteFacts;
use super::give::described;
use super::mirrors::{self, Held, Known};
use super::preview::{because, lasting, notice_json, words_of};
use super::report::edge_words;
use super::spoken::spoken;
use super::watch::AllOrders;
use crate::cmd::ops::Settings;
use crate::cmd::ops::obeying::{Obedience, obeying};
use crate::cmd::ops::plain::plain;
use crate::cmd::{Exit, Fault};
use crate::sync::wall_clock;

/// What was found.
struct Shown<'s> {
    settings: &'s Settings,
    held: Held,
    facts: Option<SiteFacts>,
    obedience: Obedience,
    now: Timestamp,
}

/// Shows it; the exit status is that of who obeys.
pub(super) async fn show(settings: &Settings, text: bool) -> Result<Exit, Fault> {
    let now = wall_clock();
    let (held, facts) = join(mirrors::read_all(settings), SiteFacts::read(settings, now)).await;
    let held = held?;
    let question = AllOrders::new(&settings.site, &held);
    let obedience = obeying(settings, &question, Instant::now(), Duration::ZERO).await;
    if text {
        let facts = facts.ok_or_else(|| {
            let fault =
                Fault::failed("no path gives a release: its services and languages are not known");
            fault.hint("give a mirror or an edge that answers with --via URL")
        })?;
        let words = spoken(&facts.manifest, &held, &obedience, now);
        if settings.json {
            let words = words
                .iter()
                .map(|(language, text)| json!({"language": language, "text": text}));
            println!(
                "{}",
                json!({ "site": settings.site, "text": words.collect::<Vec<_>>() })
            );
        } else {
            let is_one = words.len() == 1;
            let each = words.iter().map(|(language, text)| match is_one {
                true => text.clone(),
                false => format!("[{language}]\n{text}"),
            });
            print!("{}", each.collect::<Vec<_>>().join("\n"));
        }
        return Ok(Exit::Done);
    }
    let shown = Shown {
        settings,
        held,
        facts,
        obedience,
        now,
    };
    if settings.json {
        println!("{}", shown.json());
    } else {
        print!("{}{}", shown.words(), edge_words(&shown.obedience));
    }
    Ok(shown.obedience.exit())
}

impl Shown<'_> {
    fn words(&self) -> String {
        let mut text = String::new();
        if self.held.iter().next().is_none() {
            writeln!(
                text,
                "{}: no orders; the breakers decide",
                self.settings.site
            )
            .ok();
        }
        for known in self.held.iter() {
            self.order(&mut text, known);
        }
        for (known, why) in self.held.passed_over(None) {
            let (words, why) = (described(known), plain(why));
            writeln!(text, "  passed over: {words}: {why}").ok();
        }
        for (path, reason) in &self.held.unread {
            writeln!(text, "  {path}: not read: {reason}").ok();
        }
        text
    }

    fn order(&self, text: &mut String, known: &Known) {
        let order = &known.order;
        let mode = order.mode_at(self.now);
        write!(text, "{}: {}", order.scope, mode.as_str()).ok();
        if mode == Mode::Normal && order.insists {
            write!(text, ", insisted on").ok();
        }
        if self.is_unknown(&order.scope) {
            write!(text, ", a service that the release does not know").ok();
        }
        let (epoch, at, who) = (order.epoch, order.signed_at.rfc3339(), plain(&order.who));
        let why = because(&order.why);
        writeln!(text, " (order {epoch}, {at}, {who}{why})").ok();
        if let Some(why) = self.held.lapsed(known) {
            let why = plain(why);
            writeln!(
                text,
                "  its signatures hold no longer; edges that have it go on obeying it: {why}"
            )
            .ok();
        }
        if let Some(words) = self.end(order) {
            writeln!(text, "  {words}").ok();
        }
        if let Some(pin) = order.pin {
            let (sequence, manifest) = (pin.sequence, pin.manifest);
            writeln!(text, "  pinned to release {sequence}, manifest {manifest}").ok();
        }
        if let (Some(since), Some(back)) = (order.back_at(self.now), order.back) {
            let (since, until) = (since.rfc3339(), back.until.rfc3339());
            writeln!(text, "  pages say \"back since {since}\" until {until}").ok();
        }
        for notice in order.notices.iter().rev() {
            let words = words_of(&notice.text);
            writeln!(text, "  notice of {}: {words}", notice.at.rfc3339()).ok();
        }
    }

    /// When the forced mode ends, or that it has.
    fn end(&self, order: &Order) -> Option<String> {
        let (end, announced) = (order.end()?, order.end_announced_at()?);
        let forced = order.mode.as_str();
        if end <= self.now {
            return Some(format!("{forced} ended at {}", end.rfc3339()));
        }
        let left = lasting(end.since(self.now));
        let said = if announced <= self.now {
            "announced since"
        } else {
            "announced from"
        };
        let (end, announced) = (end.rfc3339(), announced.rfc3339());
        Some(format!("until {end}, in {left}; {said} {announced}"))
    }

    fn is_unknown(&self, scope: &Scope) -> bool {
        match (scope, &self.facts) {
            (Scope::Service(name), Some(facts)) => !facts.services().any(|known| known == name),
            _ => false,
        }
    }

    fn json(&self) -> Value {
        let orders = self.held.iter().map(|known| {
            let order = &known.order;
            let notices = order.notices.iter().map(
                |notice| json!({ "at": notice.at.rfc3339(), "text": notice_json(&notice.text) }),
            );
            let moment = |at: Option<Timestamp>| at.map(Timestamp::rfc3339);
            json!({
                "scope": order.scope.to_string(),
                "known": !self.is_unknown(&order.scope),
                "epoch": order.epoch.0,
                "digest": known.digest.to_string(),
                "predecessor": order.predecessor.map(|before| before.to_string()),
                "mode": order.mode_at(self.now).as_str(),
                "insists": order.insists,
                "lapsed": self.held.lapsed(known),
                "who": order.who,
                "why": order.why,
                "signed_at": order.signed_at.rfc3339(),
                "ends_at": moment(order.end()),
                "end_announced_at": moment(order.end_announced_at()),
                "pin": order.pin.map(|pin| json!({
                    "release": pin.sequence.0,
                    "manifest": pin.manifest.to_string(),
                })),
                "back_since": moment(order.back_at(self.now)),
                "notices": notices.collect::<Vec<_>>(),
            })
        });
        let unread = self.held.unread.iter();
        let unread = unread.map(|(url, error)| json!({ "url": url, "error": error }));
        let passed_over = self.held.passed_over(None);
        let passed_over = passed_over.map(|(known, why)| format!("{}: {why}", described(known)));
        json!({
            "site": self.settings.site,
            "orders": orders.collect::<Vec<_>>(),
            "passed_over": passed_over.collect::<Vec<_>>(),
            "paths_not_read": unread.collect::<Vec<_>>(),
            "edges": self.obedience.json(),
        })
    }
}
