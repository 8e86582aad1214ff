//! A fleet as text: a row for each site of each edge in columns, and below it what has no fixed length,
//! every service and every order by its name, broken at the width there is.

use std::fmt::Write as _;

use console::{measure_text_width, style};

use crate::fleet::{EdgeView, PeerView, ServiceView, SiteView, View};

const HEAD: [&str; 5] = ["EDGE", "SITE", "RELEASE", "AGE", "SYNC"];
/// What stands before what is told below a row.
const LABELS: [&str; 2] = ["  services  ", "  orders    "];

/// How a cell reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tone {
    Plain,
    Good,
    Warn,
    Bad,
}

type Cell = (String, Tone);

/// One site of one edge.
struct Row {
    columns: Vec<Cell>,
    /// One for each of [`LABELS`].
    below: [Vec<Cell>; 2],
}

/// The table and its summary, in lines of this width. `known` are the peer listeners of edges that are
/// asked, so that nobody is told twice.
pub(super) fn table(view: &View, known: &[String], width: usize, colors: bool) -> String {
    let head = HEAD.map(|head| (head.to_owned(), Tone::Plain)).to_vec();
    let mut rows = vec![Row {
        columns: head,
        below: [Vec::new(), Vec::new()],
    }];
    let mut gone = Vec::new();
    for edge in &view.edges {
        match &edge.error {
            Some(error) => gone.push((edge, error)),
            None => rows.extend(edge.sites.iter().map(|site| row(view, edge, site))),
        }
    }
    let widest = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.columns.get(at));
        cells
            .map(|(text, _)| measure_text_width(text))
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..HEAD.len()).map(widest).collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for ((cell, tone), width) in row.columns.iter().zip(&widths) {
            let padding = " ".repeat(width.saturating_sub(measure_text_width(cell)) + 2);
            line.push_str(&toned(cell, *tone, colors));
            line.push_str(&padding);
        }
        writeln!(text, "{}", line.trim_end()).ok();
        for (label, parts) in LABELS.iter().zip(&row.below) {
            broken(&mut text, label, parts, width, colors);
        }
    }
    for (edge, error) in &gone {
        let place = edge.url.as_deref().filter(|_| edge.name.is_some());
        let place = place.map_or_else(String::new, |url| format!(" ({url})"));
        let line = format!("{}{place}: not reached: {error}", edge.shown());
        writeln!(text, "{}", toned(&line, Tone::Bad, colors)).ok();
    }
    let is_known = |peer: &PeerView<'_>| known.iter().any(|url| bare(url) == bare(peer.url));
    for (line, tone) in view.peers().iter().filter(|peer| !is_known(peer)).map(peer) {
        writeln!(text, "{}", toned(&line, tone, colors)).ok();
    }
    writeln!(text, "{}", summary(view, gone.len())).ok();
    text
}

/// `parts` behind `label`, with commas between them, in as many lines as it takes.
fn broken(text: &mut String, label: &str, parts: &[Cell], width: usize, colors: bool) {
    let margin = measure_text_width(label);
    let mut used = 0;
    for (at, (part, tone)) in parts.iter().enumerate() {
        let comma = if at + 1 < parts.len() { "," } else { "" };
        let takes = measure_text_width(part) + comma.len();
        if at == 0 {
            text.push_str(label);
            used = margin;
        } else if used + 1 + takes > width {
            write!(text, "\n{}", " ".repeat(margin)).ok();
            used = margin;
        } else {
            text.push(' ');
            used += 1;
        }
        used += takes;
        text.push_str(&toned(part, *tone, colors));
        text.push_str(comma);
    }
    if !parts.is_empty() {
        text.push('\n');
    }
}

fn bare(url: &str) -> &str {
    url.trim_end_matches('/')
}

/// An edge that only others speak of.
fn peer(peer: &PeerView<'_>) -> Cell {
    let PeerView {
        url,
        known_to,
        answers,
        offers,
        last_answer,
        error,
    } = peer;
    let offers = offers.map_or_else(String::new, |offers| format!(", offers release {offers}"));
    let last = match (last_answer, error) {
        (_, None) => String::new(),
        (Some(last), Some(error)) => format!(", last answered {last}: {error}"),
        (None, Some(error)) => format!(": {error}"),
    };
    let tone = match *answers {
        0 => Tone::Bad,
        answers if answers < *known_to => Tone::Warn,
        _ => Tone::Plain,
    };
    (
        format!("{url}: known as a peer only, answers {answers} of {known_to}{offers}{last}"),
        tone,
    )
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

fn row(view: &View, edge: &EdgeView, site: &SiteView) -> Row {
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
    Row {
        columns: vec![
            (edge.shown().to_owned(), Tone::Plain),
            (site.site.clone(), Tone::Plain),
            release,
            age,
            sync(site),
        ],
        below: [services(&site.services, &view.at), orders(view, site)],
    }
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

fn services(services: &[ServiceView], now: &str) -> Vec<Cell> {
    let mut parts = Vec::new();
    for service in services {
        let ServiceView {
            name,
            state,
            reason,
            since,
            rehearsing_percent,
        } = service;
        let is_calm = state == "normal" && reason == "calm";
        let since = since.as_ref().filter(|_| !is_calm);
        let since = since.map_or_else(String::new, |since| {
            format!(" since {}", moment(since, now))
        });
        let tone = match state.as_str() {
            "degraded" => Tone::Bad,
            _ if is_calm => Tone::Good,
            _ => Tone::Warn,
        };
        parts.push((format!("{name} {state} ({reason}{since})"), tone));
        if let Some(share) = rehearsing_percent {
            parts.push((format!("{name} rehearses {share} %"), Tone::Warn));
        }
    }
    parts
}

/// A moment without its day, where that is today's.
fn moment<'m>(moment: &'m str, now: &str) -> &'m str {
    match (moment.split_once('T'), now.split_once('T')) {
        (Some((day, time)), Some((today, _))) if day == today => time,
        _ => moment,
    }
}

fn orders(view: &View, site: &SiteView) -> Vec<Cell> {
    let lacking = view.lacks_orders(site);
    let mut parts = Vec::new();
    if !lacking.is_empty() {
        parts.push((format!("behind on {}", lacking.join(", ")), Tone::Bad));
    }
    parts.extend(site.orders.iter().map(|order| {
        let notices = match order.notices {
            0 => "",
            _ => " with notices",
        };
        let words = format!("{} {}{notices} ({})", order.scope, order.mode, order.epoch);
        (words, Tone::Plain)
    }));
    parts
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

    fn edge(name: &str, sequence: u64, epoch: u64, state: &str) -> EdgeView {
        let site = json!({
            "site": "dasom",
            "release": {"sequence": sequence, "age_s": 180},
            "freshness": "fresh",
            "doing": "following",
            "sources": [
                {"url": "m"},
                {"url": "http://10.0.0.7:8443/", "peer": true, "offers": 8},
                {"url": "http://10.0.0.1:8443/", "peer": true},
            ],
            "orders": [{"scope": "site", "epoch": epoch, "mode": "automatic", "notices": 1}],
            "services": [
                {"name": "pay", "state": state, "reason": "connect", "since": null},
                {"name": "club", "state": "normal", "reason": "calm", "since": "then"},
            ],
        });
        EdgeView::of(&json!({"name": name, "sites": [site]}), None)
    }

    #[test]
    fn columns_stand_below_each_other_and_every_service_order_and_edge_is_named() {
        let gone = EdgeView::unknown(
            Some("http://10.0.0.9:8081/".to_owned()),
            "refused".to_owned(),
        );
        let view = View {
            at: "now".to_owned(),
            edges: vec![
                edge("seoul-1", 7, 2, "degraded"),
                edge("busan-12", 8, 3, "normal"),
                gone,
            ],
        };
        let known = ["http://10.0.0.1:8443".to_owned()];
        let text = table(&view, &known, 100, false);
        let lines: Vec<&str> = text.lines().collect();
        let column = |word: &str, line: usize| lines[line].find(word);
        for (head, first, second) in [
            ("SITE", "dasom", "dasom"),
            ("RELEASE", "7 (newest 8)", "8  "),
            ("AGE", "3 min", "3 min"),
            ("SYNC", "all 3 sources answer", "all 3 sources answer"),
        ] {
            let at = column(head, 0);
            assert!(
                at.is_some() && column(first, 1) == at && column(second, 4) == at,
                "{text}"
            );
        }
        let expected = [
            "  services  pay degraded (connect), club normal (calm)",
            "  orders    behind on site, site automatic with notices (2)",
        ];
        assert_eq!(lines[2..4], expected);
        assert_eq!(lines[6], "  orders    site automatic with notices (3)");
        let expected = [
            "http://10.0.0.9:8081/: not reached: refused",
            "http://10.0.0.7:8443/: known as a peer only, answers 2 of 2, offers release 8",
            "2 of 3 edges answer, 1 services degraded, now",
        ];
        assert_eq!(lines[7..], expected);
        assert!(table(&view, &known, 100, true).contains("\u{1b}[31m"));
    }

    #[test]
    fn many_services_are_broken_between_two_of_them() {
        let parts: Vec<Cell> = (0..30)
            .map(|n| (format!("service-{n} normal (calm)"), Tone::Good))
            .collect();
        let mut text = String::new();
        broken(&mut text, LABELS[0], &parts, 100, false);
        assert!(text.lines().count() > 5);
        for line in text.lines() {
            assert!(line.len() <= 100 && line.starts_with("  "), "{line}");
        }
        let joined: Vec<&str> = text.split_whitespace().collect();
        assert!(
            joined
                .join(" ")
                .contains("service-28 normal (calm), service-29 normal (calm)")
        );
    }
}
