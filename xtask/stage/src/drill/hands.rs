//! Hands: who decides once the building is gone. The operator's key is stolen, the mirror is away; those
//! who are left throw the key out through the one edge that they reach, and two of them take the whole site
//! back to the release before.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use super::{NOTICE, unless};
use crate::process::{self, wait_for};
use crate::report::Report;
use crate::visible;
use crate::world::{Edge, World};

const ACT: &str = "Hands: a stolen key, no mirror, one edge";

pub(super) async fn hands(world: &World, report: &mut Report) -> Result<()> {
    let [first, second] = world.edges.as_slice() else {
        anyhow::bail!("two edges");
    };
    let dir = world.dir.join("hands");
    fs_err::create_dir_all(&dir)?;
    says_what_is_down(world, report).await?;
    world.mirror_gone(true)?;
    throw_out(world, &dir, first, report).await?;

    let thief = ["order", "recover", "site", "--yes"];
    // He does not ask whom the edges believe.
    let mut stolen = bare(world, &dir, second, "operator", &thief);
    stolen.args(["--wait", "0s"]);
    let refused = process::run("edge order", stolen, &[5]).await;
    let short = refused.err().map(|error| format!("{error:#}"));
    report.add(
        ACT,
        "the thief's order is refused",
        "yes",
        short.into_iter().collect(),
    );

    go_back(world, &dir, first, report).await?;
    world.mirror_gone(false)
}

/// What an end user finds on the page of the status, and his program.
async fn says_what_is_down(world: &World, report: &mut Report) -> Result<()> {
    let mut short = Vec::new();
    for edge in &world.edges {
        let page = world.client.get(edge.public, "/status.html", "ko").await?;
        for words in ["다솜페이", super::words::WORDS] {
            let shown = visible::shows(&page.text(), words);
            short.extend(unless(shown, format!("{}: no {words:?}", edge.name)));
        }
        let told = world.client.get(edge.public, "/status.json", "ko").await?;
        let told: Value = serde_json::from_slice(&told.body).context("/status.json")?;
        let services = told.get("services").and_then(Value::as_array);
        let mut services = services.into_iter().flatten();
        let down = services.any(|one| one["name"] == "pay" && one["mode"] == "degraded");
        short.extend(unless(down, format!("{}: pay is not down", edge.name)));
    }
    report.add(
        ACT,
        "the status page says what is down, and the notice",
        "yes",
        short,
    );
    Ok(())
}

/// A new generation without the operator, in which the site takes two.
async fn throw_out(world: &World, dir: &Path, via: &Edge, report: &mut Report) -> Result<()> {
    let run = async |arguments: &[&str], name: &str| {
        process::run(name, command(world, dir, via, "minji", arguments), &[0]).await
    };
    run(&["trust", "show", "--save", "new"], "edge trust show").await?;
    let change = |file: &str, change: &dyn Fn(&str) -> String| -> Result<()> {
        let path = dir.join("new").join(file);
        Ok(fs_err::write(
            &path,
            change(&fs_err::read_to_string(&path)?),
        )?)
    };
    let is_kept = |line: &&str| !line.starts_with("operator@");
    change("allowed_signers", &|text| {
        let kept = text.lines().filter(is_kept);
        kept.map(|line| format!("{line}\n")).collect()
    })?;
    change("trust.toml", &|text| {
        let two = text.replace("site-order = 1", "site-order = 2");
        let (before, after) = two.split_once("[person.\"operator@").unwrap_or((&two, ""));
        let (_, after) = after.split_once("\n\n").unwrap_or_default();
        format!("{before}{after}")
    })?;
    let why = ["--why", "the laptop was in the building"];
    let propose = [&["trust", "propose", "new", "--out", "out.txt"], &why[..]].concat();
    run(&propose, "edge trust propose").await?;
    run(&["trust", "apply", "out.txt", "--yes"], "edge trust apply").await?;
    let mut short = Vec::new();
    for edge in &world.edges {
        let believes = wait_for("the new generation", NOTICE, async || {
            let site = site(world, edge).await?;
            let number = site.pointer("/trust/number").and_then(Value::as_u64);
            Ok((number == Some(1)).then_some(()))
        });
        short.extend(
            believes
                .await
                .err()
                .map(|error| format!("{}: {error:#}", edge.name)),
        );
    }
    report.add(ACT, "the key is thrown out at both edges", "yes", short);
    Ok(())
}

/// One person proposes, another agrees, both edges obey.
async fn go_back(world: &World, dir: &Path, via: &Edge, report: &mut Report) -> Result<()> {
    let site = site(world, via).await?;
    let newest = site.pointer("/release/sequence").and_then(Value::as_u64);
    let before = newest.context("a release")?.saturating_sub(1).to_string();
    let pin = ["order", "pin", &before, "--yes", "--out", "pin.txt"];
    let why = ["--why", "the page was changed in haste"];
    let pin = command(world, dir, via, "minji", &[&pin[..], &why].concat());
    let mut short = Vec::new();
    let proposed = process::run("edge order pin", pin, &[6]).await;
    short.extend(proposed.err().map(|error| format!("{error:#}")));
    let sign = ["order", "sign", "pin.txt", "--yes"];
    let sign = command(world, dir, via, "juno", &sign);
    process::run("edge order sign", sign, &[0]).await?;
    for edge in &world.edges {
        let back = wait_for("the release before", NOTICE, async || {
            let page = world.client.get(edge.public, "/", "ko").await?;
            let shown = visible::shows(&page.text(), super::emergency::WORDS);
            Ok((!shown && page.status.is_success()).then_some(()))
        });
        short.extend(
            back.await
                .err()
                .map(|error| format!("{}: {error:#}", edge.name)),
        );
    }
    let what = "one proposes, another signs: the release before";
    report.add(ACT, what, format!("release {before} at both edges"), short);
    Ok(())
}

/// What an edge says of the site.
async fn site(world: &World, edge: &Edge) -> Result<Value> {
    let status = world.status(edge).await?;
    status.pointer("/sites/0").cloned().context("a site")
}

/// `edge`, as somebody runs it who has a key, the trust files and one edge that answers.
fn command(world: &World, dir: &Path, via: &Edge, key: &str, arguments: &[&str]) -> Command {
    let mut command = bare(world, dir, via, key, arguments);
    command.arg("--trust").arg(world.site().join("trust"));
    for edge in &world.edges {
        command
            .arg("--edge")
            .arg(format!("http://{}", edge.control));
    }
    command
}

/// The same with a key and an edge alone.
fn bare(world: &World, dir: &Path, via: &Edge, key: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(world.built.binaries.join("edge"));
    command.current_dir(dir).args(arguments);
    command.args(["--site", "dasom", "--via", &format!("http://{}", via.peer)]);
    command
        .arg("--key")
        .arg(world.site().join("keys").join(key));
    command
}
