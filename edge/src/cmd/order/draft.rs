//! The next order of a scope, made from the one before it: what is not changed is kept.

use std::time::Duration;

use snapshot::order::{Mode, Notice};
use snapshot::{Epoch, LocalText, Order, Scope, SiteName, Timestamp, limits};

use super::mirrors::Known;
use super::notice::NOTICE_BYTES;
use crate::cmd::Fault;

/// Most notices an order carries; the oldest go first.
pub(super) const NOTICES: usize = 16;

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
}
