//! Changes that wait for one program: the newest of each thing, in the order in which things began to
//! wait.

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
    pub(super) fn push(&self, about: String, entry: &Entry) {
        let mut inner = self.lock();
        let same = inner.queue.iter().position(|(known, _)| *known == about);
        if let Some((_, told)) = same.and_then(|place| inner.queue.get_mut(place)) {
            told.becomes(entry);
            return;
        }
        let told = Told {
            entry: entry.clone(),
            stands_for: 0,
        };
        inner.queue.push_back((about, told));
        if inner.queue.len() > WAITING {
            inner.queue.pop_front();
            inner.missed = inner.missed.saturating_add(1);
        }
        drop(inner);
        self.more.notify_one();
    }

    /// The next thing to tell, of these kinds or of any, and how many were lost before it; `None`
    /// at the end.
    pub(super) async fn next(&self, only: &[String]) -> Option<(Told, u64)> {
        loop {
            {
                let mut inner = self.lock();
                while let Some((_, told)) = inner.queue.pop_front() {
                    if only.is_empty() || only.contains(&told.kind()) {
                        return Some((told, std::mem::take(&mut inner.missed)));
                    }
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

impl Told {
    /// What was to be told is overtaken; it began where the first one did.
    fn becomes(&mut self, entry: &Entry) {
        let before = std::mem::replace(&mut self.entry, entry.clone());
        self.stands_for = self.stands_for.saturating_add(1);
        let began = match before.event {
            Event::State { from, .. } => from,
            _ => return,
        };
        if let Event::State { from, .. } = &mut self.entry.event {
            *from = began;
        }
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

    fn next(waiting: &Waiting, only: &[String]) -> Option<(Told, u64)> {
        waiting.next(only).now_or_never().flatten()
    }

    #[test]
    fn who_falls_behind_is_told_the_newest_of_each_thing() {
        let waiting = Waiting::default();
        waiting.push("pay".to_owned(), &state("normal", "degraded"));
        waiting.push("home".to_owned(), &state("normal", "degraded"));
        waiting.push("pay".to_owned(), &state("degraded", "probing"));
        let (told, missed) = next(&waiting, &[]).unwrap();
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
        let (told, _) = next(&waiting, &[]).unwrap();
        let line = String::from_utf8(told.line("edge-1")).unwrap();
        assert!(
            !line.contains("stands_for") && line.ends_with("}\n"),
            "{line}"
        );
        assert!(next(&waiting, &[]).is_none());
    }

    #[test]
    fn a_full_queue_loses_its_oldest_and_says_so() {
        let waiting = Waiting::default();
        for n in 0..WAITING + 3 {
            waiting.push(n.to_string(), &state("normal", "degraded"));
        }
        assert_eq!(next(&waiting, &[]).unwrap().1, 3);
        assert_eq!(next(&waiting, &[]).unwrap().1, 0);
        let others = ["alarm-raised".to_owned()];
        assert!(next(&waiting, &others).is_none(), "of another kind");
    }
}
