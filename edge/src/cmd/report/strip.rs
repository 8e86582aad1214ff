//! The drawings of the account: states by time, a row an edge, and answers by the minute.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use snapshot::Timestamp;

use super::episode::Span;
use super::told::PagesTold;
use crate::page::escaped;

/// Units of a drawing; the page scales it.
const WIDE: f64 = 1000.0;
/// Most columns of answers.
const COLUMNS: usize = 120;
/// Height of the answers.
const HIGH: f64 = 70.0;

/// Where moments are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    from: f64,
    to: f64,
}

impl Axis {
    /// `None` where the times are none.
    pub(super) fn of(from: &str, to: &str) -> Option<Self> {
        let ms = |at: &str| Some(Timestamp::parse(at)?.0 as f64);
        let (from, to) = (ms(from)?, ms(to)?);
        (from < to).then_some(Self { from, to })
    }

    fn at(&self, moment: &str) -> f64 {
        let ms = Timestamp::parse(moment).map_or(self.from, |at| at.0 as f64);
        ((ms - self.from) / (self.to - self.from)).clamp(0.0, 1.0) * WIDE
    }

    /// Round moments to write beneath, with their places.
    fn ticks(&self) -> Vec<(f64, String)> {
        const MINUTE: f64 = 60_000.0;
        let steps = [
            1.0, 5.0, 10.0, 30.0, 60.0, 180.0, 360.0, 720.0, 1440.0, 10_080.0,
        ];
        let step = steps.iter().map(|minutes| minutes * MINUTE);
        let step = step
            .clone()
            .find(|step| (self.to - self.from) / step <= 9.0);
        let step = step.unwrap_or((self.to - self.from) / 8.0);
        let mut ticks = Vec::new();
        let mut at = (self.from / step).ceil() * step;
        while at <= self.to {
            let text = Timestamp(at as u64).rfc3339();
            let (day, time) = (text.get(5..10), text.get(11..16));
            let words = if step >= 1440.0 * MINUTE { day } else { time };
            let place = (at - self.from) / (self.to - self.from) * WIDE;
            ticks.push((place, words.unwrap_or_default().to_owned()));
            at += step;
        }
        ticks
    }
}

/// A row an edge; `marks` are moments at which an order came.
pub(super) fn states(
    out: &mut String,
    spans: &[Span],
    axis: &Axis,
    marks: &[&str],
) -> std::fmt::Result {
    let mut edges: BTreeMap<&str, Vec<&Span>> = BTreeMap::new();
    for span in spans {
        edges.entry(&span.edge).or_default().push(span);
    }
    let row = (120.0 / edges.len().max(1) as f64).clamp(4.0, 22.0);
    let high = row * edges.len() as f64;
    let all = high + 16.0;
    write!(
        out,
        "<svg viewBox=\"0 0 {WIDE} {all:.0}\" role=\"img\" aria-label=\"who answered, by time\">"
    )?;
    for (place, (edge, spans)) in edges.iter().enumerate() {
        let top = row * place as f64;
        let tall = row - if row > 8.0 { 2.0 } else { 0.5 };
        write!(
            out,
            "<rect class=\"unknown\" x=\"0\" y=\"{top:.1}\" width=\"{WIDE}\" height=\"{tall:.1}\"/>"
        )?;
        for span in spans {
            let (left, right) = (axis.at(&span.from), axis.at(&span.to));
            let (state, edge) = (escaped(&span.state), escaped(edge));
            let wide = (right - left).max(0.8);
            write!(
                out,
                "<rect class=\"{state}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{wide:.1}\" height=\"{tall:.1}\">\
                 <title>{edge}: {state} ({}) from {} to {}</title></rect>",
                escaped(&span.reason),
                escaped(&span.from),
                escaped(&span.to)
            )?;
        }
        if row >= 14.0 {
            let base = top + tall - 5.0;
            write!(
                out,
                "<text class=\"name\" x=\"5\" y=\"{base:.1}\">{}</text>",
                escaped(edge)
            )?;
        }
    }
    for mark in marks {
        let at = axis.at(mark);
        write!(
            out,
            "<line class=\"mark\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"0\" y2=\"{high:.0}\"/>"
        )?;
    }
    ticks(out, axis, high)
}

/// Answers by age, stacked, as many columns as there is room for.
pub(super) fn pages(
    out: &mut String,
    minutes: &[(String, PagesTold)],
    axis: &Axis,
) -> std::fmt::Result {
    let mut columns = vec![PagesTold::default(); COLUMNS];
    for (minute, told) in minutes {
        // What is noted at a moment was shown in the minute before it.
        let place = (axis.at(minute) / WIDE * COLUMNS as f64) as usize;
        if let Some(column) = columns.get_mut(place.min(COLUMNS - 1)) {
            column.add(*told);
        }
    }
    let most = columns.iter().map(PagesTold::all).max().unwrap_or(0).max(1);
    let wide = WIDE / COLUMNS as f64;
    let all = HIGH + 16.0;
    write!(
        out,
        "<svg viewBox=\"0 0 {WIDE} {all:.0}\" role=\"img\" aria-label=\"answers by age, by time\">"
    )?;
    for (place, column) in columns.iter().enumerate() {
        let mut top = HIGH;
        let left = wide * place as f64;
        for (class, count) in [
            ("origin", column.origin),
            ("fresh", column.fresh),
            ("stale", column.stale),
            ("old", column.too_old),
            ("none", column.none),
        ] {
            if count == 0 {
                continue;
            }
            let tall = (count as f64 / most as f64 * HIGH).max(0.6);
            top -= tall;
            let gap = wide - 0.8;
            write!(
                out,
                "<rect class=\"{class}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{gap:.1}\" height=\"{tall:.1}\">\
                 <title>{count} {class}</title></rect>"
            )?;
        }
    }
    ticks(out, axis, HIGH)
}

fn ticks(out: &mut String, axis: &Axis, high: f64) -> std::fmt::Result {
    for (place, words) in axis.ticks() {
        let base = high + 13.0;
        let anchor = match place {
            place if place < 20.0 => "start",
            place if place > WIDE - 20.0 => "end",
            _ => "middle",
        };
        write!(
            out,
            "<line class=\"tick\" x1=\"{place:.1}\" x2=\"{place:.1}\" y1=\"0\" y2=\"{high:.0}\"/>\
             <text x=\"{place:.1}\" y=\"{base:.0}\" text-anchor=\"{anchor}\">{words}</text>"
        )?;
    }
    out.push_str("</svg>");
    Ok(())
}
