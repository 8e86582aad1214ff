//! What happened lately at a site, bounded: refusals, remarks, damage.

use std::collections::VecDeque;

use snapshot::Timestamp;

use super::refusal::Refusal;
use super::status::{DamageStatus, RefusalStatus, Remark};
use super::work::Offer;
use crate::copy::DAMAGED;

/// Most refusals kept, newest first.
pub const REFUSALS: usize = 32;
/// Most remarks kept, newest first.
pub const REMARKS: usize = 32;

/// What happened lately, bounded.
#[derive(Debug, Default)]
pub(super) struct History {
    refusals: VecDeque<RefusalStatus>,
    remarks: VecDeque<Remark>,
    damaged: VecDeque<DamageStatus>,
}

impl History {
    /// Notes a refusal; the same one again only counts. True when it is new.
    pub(super) fn refused(
        &mut self,
        offer: Option<&Offer>,
        refusal: &Refusal,
        at: Timestamp,
    ) -> bool {
        let at = at.rfc3339();
        let mut entry = RefusalStatus {
            sequence: offer.map(|offer| offer.release().sequence.0),
            manifest: offer.map(|offer| offer.release().manifest.to_string()),
            check: refusal.check.as_str().to_owned(),
            object: refusal.object.clone(),
            source: refusal.source.clone(),
            reason: refusal.reason.clone(),
            first_at: at.clone(),
            last_at: at,
            times: 1,
        };
        let same = |known: &RefusalStatus| {
            (
                known.sequence,
                &known.manifest,
                &known.object,
                &known.source,
                &known.reason,
            ) == (
                entry.sequence,
                &entry.manifest,
                &entry.object,
                &entry.source,
                &entry.reason,
            )
        };
        let known = self.refusals.iter().position(same);
        let known = known.and_then(|place| self.refusals.remove(place));
        if let Some(known) = &known {
            entry.first_at.clone_from(&known.first_at);
            entry.times = known.times.saturating_add(1);
        }
        self.refusals.push_front(entry);
        self.refusals.truncate(REFUSALS);
        known.is_none()
    }

    /// Notes what should be looked at, once for the same words.
    pub(super) fn remark(&mut self, text: String, at: Timestamp) -> bool {
        if self.remarks.iter().any(|known| known.text == text) {
            return false;
        }
        self.remarks.push_front(Remark {
            at: at.rfc3339(),
            text,
        });
        self.remarks.truncate(REMARKS);
        true
    }

    pub(super) fn refusals(&self) -> Vec<RefusalStatus> {
        self.refusals.iter().cloned().collect()
    }

    pub(super) fn remarks(&self) -> Vec<Remark> {
        self.remarks.iter().cloned().collect()
    }
    /// Notes a damaged object; one that is noted already stays as it is until it is repaired.
    pub(super) fn damaged(&mut self, object: String, reason: &str, at: Timestamp) {
        let known = self.damaged.iter().position(|known| known.object == object);
        let known = known.and_then(|place| self.damaged.remove(place));
        let entry = match known {
            Some(known) if known.repaired_at.is_none() => known,
            other => DamageStatus {
                object,
                reason: reason.to_owned(),
                found_at: at.rfc3339(),
                times: other.map_or(0, |known| known.times).saturating_add(1),
                repaired_at: None,
                error: None,
            },
        };
        self.damaged.push_front(entry);
        self.damaged.truncate(DAMAGED);
    }

    /// Notes that a damaged object is whole again.
    pub(super) fn repaired(&mut self, object: &str, at: Timestamp) {
        if let Some(known) = self.damaged.iter_mut().find(|known| known.object == object) {
            known.repaired_at = Some(at.rfc3339());
            known.error = None;
        }
    }

    /// Notes why a damaged object is not whole yet.
    pub(super) fn unrepaired(&mut self, object: &str, error: String) {
        if let Some(known) = self.damaged.iter_mut().find(|known| known.object == object) {
            known.error = Some(error);
        }
    }

    pub(super) fn all_damaged(&self) -> Vec<DamageStatus> {
        self.damaged.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::refusal::Check;

    const AT: Timestamp = Timestamp(60_000);

    #[test]
    fn refusals_are_bounded_and_the_same_one_only_counts() {
        let mut history = History::default();
        let refusal = |n: usize| Refusal::new(Check::Trust, None, format!("reason {n}"));
        for n in 0..=REFUSALS {
            assert!(history.refused(None, &refusal(n), AT));
        }
        assert!(!history.refused(None, &refusal(2), Timestamp(120_000)));
        let refusals = history.refusals();
        assert_eq!(refusals.len(), REFUSALS);
        assert_eq!(
            (refusals[0].reason.as_str(), refusals[0].times),
            ("reason 2", 2)
        );
        assert_eq!(refusals[0].first_at, "1970-01-01T00:01:00Z");
        assert_eq!(refusals[0].last_at, "1970-01-01T00:02:00Z");
        // The oldest went.
        assert!(refusals.iter().all(|refusal| refusal.reason != "reason 0"));
    }

    #[test]
    fn remarks_are_bounded_and_told_once() {
        let mut history = History::default();
        for n in 0..=REMARKS {
            assert!(history.remark(format!("remark {n}"), AT));
            assert!(!history.remark(format!("remark {n}"), AT));
        }
        let remarks = history.remarks();
        assert_eq!(remarks.len(), REMARKS);
        assert_eq!(remarks.last().unwrap().text, "remark 1");
    }

    #[test]
    fn damaged_objects_are_bounded_and_stay_named_after_their_repair() {
        let mut history = History::default();
        for n in 0..=DAMAGED {
            history.damaged(format!("blob {n}"), "hash", AT);
        }
        assert_eq!(history.all_damaged().len(), DAMAGED);
        history.unrepaired("blob 9", "not there".to_owned());
        history.damaged("blob 9".to_owned(), "hash", AT);
        let first = |history: &History| history.all_damaged().remove(0);
        assert_eq!(first(&history).error.as_deref(), Some("not there"));
        assert_eq!(
            (first(&history).times, first(&history).repaired_at),
            (1, None)
        );
        history.repaired("blob 9", AT);
        assert_eq!(first(&history).error, None);
        assert!(first(&history).repaired_at.is_some());
        history.damaged("blob 9".to_owned(), "hash", AT);
        assert_eq!(
            (first(&history).times, first(&history).repaired_at),
            (2, None)
        );
    }
}
