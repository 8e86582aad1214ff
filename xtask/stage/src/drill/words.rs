//! Words: ops write a notice, which stands on every page within seconds.

use std::time::Duration;

use anyhow::Result;
use tokio::time::Instant;

use super::unless;
use crate::ask;
use crate::client::Answer;
use crate::report::Report;
use crate::urls::Urls;
use crate::visible;
use crate::world::World;

/// A notice must stand on every page within this.
const WITHIN: Duration = Duration::from_secs(3);
/// What ops write in the drill.
pub(super) const WORDS: &str = "센터 화재로 복구 중입니다. 저녁 9시에 다시 알립니다.";

pub(super) async fn words(world: &World, urls: &Urls, report: &mut Report) -> Result<()> {
    const ACT: &str = "Words: ops write a notice";
    let begun = Instant::now();
    world
        .order(&[
            "notice",
            "site",
            "--text",
            &format!("ko={WORDS}"),
            "--why",
            "drill",
        ])
        .await?;
    let ordered = begun.elapsed();
    // From three seconds after the order was given, every page has it.
    tokio::time::sleep_until(begun + WITHIN).await;
    let fault =
        |answer: &Answer| (!visible::shows(&answer.text(), WORDS)).then(|| "no notice".to_owned());
    let (shown, short) = ask::every(world, urls.pages.iter(), fault).await;
    report.add(
        ACT,
        "in force at both edges",
        format!("after {:.1} s", ordered.as_secs_f32()),
        unless(ordered <= WITHIN, "too late"),
    );
    report.add(
        ACT,
        "pages that show it 3 s later, at both edges",
        format!("{shown} of {}", urls.pages.len()),
        short,
    );
    Ok(())
}
