//! The same alarm on many edges, told once.

use std::collections::BTreeMap;

use super::told::AlarmTold;

/// One alarm of a site for one reason, over all edges.
#[derive(Debug)]
pub(super) struct Everywhere<'a> {
    pub(super) alarm: &'a str,
    pub(super) site: &'a str,
    pub(super) why: &'a str,
    pub(super) edges: Vec<&'a str>,
    /// When the first edge raised it, and the last.
    pub(super) since: (&'a str, &'a str),
    /// When it was over on the last; `None`: not on all.
    pub(super) until: Option<&'a str>,
}

/// By when they were first raised.
pub(super) fn everywhere(alarms: &[AlarmTold]) -> Vec<Everywhere<'_>> {
    let mut all: BTreeMap<(&str, &str, &str), Everywhere<'_>> = BTreeMap::new();
    for told in alarms {
        let (since, until) = (told.since.as_str(), told.until.as_deref());
        let key = (told.alarm.as_str(), told.site.as_str(), told.why.as_str());
        let known = all.entry(key).or_insert_with(|| Everywhere {
            alarm: &told.alarm,
            site: &told.site,
            why: &told.why,
            edges: Vec::new(),
            since: (since, since),
            until,
        });
        if !known.edges.contains(&told.edge.as_str()) {
            known.edges.push(&told.edge);
        }
        known.since = (known.since.0.min(since), known.since.1.max(since));
        known.until = known.until.zip(until).map(|(one, other)| one.max(other));
    }
    let mut all: Vec<Everywhere<'_>> = all.into_values().collect();
    all.sort_by_key(|known| known.since);
    all
}
