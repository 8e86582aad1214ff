//! The next order of a scope, made from the one before it: what is not changed is kept.

use std::time::Duration;

use snapshot::order::{Back, Mode, Notice, Pin};
use snapshot::{Epoch, LocalText, Order, Scope, SiteName, Timestamp, limits};

use super::mirrors::Known;
use crate::cmd::Fault;

/// Most notices an order carries; the oldest go first.
pub(super) const NOTICES: usize = 16;

/// What is to change.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// The snapshot answers, for so long.
    Degrade { lasting: Duration },
    /// The breaker decides; pages say for so long that it is back.
    Recover { back_for: Duration },
    /// The origin answers, for so long; `insists`: also where it was not seen well.
    Normal {
        lasting: Duration,
        insists: bool,
        back_for: Duration,
    },
    /// Words more.
    Notice {
        /// When they are dated, if not now.
        at: Option<Timestamp>,
        text: LocalText,
    },
    /// No words any more.
    ClearNotices,
    /// Every edge stays on this release.
    Pin(Pin),
    /// Every edge goes on to the newest.
    Unpin,
    /// The forced mode goes on for so long from now.
    Extend { lasting: Duration },
    /// What this order said, which the newest one replaced; nothing where there was none.
    Undo(Option<Box<Order>>),
}

/// An order to be made.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) site: SiteName,
    pub(super) scope: Scope,
    pub(super) change: Change,
    pub(super) who: String,
    pub(super) why: String,
    /// Its number, where somebody said it who knows the one before.
    pub(super) epoch: Option<Epoch>,
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
        let now = self.now;
        let mode = before.map(|order| order.mode_at(now)).unwrap_or_default();
        let mut order = Order {
            version: Order::VERSION,
            site: self.site,
            scope: self.scope,
            epoch: self.epoch.unwrap_or_else(|| epoch.next()),
            predecessor: previous.map(|known| known.digest),
            mode,
            insists: mode == Mode::Normal && before.is_some_and(|order| order.insists),
            notices: before
                .map(|order| order.notices.clone())
                .unwrap_or_default(),
            pin: before.and_then(|order| order.pin),
            back: before.and_then(|order| order.back.filter(|back| now < back.until)),
            who: self.who,
            why: self.why,
            ends_at: before.and_then(Order::end).filter(|end| *end > now),
            signed_at: now,
        };
        take(&mut order, self.change, mode)?;
        Ok(order)
    }
}

/// Changes what is asked for; `mode` was in force until now.
fn take(order: &mut Order, change: Change, mode: Mode) -> Result<(), Fault> {
    match change {
        Change::Degrade { lasting } => {
            force(order, Mode::Degraded, lasting);
            order.insists = false;
            order.back = None;
        }
        Change::Recover { back_for } => {
            (order.mode, order.insists, order.ends_at) = (Mode::Automatic, false, None);
            is_back(order, mode, back_for);
        }
        Change::Normal {
            lasting,
            insists,
            back_for,
        } => {
            force(order, Mode::Normal, lasting);
            order.insists = insists;
            is_back(order, mode, back_for);
        }
        Change::Notice { at, text } => {
            let at = at.unwrap_or(order.signed_at);
            order.notices.push(Notice { at, text });
            order.notices.sort_by_key(|notice| notice.at);
            let extra = order.notices.len().saturating_sub(NOTICES);
            order.notices.drain(..extra);
        }
        Change::ClearNotices => order.notices.clear(),
        Change::Pin(pin) => order.pin = Some(pin),
        Change::Unpin if order.pin.is_none() => {
            let fault = Fault::failed("no release is pinned: nothing to unpin");
            return Err(fault.hint("see what is ordered with  edge order show"));
        }
        Change::Unpin => order.pin = None,
        Change::Extend { lasting } => {
            if mode == Mode::Automatic {
                let message = format!(
                    "no forced mode of {} is in force: none to extend",
                    order.scope
                );
                return Err(
                    Fault::failed(message).hint("force it anew with degrade or recover --normal")
                );
            }
            force(order, mode, lasting);
        }
        Change::Undo(said) => {
            let now = order.signed_at;
            let said = said.map(|order| *order);
            order.mode = said
                .as_ref()
                .map(|order| order.mode_at(now))
                .unwrap_or_default();
            let end = said.as_ref().and_then(Order::end);
            order.ends_at = end.filter(|_| order.mode != Mode::Automatic);
            order.insists = said.as_ref().is_some_and(|order| order.insists);
            order.insists &= order.mode == Mode::Normal;
            order.pin = said.as_ref().and_then(|order| order.pin);
            let back = said.as_ref().and_then(|order| order.back);
            order.back = back.filter(|back| now < back.until);
            order.notices = said.map(|order| order.notices).unwrap_or_default();
        }
    }
    Ok(())
}

fn force(order: &mut Order, mode: Mode, lasting: Duration) {
    order.mode = mode;
    order.ends_at = Some(order.signed_at.plus(lasting));
}

fn is_back(order: &mut Order, was: Mode, back_for: Duration) {
    if was == Mode::Degraded {
        let since = order.signed_at;
        let until = since.plus(back_for);
        order.back = (until > since).then_some(Back { since, until });
    }
}

// Every notice of an order, in three languages, fits a statement.
const _: () = assert!(NOTICES * limits::NOTICE_BYTES * 3 < limits::STATEMENT_BYTES);

#[cfg(test)]
mod tests {
    use snapshot::{Digest, Sequence};

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn draft(change: Change) -> Draft {
        Draft {
            site: "dasom".parse().unwrap(),
            scope: "service:pay".parse().unwrap(),
            change,
            who: "sora".into(),
            why: String::new(),
            epoch: None,
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

    fn notice(text: LocalText) -> Change {
        Change::Notice { at: None, text }
    }

    fn text(words: &str) -> LocalText {
        [("ko", words)].into_iter().collect()
    }

    fn recover(back_for: Duration) -> Change {
        Change::Recover { back_for }
    }

    #[test]
    fn recovering_keeps_the_notices_and_a_notice_keeps_the_mode() {
        let lasting = Duration::from_secs(60);
        let first = known(draft(Change::Degrade { lasting }).order(None).unwrap());
        assert_eq!(
            (first.order.epoch, first.order.mode),
            (Epoch(1), Mode::Degraded)
        );
        assert_eq!(first.order.ends_at, Some(Timestamp(1_060_000)));

        let second = known(draft(notice(text("불"))).order(Some(&first)).unwrap());
        assert_eq!(
            (second.order.epoch, second.order.mode),
            (Epoch(2), Mode::Degraded)
        );
        assert_eq!(second.order.ends_at, first.order.ends_at);
        assert_eq!(second.order.predecessor, Some(first.digest));

        let third = draft(recover(HOUR)).order(Some(&second)).unwrap();
        assert_eq!(
            (third.epoch, third.mode, third.ends_at),
            (Epoch(3), Mode::Automatic, None)
        );
        assert_eq!(third.notices, second.order.notices);
        // Readers are told since when, and for how long.
        let back = third.back.unwrap();
        assert_eq!(
            (back.since, back.until),
            (Timestamp(1_000_000), Timestamp(4_600_000))
        );
        let fourth = draft(notice(text("끝")))
            .order(Some(&known(third)))
            .unwrap();
        assert_eq!(fourth.back, Some(back));
        let fifth = draft(Change::Degrade { lasting })
            .order(Some(&known(fourth)))
            .unwrap();
        assert_eq!(fifth.back, None);
    }

    #[test]
    fn what_was_not_degraded_is_not_back() {
        assert_eq!(draft(recover(HOUR)).order(None).unwrap().back, None);
        let degraded = known(
            draft(Change::Degrade { lasting: HOUR })
                .order(None)
                .unwrap(),
        );
        let silent = draft(recover(Duration::ZERO))
            .order(Some(&degraded))
            .unwrap();
        assert_eq!(silent.back, None);
    }

    #[test]
    fn an_ended_mode_does_not_come_back_with_a_notice_nor_is_it_extended() {
        let lasting = Duration::ZERO;
        let first = known(draft(Change::Degrade { lasting }).order(None).unwrap());
        let second = draft(notice(text("불"))).order(Some(&first)).unwrap();
        assert_eq!((second.mode, second.ends_at), (Mode::Automatic, None));
        let extend = draft(Change::Extend { lasting: HOUR });
        assert!(extend.order(Some(&first)).is_err());
    }

    #[test]
    fn a_forced_mode_is_extended_from_now() {
        let change = Change::Normal {
            lasting: HOUR,
            insists: true,
            back_for: HOUR,
        };
        let first = known(draft(change).order(None).unwrap());
        let mut later = draft(Change::Extend { lasting: 2 * HOUR });
        later.now = Timestamp(2_000_000);
        let second = later.order(Some(&first)).unwrap();
        assert_eq!((second.mode, second.insists), (Mode::Normal, true));
        assert_eq!(second.ends_at, Some(Timestamp(9_200_000)));
    }

    #[test]
    fn a_pin_stays_until_it_is_taken_out_and_undo_puts_back_what_was() {
        let pin = Pin {
            sequence: Sequence(7),
            manifest: Digest::of(b"manifest"),
        };
        let unpin = || draft(Change::Unpin);
        assert!(unpin().order(None).is_err());
        let pinned = draft(Change::Pin(pin)).order(None).unwrap();
        let noticed = draft(notice(text("불"))).order(Some(&known(pinned.clone())));
        let noticed = known(noticed.unwrap());
        assert_eq!(noticed.order.pin, Some(pin));
        assert_eq!(unpin().order(Some(&noticed)).unwrap().pin, None);
        let undone = draft(Change::Undo(Some(Box::new(pinned))))
            .order(Some(&noticed))
            .unwrap();
        assert_eq!((undone.epoch, undone.pin), (Epoch(3), Some(pin)));
        assert!(undone.notices.is_empty());
        let undone = draft(Change::Undo(None)).order(Some(&noticed)).unwrap();
        assert_eq!((undone.pin, undone.mode), (None, Mode::Automatic));
        // A mode that ended meanwhile stays ended.
        let short = draft(Change::Degrade { lasting: HOUR })
            .order(None)
            .unwrap();
        let mut undo = draft(Change::Undo(Some(Box::new(short))));
        undo.now = undo.now.plus(2 * HOUR);
        let undone = undo.order(Some(&noticed)).unwrap();
        assert_eq!((undone.mode, undone.ends_at), (Mode::Automatic, None));
    }

    #[test]
    fn the_oldest_notices_make_room() {
        let mut order = draft(Change::ClearNotices).order(None).unwrap();
        for n in 0..NOTICES + 3 {
            let change = notice(text(&n.to_string()));
            order = draft(change).order(Some(&known(order))).unwrap();
        }
        assert_eq!(order.notices.len(), NOTICES);
        assert_eq!(order.notices[0].text, text("3"));
    }

    #[test]
    fn a_notice_stands_where_its_time_is() {
        let first = known(draft(notice(text("later"))).order(None).unwrap());
        let earlier = Change::Notice {
            at: Some(Timestamp(900_000)),
            text: text("earlier"),
        };
        let second = draft(earlier).order(Some(&first)).unwrap();
        let times: Vec<Timestamp> = second.notices.iter().map(|notice| notice.at).collect();
        assert_eq!(times, [Timestamp(900_000), Timestamp(1_000_000)]);
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
