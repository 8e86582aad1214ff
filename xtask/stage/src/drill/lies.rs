//! Lies: the mirror offers bad releases. Each is refused with its reason, and pages stay.

use anyhow::{Context, Result};
use serde_json::Value;

use super::{NOTICE, unless};
use crate::attack::{self, Attack};
use crate::process::wait_for;
use crate::report::Report;
use crate::visible;
use crate::world::World;

pub(super) async fn lies(world: &World, report: &mut Report) -> Result<()> {
    const ACT: &str = "Lies: the mirror offers bad releases";
    world.mirror_gone(false)?;
    let (mirror, key) = (world.mirror(), world.site().join("keys/release"));
    let trap = world.built.components.join("hostile.wasm");
    for attack in Attack::ALL {
        let mut short = Vec::new();
        let before = sequences(world).await?;
        let undo = {
            let (mirror, key, trap) = (mirror.clone(), key.clone(), trap.clone());
            tokio::task::spawn_blocking(move || attack::offer(attack, &mirror, &key, &trap))
                .await??
        };
        let mut reasons = Vec::new();
        for edge in &world.edges {
            let refused = wait_for("the edge to refuse the release", NOTICE, async || {
                Ok(refusal(&world.status(edge).await?, attack))
            })
            .await;
            match refused {
                Ok(reason) => reasons.push(reason),
                Err(error) => short.push(format!("{}: {error:#}", edge.name)),
            }
        }
        short.extend(unless(
            sequences(world).await? == before,
            "an edge moved to the bad release",
        ));
        let page = world
            .client
            .get(
                world.edges.first().context("an edge")?.public,
                "/guide/pay/",
                "ko",
            )
            .await?;
        short.extend(unless(
            page.status == 200 && visible::shows(&page.text(), "다솜페이"),
            "pages changed",
        ));
        report.add(
            ACT,
            attack.name(),
            format!("refused: {}", reasons.first().map_or("", String::as_str)),
            short,
        );
        undo.undo()?;
    }
    Ok(())
}

async fn sequences(world: &World) -> Result<Vec<Value>> {
    let mut found = Vec::new();
    for edge in &world.edges {
        let status = world.status(edge).await?;
        found.push(
            status
                .pointer("/sites/0/release/sequence")
                .cloned()
                .context("a release in /status")?,
        );
    }
    Ok(found)
}

/// Why the edge refused this attack, once it has.
fn refusal(status: &Value, attack: Attack) -> Option<String> {
    let check = match attack {
        Attack::FlippedByte => "object",
        Attack::Stranger => "trust",
        Attack::Poisoned => "canary",
    };
    let refusals = status.pointer("/sites/0/refusals")?.as_array()?;
    let refusal = refusals
        .iter()
        .find(|refusal| refusal.get("check").is_some_and(|c| c == check))?;
    Some(shortened(refusal.get("reason")?.as_str()?))
}

/// The same words with every digest and fingerprint cut to its beginning: whole, they stand in
/// `/status`, and a person tells two apart by less.
fn shortened(reason: &str) -> String {
    const KEPT: usize = 12;
    let is_part = |c: char| c.is_ascii_alphanumeric() || "+/".contains(c);
    let mut short = String::new();
    for word in reason.split_inclusive(|c| !is_part(c)) {
        let name = word.trim_end_matches(|c| !is_part(c));
        // A digest has 64 digits, a fingerprint 43.
        if name.len() < 43 {
            short.push_str(word);
        } else {
            short.extend(name.chars().take(KEPT));
            short.push_str(word.strip_prefix(name).unwrap_or_default());
        }
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_keeps_every_word_and_the_beginnings_of_names() {
        let digest = "aba901ddc863".to_owned() + &"0".repeat(52);
        let key = "SIVrEyL9rNbM".to_owned() + &"+/x".repeat(10) + "z";
        assert_eq!(
            shortened(&format!("object {digest}: its bytes hash to {digest}")),
            "object aba901ddc863: its bytes hash to aba901ddc863"
        );
        assert_eq!(
            shortened(&format!(
                "wrong-key: SHA256:{key} is not in allowed_signers"
            )),
            "wrong-key: SHA256:SIVrEyL9rNbM is not in allowed_signers"
        );
        let canary = "canary /crash in ko: status 503 (component-failed), expected 200";
        assert_eq!(shortened(canary), canary);
    }
}
