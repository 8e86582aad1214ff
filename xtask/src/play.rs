//! `cargo xtask demo` and `cargo xtask drill`: builds what the stage needs, then plays on it.

use std::process::Command;
use std::thread;

use crate::components::{self, Guests};
use crate::error::{Error, Result};
use crate::process;
use crate::step::Steps;
use crate::workspace;

/// The packages whose binaries stand on the stage. Nothing here needs tests, benches or S3.
const PACKAGES: &[&str] = &["edge", "origin-sync", "town", "stage"];

/// What is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Play {
    /// A visitor's own outage.
    Demo,
    /// The outage without a person.
    Drill,
}

/// Builds, then plays with `options` handed on.
pub(crate) fn play(steps: &Steps, play: Play, options: &[&str]) -> Result<()> {
    steps.say(
        "build",
        "edge, origin-sync, the town and its guests; the first time takes minutes",
    );
    // The guests have a folder of their own, so both builds go on at once.
    let guests = match play {
        Play::Demo => Guests::Site,
        Play::Drill => Guests::All,
    };
    thread::scope(|scope| {
        let guests = scope.spawn(|| components::build(steps, guests).map(|_| ()));
        let host = binaries(steps);
        let guests = guests
            .join()
            .unwrap_or_else(|_| Err(Error::new("building the guests panicked")));
        host.and(guests)
    })?;
    stage(steps, play, options)
}

/// Plays with what is built already.
pub(crate) fn stage(steps: &Steps, play: Play, options: &[&str]) -> Result<()> {
    let name = match play {
        Play::Demo => "demo",
        Play::Drill => "drill",
    };
    steps.say(name, "begins");
    let binaries = workspace::target("debug");
    let mut stage = Command::new(binaries.join("stage"));
    stage
        .arg(name)
        .arg("--root")
        .arg(workspace::root())
        .arg("--binaries")
        .arg(&binaries)
        .arg("--components")
        .arg(workspace::target("components"))
        .args(options);
    process::run(&mut stage)
}

fn binaries(steps: &Steps) -> Result<()> {
    let mut cargo = Command::new(workspace::cargo());
    cargo
        .current_dir(workspace::root())
        .args(["build", "--bins"]);
    cargo.args(PACKAGES.iter().flat_map(|name| ["--package", name]));
    process::run(&mut cargo).map_err(|error| {
        Error::new(format!("the binaries do not compile: {error}"))
            .next("read the compiler's message above")
    })?;
    steps.say("build", "the binaries are there");
    Ok(())
}
