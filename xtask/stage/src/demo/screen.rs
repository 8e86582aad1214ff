//! What the edges and the readers do, in lines.

use std::sync::atomic::Ordering;

use crate::load::Load;
use crate::world::World;

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
            "  readers  {asked} pages in the last second: {} from the origin, {snapshot} from the snapshot; {failed} failed of {requests} so far",
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
        let services: Vec<String> = status
            .pointer("/sites/0/services")
            .and_then(|services| services.as_array())
            .into_iter()
            .flatten()
            .filter_map(|service| {
                Some(format!(
                    "{} {}",
                    plain(service.get("name")?),
                    plain(service.get("state")?)
                ))
            })
            .collect();
        lines.push(format!(
            "  {:<8} release {}, {} s old │ {}",
            edge.name,
            text("/sites/0/release/sequence"),
            text("/sites/0/release/age_s"),
            services.join(" · ")
        ));
    }
    lines
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
