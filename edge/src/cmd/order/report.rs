//! What `edge order` prints: words for people, or one JSON object.

use std::fmt::Write;

use serde_json::json;
use snapshot::order::Mode;
use snapshot::{Digest, Order, SiteName, Timestamp};

use super::mirrors::{Held, Written};
use crate::cmd::ops::obeying::Obedience;

/// An order that was given.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) site: SiteName,
    pub(super) previous: Option<Order>,
    pub(super) order: Order,
    pub(super) digest: Digest,
    pub(super) written: Vec<Written>,
    pub(super) obedience: Obedience,
}

impl Given {
    /// Says at once what was signed and written: waiting for the edges may take a while.
    pub(super) fn announce(&self, json: bool) {
        if !json {
            print!("{}", self.words());
        }
    }

    /// Says the rest.
    pub(super) fn print(&self, json: bool) {
        if json {
            println!("{}", self.json());
        } else if self.obedience.edges.is_empty() && self.written.iter().all(|w| w.error.is_some())
        {
            print!("{}", self.words());
        } else {
            print!("{}", edge_words(&self.obedience));
        }
    }

    fn words(&self) -> String {
        let mut text = String::new();
        let order = &self.order;
        let before = self.mode_before();
        let mut changes = Vec::new();
        if before != order.mode {
            changes.push(format!("{} -> {}", before.as_str(), order.mode.as_str()));
        } else {
            changes.push(format!("stays {}", order.mode.as_str()));
        }
        let notices = self
            .previous
            .as_ref()
            .map_or(&[][..], |order| &order.notices);
        if notices != order.notices {
            changes.push(match order.notices.last() {
                Some(notice) => {
                    let languages: Vec<&str> = notice
                        .text
                        .0
                        .iter()
                        .map(|(language, _)| language.as_str())
                        .collect();
                    format!("a notice in {}", languages.join(", "))
                }
                None => "no notices any more".to_owned(),
            });
        }
        if let Some(end) = order.ends_at {
            changes.push(format!("until {}", end.rfc3339()));
        }
        let (scope, epoch) = (&order.scope, order.epoch);
        let changes = changes.join("; ");
        writeln!(text, "{scope} of {}: {changes} (order {epoch})", self.site).ok();
        for mirror in &self.written {
            let (kind, done, so) = if mirror.is_edge {
                ("edge", "told", ", and in force there")
            } else {
                ("mirror", "written", "")
            };
            match &mirror.error {
                None => writeln!(text, "  {kind} {}: {done}{so}", mirror.url).ok(),
                Some(error) => writeln!(text, "  {kind} {}: NOT {done}: {error}", mirror.url).ok(),
            };
        }
        text
    }

    fn mode_before(&self) -> Mode {
        let previous = self.previous.as_ref();
        previous
            .map(|order| order.mode_at(self.order.signed_at))
            .unwrap_or_default()
    }

    fn json(&self) -> serde_json::Value {
        let mirrors = self.written.iter().map(|mirror| {
            json!({
                "url": mirror.url,
                "edge": mirror.is_edge,
                "written": mirror.error.is_none(),
                "error": mirror.error,
            })
        });
        json!({
            "site": self.site,
            "scope": self.order.scope.to_string(),
            "epoch": self.order.epoch.0,
            "digest": self.digest.to_string(),
            "mode_before": self.mode_before().as_str(),
            "mode": self.order.mode.as_str(),
            "notices": self.order.notices.len(),
            "signed_at_ms": self.order.signed_at.0,
            "ends_at": self.order.ends_at.map(Timestamp::rfc3339),
            "mirrors": mirrors.collect::<Vec<_>>(),
            "edges": self.obedience.json(),
        })
    }
}

/// What `show` found.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) site: SiteName,
    pub(super) held: Held,
    pub(super) obedience: Obedience,
    pub(super) now: Timestamp,
}

impl Shown {
    pub(super) fn print(&self, json: bool) {
        if json {
            println!("{}", self.json());
        } else {
            print!("{}{}", self.words(), edge_words(&self.obedience));
        }
    }

    fn words(&self) -> String {
        let mut text = String::new();
        if self.held.iter().next().is_none() {
            writeln!(text, "{}: no orders; the breakers decide", self.site).ok();
        }
        for known in self.held.iter() {
            let order = &known.order;
            let mode = order.mode_at(self.now).as_str();
            let (scope, epoch) = (&order.scope, order.epoch);
            let (at, who) = (order.signed_at.rfc3339(), &order.who);
            write!(text, "{scope}: {mode} (order {epoch}, {at}, {who}").ok();
            if !order.why.is_empty() {
                write!(text, ": {}", order.why).ok();
            }
            writeln!(text, ")").ok();
            for notice in order.notices.iter().rev() {
                for (language, words) in &notice.text.0 {
                    writeln!(text, "  {} {language}: {words}", notice.at.rfc3339()).ok();
                }
            }
        }
        for (mirror, reason) in &self.held.unread {
            writeln!(text, "  mirror {mirror}: not read: {reason}").ok();
        }
        text
    }

    fn json(&self) -> serde_json::Value {
        let orders = self.held.iter().map(|known| {
            let order = &known.order;
            let notices: Vec<_> = order
                .notices
                .iter()
                .map(|notice| {
                    let text: serde_json::Map<_, _> = notice
                        .text
                        .0
                        .iter()
                        .map(|(language, words)| (language.clone(), words.clone().into()))
                        .collect();
                    json!({ "at": notice.at.rfc3339(), "text": text })
                })
                .collect();
            json!({
                "scope": order.scope.to_string(),
                "epoch": order.epoch.0,
                "digest": known.digest.to_string(),
                "mode": order.mode_at(self.now).as_str(),
                "who": order.who,
                "why": order.why,
                "signed_at": order.signed_at.rfc3339(),
                "ends_at": order.ends_at.map(Timestamp::rfc3339),
                "notices": notices,
            })
        });
        let unread = self
            .held
            .unread
            .iter()
            .map(|(url, error)| json!({ "url": url, "error": error }));
        json!({
            "site": self.site,
            "orders": orders.collect::<Vec<_>>(),
            "mirrors_not_read": unread.collect::<Vec<_>>(),
            "edges": self.obedience.json(),
        })
    }
}

fn edge_words(obedience: &Obedience) -> String {
    format!("{}{}\n", obedience.remarks(), obedience.sentence())
}
