//! What a publish shows while it runs: a bar on a terminal, plain lines otherwise.

use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressStyle};

/// Hears of each step.
pub trait Progress: Send + Sync {
    /// A step begins.
    fn step(&self, words: &str);
    /// How far the step is.
    fn at(&self, done: usize, of: usize);
    /// Something a person should know, now.
    fn note(&self, words: &str);
    /// Nothing more is to come.
    fn done(&self) {}
}

/// Shows nothing.
#[derive(Debug)]
pub struct Silent;

impl Progress for Silent {
    fn step(&self, _words: &str) {}
    fn at(&self, _done: usize, _of: usize) {}
    fn note(&self, _words: &str) {}
}

/// One line a step on standard error.
#[derive(Debug)]
pub struct Plain;

impl Progress for Plain {
    fn step(&self, words: &str) {
        eprintln!("{words}");
    }

    fn at(&self, _done: usize, _of: usize) {}

    fn note(&self, words: &str) {
        eprintln!("{words}");
    }
}

/// A bar on standard error; a finished step stays as a line.
#[derive(Debug)]
pub struct Bar {
    bar: ProgressBar,
    step: Mutex<String>,
}

impl Bar {
    /// A bar that has not begun.
    #[must_use]
    pub fn new() -> Self {
        let bar = ProgressBar::new(0);
        let style = ProgressStyle::with_template("{spinner} {msg} {wide_bar} {pos}/{len}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(std::time::Duration::from_millis(100));
        Self {
            bar,
            step: Mutex::new(String::new()),
        }
    }

    fn finish_step(&self, next: &str) {
        if let Ok(mut step) = self.step.lock() {
            if !step.is_empty() {
                self.bar.println(step.as_str());
            }
            next.clone_into(&mut step);
        }
    }
}

impl Default for Bar {
    fn default() -> Self {
        Self::new()
    }
}

impl Progress for Bar {
    fn step(&self, words: &str) {
        self.finish_step(words);
        self.bar.set_message(words.to_owned());
        self.bar.set_length(0);
        self.bar.set_position(0);
    }

    fn at(&self, done: usize, of: usize) {
        self.bar.set_length(of as u64);
        self.bar.set_position(done as u64);
    }

    fn note(&self, words: &str) {
        self.bar.println(words);
    }

    fn done(&self) {
        self.finish_step("");
        self.bar.finish_and_clear();
    }
}
