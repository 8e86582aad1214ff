//! `edge trust apply`: a proposal that enough persons signed goes to the edges.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tokio::time::Instant;

use super::proposal::{Proposal, Standing};
use super::send::{OnGeneration, send};
use crate::cmd::ops::Settings;
use crate::cmd::ops::confirm::{Consent, Wanted, confirm};
use crate::cmd::ops::generations::Generations;
use crate::cmd::ops::obeying::{Obedience, obeying};
use crate::cmd::ops::plain::plain;
use crate::cmd::ops::written::Written;
use crate::cmd::{Exit, Fault};
use crate::sync::wall_clock;

/// Brings a proposal to the edges.
#[derive(Debug, Args)]
pub(super) struct Apply {
    /// The proposal; `-` reads what is pasted.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    consent: Consent,
}

impl Apply {
    pub(super) async fn run(self, settings: &Settings) -> Result<Exit, Fault> {
        settings.paths()?;
        let proposal = Proposal::read(&self.file, settings)?;
        let known = Generations::read(settings).await?;
        eprint!("{}", proposal.preview(&known, wall_clock()));
        let next = proposal.succession.files().digest();
        // What is in force here already may still be news to some edge.
        let is_known = known.generation().is_some_and(|it| it.digest() == next);
        if let Some(lineage) = known.lineage.as_ref().filter(|_| !is_known) {
            match proposal.standing(lineage, &settings.site) {
                Standing::Enough(persons) => {
                    eprintln!("signed by {}", plain(&persons.join(", ")));
                }
                Standing::Refused(refusal) => {
                    let fault = Fault::failed(format!(
                        "edges would refuse it: {}",
                        plain(&refusal.to_string())
                    ));
                    return Err(
                        fault.hint("see what is in force with edge trust show, and propose anew")
                    );
                }
                standing @ Standing::Lacking { .. } => {
                    let file = self.file.display().to_string();
                    return Err(Fault::failed(standing.words(&file).trim_end()));
                }
            }
        }
        if self.consent.dry_run {
            return Ok(Exit::Done);
        }
        confirm(
            self.consent,
            "whom to believe",
            Wanted::Name(&settings.site),
        )
        .await?;
        let begun = Instant::now();
        let succession = &proposal.succession;
        let until = begun + settings.wait;
        let written = send(settings, &known, (&proposal.envelope, succession), until).await;
        if !settings.json {
            print!("{}", written.iter().map(Written::words).collect::<String>());
        }
        if !written.iter().any(Written::is_taken) {
            let fault = Fault::new(
                Exit::NoMirror,
                "no mirror and no edge took it: nothing changes",
            );
            return Err(fault.hint("see the reasons above; give another path with --via URL"));
        }
        let question = OnGeneration {
            site: settings.site.clone(),
            number: succession.number,
            files: next,
        };
        let obedience = obeying(settings, &question, begun, settings.wait).await;
        self.tell(settings, &proposal, &written, &obedience);
        Ok(obedience.exit())
    }

    fn tell(
        &self,
        settings: &Settings,
        proposal: &Proposal,
        written: &[Written],
        obedience: &Obedience,
    ) {
        let succession = &proposal.succession;
        if settings.json {
            let told = json!({
                "site": settings.site,
                "number": succession.number,
                "generation": succession.files().digest().to_string(),
                "mirrors": written.iter().map(Written::json).collect::<Vec<_>>(),
                "edges": obedience.json(),
            });
            println!("{told}");
            return;
        }
        println!("{}{}", obedience.remarks(), obedience.sentence());
        if let Some(dir) = &settings.trust {
            eprintln!(
                "your own trust files in {} are those of before: edge trust show --save DIR writes the new ones",
                dir.display()
            );
        }
    }
}
