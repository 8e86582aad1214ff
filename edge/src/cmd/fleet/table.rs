//! A fleet as a table in text.

use std::fmt::Write as _;

use console::{measure_text_width, style};

use crate::fleet::{EdgeView, ServiceView, SiteView, View};

const HEAD: [&str; 7] = [
    "EDGE", "SITE", "RELEASE", "AGE", "SERVICES", "SYNC", "ORDERS",
];

/// How a cell reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tone {
    Plain,
    Good,
    Warn,
    Bad,
}

type Cell = (String, Tone);

/// The table and its summary, a line each row.
pub(super) fn table(view: &View, colors: bool) -> String {
    let mut rows: Vec<Vec<Cell>> = vec![HEAD.map(|head| (head.to_owned(), Tone::Plain)).to_vec()];
    let mut gone = Vec::new();
    for edge in &view.edges {
        match &edge.error {
            Some(error) => gone.push((edge, error)),
            None => rows.extend(edge.sites.iter().map(|site| row(view, edge, site))),
        }
    }
    let width = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at));
        cells
            .map(|(text, _)| measure_text_width(text))
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for ((cell, tone), width) in row.iter().zip(&widths) {
            let padding = " ".repeat(width.saturating_sub(measure_text_width(cell)) + 2);
            line.push_str(&toned(cell, *tone, colors));
            line.push_str(&padding);
        }
        writeln!(text, "{}", line.trim_end()).ok();
    }
    for (edge, error) in &gone {
        let place = edge.url.as_deref().filter(|_| edge.name.is_some());
        let place = place.map_or_else(String::new, |url| format!(" ({url})"));
        let line = format!("{}{place}: not reached: {error}", edge.shown());
        writeln!(text, "{}", toned(&line, Tone::Bad, colors)).ok();
    }
    writeln!(text, "{}", summary(view, gone.len())).ok();
    text
}

fn summary(view: &View, gone: usize) -> String {
    let edges = view.edges.len();
    let services = view
        .edges
        .iter()
        .flat_map(|edge| &edge.sites)
        .flat_map(|site| &site.services);
    let degraded = services
        .filter(|service| service.state == "degraded")
        .count();
    let reached = edges - gone;
    format!(
        "{reached} of {edges} edges answer, {degraded} services degraded, {}",
        view.at
    )
}

fn row(view: &View, edge: &EdgeView, site: &SiteView) -> Vec<Cell> {
    let newest = view.newest(&site.site);
    let (release, age) = match &site.release {
        None => (
            ("none yet".to_owned(), Tone::Bad),
            (String::new(), Tone::Plain),
        ),
        Some(release) => {
            let sequence = release.sequence;
            let shown = if sequence < newest {
                (format!("{sequence} (newest {newest})"), Tone::Warn)
            } else {
                (sequence.to_string(), Tone::Plain)
            };
            (shown, aged(release.age_s, site.freshness.as_deref()))
        }
    };
    vec![
        (edge.shown().to_owned(), Tone::Plain),
        (site.site.clone(), Tone::Plain),
        release,
        age,
        services(&site.services, &view.at),
        sync(site),
        orders(view, site),
    ]
}

fn aged(seconds: u64, freshness: Option<&str>) -> Cell {
    let age = match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    };
    match freshness {
        None | Some("fresh") => (age, Tone::Plain),
        Some(other) => (format!("{age}, {other}"), Tone::Warn),
    }
}

fn services(services: &[ServiceView], now: &str) -> Cell {
    let mut parts = Vec::new();
    let mut tone = Tone::Good;
    let mut calm = 0;
    for service in services {
        let ServiceView {
            name,
            state,
            reason,
            since,
            rehearsing_percent,
        } = service;
        if state == "normal" && reason == "calm" {
            calm += 1;
        } else {
            let since = since.as_ref().map_or_else(String::new, |since| {
                format!(" since {}", moment(since, now))
            });
            parts.push(format!("{name} {state} ({reason}{since})"));
            tone = match state.as_str() {
                "degraded" => Tone::Bad,
                _ if tone == Tone::Bad => Tone::Bad,
                _ => Tone::Warn,
            };
        }
        if let Some(share) = rehearsing_percent {
            parts.push(format!("{name} rehearses {share} %"));
        }
    }
    if calm > 0 {
        parts.push(format!("{calm} normal"));
    }
    (parts.join(", "), tone)
}

/// A moment without its day, where that is today's.
fn moment<'m>(moment: &'m str, now: &str) -> &'m str {
    match (moment.split_once('T'), now.split_once('T')) {
        (Some((day, time)), Some((today, _))) if day == today => time,
        _ => moment,
    }
}

fn orders(view: &View, site: &SiteView) -> Cell {
    let lacking = view.lacks_orders(site);
    if !lacking.is_empty() {
        return (format!("behind on {}", lacking.join(", ")), Tone::Bad);
    }
    let each = site.orders.iter().map(|order| {
        let notices = match order.notices {
            0 => "",
            _ => " with notices",
        };
        format!("{} {}{notices} ({})", order.scope, order.mode, order.epoch)
    });
    let each: Vec<String> = each.collect();
    match each.is_empty() {
        true => ("none".to_owned(), Tone::Plain),
        false => (each.join(", "), Tone::Plain),
    }
}

fn sync(site: &SiteView) -> Cell {
    let troubles = site.troubles();
    if !troubles.is_empty() {
        return (troubles.join(", "), Tone::Bad);
    }
    let doing = match site.doing.as_str() {
        "" | "following" => match site.sources.len() {
            1 => "its source answers".to_owned(),
            sources => format!("all {sources} sources answer"),
        },
        doing => doing.to_owned(),
    };
    (doing, Tone::Good)
}

fn toned(text: &str, tone: Tone, colors: bool) -> String {
    let styled = style(text).force_styling(colors);
    match tone {
        Tone::Plain => text.to_owned(),
        Tone::Good => styled.green().to_string(),
        Tone::Warn => styled.yellow().to_string(),
        Tone::Bad => styled.red().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_stand_below_each_other_and_who_is_gone_is_named() {
        let edge = |name: &str, sequence: u64, state: &str| {
            let site = json!({
                "site": "dasom",
                "release": {"sequence": sequence, "age_s": 180},
                "freshness": "fresh",
                "doing": "following",
                "sources": [{"url": "m"}],
                "orders": [{"scope": "site", "epoch": 2, "mode": "automatic", "notices": 1}],
                "services": [
                    {"name": "pay", "state": state, "reason": "calm", "since": null},
                    {"name": "club", "state": "normal", "reason": "calm"},
                ],
            });
            EdgeView::of(&json!({"name": name, "sites": [site]}), None)
        };
        let gone = EdgeView::unknown(
            Some("http://10.0.0.9:8081/".to_owned()),
            "refused".to_owned(),
        );
        let view = View {
            at: "now".to_owned(),
            edges: vec![
                edge("seoul-1", 7, "degraded"),
                edge("busan-12", 8, "normal"),
                gone,
            ],
        };
        let text = table(&view, false);
        let lines: Vec<&str> = text.lines().collect();
        let column = |word: &str, line: usize| lines[line].find(word);
        for (head, first, second) in [
            ("RELEASE", "7 (newest 8)", "8  "),
            ("AGE", "3 min", "3 min"),
            ("SERVICES", "pay degraded (calm), 1 normal", "2 normal"),
            (
                "ORDERS",
                "site automatic with notices (2)",
                "site automatic",
            ),
            ("SYNC", "its source answers", "its source answers"),
        ] {
            let at = column(head, 0);
            assert!(
                at.is_some() && column(first, 1) == at && column(second, 2) == at,
                "{text}"
            );
        }
        assert_eq!(lines[3], "http://10.0.0.9:8081/: not reached: refused");
        assert_eq!(lines[4], "2 of 3 edges answer, 1 services degraded, now");
        assert!(table(&view, true).contains("\u{1b}[31m"));
    }
}
