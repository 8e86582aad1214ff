//! What is known here of the generations: by our own trust files, and by what the paths hold.

use std::sync::Arc;

use futures::future::join_all;
use snapshot::trust::{Chain, Generation, Lineage};
use snapshot::{Digest, limits};

use super::Settings;
use crate::asking;
use crate::cmd::{Exit, Fault};
use crate::sync::{Mirror, Place, wall_clock};

/// The generations, as far as they are known.
#[derive(Debug)]
pub struct Generations {
    /// Begun with our own trust files, and grown by what the paths hold.
    pub lineage: Option<Lineage>,
    /// The chain of each path that has one.
    chains: Vec<Chain>,
    /// Paths that could not be read, with the reason.
    pub unread: Vec<(String, String)>,
    /// Chains that our own trust files do not lead to, with the reason.
    pub strange: Vec<(String, String)>,
}

impl Generations {
    /// Reads every path. At least one must answer, unless there is none.
    ///
    /// # Errors
    /// None answers.
    pub async fn read(settings: &Settings) -> Result<Self, Fault> {
        let paths = settings.known_paths();
        let known = Self::of(settings, paths).await;
        if !paths.is_empty() && known.unread.len() == paths.len() {
            let reasons: Vec<&str> = known.unread.iter().map(|(_, why)| why.as_str()).collect();
            let fault = Fault::new(Exit::NoMirror, reasons.join("\nedge: "));
            return Err(fault.hint("give a mirror or an edge that answers with --via URL"));
        }
        Ok(known)
    }

    /// What these sources hold, as far as they answer.
    pub(super) async fn of(settings: &Settings, sources: &[Mirror]) -> Self {
        let read_one = |mirror| read(mirror, settings);
        let chains = join_all(sources.iter().map(read_one)).await;
        let files = settings.generation.clone();
        let mut known = Self {
            lineage: files.map(|files| Lineage::new(0, files)),
            chains: Vec::new(),
            unread: Vec::new(),
            strange: Vec::new(),
        };
        for (mirror, chain) in sources.iter().zip(chains) {
            let url = mirror.url().to_string();
            match chain {
                Ok(None) => {}
                Ok(Some(chain)) => known.take(url, chain, settings),
                Err(reason) => known.unread.push((url, reason)),
            }
        }
        known
    }

    /// The generation in force, as far as it is known.
    pub fn generation(&self) -> Option<&Arc<Generation>> {
        self.lineage.as_ref().map(Lineage::generation)
    }

    /// The same, for what cannot do without.
    ///
    /// # Errors
    /// No trust files are named.
    pub fn lineage(&self) -> Result<&Lineage, Fault> {
        self.lineage.as_ref().ok_or_else(|| {
            let fault = Fault::usage("whom do the edges believe? no trust files are named");
            fault.hint(
                "give --trust DIR, the two files as they lie on an edge, or trust in ops.toml",
            )
        })
    }

    /// The most that leads to this generation.
    pub fn leading_to(&self, generation: Digest) -> Chain {
        let ends_there = |chain: &&Chain| {
            let last = chain.successions().last();
            last.is_some_and(|(_, last)| last.files().digest() == generation)
        };
        let own = self.lineage.as_ref().and_then(Lineage::offer);
        let known = self.chains.iter().chain(&own).filter(ends_there);
        let longest = known.max_by_key(|chain| chain.successions().count());
        longest.cloned().unwrap_or_default()
    }

    fn take(&mut self, url: String, chain: Chain, settings: &Settings) {
        if let Some(lineage) = &mut self.lineage {
            let advance = lineage.merge(&chain, &settings.site, wall_clock());
            if let Some(refusal) = advance.refused {
                self.strange.push((url, refusal.to_string()));
            }
        }
        self.chains.push(chain);
    }
}

/// The chain that a path holds, if it holds one.
///
/// # Errors
/// In words: it was not read.
pub async fn read(mirror: &Mirror, settings: &Settings) -> Result<Option<Chain>, String> {
    let place = Place::trust(&settings.site);
    let bytes = mirror.read(&place, limits::CHAIN_BYTES).await;
    let bytes = bytes.map_err(|error| error.to_string())?;
    // Whoever wrote something unreadable there loses it: the edges would not read it either.
    Ok(bytes.and_then(|bytes| Chain::from_bytes(&bytes).ok()))
}

/// The greatest number that any edge says it is on; 0 if none says.
pub async fn told_number(settings: &Settings) -> u64 {
    let client = asking::client();
    let controls = settings
        .edges
        .iter()
        .filter_map(|edge| edge.control.as_ref());
    let asked = controls.map(|url| asking::status(&client, url));
    let mut greatest = 0;
    for status in join_all(asked).await.into_iter().flatten() {
        let sites = status.get("sites").and_then(|sites| sites.as_array());
        for site in sites.into_iter().flatten() {
            let is_it =
                site.get("site").and_then(|name| name.as_str()) == Some(settings.site.as_str());
            let number = site.pointer("/trust/number").and_then(|it| it.as_u64());
            greatest = greatest.max(number.filter(|_| is_it).unwrap_or(0));
        }
    }
    greatest
}
