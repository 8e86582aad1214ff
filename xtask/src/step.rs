//! Steps of a chore, each named and printed with the time since the chore began, so that whoever
//! waits knows what for. They go to standard error: standard output is for results.

use std::fmt;
use std::time::{Duration, Instant};

/// The steps of one run, on one clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Steps {
    began: Instant,
}

impl Steps {
    /// Starts the clock.
    #[expect(
        clippy::disallowed_methods,
        reason = "there is no runtime here, and a person reads these times"
    )]
    pub(crate) fn start() -> Self {
        Steps {
            began: Instant::now(),
        }
    }

    /// Prints one line, as in `[  12.3 s] guests: the way is debian`.
    pub(crate) fn say(&self, step: &str, what: impl fmt::Display) {
        eprintln!("{}", line(self.elapsed(), step, &what));
    }

    /// The time since the clock started.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

fn line(elapsed: Duration, step: &str, what: &dyn fmt::Display) -> String {
    format!("[{:>6.1} s] {step}: {what}", elapsed.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stand_under_each_other() {
        let short = line(Duration::from_millis(1_240), "guests", &"unchanged");
        let long = line(Duration::from_secs(600), "guests", &"done");
        assert_eq!(short, "[   1.2 s] guests: unchanged");
        assert_eq!(long, "[ 600.0 s] guests: done");
    }
}
