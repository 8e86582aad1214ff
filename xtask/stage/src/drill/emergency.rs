//! Emergency: a page is changed by hand while the origin is stopped, from a folder in which there is
//! neither a database nor `site.toml`.

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use tokio::time::Instant;

use super::NOTICE;
use crate::process::{self, wait_for};
use crate::report::Report;
use crate::visible;
use crate::world::World;

/// What is put on the first page.
pub(super) const WORDS: &str = "오늘은 모든 창구를 닫습니다. 내일 아침 8시에 다시 알립니다.";
/// The first page, as the collection of assets has it.
const PAGE: &str = "index.html";

pub(super) async fn emergency(world: &World, report: &mut Report) -> Result<()> {
    const ACT: &str = "Emergency: a page is amended by hand";
    let dir = world.dir.join("emergency");
    fs_err::create_dir_all(&dir)?;
    let cat = ["inspect", "cat", "assets", PAGE];
    let page = process::run("origin-sync inspect", command(world, &dir, &cat), &[0]).await?;
    let amended = page.replacen("</body>", &format!("<p>{WORDS}</p></body>"), 1);
    fs_err::write(dir.join(PAGE), amended)?;

    let key = world.site().join("keys/release");
    let set = format!("assets/{PAGE}=@{PAGE}");
    let mut amend = command(world, &dir, &["amend", "--set", &set]);
    amend.arg("--key").arg(key);
    let begun = Instant::now();
    process::run("origin-sync amend", amend, &[0]).await?;
    let mut short = Vec::new();
    for edge in &world.edges {
        let shown = wait_for("the page to change", NOTICE, async || {
            let page = world.client.get(edge.public, "/", "ko").await?;
            Ok(visible::shows(&page.text(), WORDS).then_some(()))
        })
        .await;
        if let Err(error) = shown {
            short.push(format!("{}: {error:#}", edge.name));
        }
    }
    report.add(
        ACT,
        "a page changed with no origin and no database",
        format!("at both edges after {:.1} s", begun.elapsed().as_secs_f32()),
        short,
    );
    Ok(())
}

fn command(world: &World, dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(world.built.binaries.join("origin-sync"));
    command
        .current_dir(dir)
        .args(arguments)
        .args(["--site", "dasom"]);
    command.arg("--mirror").arg(world.mirror());
    command.arg("--trust").arg(world.site().join("trust"));
    command
}
