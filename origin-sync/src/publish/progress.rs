//! What a publish shows while it runs: a bar on a terminal, plain lines otherwise.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressStyle};

/// Hears of each step.
pub trait Progress: Send + Sync {
    /// A step begins.
    fn step(&self, words: &str);
    /// How far the step is; `of` is 0 while nobody knows.
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

/// A step of which nobody knows how long it is.
const OPEN: &str = "{spinner} {msg}";
/// One that is counted, to no known end.
const GROWING: &str = "{spinner} {msg} {pos}";
/// A step that is counted.
const COUNTED: &str = "{spinner} {msg} {wide_bar} {pos}/{len}";

/// A bar on standard error; a finished step stays as a line.
#[derive(Debug)]
pub struct Bar {
    bar: ProgressBar,
    step: Mutex<String>,
    is_counted: AtomicBool,
}

impl Bar {
    /// A bar that has not begun.
    #[must_use]
    pub fn new() -> Self {
        let bar = ProgressBar::new(0);
        bar.set_style(style(OPEN));
        bar.enable_steady_tick(std::time::Duration::from_millis(100));
        Self {
            bar,
            step: Mutex::new(String::new()),
            is_counted: AtomicBool::new(false),
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

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Default for Bar {
    fn default() -> Self {
        Self::new()
    }
}

impl Progress for Bar {
    fn step(&self, words: &str) {
        self.finish_step(words);
        self.is_counted.store(false, Ordering::Relaxed);
        self.bar.set_style(style(OPEN));
        self.bar.set_position(0);
        self.bar.set_message(words.to_owned());
    }

    fn at(&self, done: usize, of: usize) {
        if !self.is_counted.swap(true, Ordering::Relaxed) {
            self.bar
                .set_style(style(if of == 0 { GROWING } else { COUNTED }));
        }
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
