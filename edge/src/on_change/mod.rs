//! Programs that are run when something changes: a pager, a chat, a purge of a CDN.
//!
//! Each program of `on_change` in `edge.toml` has its own queue and is run for one change after
//! another, so that it hears them in their order; a few programs run at once. What it gets is the
//! log's entry (`docs/log.md`) as one JSON object on standard input, with the edge's name and without the
//! order's envelope. It has so long, then it is killed with all that it started. Who falls behind is told
//! the newest of each thing, and how many changes that stands for, but of an alarm both that it was raised
//! and that it is over; a queue that is full loses its oldest.
//!
//! Nothing of the edge waits for any of it, and nothing is run again after a restart: a program that
//! must know how things stand asks `/status`.

mod program;
mod waiting;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::config::OnChange;
use crate::log::{Entry, Event};

use program::run;
use waiting::Waiting;

pub use program::{DRAIN, OUTPUT_BYTES};
pub use waiting::{Told, WAITING};

/// Programs that run at once.
pub const AT_ONCE: usize = 4;

/// Who is told of changes. Dropping it lets nobody be told any more; who runs is killed.
#[derive(Debug, Default)]
pub struct Changes(Vec<Arc<Waiting>>);

/// What became of a program that was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// The program.
    pub program: String,
    /// What it was told.
    pub about: String,
    /// How it ended.
    pub ended: String,
    /// How long it took.
    pub took: Duration,
    /// The first bytes of what it said.
    pub output: String,
    /// Changes that it was never told, since the last time.
    pub missed: u64,
}

impl Changes {
    /// Runs `programs` in tasks of this runtime; `ran` hears of each run.
    #[must_use]
    pub fn to(
        programs: Vec<OnChange>,
        edge: &str,
        ran: impl Fn(Ran) + Clone + Send + Sync + 'static,
    ) -> Self {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let each = programs.into_iter().map(|program| {
            let waiting = Arc::new(Waiting::of(&program.only));
            let task = keep_telling(
                program,
                edge.to_owned(),
                Arc::downgrade(&waiting),
                Arc::clone(&places),
                ran.clone(),
            );
            tokio::spawn(task);
            waiting
        });
        Self(each.collect())
    }

    /// Tells every program, if `entry` is a change.
    pub fn tell(&self, entry: &Entry) {
        if self.0.is_empty() {
            return;
        }
        if let Some(about) = about(entry) {
            for waiting in &self.0 {
                waiting.push(about.clone(), entry);
            }
        }
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        for waiting in &self.0 {
            waiting.end();
        }
    }
}

/// What a change is about; `None` for what is none.
fn about(entry: &Entry) -> Option<String> {
    let about = match &entry.event {
        // How things are after a start is no change.
        Event::State { from: None, .. } | Event::Release { from: None, .. } => return None,
        Event::State { service, .. } => format!("state {service}"),
        Event::OrderAccepted(said) => format!("order {}", said.scope),
        Event::ForcedEnds { scope, .. } | Event::ForcedEnded { scope, .. } => {
            format!("end {scope}")
        }
        Event::Release { .. } => "release".to_owned(),
        Event::AlarmRaised { alarm, .. } | Event::AlarmCleared { alarm, .. } => {
            format!("alarm {alarm}")
        }
        _ => return None,
    };
    Some(format!("{} {about}", entry.site.as_deref().unwrap_or("-")))
}

async fn keep_telling(
    program: OnChange,
    edge: String,
    waiting: std::sync::Weak<Waiting>,
    places: Arc<Semaphore>,
    ran: impl Fn(Ran),
) {
    loop {
        let Some(known) = waiting.upgrade() else {
            return;
        };
        let Some((told, missed)) = known.next().await else {
            return;
        };
        let Ok(_place) = places.acquire().await else {
            return;
        };
        let line = told.line(&edge);
        let run = tokio::select! {
            run = run(&program, &line) => run,
            () = known.ended() => return,
        };
        ran(Ran {
            program: program.run.first().cloned().unwrap_or_default(),
            about: told.kind(),
            ended: run.ended,
            took: run.took,
            output: run.output,
            missed,
        });
    }
}

#[cfg(test)]
mod tests;
