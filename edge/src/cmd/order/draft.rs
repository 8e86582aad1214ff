//! The next order of a scope, made from the one before it: what is not changed is kept.

use std::time::Duration;

use snapshot::order::{Mode, Notice};
use snapshot::{Epoch, LocalText, Order, Scope, SiteName, Timestamp, limits};

use super::mirrors::Known;
use super::site::SiteFacts;
use crate::cmd::Fault;

/// Most notices an order carries; the oldest go first.
pub(super) const NOTICES: usize = 16;
/// Longest notice in one language, bytes.
pub(super) const NOTICE_BYTES: usize = 1200;

/// What is to change.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Degrade { lasting: Option<Duration> },
    Recover { normal: bool },
    Notice(LocalText),
    ClearNotices,
}

/// An order to be made.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) site: SiteName,
    pub(super) scope: Scope,
    pub(super) change: Change,
    pub(super) who: String,
    pub(super) why: String,
    pub(super) now: Timestamp,
}

impl Draft {
    /// The order that follows `previous`.
    pub(super) fn order(self, previous: Option<&Known>) -> Result<Order, Fault> {
        let before = previous.map(|known| &known.order);
        let epoch = before.map(|order| order.epoch).unwrap_or_default();
        if epoch == Epoch(u64::MAX) {
            let message = format!(
                "the mirrors hold an order about {} of the last epoch",
                self.scope
            );
            let fault = Fault::failed(message);
            return Err(fault.hint("give --trust DIR, so that unsigned orders are passed over"));
        }
        let mut order = Order {
            version: Order::VERSION,
            site: self.site,
            scope: self.scope,
            epoch: epoch.next(),
            predecessor: previous.map(|known| known.digest),
            mode: before
                .map(|order| order.mode_at(self.now))
                .unwrap_or_default(),
            insists: before.is_some_and(|order| order.insists),
            notices: before
                .map(|order| order.notices.clone())
                .unwrap_or_default(),
            pin: before.and_then(|order| order.pin),
            back: before.and_then(|order| order.back.filter(|back| self.now < back.until)),
            who: self.who,
            why: self.why,
            ends_at: before.and_then(Order::end).filter(|end| *end > self.now),
            signed_at: self.now,
        };
        match self.change {
            Change::Degrade { lasting } => {
                order.mode = Mode::Degraded;
                order.ends_at = lasting.map(|lasting| self.now.plus(lasting));
            }
            Change::Recover { normal } => {
                order.mode = if normal {
                    Mode::Normal
                } else {
                    Mode::Automatic
                };
                order.ends_at = None;
            }
            Change::Notice(text) => {
                order.notices.push(Notice { at: self.now, text });
                let extra = order.notices.len().saturating_sub(NOTICES);
                order.notices.drain(..extra);
            }
            Change::ClearNotices => order.notices.clear(),
        }
        Ok(order)
    }
}

/// The notice that the command line asks for.
pub(super) fn notice(
    words: &[String],
    language: Option<String>,
    texts: &[String],
    facts: Option<&SiteFacts>,
) -> Result<Change, Fault> {
    let mut notice: Vec<(String, String)> = Vec::new();
    if !words.is_empty() {
        let first = facts.and_then(|facts| facts.languages.first().cloned());
        let language = language.or(first).ok_or_else(|| {
            let fault = Fault::usage("in which language? no release on the mirrors tells");
            fault.hint("give --language ko, or --text ko=... --text en=...")
        })?;
        notice.push((language, words.join(" ")));
    }
    for text in texts {
        let Some((language, words)) = text.split_once('=') else {
            let fault = Fault::usage(format!("--text {text:?} names no language"));
            return Err(fault.hint("write --text ko=\"...\""));
        };
        notice.push((language.to_owned(), words.to_owned()));
    }
    if notice.is_empty() {
        let fault = Fault::usage("a notice without words");
        return Err(fault.hint("give TEXT, --text LANGUAGE=TEXT, or --clear"));
    }
    for (language, words) in &notice {
        sound(language, words)?;
    }
    for (n, (language, _)) in notice.iter().enumerate() {
        if notice.iter().take(n).any(|(other, _)| other == language) {
            return Err(Fault::usage(format!("two texts in language {language}")));
        }
    }
    Ok(Change::Notice(notice.into_iter().collect()))
}

fn sound(language: &str, words: &str) -> Result<(), Fault> {
    let tag = (2..=3).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_lowercase());
    if !tag {
        let message = format!("{language:?} is not a language: expected ko, en, ...");
        return Err(Fault::usage(message));
    }
    if words.trim().is_empty() || words.len() > NOTICE_BYTES {
        let message = format!(
            "the {language} text has {} bytes: expected 1 to {NOTICE_BYTES}",
            words.trim().len()
        );
        return Err(Fault::usage(message));
    }
    Ok(())
}

// Every notice of an order, in three languages, fits a statement.
const _: () = assert!(NOTICES * NOTICE_BYTES * 3 < limits::STATEMENT_BYTES);

#[cfg(test)]
mod tests {
    use snapshot::Digest;

    use super::*;

    fn draft(change: Change) -> Draft {
        Draft {
            site: "dasom".parse().unwrap(),
            scope: "service:pay".parse().unwrap(),
            change,
            who: "sora".into(),
            why: String::new(),
            now: Timestamp(1_000_000),
        }
    }

    fn known(order: Order) -> Known {
        Known {
            order,
            digest: Digest::of(b"before"),
            envelope: snapshot::Envelope::seal(Vec::new()),
        }
    }

    fn text(words: &str) -> LocalText {
        [("ko", words)].into_iter().collect()
    }

    #[test]
    fn recovering_keeps_the_notices_and_a_notice_keeps_the_mode() {
        let lasting = Some(Duration::from_secs(60));
        let first = known(draft(Change::Degrade { lasting }).order(None).unwrap());
        assert_eq!(
            (first.order.epoch, first.order.mode),
            (Epoch(1), Mode::Degraded)
        );
        assert_eq!(first.order.ends_at, Some(Timestamp(1_060_000)));

        let second = known(
            draft(Change::Notice(text("불")))
                .order(Some(&first))
                .unwrap(),
        );
        assert_eq!(
            (second.order.epoch, second.order.mode),
            (Epoch(2), Mode::Degraded)
        );
        assert_eq!(second.order.ends_at, first.order.ends_at);
        assert_eq!(second.order.predecessor, Some(first.digest));

        let third = draft(Change::Recover { normal: false })
            .order(Some(&second))
            .unwrap();
        assert_eq!(
            (third.epoch, third.mode, third.ends_at),
            (Epoch(3), Mode::Automatic, None)
        );
        assert_eq!(third.notices, second.order.notices);
    }

    #[test]
    fn an_ended_mode_does_not_come_back_with_a_notice() {
        let lasting = Some(Duration::ZERO);
        let first = known(draft(Change::Degrade { lasting }).order(None).unwrap());
        let second = draft(Change::Notice(text("불")))
            .order(Some(&first))
            .unwrap();
        assert_eq!((second.mode, second.ends_at), (Mode::Automatic, None));
    }

    #[test]
    fn the_oldest_notices_make_room() {
        let mut order = draft(Change::ClearNotices).order(None).unwrap();
        for n in 0..NOTICES + 3 {
            let change = Change::Notice(text(&n.to_string()));
            order = draft(change).order(Some(&known(order))).unwrap();
        }
        assert_eq!(order.notices.len(), NOTICES);
        assert_eq!(order.notices[0].text, text("3"));
    }

    #[test]
    fn a_forged_last_epoch_is_named() {
        let mut order = draft(Change::ClearNotices).order(None).unwrap();
        order.epoch = Epoch(u64::MAX);
        assert!(
            draft(Change::ClearNotices)
                .order(Some(&known(order)))
                .is_err()
        );
    }

    #[test]
    fn notices_need_words_and_a_language() {
        let one = |words: &str, language: Option<&str>| {
            notice(&[words.into()], language.map(Into::into), &[], None)
        };
        assert!(one("불이야", Some("ko")).is_ok());
        assert!(one("불이야", None).is_err());
        assert!(one("불이야", Some("KO")).is_err());
        assert!(one(&"x".repeat(NOTICE_BYTES), Some("ko")).is_ok());
        let long = one(&"x".repeat(NOTICE_BYTES + 1), Some("ko")).unwrap_err();
        let expected = "the ko text has 1201 bytes: expected 1 to 1200";
        assert!(long.to_string().contains(expected), "{long}");
        assert!(notice(&[], None, &["ko=불".into(), "en=fire".into()], None).is_ok());
        assert!(notice(&[], None, &["ko=불".into(), "ko=물".into()], None).is_err());
        assert!(notice(&[], None, &["불".into()], None).is_err());
        assert!(notice(&[], None, &[], None).is_err());
    }
}
