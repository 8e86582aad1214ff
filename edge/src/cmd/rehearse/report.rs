//! A rehearsal in words.

use std::fmt::Write as _;

use crate::serve::rehearsal::{Ended, Percentiles, Report};

/// How far it is, in one line.
pub(super) fn so_far(report: &Report) -> String {
    let counted = &report.counted;
    let slowest = counted.snapshot.p95_ms;
    let slowest = slowest.map_or_else(String::new, |ms| format!(", p95 {ms:.1} ms"));
    format!(
        "{} reads, {} errors{slowest}",
        counted.reads, counted.errors
    )
}

/// The whole report.
pub(super) fn words(report: &Report) -> String {
    let counted = &report.counted;
    let mut text = String::new();
    let Report {
        edge,
        site,
        service,
        share_percent,
        lasted_s,
        ..
    } = report;
    writeln!(
        text,
        "{service} of {site} at {edge}: {share_percent} % of its reads for {lasted_s} s: {}",
        ending(report)
    )
    .ok();
    let covered = share(counted.covered, counted.reads);
    writeln!(text, "  reads     {}", counted.reads).ok();
    writeln!(text, "  covered   {}{covered}", counted.covered).ok();
    writeln!(text, "  errors    {}", counted.errors).ok();
    let differing = share(counted.differing, counted.compared);
    writeln!(
        text,
        "  differing {} of {} compared{differing}",
        counted.differing, counted.compared
    )
    .ok();
    for (name, took) in [("snapshot", &counted.snapshot), ("origin", &counted.origin)] {
        writeln!(text, "  {name:<9} {}", latency(took)).ok();
    }
    let widest = counted
        .routes
        .keys()
        .map(|route| route.chars().count())
        .max();
    let width = widest.unwrap_or_default().max("route".len());
    if !counted.routes.is_empty() {
        writeln!(
            text,
            "\n  {:<width$} {:>8} {:>8} {:>7} {:>8} {:>6} {:>8} {:>6} {:>7}",
            "route", "reads", "covered", "errors", "compared", "same", "numbers", "words", "status"
        )
        .ok();
    }
    for (route, seen) in &counted.routes {
        let errors: u64 = seen.errors.values().sum();
        writeln!(
            text,
            "  {route:<width$} {:>8} {:>8} {errors:>7} {:>8} {:>6} {:>8} {:>6} {:>7}",
            seen.reads,
            seen.covered,
            seen.compared,
            seen.same,
            seen.numbers,
            seen.words,
            seen.status
        )
        .ok();
        for (why, count) in &seen.errors {
            writeln!(text, "    {count} x {why}").ok();
        }
        if seen.words > 0 {
            let most = seen.words_most_percent;
            writeln!(text, "    up to {most} % of a page's words differ").ok();
        }
    }
    text
}

fn ending(report: &Report) -> &'static str {
    match report.ended {
        Some(Ended::Time) if report.counted.reads == 0 => {
            "nobody came by; a larger --share or a longer --for shows more"
        }
        Some(Ended::Time) => "passed",
        Some(Ended::Budget) => "ENDED, more errors than its budget",
        Some(Ended::Mode) => "ended early, the service's mode changed",
        Some(Ended::Left) => "ended early by who began it",
        Some(Ended::Stopping) => "ended early, the edge stops",
        None => "going on",
    }
}

fn share(part: u64, of: u64) -> String {
    if of == 0 {
        return String::new();
    }
    format!(" ({:.1} %)", part as f64 * 100.0 / of as f64)
}

fn latency(took: &Percentiles) -> String {
    match (took.p50_ms, took.p95_ms, took.p99_ms) {
        (Some(p50), Some(p95), Some(p99)) => {
            format!(
                "p50 {p50:.1} ms, p95 {p95:.1} ms, p99 {p99:.1} ms, of {}",
                took.count
            )
        }
        _ => "not asked".to_owned(),
    }
}
