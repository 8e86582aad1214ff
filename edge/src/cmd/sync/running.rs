//! The progress of an edge that runs, from its control listener.

use anyhow::Context as _;
use tokio::time::sleep;
use url::Url;

use super::DRAW;
use super::progress::Progress;
use crate::asking;
use crate::config::Config;
use crate::serve::Listening;
use crate::sync::{EdgeStatus, SyncStatus};

/// Shows how far the running edge is, until nothing is under way.
///
/// # Errors
/// It does not say.
pub(super) async fn watch(config: &Config) -> anyhow::Result<Vec<SyncStatus>> {
    let told = Listening::told(&config.data);
    let control = told.map_or(config.listen.control, |told| told.control);
    let url: Url = format!("http://{control}").parse()?;
    eprintln!(
        "edge: {} runs and follows by itself; this is how far it is",
        config.name
    );
    let (client, mut progress) = (asking::client(), Progress::new());
    loop {
        let status = asking::status(&client, &url)
            .await
            .map_err(anyhow::Error::msg);
        let status = status.with_context(|| {
            format!(
                "{} holds {} and says nothing at {url}",
                config.name,
                config.data.display()
            )
        })?;
        let status: EdgeStatus = serde_json::from_value(status)?;
        progress.draw(&status.sites);
        if status.sites.iter().all(is_settled) {
            progress.end();
            return Ok(status.sites);
        }
        sleep(DRAW).await;
    }
}

/// Whether every source was asked, and nothing is fetched, merged or tried.
fn is_settled(status: &SyncStatus) -> bool {
    let mut sources = status.sources.iter();
    let all_asked = sources.all(|source| source.last_answer.is_some() || source.error.is_some());
    all_asked && status.doing == "following"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmd::sync::progress::tests::status;
    use crate::sync::SourceStatus;

    #[test]
    fn an_edge_that_is_at_work_or_has_not_asked_is_not_settled() {
        let source = |answered: bool| SourceStatus {
            error: answered.then(|| "refused".to_owned()),
            ..SourceStatus::default()
        };
        for (doing, answered, expected) in [
            ("following", true, true),
            ("following", false, false),
            ("trying release 3", true, false),
        ] {
            let status = SyncStatus {
                doing: doing.to_owned(),
                sources: vec![source(true), source(answered)],
                ..status()
            };
            assert_eq!(is_settled(&status), expected, "{doing}");
        }
    }
}
