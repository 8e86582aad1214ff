//! What an account tells beside services, orders, releases in use and alarms: what ended by itself, whom
//! edges believe, and what they did not take. In lines, the same for a terminal and for a page.

use super::text::{few, span};
use super::told::{Account, ForcedTold, SeenTold, TrustTold, UnusedTold};

/// Parts with a heading each, of which none is empty.
pub(super) fn also(account: &Account) -> Vec<(&'static str, Vec<String>)> {
    let refused = account.trust_refused.iter();
    let refused = refused.map(|(reason, times)| format!("refused {times} times: {reason}"));
    let trust = account.trust.iter().map(generation).chain(refused);
    let parts = [
        (
            "Forced modes that ended",
            account.forced_ended.iter().map(forced).collect(),
        ),
        ("Trust", trust.collect::<Vec<String>>()),
        (
            "Releases that were not used",
            account.releases_refused.iter().map(unused).collect(),
        ),
    ];
    let parts = parts.into_iter();
    parts.filter(|(_, lines)| !lines.is_empty()).collect()
}

fn forced(told: &ForcedTold) -> String {
    let ForcedTold {
        site,
        scope,
        epoch,
        seen,
    } = told;
    format!(
        "{scope} of {site}, order {epoch}: its time was over {}",
        of(seen)
    )
}

fn generation(told: &TrustTold) -> String {
    let TrustTold {
        site,
        generation,
        who,
        why,
        signers,
        seen,
    } = told;
    let why = match why.as_str() {
        "" => String::new(),
        why => format!(", why: {why}"),
    };
    format!(
        "generation {generation} of {site}, by {who}, signed by {}: in force {}{why}",
        signers.join(", "),
        of(seen)
    )
}

fn unused(told: &UnusedTold) -> String {
    let UnusedTold {
        site,
        sequence,
        check,
        why,
        seen,
    } = told;
    let which = match sequence {
        Some(sequence) => format!("{site} {sequence}"),
        None => format!("{site}, unread"),
    };
    format!("{which}: {check}, {}: {why}", of(seen))
}

/// When, and where.
fn of(seen: &SeenTold) -> String {
    let names: Vec<&str> = seen.edges.iter().map(String::as_str).collect();
    format!("{} on {}", span(&seen.first, &seen.last), few(&names))
}
