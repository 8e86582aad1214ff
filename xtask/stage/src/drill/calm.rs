//! Calm: the origin answers. Ops degrade `pay` while it lives, and recover it.

use anyhow::{Context, Result};

use super::{NOTICE, unless};
use crate::process::wait_for;
use crate::report::Report;
use crate::systems::System;
use crate::visible;
use crate::world::World;

pub(super) async fn calm(world: &World, drawn: &[System], report: &mut Report) -> Result<()> {
    const ACT: &str = "Calm: the origin answers";
    let page = drawn
        .first()
        .and_then(|system| system.pages.first())
        .context("a drawn invitation")?;
    let first = world.edges.first().context("an edge")?;
    let live = wait_for("the origin to answer through an edge", NOTICE, async || {
        let answer = world.client.get(first.public, &page.url, "en").await.ok();
        Ok(answer.filter(|answer| !answer.from_snapshot()))
    })
    .await?;
    let text = visible::text(&live.text());
    report.add(
        ACT,
        "the invitation comes from the origin, gift button live",
        "yes",
        unless(text.contains("Send a gift"), "no gift button"),
    );
    report.add(
        ACT,
        "and shows no account numbers yet",
        "yes",
        unless(
            !text.contains("Account numbers"),
            "account link shown in calm",
        ),
    );

    world.order(&["degrade", "pay", "--why", "drill"]).await?;
    let degraded = world.client.get(first.public, &page.url, "en").await?;
    let words = visible::text(&degraded.text());
    let mut short = unless(
        !degraded.from_snapshot(),
        "the invitation left the origin with pay",
    );
    short.extend(unless(
        words.contains("Account numbers") && !words.contains("Send a gift"),
        "the gift button stayed",
    ));
    let gift = drawn
        .first()
        .and_then(|system| system.pages.get(1))
        .context("a drawn gift page")?;
    let accounts = world.client.get(first.public, &gift.url, "ko").await?;
    let html = accounts.text();
    short.extend(
        gift.korean
            .iter()
            .filter(|value| !visible::shows(&html, value))
            .map(|value| format!("no {value:?} on the gift page")),
    );
    report.add(
        ACT,
        "ops degrade pay: the button becomes account numbers",
        "yes",
        short,
    );

    world.order(&["recover", "pay", "--why", "drill"]).await?;
    let back = world.client.get(first.public, &page.url, "en").await?;
    report.add(
        ACT,
        "ops recover pay: the button is back",
        "yes",
        unless(
            visible::text(&back.text()).contains("Send a gift"),
            "no gift button",
        ),
    );
    Ok(())
}
