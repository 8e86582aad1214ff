//! The account for a terminal.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::alarms::everywhere;
use super::also::also;
use super::episode::Episode;
use super::told::{Account, Arrival, OrderTold, ReleaseTold, ServiceTold};
use crate::cmd::ops::plain::plain;

/// Refused writes that are listed here; JSON and HTML list more.
const WRITES: usize = 20;

pub(super) fn text(account: &Account) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = tell(&mut out, account);
    out
}

fn tell(out: &mut String, account: &Account) -> std::fmt::Result {
    writeln!(
        out,
        "From {} to {} (UTC)",
        second(&account.from),
        second(&account.to)
    )?;
    let heard = account
        .edges
        .iter()
        .filter(|edge| edge.error.is_none())
        .count();
    writeln!(out, "Told by {heard} of {} edges", account.edges.len())?;
    for edge in &account.edges {
        if let Some(error) = &edge.error {
            let (name, error) = (plain(&edge.name), plain(error));
            writeln!(out, "  NOT HEARD: {name} at {}: {error}", edge.url)?;
        }
        let all = [
            ("broke off after", &edge.broke_off),
            ("started at", &edge.started),
            ("stopped at", &edge.stopped),
        ];
        for (what, times) in all {
            for at in times {
                writeln!(out, "  {} {what} {}", plain(&edge.name), clock(at))?;
            }
        }
        if edge.lost > 0 {
            writeln!(
                out,
                "  {}: {} entries of its log are lost",
                plain(&edge.name),
                edge.lost
            )?;
        }
    }
    for service in &account.services {
        tell_service(out, service)?;
    }
    writeln!(out, "\nOrders")?;
    if account.orders.is_empty() {
        writeln!(out, "  none")?;
    }
    for order in &account.orders {
        tell_order(out, order)?;
    }
    for (reason, times) in &account.orders_refused {
        writeln!(out, "  refused {times} times: {}", plain(reason))?;
    }
    for (what, lines) in also(account) {
        writeln!(out, "\n{what}")?;
        for line in lines {
            writeln!(out, "  {}", plain(&line))?;
        }
    }
    if !account.releases.is_empty() {
        writeln!(out, "\nReleases")?;
    }
    for release in &account.releases {
        let ReleaseTold {
            site,
            sequence,
            as_of,
            first,
            last,
            edges,
            signers,
        } = release;
        writeln!(
            out,
            "  {site} {sequence}, as of {as_of}, signed by {}: in use from {} on {}",
            signers.join(", "),
            span(first, last),
            edges_of(*edges)
        )?;
    }
    if !account.alarms.is_empty() {
        writeln!(out, "\nAlarms")?;
    }
    for told in everywhere(&account.alarms) {
        let (alarm, site, edges) = (told.alarm, told.site, few(&told.edges));
        let since = span(told.since.0, told.since.1);
        let until = told.until.map_or("still raised", clock);
        writeln!(out, "  {alarm} of {site} on {edges}, {since} to {until}")?;
        if !told.why.is_empty() {
            writeln!(out, "    {}", plain(told.why))?;
        }
    }
    tell_writes(out, account)
}

fn tell_service(out: &mut String, told: &ServiceTold) -> std::fmt::Result {
    let name = if told.service == "-" {
        "(no service)"
    } else {
        &told.service
    };
    writeln!(out, "\n{name} of {}", told.site)?;
    if told.episodes.is_empty() {
        writeln!(out, "  the origin answered all the time")?;
    }
    for episode in &told.episodes {
        let Episode {
            state,
            reasons,
            first_from,
            last_from,
            first_to,
            last_to,
            open,
            edges,
        } = episode;
        let reasons: Vec<&str> = reasons.iter().map(String::as_str).collect();
        let end = if *open {
            "to the end of this account".to_owned()
        } else {
            format!("to {}", span(first_to, last_to))
        };
        writeln!(
            out,
            "  {state:9} {} {end} on {} ({})",
            span(first_from, last_from),
            edges_of(edges.len()),
            reasons.join(", ")
        )?;
    }
    let pages = told.pages;
    if pages.all() > 0 {
        writeln!(
            out,
            "  answers   {} of the origin; out of the copy {} fresh, {} stale, {} too old; {} with nothing better",
            grouped(pages.origin),
            grouped(pages.fresh),
            grouped(pages.stale),
            grouped(pages.too_old),
            grouped(pages.none)
        )?;
        if pages.oldest_s > 0 {
            writeln!(
                out,
                "            the oldest copy shown was {} old",
                age(pages.oldest_s)
            )?;
        }
    }
    if told.writes_refused + told.writes_unknown > 0 {
        writeln!(
            out,
            "  writes    {} refused, {} that may have arrived",
            told.writes_refused, told.writes_unknown
        )?;
    }
    Ok(())
}

fn tell_order(out: &mut String, order: &OrderTold) -> std::fmt::Result {
    let said = &order.said;
    write!(
        out,
        "  {} {} {}: {}",
        said.signed_at, order.site, said.scope, said.mode
    )?;
    if said.notices > 0 {
        write!(out, ", {} notices", said.notices)?;
    }
    if let Some(pin) = said.pin {
        write!(out, ", pins release {pin}")?;
    }
    if let Some(end) = &said.ends_at {
        write!(out, ", until {end}")?;
    }
    writeln!(out, " (order {}, by {})", said.epoch, plain(&said.who))?;
    if !said.why.is_empty() {
        writeln!(out, "    why: {}", plain(&said.why))?;
    }
    writeln!(out, "    signed by {}", said.signers.join(", "))?;
    if let Some(other) = &said.equal_epoch {
        writeln!(out, "    ANOTHER ORDER HAD ITS EPOCH: {other}")?;
    }
    for (what, arrivals) in [
        ("in force", &order.accepted),
        ("outranked", &order.outranked),
    ] {
        for (way, arrivals) in by_way(arrivals) {
            let mut times = arrivals.iter().map(|arrival| arrival.at.as_str());
            let first = times.next().unwrap_or_default();
            let last = times.next_back().unwrap_or(first);
            let names: Vec<&str> = arrivals.iter().map(|a| a.edge.as_str()).collect();
            writeln!(
                out,
                "    {what} {} on {}, {way}",
                span(first, last),
                few(&names)
            )?;
        }
    }
    Ok(())
}

/// Arrivals by how they came, each in the order of time.
pub(super) fn by_way(arrivals: &[Arrival]) -> BTreeMap<String, Vec<&Arrival>> {
    let mut ways: BTreeMap<String, Vec<&Arrival>> = BTreeMap::new();
    for arrival in arrivals {
        ways.entry(arrival.came.words()).or_default().push(arrival);
    }
    ways
}

fn tell_writes(out: &mut String, account: &Account) -> std::fmt::Result {
    if account.writes.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nWrites that were refused, or may not have arrived")?;
    for write in account.writes.iter().take(WRITES) {
        let (at, unknown) = (
            clock(&write.at),
            if write.unknown {
                ", may have arrived"
            } else {
                ""
            },
        );
        writeln!(
            out,
            "  {} at {at} on {}: {} of {}{unknown}",
            write.reference, write.edge, write.route, write.service
        )?;
    }
    let all: u64 = account
        .services
        .iter()
        .map(|s| s.writes_refused + s.writes_unknown)
        .sum();
    let more = all.saturating_sub(account.writes.len().min(WRITES) as u64);
    if more > 0 {
        writeln!(
            out,
            "  and {more} more: --format json lists them, --reference finds one"
        )?;
    }
    Ok(())
}

/// The first names of many.
pub(super) fn few(names: &[&str]) -> String {
    const NAMED: usize = 4;
    match names.len() {
        0..=NAMED => names.join(", "),
        all => {
            let named = names.get(..NAMED).unwrap_or_default().join(", ");
            format!("{named} and {} more", all - NAMED)
        }
    }
}

pub(super) fn edges_of(count: usize) -> String {
    if count == 1 {
        "1 edge".to_owned()
    } else {
        format!("{count} edges")
    }
}

/// Two moments as one, if they are.
pub(super) fn span(first: &str, last: &str) -> String {
    if first == last {
        return clock(first).to_owned();
    }
    format!("{}..{}", clock(first), clock(last))
}

/// The time of day of a moment, with its tenths.
pub(super) fn clock(at: &str) -> &str {
    at.get(11..21).unwrap_or(at)
}

/// A moment without parts of a second.
pub(super) fn second(at: &str) -> String {
    at.get(..19)
        .map_or_else(|| at.to_owned(), |at| at.replace('T', " "))
}

pub(super) fn age(secs: u64) -> String {
    match secs {
        0..120 => format!("{secs} s"),
        120..7200 => format!("{} min", secs / 60),
        7200..172_800 => format!("{} h", secs / 3600),
        _ => format!("{} days", secs / 86_400),
    }
}

/// With a comma between thousands.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
