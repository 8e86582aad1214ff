//! The account as a page: one file, nothing to fetch, fit to be sent or printed.

use std::fmt::{Display, Write as _};

use super::alarms::everywhere;
use super::also::also;
use super::strip::{Axis, pages, states};
use super::text::{age, by_way, clock, edges_of, few, grouped, second, span};
use super::told::{Account, OrderTold, PagesTold, ServiceTold};
use crate::page::escaped;

const STYLE: &str = include_str!("report.css");

pub(super) fn html(account: &Account) -> String {
    let mut out = String::with_capacity(64 << 10);
    // Writing to a String cannot fail.
    let _ = tell(&mut out, account);
    out
}

fn tell(out: &mut String, account: &Account) -> std::fmt::Result {
    let style = STYLE.trim();
    let (from, to) = (second(&account.from), second(&account.to));
    write!(
        out,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>Outage {from} to {to}</title><style>{style}</style></head><body><main>\
         <h1>What happened</h1><p class=\"when\">{from} to {to} (UTC)</p>"
    )?;
    summary(out, account)?;
    for edge in account.edges.iter().filter(|edge| edge.error.is_some()) {
        let error = edge.error.as_deref().unwrap_or_default();
        let (name, url, error) = (escaped(&edge.name), escaped(&edge.url), escaped(error));
        write!(
            out,
            "<p class=\"bad\"><b>{name}</b> was not heard ({url}): {error}</p>"
        )?;
    }
    if let Some(axis) = Axis::of(&account.from, &account.to) {
        let orders: Vec<&str> = account
            .orders
            .iter()
            .filter_map(|order| order.accepted.first())
            .map(|first| first.at.as_str())
            .collect();
        out.push_str("<h2>Services</h2>");
        key(
            out,
            &[
                ("normal", "the origin answers"),
                ("probing", "it is tried"),
                ("degraded", "the copy answers"),
                ("down", "the edge was stopped"),
            ],
        )?;
        for service in &account.services {
            tell_service(out, service, &axis, &orders)?;
        }
    }
    out.push_str("<h2>Orders</h2>");
    if account.orders.is_empty() {
        out.push_str("<p class=\"dim\">None.</p>");
    }
    for order in &account.orders {
        tell_order(out, order)?;
    }
    for (reason, times) in &account.orders_refused {
        write!(
            out,
            "<p class=\"dim\">Refused {times} times: {}</p>",
            escaped(reason)
        )?;
    }
    for (what, lines) in also(account) {
        write!(out, "<h2>{what}</h2>")?;
        for line in lines {
            write!(out, "<p>{}</p>", escaped(&line))?;
        }
    }
    tell_releases(out, account)?;
    tell_alarms(out, account)?;
    tell_writes(out, account)?;
    tell_edges(out, account)?;
    out.push_str("</main></body></html>\n");
    Ok(())
}

fn summary(out: &mut String, account: &Account) -> std::fmt::Result {
    let mut all = PagesTold::default();
    account
        .services
        .iter()
        .for_each(|service| all.add(service.pages));
    let heard = account
        .edges
        .iter()
        .filter(|edge| edge.error.is_none())
        .count();
    let refused: u64 = account
        .services
        .iter()
        .map(|service| service.writes_refused)
        .sum();
    let copy = all.fresh + all.stale + all.too_old;
    let oldest = if copy > 0 {
        age(all.oldest_s)
    } else {
        "-".to_owned()
    };
    let facts: [(String, &str); 7] = [
        (format!("{heard} of {}", account.edges.len()), "edges heard"),
        (grouped(all.origin), "answers of the origin"),
        (grouped(copy), "answers out of the copy"),
        (oldest, "the oldest copy shown"),
        (grouped(all.none), "with nothing better"),
        (grouped(refused), "writes refused"),
        (account.orders.len().to_string(), "orders"),
    ];
    out.push_str("<ul class=\"sum\">");
    for (number, what) in facts {
        write!(out, "<li><b>{number}</b><span>{what}</span></li>")?;
    }
    out.push_str("</ul>");
    Ok(())
}

fn tell_service(
    out: &mut String,
    told: &ServiceTold,
    axis: &Axis,
    orders: &[&str],
) -> std::fmt::Result {
    let name = if told.service == "-" {
        "no service"
    } else {
        &told.service
    };
    let (name, site) = (escaped(name), escaped(&told.site));
    write!(
        out,
        "<section class=\"service\"><h3>{name} <span class=\"dim\">of {site}</span></h3>"
    )?;
    states(out, &told.spans, axis, orders)?;
    if told.episodes.is_empty() {
        out.push_str("<p class=\"dim\">The origin answered all the time.</p>");
    } else {
        table(out, &["", "from", "to", "on", "why"])?;
        for episode in &told.episodes {
            let end = if episode.open {
                "the end of this account".to_owned()
            } else {
                span(&episode.first_to, &episode.last_to)
            };
            let reasons: Vec<&str> = episode.reasons.iter().map(String::as_str).collect();
            row(
                out,
                &[
                    &episode.state,
                    &span(&episode.first_from, &episode.last_from),
                    &end,
                    &edges_of(episode.edges.len()),
                    &reasons.join(", "),
                ],
            )?;
        }
        out.push_str("</table></div>");
    }
    if told.pages.all() > 0 {
        pages(out, &told.minutes, axis)?;
        let PagesTold {
            origin,
            fresh,
            stale,
            too_old,
            none,
            ..
        } = told.pages;
        let named = [
            ("origin", origin, "of the origin"),
            ("fresh", fresh, "fresh"),
            ("stale", stale, "stale"),
            ("old", too_old, "too old"),
            ("none", none, "nothing better"),
        ];
        let named = named.map(|(class, count, what)| (class, format!("{} {what}", grouped(count))));
        let named: Vec<(&str, &str)> = named
            .iter()
            .map(|(class, what)| (*class, what.as_str()))
            .collect();
        key(out, &named)?;
    }
    let (refused, unknown) = (told.writes_refused, told.writes_unknown);
    if refused + unknown > 0 {
        let (refused, unknown) = (grouped(refused), grouped(unknown));
        write!(
            out,
            "<p>Writes: {refused} refused, {unknown} that may have arrived.</p>"
        )?;
    }
    out.push_str("</section>");
    Ok(())
}

fn tell_order(out: &mut String, order: &OrderTold) -> std::fmt::Result {
    let said = &order.said;
    let class = if said.mode == "degraded" {
        " degraded-by"
    } else {
        ""
    };
    let (scope, site, mode) = (
        escaped(&said.scope),
        escaped(&order.site),
        escaped(&said.mode),
    );
    write!(
        out,
        "<div class=\"order{class}\"><h3>{scope}: {mode} <span class=\"dim\">order {} of {site}</span></h3>\
         <p>{} by {}",
        said.epoch,
        escaped(&said.signed_at.replace(['T', 'Z'], " ")),
        escaped(&said.who)
    )?;
    if !said.why.is_empty() {
        write!(out, ": <q>{}</q>", escaped(&said.why))?;
    }
    out.push_str("</p>");
    write!(
        out,
        "<p class=\"dim\">signed by {}",
        escaped(&said.signers.join(", "))
    )?;
    if said.notices > 0 {
        write!(out, "; {} notices", said.notices)?;
    }
    if let Some(pin) = said.pin {
        write!(out, "; pins release {pin}")?;
    }
    if let Some(end) = &said.ends_at {
        write!(out, "; until {}", escaped(end))?;
    }
    out.push_str("</p>");
    if let Some(other) = &said.equal_epoch {
        write!(
            out,
            "<p class=\"bad\">Another order had its epoch: <code>{}</code></p>",
            escaped(other)
        )?;
    }
    for (what, arrivals) in [
        ("In force", &order.accepted),
        ("Outranked", &order.outranked),
    ] {
        for (way, arrivals) in by_way(arrivals) {
            let times: Vec<&str> = arrivals.iter().map(|arrival| arrival.at.as_str()).collect();
            let (first, last) = (times.first().unwrap_or(&""), times.last().unwrap_or(&""));
            let names: Vec<&str> = arrivals
                .iter()
                .map(|arrival| arrival.edge.as_str())
                .collect();
            let (times, names) = (span(first, last), few(&names));
            write!(
                out,
                "<p>{what} {times} on {}, {}</p>",
                escaped(&names),
                escaped(&way)
            )?;
        }
    }
    out.push_str("</div>");
    Ok(())
}

fn tell_releases(out: &mut String, account: &Account) -> std::fmt::Result {
    if account.releases.is_empty() {
        return Ok(());
    }
    out.push_str("<h2>Releases</h2>");
    table(
        out,
        &["site", "release", "as of", "in use from", "on", "signed by"],
    )?;
    for release in &account.releases {
        row(
            out,
            &[
                &release.site,
                &release.sequence,
                &release.as_of,
                &span(&release.first, &release.last),
                &edges_of(release.edges),
                &release.signers.join(", "),
            ],
        )?;
    }
    out.push_str("</table></div>");
    Ok(())
}

fn tell_alarms(out: &mut String, account: &Account) -> std::fmt::Result {
    if account.alarms.is_empty() {
        return Ok(());
    }
    out.push_str("<h2>Alarms</h2>");
    table(out, &["alarm", "site", "edge", "from", "to", "why"])?;
    for told in everywhere(&account.alarms) {
        let since = span(told.since.0, told.since.1);
        let until = told.until.map_or("still raised", clock);
        let edges = few(&told.edges);
        row(
            out,
            &[&told.alarm, &told.site, &edges, &since, &until, &told.why],
        )?;
    }
    out.push_str("</table></div>");
    Ok(())
}

fn tell_writes(out: &mut String, account: &Account) -> std::fmt::Result {
    if account.writes.is_empty() {
        return Ok(());
    }
    out.push_str("<h2>Refused writes</h2>");
    table(out, &["reference", "at", "edge", "service", "route", ""])?;
    for write in &account.writes {
        let unknown = if write.unknown {
            "may have arrived"
        } else {
            ""
        };
        row(
            out,
            &[
                &write.reference,
                &clock(&write.at),
                &write.edge,
                &write.service,
                &write.route,
                &unknown,
            ],
        )?;
    }
    out.push_str("</table></div>");
    let all: u64 = account
        .services
        .iter()
        .map(|s| s.writes_refused + s.writes_unknown)
        .sum();
    let more = all.saturating_sub(account.writes.len() as u64);
    if more > 0 {
        write!(out, "<p class=\"dim\">And {} more.</p>", grouped(more))?;
    }
    Ok(())
}

fn tell_edges(out: &mut String, account: &Account) -> std::fmt::Result {
    out.push_str("<h2>Edges</h2>");
    table(
        out,
        &[
            "edge",
            "address",
            "started",
            "stopped",
            "broke off after",
            "entries lost",
            "",
        ],
    )?;
    let clocks = |times: &[String]| -> String {
        let times: Vec<&str> = times.iter().map(|at| clock(at)).collect();
        times.join(", ")
    };
    for edge in &account.edges {
        let heard = if edge.error.is_some() {
            "not heard"
        } else {
            ""
        };
        row(
            out,
            &[
                &edge.name,
                &edge.url,
                &clocks(&edge.started),
                &clocks(&edge.stopped),
                &clocks(&edge.broke_off),
                &edge.lost,
                &heard,
            ],
        )?;
    }
    out.push_str("</table></div>");
    Ok(())
}

fn table(out: &mut String, heads: &[&str]) -> std::fmt::Result {
    out.push_str("<div class=\"scroll\"><table><tr>");
    for head in heads {
        write!(out, "<th>{head}</th>")?;
    }
    out.push_str("</tr>");
    Ok(())
}

fn row(out: &mut String, cells: &[&dyn Display]) -> std::fmt::Result {
    out.push_str("<tr>");
    for cell in cells {
        write!(out, "<td>{}</td>", escaped(&cell.to_string()))?;
    }
    out.push_str("</tr>");
    Ok(())
}

fn key(out: &mut String, named: &[(&str, &str)]) -> std::fmt::Result {
    out.push_str("<div class=\"key\">");
    for (class, what) in named {
        let colour = if *class == "origin" { "normal" } else { class };
        write!(
            out,
            "<span><i style=\"background:var(--{colour})\"></i>{what}</span>"
        )?;
    }
    out.push_str("</div>");
    Ok(())
}
