//! One line on a terminal while edges are waited for; nothing elsewhere.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::Instant;

/// The line. Gone when dropped.
#[derive(Debug)]
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    obeying: usize,
    all: usize,
    begun: Instant,
}

impl Progress {
    /// Of `all` edges none obeys yet.
    pub(super) fn begin(all: usize, begun: Instant) -> Self {
        let shows = all > 0 && std::io::stderr().is_terminal();
        let bar = shows.then(|| {
            let style =
                ProgressStyle::with_template("{msg} (Ctrl-C ends the waiting and nothing else)");
            let style = style.unwrap_or_else(|_| ProgressStyle::default_spinner());
            ProgressBar::new_spinner().with_style(style)
        });
        let progress = Self {
            bar,
            obeying: 0,
            all,
            begun,
        };
        progress.draw();
        progress
    }

    /// One more obeys.
    pub(super) fn one_more(&mut self) {
        self.obeying += 1;
        self.draw();
    }

    fn draw(&self) {
        if let Some(bar) = &self.bar {
            let (obeying, all) = (self.obeying, self.all);
            let after = self.begun.elapsed().as_secs_f64();
            bar.set_message(format!(
                "in force on {obeying} of {all} edges after {after:.1} s"
            ));
            bar.tick();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
