//! From a change to an order that is in force.
//!
//! Read what is in force, make the order that follows it, show what it changes, ask, sign, write it to
//! every path at once, ask every edge until it obeys. Two operators may do so at once. Whoever was asked
//! and took his time reads again before he signs. Two orders of one epoch that are written all the same
//! are settled by every edge alike, the greater digest wins; the operator whose order lost is shown the
//! other one, and makes his change anew on top of it, with a new signature. A change that means something
//! else there (undo) is not made anew. Killed anywhere, nothing is half done: an order is in force or not.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join;
use snapshot::{Epoch, Order, Scope, Signer, Timestamp, limits};
use tokio::time::Instant;

use super::Word;
use super::by_hand;
use super::draft::{Change, Draft};
use super::facts::SiteFacts;
use super::mirrors::{self, Held, Known};
use super::preview::{Preview, because};
use super::proposal::{self, Standing};
use super::report::Given;
use super::seal::{comment, sign};
use super::watch::OneOrder;
use crate::cmd::ops::Settings;
use crate::cmd::ops::confirm::{Wanted, confirm};
use crate::cmd::ops::key::load_key;
use crate::cmd::ops::obeying::{EdgeAnswer, Obedience, obeying};
use crate::cmd::ops::plain::plain;
use crate::cmd::{Exit, Fault};
use crate::sync::wall_clock;

/// How often a change is made anew on top of another operator's order.
const REBASES: usize = 5;

/// What is known before an order is made.
pub(super) struct World<'s> {
    pub(super) settings: &'s Settings,
    pub(super) facts: Option<SiteFacts>,
    pub(super) held: Held,
    pub(super) now: Timestamp,
}

/// What became of an order that was sent.
enum Sent {
    /// This was said of it.
    Said(Exit),
    /// Another order of the scope has won.
    Lost,
}

/// Makes the change and gives the order, or only shows it.
pub(super) async fn give(
    settings: &Settings,
    what: &str,
    scope: Scope,
    word: Word,
    change: impl AsyncFnOnce(&World<'_>) -> Result<Change, Fault>,
) -> Result<Exit, Fault> {
    // What is carried by hand needs none here.
    if word.out.is_none() {
        settings.paths()?;
    }
    let now = wall_clock();
    let (facts, held) = join(SiteFacts::read(settings, now), mirrors::read_all(settings)).await;
    let mut world = World {
        settings,
        facts,
        held: by_hand::held(&word, &scope, held)?,
        now,
    };
    let obeyed = still_obeyed(settings, &world.held, &scope).await?;
    if !word.anyway {
        known(&scope, world.facts.as_ref())?;
    }
    let change = change(&world).await?;
    let mut signer: Option<Arc<dyn Signer>> = None;
    for _ in 0..REBASES {
        world.now = wall_clock();
        let previous = world.held.newest(&scope).cloned();
        let draft = Draft {
            site: settings.site.clone(),
            scope: scope.clone(),
            change: change.clone(),
            who: word
                .who
                .clone()
                .unwrap_or_else(|| "whoever signs it".to_owned()),
            why: word.why.clone(),
            epoch: word.epoch.map(Epoch).or_else(|| {
                let known = previous.as_ref().map(|known| known.order.epoch);
                obeyed.max(known).map(Epoch::next)
            }),
            now: world.now,
        };
        let mut order = draft.order(previous.as_ref())?;
        let preview =
            |order: &Order| Preview::of(order, world.facts.as_ref(), &world.held, world.now);
        preview(&order).show(settings, word.consent.dry_run);
        if word.consent.dry_run {
            return Ok(Exit::Done);
        }
        confirm(
            word.consent,
            &format!("{what} {}", said(&scope)),
            wanted(settings, &scope),
        )
        .await?;
        let signer = match &signer {
            Some(signer) => Arc::clone(signer),
            None => Arc::clone(signer.insert(load_key(settings).await?)),
        };
        order.who = word.who.clone().unwrap_or_else(|| comment(signer.as_ref()));
        let given = sign(signer, &order).await?;
        // Whoever is asked takes his time; what goes by hand follows what was read out.
        if !word.consent.yes && word.epoch.is_none() {
            let fresh = mirrors::read_all(settings).await?;
            let digest = |known: Option<&Known>| known.map(|known| known.digest);
            if digest(fresh.newest(&scope)) != digest(previous.as_ref()) {
                let newest = fresh.newest(&scope);
                again(&change, newest, "meanwhile somebody gave", &fresh)?;
                world.held = fresh;
                continue;
            }
        }
        match proposal::standing(settings, &given, world.now) {
            Standing::Refused(why) => {
                let message = format!("nobody would obey this signature: {why}");
                return Err(Fault::failed(message).hint("name the right key with --key"));
            }
            Standing::Lacking(lacking) => {
                let preview = preview(&given.order);
                return proposal::write(settings, &given, &preview, &lacking, word.out.as_deref());
            }
            Standing::Enough | Standing::Unknown => {}
        }
        if let Some(out) = &word.out {
            return proposal::finished(settings, &given, &preview(&given.order), out);
        }
        match send(settings, &world.held, previous.as_ref(), &given).await? {
            Sent::Said(exit) => return Ok(exit),
            Sent::Lost => {
                world.held = mirrors::read_all(settings).await?;
                let winner = world.held.newest(&scope);
                let winner = winner.filter(|winner| winner.digest != given.digest);
                again(&change, winner, "the race was won by", &world.held)?;
            }
        }
    }
    let message =
        format!("others kept giving orders about {scope}: yours came too late {REBASES} times");
    Err(Fault::failed(message).hint("speak with them; see  edge order show"))
}

/// Brings a signed order to every path and waits for the edges.
pub(super) async fn bring(settings: &Settings, held: &Held, given: &Known) -> Result<Exit, Fault> {
    let previous = held.newest(&given.order.scope);
    let previous = previous.filter(|previous| previous.digest != given.digest);
    match send(settings, held, previous, given).await? {
        Sent::Said(exit) => Ok(exit),
        Sent::Lost => {
            let held = mirrors::read_all(settings).await?;
            let winner = held.newest(&given.order.scope);
            let words = winner.map(described).unwrap_or_default();
            let fault = Fault::new(
                Exit::NoEdge,
                format!("another order of the scope has won: {words}"),
            );
            Err(fault.hint("make the change anew on top of it, with new signatures"))
        }
    }
}

async fn send(
    settings: &Settings,
    held: &Held,
    previous: Option<&Known>,
    given: &Known,
) -> Result<Sent, Fault> {
    let begun = Instant::now();
    let until = begun + settings.wait;
    let question = OneOrder::new(given).over(held);
    let mut told = Given {
        site: settings.site.clone(),
        previous: previous.map(|known| known.order.clone()),
        order: given.order.clone(),
        digest: given.digest,
        written: Vec::new(),
        obedience: Obedience::default(),
        beaten: None,
    };
    let writing = async {
        told.written = mirrors::write_all(settings, held, given, until).await;
        if told.is_taken() {
            told.announce(settings.json);
        } else {
            question.give_up();
        }
    };
    let asking = obeying(settings, &question, begun, settings.wait);
    let obedience = if settings.wait.is_zero() {
        // Each edge is asked once: after it could have heard of it.
        writing.await;
        asking.await
    } else {
        join(writing, asking).await.1
    };
    told.obedience = obedience;
    if question.rival().is_some() {
        return Ok(Sent::Lost);
    }
    match lies(settings, given).await {
        Lies::Outdone => return Ok(Sent::Lost),
        // Another operator wrote over it in the same instant; whichever of the two is greater stays.
        Lies::Nowhere if told.is_taken() => {
            told.written = mirrors::write_all(settings, held, given, until).await;
        }
        Lies::There | Lies::Nowhere => {}
    }
    if !told.is_taken() {
        told.announce(settings.json);
        let fault = Fault::new(
            Exit::NoMirror,
            "no mirror and no edge took the order: nobody will see it",
        );
        return Err(fault.hint("see the reasons above; give another path with --via URL"));
    }
    told.beaten = question.beaten();
    told.print(settings.json);
    Ok(Sent::Said(told.obedience.exit()))
}

/// Where an order is once it was written.
enum Lies {
    /// Some path gives it, or one that came after it; or none can be read.
    There,
    /// No path gives it.
    Nowhere,
    /// A path gives another one of its epoch, which has won.
    Outdone,
}

async fn lies(settings: &Settings, given: &Known) -> Lies {
    let Ok(held) = mirrors::read_all(settings).await else {
        return Lies::There;
    };
    match held.newest(&given.order.scope) {
        Some(newest) if newest.order.epoch > given.order.epoch => Lies::There,
        Some(newest) if newest.digest == given.digest => Lies::There,
        Some(newest) if newest.rank() > given.rank() => Lies::Outdone,
        _ => Lies::Nowhere,
    }
}

/// The greatest order that is not believed any more and is in force on an edge all the same, until it hears of
/// another: that of a key that was thrown out. What follows has to be above it, and above what was in force
/// before it, which nobody tells.
///
/// # Errors
/// The edge believes others than we do: to go on would put an order below it on the mirrors, which that edge
/// never obeys.
async fn still_obeyed(
    settings: &Settings,
    held: &Held,
    scope: &Scope,
) -> Result<Option<Epoch>, Fault> {
    let mut obeyed = None;
    let known = held.newest(scope).map(|known| known.order.epoch);
    let ours = settings.generation.as_ref();
    let ours = ours.map(|generation| generation.digest().to_string());
    for (other, why) in held.passed_over(Some(scope)) {
        if Some(other.order.epoch) <= known {
            continue;
        }
        let question = OneOrder::new(other);
        let asked = obeying(settings, &question, Instant::now(), Duration::ZERO).await;
        // Where the same are believed, one that is believed is obeyed before one that is not.
        let differs = |edge: &&EdgeAnswer| {
            let status = edge.status.as_ref();
            let theirs = status.and_then(|site| site.pointer("/trust/digest")?.as_str());
            edge.in_force && theirs.is_some() && theirs != ours.as_deref()
        };
        let Some(edge) = asked.edges.iter().find(differs) else {
            // Where no edge tells, it may be as well: unless it is so far above that somebody made it up.
            let near = known
                .unwrap_or_default()
                .0
                .saturating_add(limits::FAST_FORWARD / 2);
            let nobody_tells = asked.edges.iter().all(|edge| !edge.is_reached);
            if asked.in_force() > 0 || (nobody_tells && other.order.epoch.0 <= near) {
                obeyed = obeyed.max(Some(other.order.epoch));
            }
            continue;
        };
        let (name, words, why) = (plain(&edge.name), described(other), plain(why));
        let message = format!("{name} obeys {words}; it is not believed here: {why}");
        return Err(Fault::failed(message).hint(
            "name the trust files as they are on the edges with --trust DIR; see  edge trust show",
        ));
    }
    Ok(obeyed)
}

/// Shows the order that came first, before the change is made anew on top of it.
fn again(change: &Change, winner: Option<&Known>, how: &str, held: &Held) -> Result<(), Fault> {
    let Some(winner) = winner else {
        let mut message = "another order of the scope is obeyed, and no path gives it".to_owned();
        for (known, why) in held.passed_over(None) {
            message += &format!("\n  passed over: {}: {}", described(known), plain(why));
        }
        let fault = Fault::new(Exit::NoEdge, message);
        return Err(fault.hint("see  edge order show,  and bring yours to an edge with --via URL"));
    };
    let words = described(winner);
    if matches!(change, Change::Undo(_)) {
        let fault = Fault::failed(format!("{how} {words}"));
        return Err(
            fault.hint("that one would be undone now: look, then undo again if you mean it")
        );
    }
    eprintln!("{how} {words}\nthe same change is made anew on top of it:");
    Ok(())
}

/// An order in a line.
pub(super) fn described(known: &Known) -> String {
    let order = &known.order;
    let (epoch, scope, mode) = (order.epoch, &order.scope, order.mode.as_str());
    let (who, at) = (&order.who, order.signed_at.rfc3339());
    let words = format!(
        "order {epoch} about {scope}, {mode}, by {who}, {at}{}",
        because(&order.why)
    );
    plain(&words)
}

/// A scope as it is typed.
fn said(scope: &Scope) -> String {
    match scope {
        Scope::Site => "site".to_owned(),
        Scope::Service(name) => name.to_string(),
    }
}

/// What has to be answered before an order of this scope is given.
pub(super) fn wanted<'s>(settings: &'s Settings, scope: &Scope) -> Wanted<'s> {
    match scope {
        Scope::Site => Wanted::Name(&settings.site),
        Scope::Service(_) => Wanted::Yes,
    }
}

fn known(scope: &Scope, facts: Option<&SiteFacts>) -> Result<(), Fault> {
    let (Scope::Service(name), Some(facts)) = (scope, facts) else {
        return Ok(());
    };
    if facts.services().any(|service| service == name) {
        return Ok(());
    }
    let names: Vec<&str> = facts.services().map(AsRef::as_ref).collect();
    let message = format!(
        "release {} of this site has no service {name}: it has {}",
        facts.release.sequence,
        names.join(", ")
    );
    Err(Fault::usage(message).hint("name one of these, or add --anyway"))
}

#[cfg(test)]
mod tests;
