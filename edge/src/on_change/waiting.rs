//! Changes that wait for one program: the newest of each thing, in the order in which things began to
//! wait. What it does not want to hear takes nobody's place.
//!
//! An alarm is told from its beginning to its end: one that is over before its beginning was told is told
//! as both, so that whoever opens something for the one has it to close at the other. However often it
//! comes and goes meanwhile, one beginning and one end of it wait at most, and what is told last is how it
//! stands.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::log::{Entry, Event};

/// Things that wait for a program; the oldest is lost when there are more.
pub const WAITING: usize = 64;

/// A queue.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// The kinds of entries that are told; empty for all.
    only: Vec<String>,
    inner: Mutex<Inner>,
    more: Notify,
    end: CancellationToken,
}

#[derive(Debug, Default)]
struct Inner {
    queue: VecDeque<(String, Told)>,
    missed: u64,
}

/// What a program is told.
#[derive(Clone, Debug)]
pub struct Told {
    entry: Entry,
    /// Earlier changes of the same thing that it was not told.
    stands_for: u64,
}

impl Waiting {
    /// One for changes of these kinds, or of any.
    pub(super) fn of(only: &[String]) -> Self {
        Self {
            only: only.to_vec(),
            ..Self::default()
        }
    }

    pub(super) fn push(&self, about: String, entry: &Entry) {
        let told = Told {
            entry: entry.clone(),
            stands_for: 0,
        };
        if !self.only.is_empty() && !self.only.contains(&told.kind()) {
            return;
        }
        self.lock().push(about, told);
        self.more.notify_one();
    }

    /// The next thing to tell, and how many were lost before it; `None` at the end.
    pub(super) async fn next(&self) -> Option<(Told, u64)> {
        loop {
            {
                let mut inner = self.lock();
                if let Some((_, told)) = inner.queue.pop_front() {
                    return Some((told, std::mem::take(&mut inner.missed)));
                }
            }
            tokio::select! {
                () = self.more.notified() => {}
                () = self.end.cancelled() => return None,
            }
        }
    }

    pub(super) fn end(&self) {
        self.end.cancel();
    }

    pub(super) async fn ended(&self) {
        self.end.cancelled().await;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn push(&mut self, about: String, told: Told) {
        let same = |(known, _): &(String, Told)| *known == about;
        let first = self.queue.iter().position(same);
        let last = self.queue.iter().rposition(same);
        let (Some(first), Some(last)) = (first, last) else {
            return self.append(about, told);
        };
        let is_other_end = self.at(last).is_some_and(|known| known.is_other_end(&told));
        match (first == last, is_other_end) {
            (_, false) => self.overtake(last, told),
            (true, true) => self.append(about, told),
            // It came and went and comes again: the first beginning stands for all of it.
            (false, true) if told.is_beginning() => {
                let gone = self.queue.remove(last);
                self.overtake(first, told.after(gone));
            }
            // Its end was to be told, then that it came again, and now it is over once more.
            (false, true) => {
                let gone = self.queue.remove(first);
                self.append(about, told.after(gone));
            }
        }
    }

    fn at(&self, place: usize) -> Option<&Told> {
        self.queue.get(place).map(|(_, told)| told)
    }

    fn overtake(&mut self, place: usize, told: Told) {
        if let Some((_, known)) = self.queue.get_mut(place) {
            known.becomes(told);
        }
    }

    fn append(&mut self, about: String, told: Told) {
        self.queue.push_back((about, told));
        if self.queue.len() > WAITING {
            self.queue.pop_front();
            self.missed = self.missed.saturating_add(1);
        }
    }
}

impl Told {
    /// What was to be told is overtaken; it began where the first one did.
    fn becomes(&mut self, newer: Self) {
        let before = std::mem::replace(&mut self.entry, newer.entry);
        self.stands_for = self.stands_for.saturating_add(newer.stands_for + 1);
        let began = match before.event {
            Event::State { from, .. } => from,
            _ => return,
        };
        if let Event::State { from, .. } = &mut self.entry.event {
            *from = began;
        }
    }

    /// Stands for what is not told any more as well.
    fn after(self, gone: Option<(String, Self)>) -> Self {
        let gone = gone.map_or(0, |(_, gone)| gone.stands_for.saturating_add(1));
        let stands_for = self.stands_for.saturating_add(gone);
        Self { stands_for, ..self }
    }

    const fn is_beginning(&self) -> bool {
        matches!(self.entry.event, Event::AlarmRaised { .. })
    }

    /// Whether one of these is the beginning of an alarm, and the other an end.
    fn is_other_end(&self, other: &Self) -> bool {
        let is_end = |told: &Self| matches!(told.entry.event, Event::AlarmCleared { .. });
        self.is_beginning() && is_end(other) || is_end(self) && other.is_beginning()
    }

    /// The entry's kind.
    pub(super) fn kind(&self) -> String {
        let entry = serde_json::to_value(&self.entry).unwrap_or_default();
        let kind = entry.get("kind").and_then(Value::as_str);
        kind.unwrap_or_default().to_owned()
    }

    /// One JSON object and the end of its line.
    pub(super) fn line(&self, edge: &str) -> Vec<u8> {
        let mut entry = self.entry.clone();
        if let Event::OrderAccepted(said) = &mut entry.event {
            said.envelope = None;
        }
        let mut object = serde_json::to_value(&entry).unwrap_or_default();
        if let Value::Object(fields) = &mut object {
            fields.insert("edge".to_owned(), edge.into());
            if self.stands_for > 0 {
                fields.insert("stands_for".to_owned(), (self.stands_for + 1).into());
            }
        }
        let mut line = object.to_string().into_bytes();
        line.push(b'\n');
        line
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use snapshot::Timestamp;

    use super::*;

    fn state(from: &str, to: &str) -> Entry {
        let event = Event::State {
            service: "pay".to_owned(),
            from: Some(from.to_owned()),
            to: to.to_owned(),
            reason: "connect".to_owned(),
        };
        Entry::new(Timestamp(0), Some("small".to_owned()), event)
    }

    fn alarm(is_raised: bool) -> Entry {
        let alarm = "disk".to_owned();
        let event = match is_raised {
            true => Event::AlarmRaised {
                alarm,
                why: "full".to_owned(),
            },
            false => Event::AlarmCleared {
                alarm,
                since: "then".to_owned(),
            },
        };
        Entry::new(Timestamp(0), Some("small".to_owned()), event)
    }

    fn next(waiting: &Waiting) -> Option<(Told, u64)> {
        waiting.next().now_or_never().flatten()
    }

    /// What is told, and how many changes each stands for.
    fn all(waiting: &Waiting) -> Vec<(String, u64)> {
        let each = std::iter::from_fn(|| next(waiting));
        each.map(|(told, _)| (told.kind(), told.stands_for + 1))
            .collect()
    }

    #[test]
    fn who_falls_behind_is_told_the_newest_of_each_thing() {
        let waiting = Waiting::default();
        waiting.push("pay".to_owned(), &state("normal", "degraded"));
        waiting.push("home".to_owned(), &state("normal", "degraded"));
        waiting.push("pay".to_owned(), &state("degraded", "probing"));
        let (told, missed) = next(&waiting).unwrap();
        let line: Value = serde_json::from_slice(&told.line("edge-1")).unwrap();
        assert_eq!(
            (&line["from"], &line["to"]),
            (&"normal".into(), &"probing".into())
        );
        assert_eq!(
            (&line["stands_for"], &line["edge"]),
            (&2.into(), &"edge-1".into())
        );
        assert_eq!(missed, 0);
        let (told, _) = next(&waiting).unwrap();
        let line = String::from_utf8(told.line("edge-1")).unwrap();
        assert!(
            !line.contains("stands_for") && line.ends_with("}\n"),
            "{line}"
        );
        assert!(next(&waiting).is_none());
    }

    #[test]
    fn a_full_queue_loses_its_oldest_and_says_so() {
        let waiting = Waiting::default();
        for n in 0..WAITING + 3 {
            waiting.push(n.to_string(), &state("normal", "degraded"));
        }
        assert_eq!(next(&waiting).unwrap().1, 3);
        assert_eq!(next(&waiting).unwrap().1, 0);
    }

    #[test]
    fn what_a_program_does_not_want_takes_the_place_of_nothing_that_it_does() {
        let waiting = Waiting::of(&["alarm-raised".to_owned()]);
        waiting.push("disk".to_owned(), &alarm(true));
        for n in 0..WAITING + 3 {
            waiting.push(n.to_string(), &state("normal", "degraded"));
        }
        waiting.push("disk".to_owned(), &alarm(false));
        let (told, missed) = next(&waiting).unwrap();
        assert_eq!((told.kind().as_str(), missed), ("alarm-raised", 0));
        assert!(next(&waiting).is_none());
    }

    #[test]
    fn an_alarm_that_comes_and_goes_unheard_is_told_from_its_beginning_to_how_it_stands() {
        let (raised, cleared) = ("alarm-raised", "alarm-cleared");
        for (changes, expected) in [
            (&[true, false][..], &[(raised, 1), (cleared, 1)][..]),
            (&[true, false, true], &[(raised, 3)]),
            (&[true, false, true, false], &[(raised, 3), (cleared, 1)]),
            (&[false, true], &[(cleared, 1), (raised, 1)]),
            (&[false, true, false], &[(raised, 1), (cleared, 2)]),
            (&[false, true, false, true], &[(raised, 4)]),
            (&[true, true], &[(raised, 2)]),
        ] {
            let waiting = Waiting::default();
            for is_raised in changes {
                waiting.push("disk".to_owned(), &alarm(*is_raised));
            }
            let told = all(&waiting);
            let told: Vec<(&str, u64)> = told.iter().map(|(kind, n)| (&**kind, *n)).collect();
            assert_eq!(told, expected, "{changes:?}");
        }
    }
}
