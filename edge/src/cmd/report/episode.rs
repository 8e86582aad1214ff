//! Who answered for a service by time: on each edge, and over all of them.

use std::collections::BTreeSet;

use serde::Serialize;

/// A change of an edge: when, to which state, why.
pub(super) type Step = (String, String, String);

/// A time in which one edge answered for a service in one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Span {
    pub(super) edge: String,
    /// `normal`, `probing` or `degraded`.
    pub(super) state: String,
    pub(super) reason: String,
    pub(super) from: String,
    pub(super) to: String,
    /// It went on beyond the account.
    pub(super) open: bool,
}

/// A time in which some edges answered for a service in one way that is not `normal`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Episode {
    pub(super) state: String,
    pub(super) reasons: BTreeSet<String>,
    /// When the first edge began.
    pub(super) first_from: String,
    /// When the last one began.
    pub(super) last_from: String,
    /// When the first one ended.
    pub(super) first_to: String,
    /// When the last one ended.
    pub(super) last_to: String,
    /// Some did not end before the account does.
    pub(super) open: bool,
    pub(super) edges: BTreeSet<String>,
}

impl Span {
    /// The spans of an edge between `from` and `to`, out of its changes: when, what, why.
    pub(super) fn of(edge: &str, changes: &[Step], from: &str, to: &str) -> Vec<Self> {
        let mut changes: Vec<_> = changes.to_vec();
        changes.sort();
        let mut spans: Vec<Self> = Vec::new();
        for (place, (at, state, reason)) in changes.iter().enumerate() {
            let next = changes.get(place + 1).map(|(at, ..)| at.as_str());
            let (begin, end) = (at.as_str().max(from), next.unwrap_or(to).min(to));
            if begin >= end {
                continue;
            }
            match spans.last_mut() {
                Some(last) if last.state == *state && last.reason == *reason => {
                    end.clone_into(&mut last.to);
                    last.open = next.is_none();
                }
                _ => spans.push(Self {
                    edge: edge.to_owned(),
                    state: state.clone(),
                    reason: reason.clone(),
                    from: begin.to_owned(),
                    to: end.to_owned(),
                    open: next.is_none(),
                }),
            }
        }
        spans
    }
}

/// Spans of one state that overlap are one episode.
pub(super) fn episodes(spans: &[Span]) -> Vec<Episode> {
    let mut spans: Vec<&Span> = spans.iter().filter(|span| span.state != "normal").collect();
    spans.sort_by(|one, other| (&one.from, &one.to).cmp(&(&other.from, &other.to)));
    let mut episodes: Vec<Episode> = Vec::new();
    for span in spans {
        let known = episodes.iter_mut().rev();
        let mut same =
            known.filter(|known| known.state == span.state && known.last_to >= span.from);
        match same.next() {
            Some(episode) => episode.take(span),
            None => episodes.push(Episode::of(span)),
        }
    }
    episodes
}

impl Episode {
    fn of(span: &Span) -> Self {
        Self {
            state: span.state.clone(),
            reasons: BTreeSet::from([span.reason.clone()]),
            first_from: span.from.clone(),
            last_from: span.from.clone(),
            first_to: span.to.clone(),
            last_to: span.to.clone(),
            open: span.open,
            edges: BTreeSet::from([span.edge.clone()]),
        }
    }

    fn take(&mut self, span: &Span) {
        self.reasons.insert(span.reason.clone());
        if self.edges.insert(span.edge.clone()) {
            self.last_from.clone_from(&span.from);
            self.first_to = self.first_to.clone().min(span.to.clone());
        }
        self.last_to = self.last_to.clone().max(span.to.clone());
        self.open |= span.open;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(at: u8, state: &str, reason: &str) -> (String, String, String) {
        (format!("{at:02}"), state.to_owned(), reason.to_owned())
    }

    #[test]
    fn an_edge_answers_in_one_way_until_the_next_and_what_stood_before_counts() {
        let changes = [
            change(30, "normal", "calm"),
            change(5, "normal", "calm"),
            change(20, "degraded", "connect"),
        ];
        let spans = Span::of("one", &changes, "10", "40");
        let told: Vec<_> = spans
            .iter()
            .map(|s| (&*s.state, &*s.from, &*s.to, s.open))
            .collect();
        let expected = [
            ("normal", "10", "20", false),
            ("degraded", "20", "30", false),
            ("normal", "30", "40", true),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn edges_that_do_the_same_at_one_time_are_one_episode() {
        let one = [
            change(20, "degraded", "connect"),
            change(30, "normal", "calm"),
        ];
        let two = [
            change(21, "degraded", "reset"),
            change(33, "probing", "recovering"),
            change(35, "normal", "calm"),
            change(50, "degraded", "site-order"),
        ];
        let mut spans = Span::of("one", &one, "10", "60");
        spans.extend(Span::of("two", &two, "10", "60"));
        let all = episodes(&spans);
        let told: Vec<_> = all
            .iter()
            .map(|e| {
                (
                    &*e.state,
                    &*e.first_from,
                    &*e.last_from,
                    &*e.first_to,
                    &*e.last_to,
                )
            })
            .collect();
        let expected = [
            ("degraded", "20", "21", "30", "33"),
            ("probing", "33", "33", "35", "35"),
            ("degraded", "50", "50", "60", "60"),
        ];
        assert_eq!(told, expected);
        assert_eq!(all[0].edges.len(), 2);
        assert!(all[2].open && !all[0].open);
    }
}
