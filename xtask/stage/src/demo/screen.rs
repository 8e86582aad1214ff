//! What the edges and the readers do, in lines.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use crate::load::Load;
use crate::world::World;

/// Services of one state that are named.
const NAMED: usize = 3;

/// What the background readers got since the last look.
#[derive(Default)]
pub(super) struct Readers {
    requests: u64,
    from_snapshot: u64,
}

impl Readers {
    pub(super) fn line(&mut self, load: &Load) -> String {
        let counts = load.counts();
        let (requests, from_snapshot, failed) = (
            counts.requests.load(Ordering::Relaxed),
            counts.from_snapshot.load(Ordering::Relaxed),
            counts.failed.load(Ordering::Relaxed),
        );
        let (asked, snapshot) = (requests - self.requests, from_snapshot - self.from_snapshot);
        (self.requests, self.from_snapshot) = (requests, from_snapshot);
        format!(
            "  readers  {asked} pages a second: {} by the origin, {snapshot} by the snapshot; {failed} of {requests} failed",
            asked.saturating_sub(snapshot)
        )
    }
}

/// A line an edge: its release and age, and who answers for each service.
pub(super) async fn edges(world: &World) -> Vec<String> {
    let mut lines = Vec::new();
    for edge in &world.edges {
        let Ok(status) = world.status(edge).await else {
            lines.push(format!("  {:<8} does not answer", edge.name));
            continue;
        };
        let text = |pointer: &str| status.pointer(pointer).map(plain).unwrap_or_default();
        let services = status.pointer("/sites/0/services");
        let services = services.and_then(|services| services.as_array());
        let services = services.into_iter().flatten().filter_map(|service| {
            let state = plain(service.get("state")?);
            Some((plain(service.get("name")?), state))
        });
        lines.push(format!(
            "  {:<8} release {}, {} s old │ {}",
            edge.name,
            text("/sites/0/release/sequence"),
            text("/sites/0/release/age_s"),
            by_state(services)
        ));
    }
    lines
}

/// Services by their state: a few by name, more by how many they are.
fn by_state(services: impl Iterator<Item = (String, String)>) -> String {
    let mut states: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, state) in services {
        states.entry(state).or_default().push(name);
    }
    let mut states: Vec<_> = states.into_iter().collect();
    // What is rare is what one looks for.
    states.sort_by_key(|(_, names)| names.len());
    let told = states.iter().map(|(state, names)| match names.len() {
        count if count > NAMED => format!("{count} services {state}"),
        _ => format!("{} {state}", names.join(", ")),
    });
    told.collect::<Vec<_>>().join(" · ")
}

fn plain(value: &serde_json::Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// The lines without the age, which changes by itself.
pub(super) fn without_age(lines: &[String]) -> Vec<String> {
    lines
        .iter()
        .map(|line| {
            line.split(", ").next().unwrap_or_default().to_owned()
                + line.split('│').nth(1).unwrap_or_default()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_services_are_named_and_many_counted() {
        let told = |states: &[(&str, usize)]| {
            let services = states.iter().flat_map(|(state, count)| {
                (0..*count).map(move |n| (format!("{}{n}", &state[..1]), (*state).to_owned()))
            });
            by_state(services)
        };
        assert_eq!(told(&[("normal", 11)]), "11 services normal");
        assert_eq!(
            told(&[("degraded", 2), ("normal", 9)]),
            "d0, d1 degraded · 9 services normal"
        );
        assert_eq!(told(&[("degraded", 3)]), "d0, d1, d2 degraded");
        assert_eq!(told(&[]), "");
    }
}
