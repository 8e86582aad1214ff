//! The outage, played without a person. Acts in order:
//!
//! 1. *Calm*: the origin answers. Ops degrade `pay` and recover it.
//! 2. *Fire*: the origin is killed. Every URL is asked at every edge.
//! 3. *Back*: the origin returns and traffic goes back by itself.
//! 4. *Black hole*: the origin is stopped, connections hang. Every URL again, the systems, a write.
//! 5. *Alone*: the mirror goes too; an edge is killed and started again.
//! 6. *Lies*: the mirror returns and offers bad releases.
//! 7. *Words*: ops write a notice.
//! 8. *Over*: the origin wakes up.
//!
//! Readers ask throughout; they are sent away from an edge before it is killed, as a CDN would.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::Instant;

use crate::attack::{self, Attack};
use crate::client::Answer;
use crate::load::{Load, Pace};
use crate::process::wait_for;
use crate::report::{Report, Summary, SystemLine};
use crate::systems;
use crate::urls::Urls;
use crate::visible;
use crate::world::{Built, World};

/// How long the whole world may take to notice something.
const NOTICE: Duration = Duration::from_secs(60);
/// A killed edge must answer again within this, milliseconds.
const RESTART_MS: u128 = 500;
/// A notice must stand on every page within this.
const NOTICE_WITHIN: Duration = Duration::from_secs(3);
/// What ops write in the drill.
const WORDS: &str = "센터 화재로 복구 중입니다. 저녁 9시에 다시 알립니다.";

/// Plays the outage in `dir`; `say` is told what happens.
///
/// # Errors
/// A world that cannot be built; what falls short is in the report instead.
pub async fn play(
    dir: &Path,
    built: &Built,
    report: &mut Report,
    say: impl Fn(&str),
) -> Result<Summary> {
    say("laying out the town and its keys");
    let mut world = World::lay_out(dir, built, [127, 0, 0, 1].into()).await?;
    world.start_origin().await?;
    say("publishing");
    world.publish().await?;
    let urls = Urls::of(&world.site())?;
    for at in 0..world.edges.len() {
        world.start_edge(at)?;
    }
    world.wait_ready().await?;

    let drawn = systems::draw(&world)?;
    let load = Load::start(
        &world.client,
        Pace::DRILL,
        urls.iter().cloned().collect(),
        world.in_service(),
    );

    say("calm: the origin answers");
    calm(&world, &drawn, report).await?;

    say("fire: the origin is killed");
    world.kill_origin();
    let after_kill = every_url(&world, &urls, report, "Fire: the origin is killed").await;

    say("back: the origin returns");
    world.start_origin().await?;
    goes_back(&world, report, "Back: the origin returns").await?;

    say("black hole: the origin is stopped");
    world.freeze_origin(true)?;
    let after_stop = every_url(&world, &urls, report, "Black hole: the origin is stopped").await;
    let systems = answered(&world, &drawn, report).await;
    write_is_refused(&world, report).await;

    say("alone: the mirror goes too, an edge starts again");
    let restart_ms = restart(&mut world, &load, report).await?;

    say("lies: the mirror offers bad releases");
    lies(&world, report).await?;

    say("words: a notice");
    words(&world, &urls, report).await?;

    say("over: the origin wakes up");
    world.freeze_origin(false)?;
    goes_back(&world, report, "Over: the origin wakes up").await?;

    let counts = load.stop().await;
    let (requests, failed) = (
        counts.requests.load(Ordering::Relaxed),
        counts.failed.load(Ordering::Relaxed),
    );
    report.add(
        "Readers, all the while",
        "GETs that failed",
        format!("{failed} of {requests}"),
        counts.failures(),
    );
    Ok(Summary {
        passed: report.passed(),
        requests,
        failed,
        urls: urls.len(),
        urls_answered: after_kill.min(after_stop),
        restart_ms,
        systems,
    })
}

/// A shortfall unless `held`.
fn unless(held: bool, why: impl Into<String>) -> Vec<String> {
    if held { Vec::new() } else { vec![why.into()] }
}

async fn calm(world: &World, drawn: &[systems::System], report: &mut Report) -> Result<()> {
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

/// Asks every one of `paths` at every edge, eight at once; gives how many were as they should be
/// everywhere, and what was not.
async fn ask_all<'a>(
    world: &World,
    paths: impl Iterator<Item = &'a String>,
    fault: fn(&Answer) -> Option<String>,
) -> (usize, Vec<String>) {
    let all: Arc<Vec<String>> = Arc::new(paths.cloned().collect());
    let next = Arc::new(AtomicUsize::new(0));
    let mut askers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (all, next, client) = (Arc::clone(&all), Arc::clone(&next), world.client.clone());
        let edges: Vec<_> = world
            .edges
            .iter()
            .map(|edge| (edge.name, edge.public))
            .collect();
        askers.spawn(async move {
            let (mut good, mut short) = (0_usize, Vec::new());
            while let Some(url) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                let faults = short.len();
                for (name, at) in &edges {
                    let why = match client.get(*at, url, "ko").await {
                        Ok(answer) => fault(&answer),
                        Err(error) => Some(format!("{error:#}")),
                    };
                    short.extend(
                        why.map(|why| format!("{} at {name}: {why}", systems::template(url))),
                    );
                }
                good += usize::from(short.len() == faults);
            }
            (good, short)
        });
    }
    let (mut good, mut short) = (0, Vec::new());
    while let Some(done) = askers.join_next().await {
        match done {
            Ok((n, faults)) => {
                good += n;
                short.extend(faults);
            }
            Err(error) => short.push(error.to_string()),
        }
    }
    (good, short)
}

/// Every URL at every edge: answered from the snapshot with 200.
async fn every_url(world: &World, urls: &Urls, report: &mut Report, act: &'static str) -> usize {
    let begun = Instant::now();
    let fault = |answer: &Answer| {
        let good = answer.status == 200 && answer.from_snapshot();
        (!good).then(|| answer.status.to_string())
    };
    let (answered, short) = ask_all(world, urls.iter(), fault).await;
    let took = begun.elapsed().as_secs_f32();
    report.add(
        act,
        "URLs that answer at both edges",
        format!("{answered} of {} in {took:.1} s", urls.len()),
        short,
    );
    answered
}

async fn answered(
    world: &World,
    drawn: &[systems::System],
    report: &mut Report,
) -> Vec<SystemLine> {
    let mut lines = Vec::new();
    for system in drawn {
        let missing = system.missing(world).await;
        lines.push(SystemLine {
            name: system.name.to_owned(),
            url: systems::template(system.url()),
            answered: missing.is_empty(),
        });
        report.add(
            "Black hole: the origin is stopped",
            system.name,
            "shown in Korean and English",
            missing,
        );
    }
    lines
}

async fn write_is_refused(world: &World, report: &mut Report) {
    let mut short = Vec::new();
    for edge in &world.edges {
        match world.client.post(edge.public, "/login", "who=drill").await {
            Ok(answer) if answer.status == 503 && answer.is_html() => {}
            Ok(answer) => short.push(format!("{} at {}", answer.status, edge.name)),
            Err(error) => short.push(format!("{error:#} at {}", edge.name)),
        }
    }
    report.add(
        "Black hole: the origin is stopped",
        "a write gets an honest 503",
        "yes",
        short,
    );
}

async fn goes_back(world: &World, report: &mut Report, act: &'static str) -> Result<()> {
    let begun = Instant::now();
    for edge in &world.edges {
        // Ten in a row: a closing breaker lets a rising share through.
        let mut in_a_row = 0;
        wait_for("traffic to go back to the origin", NOTICE, async || {
            let live = world
                .client
                .get(edge.public, "/", "en")
                .await
                .is_ok_and(|answer: Answer| !answer.from_snapshot());
            in_a_row = if live { in_a_row + 1 } else { 0 };
            Ok((in_a_row >= 10).then_some(()))
        })
        .await?;
    }
    report.add(
        act,
        "traffic goes back by itself",
        format!("after {:.1} s", begun.elapsed().as_secs_f32()),
        Vec::new(),
    );
    Ok(())
}

async fn restart(world: &mut World, load: &Load, report: &mut Report) -> Result<u128> {
    const ACT: &str = "Alone: origin and mirror gone";
    world.mirror_gone(true)?;
    let (mut worst, mut short) = (0, Vec::new());
    for at in 0..world.edges.len() {
        let edge = world.edges.get(at).context("an edge")?;
        let (public, name) = (edge.public, edge.name);
        edge.in_service.store(false, Ordering::Relaxed);
        load.send_to(world.in_service()).await;
        world.kill_edge(at)?;
        // A fresh client: no connection from before.
        let client = crate::client::Client::new(crate::world::HOST);
        let begun = Instant::now();
        world.start_edge(at)?;
        let answer = loop {
            match client.get(public, "/guide/", "ko").await {
                Ok(answer) if answer.status == 200 => break Ok(answer),
                Ok(answer) if begun.elapsed() > Duration::from_secs(10) => {
                    break Err(answer.status.to_string());
                }
                Err(error) if begun.elapsed() > Duration::from_secs(10) => {
                    break Err(format!("{error:#}"));
                }
                _ => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        };
        let took = begun.elapsed().as_millis();
        worst = worst.max(took);
        match answer {
            Ok(answer) => short.extend(unless(
                visible::shows(&answer.text(), "다솜페이"),
                format!("{name}: not the page"),
            )),
            Err(why) => short.push(format!("{name}: {why}")),
        }
        short.extend(unless(
            took <= RESTART_MS,
            format!("{name}: {took} ms where {RESTART_MS} ms are allowed"),
        ));
        if let Some(edge) = world.edges.get(at) {
            edge.in_service.store(true, Ordering::Relaxed);
        }
        load.send_to(world.in_service()).await;
    }
    report.add(
        ACT,
        "a killed edge answers again",
        format!("after {worst} ms"),
        short,
    );
    Ok(worst)
}

async fn lies(world: &World, report: &mut Report) -> Result<()> {
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

async fn sequences(world: &World) -> Result<Vec<serde_json::Value>> {
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
fn refusal(status: &serde_json::Value, attack: Attack) -> Option<String> {
    let check = match attack {
        Attack::FlippedByte => "object",
        Attack::Stranger => "trust",
        Attack::Poisoned => "canary",
    };
    let refusals = status.pointer("/sites/0/refusals")?.as_array()?;
    let refusal = refusals
        .iter()
        .find(|refusal| refusal.get("check").is_some_and(|c| c == check))?;
    let reason = refusal.get("reason")?.as_str()?;
    // One line of a table: the full reason stands in /status.
    Some(format!(
        "{check}: {}",
        reason.chars().take(48).collect::<String>()
    ))
}

async fn words(world: &World, urls: &Urls, report: &mut Report) -> Result<()> {
    const ACT: &str = "Words: ops write a notice";
    let begun = Instant::now();
    world
        .order(&[
            "notice",
            "site",
            "--text",
            &format!("ko={WORDS}"),
            "--why",
            "drill",
        ])
        .await?;
    let ordered = begun.elapsed();
    // From three seconds after the order was given, every page has it.
    tokio::time::sleep_until(begun + NOTICE_WITHIN).await;
    let fault =
        |answer: &Answer| (!visible::shows(&answer.text(), WORDS)).then(|| "no notice".to_owned());
    let (shown, short) = ask_all(world, urls.pages.iter(), fault).await;
    report.add(
        ACT,
        "in force at both edges",
        format!("after {:.1} s", ordered.as_secs_f32()),
        unless(ordered <= NOTICE_WITHIN, "too late"),
    );
    report.add(
        ACT,
        "pages that show it 3 s later, at both edges",
        format!("{shown} of {}", urls.pages.len()),
        short,
    );
    Ok(())
}
