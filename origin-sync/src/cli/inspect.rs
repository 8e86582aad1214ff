//! `origin-sync inspect`.

use std::io::{IsTerminal, Read, Write};

use serde_json::json;
use snapshot::{Sequence, SiteName};

use super::publish::mirrors;
use super::{Failure, InspectArgs, What, runtime};
use crate::config::Site;
use crate::exit::Exit;
use crate::inspect::{InspectError, Inspector};
use crate::mirror::Mirrors;
use crate::publish::{PublishError, read_trust, wall_clock};

/// Longest secret on standard input, bytes.
const SECRET_BYTES: u64 = 4096;

pub(super) fn run(args: InspectArgs) -> Result<Exit, Failure> {
    let inspector = open(&args)?;
    let sequence = args.release.map(Sequence);
    let runtime = runtime()?;
    match args.what {
        What::Releases => {
            let (lines, wrong) = runtime.block_on(inspector.releases())?;
            for line in &lines {
                if args.json {
                    println!("{}", line.json());
                } else {
                    println!(
                        "{:>8}  {}  manifest {}  on {} mirrors, {} pointers  {}",
                        line.sequence.0,
                        edge::sync::rfc3339(line.as_of),
                        line.manifest.short(),
                        line.mirrors,
                        line.pointers,
                        line.signers.join(", "),
                    );
                }
            }
            for wrong in wrong {
                eprintln!("warning: {wrong}");
            }
            Ok(Exit::Done)
        }
        What::Ls { collection: None } => {
            for line in runtime.block_on(inspector.collections(sequence))? {
                if args.json {
                    println!("{}", line.json());
                } else {
                    println!(
                        "{:<24} {:<9} {:>9} records  {} segments, {} bytes",
                        line.name.as_str(),
                        line.privacy.as_str(),
                        line.records,
                        line.segments,
                        line.bytes,
                    );
                }
            }
            Ok(Exit::Done)
        }
        What::Ls {
            collection: Some(collection),
        } => {
            let mut out = std::io::stdout().lock();
            for record in runtime.block_on(inspector.records(&collection, sequence))? {
                let key = record.key.to_string();
                let line = if args.json {
                    json!({ "key": key, "bytes": record.bytes }).to_string()
                } else {
                    format!("{:>9}  {key}", record.bytes)
                };
                writeln!(out, "{line}").map_err(InspectError::from)?;
            }
            Ok(Exit::Done)
        }
        What::Cat {
            collection,
            key,
            secret,
        } => {
            let secret = secret.map(secret_of).transpose()?;
            let value = inspector.value(&collection, key.as_deref(), secret.as_deref(), sequence);
            print(&runtime.block_on(value)?, args.json).map_err(InspectError::from)?;
            Ok(Exit::Done)
        }
        What::Verify => {
            let verdict = runtime.block_on(inspector.verify(sequence))?;
            if args.json {
                println!("{}", verdict.json());
            } else {
                for mirror in &verdict.mirrors {
                    println!(
                        "{}: release {}, {} objects, {} records verified",
                        mirror.url, verdict.sequence, mirror.objects, mirror.records
                    );
                    for problem in &mirror.problems {
                        println!("  {problem}");
                    }
                }
            }
            Ok(if verdict.is_whole() {
                Exit::Done
            } else {
                Exit::Damaged
            })
        }
    }
}

fn open(args: &InspectArgs) -> Result<Inspector, Failure> {
    // With all three on the command line, a mirror can be looked at by whoever has no site.toml.
    let needs_site = args.site.is_none() || args.mirrors.is_empty() || args.trust.is_none();
    let declared = if needs_site {
        Some(Site::load(&args.config)?)
    } else {
        None
    };
    let named: Option<SiteName> = match &args.site {
        Some(name) => Some(
            name.parse()
                .map_err(|error: snapshot::InvalidName| Failure::new(Exit::Usage, error))?,
        ),
        None => declared.as_ref().map(|site| site.site.clone()),
    };
    let site = named.ok_or_else(|| Failure::usage("no site", Some("--site NAME")))?;
    let urls = if args.mirrors.is_empty() {
        declared
            .as_ref()
            .map(|site| site.publish.mirrors.clone())
            .unwrap_or_default()
    } else {
        mirrors(&args.mirrors)?
    };
    let folder = args
        .trust
        .clone()
        .or_else(|| declared.and_then(|site| site.publish.trust));
    let folder = folder.ok_or_else(|| {
        Failure::usage(
            "nothing says whom to believe",
            Some("--trust DIR, the folder with allowed_signers and trust.toml"),
        )
    })?;
    let generation = read_trust(&folder).map_err(|problems| {
        Failure::usage(
            format!(
                "trust in {}:\n  {}",
                folder.display(),
                problems.join("\n  ")
            ),
            None,
        )
    })?;
    let mirrors = Mirrors::open(&site, &urls).map_err(PublishError::from)?;
    Ok(Inspector::new(mirrors, generation, wall_clock())?)
}

fn secret_of(given: String) -> Result<String, Failure> {
    if given != "-" {
        return Ok(given);
    }
    let mut text = String::new();
    std::io::stdin()
        .take(SECRET_BYTES)
        .read_to_string(&mut text)
        .map_err(InspectError::from)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn print(value: &[u8], json: bool) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    if json {
        let text = std::str::from_utf8(value).ok();
        let line = json!({ "bytes": value.len(), "text": text });
        return writeln!(out, "{line}");
    }
    out.write_all(value)?;
    if std::io::stdout().is_terminal() && !value.ends_with(b"\n") {
        writeln!(out)?;
    }
    Ok(())
}
