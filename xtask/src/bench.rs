//! `cargo xtask bench`: builds optimised what is measured, then measures it beside its peers.

use std::process::Command;

use crate::components::{self, Guests};
use crate::error::{Error, Result};
use crate::step::Steps;
use crate::{parts, process, workspace};

/// What is measured, and what measures.
const PACKAGES: &[&str] = &["bench", "edge", "origin-sync"];

/// Builds, then runs the bench `which` with `options` handed on.
pub(crate) fn bench(steps: &Steps, which: &str, options: &[&str]) -> Result<()> {
    parts::install(steps, outside::PEERS);
    components::build(steps, Guests::Site)?;
    steps.say("build", "optimised; the first time takes ten minutes");
    let mut cargo = Command::new(workspace::cargo());
    cargo
        .current_dir(workspace::root())
        .args(["build", "--release", "--bins", "--quiet"]);
    cargo.args(PACKAGES.iter().flat_map(|name| ["--package", name]));
    process::run(&mut cargo)
        .map_err(|error| Error::new(format!("the binaries do not compile: {error}")))?;
    steps.say("bench", which);
    let binaries = workspace::target("release");
    let mut bench = Command::new(binaries.join("bench"));
    bench
        .arg(which)
        .arg("--binaries")
        .arg(&binaries)
        .arg("--components")
        .arg(workspace::target("components"))
        .arg("--work")
        .arg(workspace::target("bench"))
        .args(options);
    process::run(&mut bench)
}
