//! `edge rehearse`: an outage of one service, for a small share of its readers, while it is well.

mod report;

use std::io::IsTerminal as _;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use snapshot::{ServiceName, SiteName};

use super::control::At;
use super::{Exit, Fault};
use crate::asking;
use crate::serve::rehearsal::{BUDGET_MOST_PPM, Ended, LASTS_MOST, Plan, Report, SHARE_MOST, Told};
use crate::settings::parse_duration;

pub(super) const HELP: &str = "\
For the share of GET and HEAD requests that carry no cookie and no credentials, the edge answers from
its snapshot as it would with the origin gone. Such answers say `Holdfast-Rehearsal`, and no cache keeps
them. What the snapshot cannot answer counts as an error, and the origin answers the reader. Some pages
are held beside the origin's: how many differ in their visible text, by route; no text is kept.

It is begun on the edge's own machine, at its control listener (--edge, --config), for a service whose
breaker is closed and that no order speaks of, and ends by itself: after its time; beyond its budget of
errors; when the service's mode changes; when this command ends. `/status` keeps the result.

Examples:
  edge rehearse --service pay
  edge rehearse --service pay --share 20% --for 30m --budget 0.5% --config /etc/holdfast/edge.toml

Exit status:
   0  it ran its time within its budget
   1  it did not begin, or the edge went away; the reason is printed
   7  more errors than its budget; it was ended
   8  it ended before its time, or nobody came by: nothing is shown by it
  64  the command line or a settings file is wrong; nothing was begun";

/// How often a file is told how far it is, reports.
const LINE_EVERY: u64 = 10;

#[derive(Debug, Args)]
pub(super) struct Rehearse {
    /// The service whose origin is to seem gone.
    #[arg(long, value_name = "NAME")]
    service: ServiceName,
    /// The site, where the edge has several.
    #[arg(long, value_name = "NAME")]
    site: Option<SiteName>,
    /// The share of reads, 1% to 50%.
    #[arg(long, value_name = "PERCENT", default_value = "5%", value_parser = share)]
    share: u8,
    /// How long, at most 1h.
    #[arg(long = "for", value_name = "TIME", default_value = "10m", value_parser = lasting)]
    lasts: Duration,
    /// The share of errors that ends it, at most 10%.
    #[arg(long, value_name = "PERCENT", default_value = "1%", value_parser = budget)]
    budget: u32,
    #[command(flatten)]
    at: At,
    /// Print the report as one JSON object.
    #[arg(long)]
    json: bool,
}

impl Rehearse {
    pub(super) async fn run(self) -> Result<Exit, Fault> {
        let controls = self.at.controls()?;
        let [edge] = controls.as_slice() else {
            let fault = Fault::usage(format!("{} edges: it is rehearsed on one", controls.len()));
            return Err(fault.hint("name it with --edge URL or --config, on its own machine"));
        };
        let plan = Plan {
            site: self.site,
            service: self.service,
            share_percent: self.share,
            lasts_s: self.lasts.as_secs(),
            budget_ppm: self.budget,
        };
        let began = asking::rehearse(&asking::client(), edge, &plan).await;
        let mut lines = began.map_err(|reason| Fault::failed(format!("{edge}: {reason}")))?;
        let drawing = Drawing::new(&plan);
        let mut last = None;
        let interrupted = tokio::signal::ctrl_c();
        tokio::pin!(interrupted);
        let report = loop {
            let line = tokio::select! {
                line = lines.next() => line,
                _ = &mut interrupted => break last,
            };
            let told = line.and_then(|line| {
                let line = line.ok_or_else(|| "the edge went away".to_owned())?;
                serde_json::from_value::<Told>(line).map_err(|error| error.to_string())
            });
            match told {
                Ok(Told::Progress(report)) => {
                    drawing.draw(&report);
                    last = Some(report);
                }
                Ok(Told::Report(report)) => break Some(report),
                Err(reason) => {
                    drawing.end();
                    return Err(Fault::failed(format!(
                        "{edge}: {reason}; it has ended there"
                    )));
                }
            }
        };
        drawing.end();
        // What it would say of an end by this command it can no longer tell.
        let mut report =
            report.ok_or_else(|| Fault::new(Exit::EndedEarly, "interrupted at once"))?;
        report.ended.get_or_insert(Ended::Left);
        if self.json {
            let json = serde_json::to_string_pretty(&report);
            println!("{}", json.map_err(Fault::failed)?);
        } else {
            print!("{}", report::words(&report));
        }
        Ok(exit(&report))
    }
}

fn exit(report: &Report) -> Exit {
    match report.ended {
        Some(Ended::Time) if report.counted.reads > 0 => Exit::Done,
        Some(Ended::Budget) => Exit::OverBudget,
        _ => Exit::EndedEarly,
    }
}

/// How far it is: a bar on a terminal, a line now and then elsewhere.
enum Drawing {
    Bar(ProgressBar),
    Lines,
}

impl Drawing {
    fn new(plan: &Plan) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self::Lines;
        }
        let bar = ProgressBar::new(plan.lasts_s).with_prefix(plan.service.to_string());
        let style = ProgressStyle::with_template("{prefix} {wide_bar} {pos} of {len} s  {msg}");
        Self::Bar(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())))
    }

    fn draw(&self, report: &Report) {
        let so_far = report::so_far(report);
        match self {
            Self::Bar(bar) => {
                bar.set_position(report.lasted_s);
                bar.set_message(so_far);
            }
            Self::Lines if report.lasted_s.is_multiple_of(LINE_EVERY) => {
                eprintln!(
                    "{}: {} of {} s, {so_far}",
                    report.service, report.lasted_s, report.lasts_s
                );
            }
            Self::Lines => {}
        }
    }

    fn end(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn share(text: &str) -> Result<u8, String> {
    let number = text.trim_end_matches('%').parse::<u8>().ok();
    let share = number.filter(|share| (1..=SHARE_MOST).contains(share));
    share.ok_or_else(|| format!("expected a whole number of percent from 1% to {SHARE_MOST}%"))
}

fn lasting(text: &str) -> Result<Duration, String> {
    let lasts = parse_duration(text);
    let lasts = lasts.filter(|lasts| (Duration::from_secs(1)..=LASTS_MOST).contains(lasts));
    lasts.ok_or_else(|| "expected a whole number and s, m or h, from 1s to 1h".to_owned())
}

fn budget(text: &str) -> Result<u32, String> {
    let percent = text.trim_end_matches('%').parse::<f64>().ok();
    let ppm = percent.map(|percent| (percent * 10_000.0).round());
    let ppm = ppm.filter(|ppm| (0.0..=f64::from(BUDGET_MOST_PPM)).contains(ppm));
    ppm.map(|ppm| ppm as u32)
        .ok_or_else(|| "expected percent from 0% to 10%, as in 0.5%".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_times_and_budgets_are_bounded() {
        assert_eq!(share("5%"), Ok(5));
        assert_eq!(share("50"), Ok(50));
        assert_eq!(lasting("1h"), Ok(LASTS_MOST));
        assert_eq!(budget("0.5%"), Ok(5_000));
        assert_eq!(budget("10"), Ok(BUDGET_MOST_PPM));
        for bad in ["0%", "51%", "-1", "x", "2.5%"] {
            assert!(share(bad).is_err(), "{bad}");
        }
        for bad in ["0s", "61m", "x", "500ms"] {
            assert!(lasting(bad).is_err(), "{bad}");
        }
        for bad in ["-1%", "10.1%", "NaN", "x"] {
            assert!(budget(bad).is_err(), "{bad}");
        }
    }
}
