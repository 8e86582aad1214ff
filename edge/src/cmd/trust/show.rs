//! `edge trust show`: whom the edges believe, or what a proposal would change.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use snapshot::trust::{Generation, Lineage};
use snapshot::{Namespace, Timestamp};
use tokio::time::Instant;

use super::proposal::Proposal;
use super::send::OnGeneration;
use super::words;
use crate::cmd::ops::Settings;
use crate::cmd::ops::generations::Generations;
use crate::cmd::ops::obeying::{Obedience, obeying};
use crate::cmd::ops::plain::plain;
use crate::cmd::{Exit, Fault};
use crate::sync::wall_clock;

/// Shows.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// A proposal to show instead; `-` reads what is pasted.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Write the two files of the generation in force, or of the proposal, to this folder, which must not
    /// have them: to be edited, or to be put where they belong.
    #[arg(long, value_name = "DIR")]
    save: Option<PathBuf>,
}

impl Show {
    pub(super) async fn run(self, settings: &Settings) -> Result<Exit, Fault> {
        let now = wall_clock();
        if let Some(file) = &self.file {
            let proposal = Proposal::read(file, settings)?;
            let known = Generations::read(settings).await?;
            print!("{}", proposal.preview(&known, now));
            if let Some(lineage) = &known.lineage {
                let standing = proposal.standing(lineage, &settings.site);
                print!("{}", standing.words(&file.display().to_string()));
            }
            let files = proposal.succession.files();
            return self.save(&files.allowed_signers, &files.trust_toml);
        }
        let known = Generations::read(settings).await?;
        let lineage = known.lineage()?;
        let question = OnGeneration {
            site: settings.site.clone(),
            number: lineage.number(),
            files: lineage.generation().digest(),
        };
        let asked = obeying(settings, &question, Instant::now(), Duration::ZERO).await;
        if settings.json {
            println!("{}", json(settings, &known, lineage, &asked));
        } else {
            print!("{}", told(settings, &known, lineage, now));
            if !asked.edges.is_empty() {
                println!("{}{}", asked.remarks(), asked.sentence());
            }
        }
        let files = lineage.generation().files();
        self.save(&files.allowed_signers, &files.trust_toml)?;
        Ok(match asked.edges.is_empty() {
            true => Exit::Done,
            false => asked.exit(),
        })
    }

    fn save(&self, allowed_signers: &str, trust_toml: &str) -> Result<Exit, Fault> {
        let Some(dir) = &self.save else {
            return Ok(Exit::Done);
        };
        let failed = |path: &Path, error: std::io::Error| {
            Fault::failed(format!("{}: {error}", path.display()))
        };
        fs_err::create_dir_all(dir).map_err(|error| failed(dir, error))?;
        let files = [
            ("allowed_signers", allowed_signers),
            ("trust.toml", trust_toml),
        ];
        for (name, _) in files {
            let path = dir.join(name);
            if path.exists() {
                let fault = Fault::usage(format!("{} is there already", path.display()));
                return Err(fault.hint("name a new folder, or take the file away"));
            }
        }
        for (name, text) in files {
            let path = dir.join(name);
            let written = snapshot::durable::write(&path, text.as_bytes());
            written.map_err(|error| failed(&path, error))?;
        }
        eprintln!("the two files are in {}", dir.display());
        Ok(Exit::Done)
    }
}

fn told(settings: &Settings, known: &Generations, lineage: &Lineage, now: Timestamp) -> String {
    let generation: &Generation = lineage.generation();
    let mut lines = Vec::new();
    let (site, number) = (&settings.site, lineage.number());
    lines.push(match lineage.newest() {
        None => format!("{site}: the generation of the trust files here; none has travelled"),
        Some(accepted) => {
            let persons: Vec<&str> = accepted.signers.persons().into_iter().collect();
            let (at, persons) = (accepted.succession.signed_at.rfc3339(), persons.join(", "));
            format!(
                "{site}: generation {number}, {at}, signed by {persons}: {}",
                accepted.succession.why
            )
        }
    });
    lines.push(format!("  digest {}", generation.digest()));
    let listed = words::generation(generation, now).into_iter();
    lines.extend(listed.map(|line| format!("  {line}")));
    let warnings = words::warnings(generation, site, now).into_iter();
    lines.extend(warnings.map(|line| format!("  NOTE {line}")));
    let unread = known.unread.iter();
    lines.extend(unread.map(|(url, why)| format!("  {url}: not read: {why}")));
    let strange = known.strange.iter();
    lines.extend(strange.map(|(url, why)| {
        format!("  {url}: holds a chain that the trust files here do not lead to: {why}")
    }));
    // Names and reasons are others' words.
    let lines = lines.iter();
    lines.map(|line| format!("{}\n", plain(line))).collect()
}

fn json(settings: &Settings, known: &Generations, lineage: &Lineage, asked: &Obedience) -> Value {
    let generation = lineage.generation();
    let may_sign = Namespace::ALL.into_iter().flat_map(|namespace| {
        let keys = generation.may_sign(namespace, &settings.site).into_iter();
        keys.map(move |key| {
            json!({
                "namespace": namespace.as_str(),
                "person": key.person,
                "key": key.key.to_string(),
                "starts": key.starts.map(Timestamp::rfc3339),
                "ends": key.ends.map(Timestamp::rfc3339),
            })
        })
    });
    let thresholds: serde_json::Map<String, Value> = generation
        .thresholds()
        .named()
        .into_iter()
        .map(|(name, need)| (name.to_owned(), need.into()))
        .collect();
    let pairs = |pairs: &[(String, String)]| -> Vec<Value> {
        let pairs = pairs.iter();
        pairs
            .map(|(url, error)| json!({ "url": url, "error": error }))
            .collect()
    };
    json!({
        "site": settings.site,
        "number": lineage.number(),
        "generation": generation.digest().to_string(),
        "thresholds": thresholds,
        "may_sign": may_sign.collect::<Vec<_>>(),
        "not_read": pairs(&known.unread),
        "not_followed": pairs(&known.strange),
        "edges": asked.json(),
    })
}
