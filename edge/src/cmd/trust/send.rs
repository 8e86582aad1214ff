//! Bringing a chain to every path, and asking which edges obey.

use futures::future::join_all;
use serde_json::Value;
use snapshot::trust::{Chain, Succession};
use snapshot::{Digest, Envelope, SiteName};
use tokio::time::Instant;

use crate::cmd::ops::Settings;
use crate::cmd::ops::busy::patiently;
use crate::cmd::ops::generations::{Generations, read};
use crate::cmd::ops::obeying::Question;
use crate::cmd::ops::written::Written;
use crate::sync::{Mirror, Place};

/// Brings `next`, behind all that leads to what it follows, to every path; to one that is busy until then
/// again.
pub(super) async fn send(
    settings: &Settings,
    known: &Generations,
    (next, succession): (&Envelope, &Succession),
    until: Instant,
) -> Vec<Written> {
    let mut chain = known.leading_to(succession.follows);
    let pushed = chain.push(next.clone());
    let writes = settings.known_paths().iter().map(|mirror| {
        let chain = match &pushed {
            Ok(()) => Ok(chain.clone()),
            Err(error) => Err(error.to_string()),
        };
        async move {
            let written = match chain {
                Ok(chain) => write(mirror, settings, (&chain, succession), until).await,
                Err(error) => Err(error),
            };
            Written::new(mirror, written)
        }
    });
    join_all(writes).await
}

async fn write(
    mirror: &Mirror,
    settings: &Settings,
    (chain, succession): (&Chain, &Succession),
    until: Instant,
) -> Result<(), String> {
    let place = Place::trust(&settings.site);
    let put = async || {
        let bytes = chain.to_bytes().map_err(|error| error.to_string())?;
        patiently(until, async || mirror.put(&place, bytes.clone()).await).await
    };
    // An edge judges by itself.
    if mirror.is_edge() {
        return put().await;
    }
    // A mirror does not: what lies there and is later stays.
    let wanted = newest(chain);
    let there = read(mirror, settings).await;
    let there = there.ok().flatten().as_ref().and_then(newest);
    match there {
        Some(_) if there == wanted => return Ok(()),
        Some((number, _)) if number >= succession.number => {
            return Err(format!(
                "generation {number} lies there already: see it with edge trust show, then propose anew"
            ));
        }
        _ => put().await?,
    }
    match read(mirror, settings).await?.as_ref().and_then(newest) == wanted {
        true => Ok(()),
        false => Err(format!(
            "{place}: somebody else wrote there meanwhile: run it again"
        )),
    }
}

/// The number that a chain ends in, and the digest of what was signed for it.
fn newest(chain: &Chain) -> Option<(u64, Digest)> {
    let (envelope, last) = chain.successions().last()?;
    Some((last.number, envelope.payload_digest()))
}

/// Is it on this generation, or on one that came after?
#[derive(Debug)]
pub(super) struct OnGeneration {
    pub(super) site: SiteName,
    pub(super) number: u64,
    /// The digest of its files.
    pub(super) files: Digest,
}

impl OnGeneration {
    fn judge(&self, number: u64, files: &str) -> Result<(), String> {
        if files == self.files.to_string() || number > self.number {
            return Ok(());
        }
        Err(format!("it is on generation {number}"))
    }
}

impl Question for OnGeneration {
    fn place(&self) -> Place {
        Place::trust(&self.site)
    }

    fn of_status(&self, site: &Value) -> Result<(), String> {
        let number = site.pointer("/trust/number").and_then(Value::as_u64);
        let files = site.pointer("/trust/digest").and_then(Value::as_str);
        match number.zip(files) {
            Some((number, files)) => self.judge(number, files),
            None => Err("it does not say which generation of trust it is on".to_owned()),
        }
    }

    fn of_document(&self, bytes: Option<&[u8]>) -> Result<(), String> {
        let Some(bytes) = bytes else {
            return Err("it is on the generation of its own trust files".to_owned());
        };
        let chain = Chain::from_bytes(bytes).map_err(|error| error.to_string())?;
        let last = chain.successions().last().map(|(_, last)| last);
        match last {
            Some(last) => self.judge(last.number, &last.files().digest().to_string()),
            None => Err("its chain is empty".to_owned()),
        }
    }
}
