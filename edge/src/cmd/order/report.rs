//! What `edge order` prints: words for people, or one JSON object.

use std::fmt::Write;

use serde_json::json;
use snapshot::order::Mode;
use snapshot::{Digest, Order, SiteName, Timestamp};

use super::give::described;
use super::mirrors::Brought;
use crate::cmd::ops::obeying::Obedience;
use crate::cmd::ops::plain::plain;

/// An order that was given.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) site: SiteName,
    pub(super) previous: Option<Order>,
    pub(super) order: Order,
    pub(super) digest: Digest,
    pub(super) written: Vec<Brought>,
    pub(super) obedience: Obedience,
    /// What an edge says of another order of the same epoch that lost.
    pub(super) beaten: Option<String>,
}

impl Given {
    /// Says at once what was signed and written: waiting for the edges may take a while.
    pub(super) fn announce(&self, json: bool) {
        if !json {
            print!("{}", self.words());
        }
    }

    /// Whether any path took it.
    pub(super) fn is_taken(&self) -> bool {
        self.written.iter().any(|path| path.written.is_taken())
    }

    /// Says the rest.
    pub(super) fn print(&self, json: bool) {
        if json {
            println!("{}", self.json());
        } else {
            if let Some(alarm) = &self.beaten {
                let alarm = plain(alarm);
                println!("  it won against another: {alarm}: is that one still wanted?");
            }
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
        if let Some(end) = order.end() {
            changes.push(format!("until {}", end.rfc3339()));
        }
        let (scope, epoch) = (&order.scope, order.epoch);
        let changes = changes.join("; ");
        writeln!(text, "{scope} of {}: {changes} (order {epoch})", self.site).ok();
        for mirror in &self.written {
            text += &mirror.written.words();
            if let Some(beaten) = &mirror.beaten {
                let words = described(beaten);
                writeln!(text, "  it won against {words}: is that one still wanted?").ok();
            }
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
        let mirrors = self.written.iter().map(|path| path.written.json());
        json!({
            "site": self.site,
            "scope": self.order.scope.to_string(),
            "epoch": self.order.epoch.0,
            "digest": self.digest.to_string(),
            "mode_before": self.mode_before().as_str(),
            "mode": self.order.mode.as_str(),
            "notices": self.order.notices.len(),
            "signed_at_ms": self.order.signed_at.0,
            "ends_at": self.order.end().map(Timestamp::rfc3339),
            "mirrors": mirrors.collect::<Vec<_>>(),
            "won_against": self.beaten,
            "edges": self.obedience.json(),
        })
    }
}

/// Who obeys, in words.
pub(super) fn edge_words(obedience: &Obedience) -> String {
    format!("{}{}\n", obedience.remarks(), obedience.sentence())
}
