//! `origin-sync inspect`.

use std::io::{IsTerminal, Read, Write};

use serde_json::{Value, json};
use snapshot::{Sequence, SiteName};

use super::publish::mirrors;
use super::{Failure, InspectArgs, ReleaseArgs, What, runtime};
use crate::config::Site;
use crate::exit::Exit;
use crate::inspect::{CollectionLine, InspectError, Inspector, Record, ReleaseLine, Verdict};
use crate::mirror::Mirrors;
use crate::publish::{PublishError, read_trust, wall_clock};

/// Longest secret on standard input, bytes.
const SECRET_BYTES: u64 = 4096;

pub(super) fn run(args: InspectArgs) -> Result<Exit, Failure> {
    let inspector = open(&args.at)?;
    let sequence = args.at.release.map(Sequence);
    let runtime = runtime()?;
    let mut exit = Exit::Done;
    let shown = match args.what {
        What::Releases => {
            let (lines, wrong) = runtime.block_on(inspector.releases())?;
            for wrong in wrong {
                eprintln!("warning: {wrong}");
            }
            lines_of(&lines, args.json, ReleaseLine::json, release)
        }
        What::Ls { collection: None } => {
            let lines = runtime.block_on(inspector.collections(sequence))?;
            lines_of(&lines, args.json, CollectionLine::json, collection)
        }
        What::Ls {
            collection: Some(collection),
        } => {
            let records = runtime.block_on(inspector.records(&collection, sequence))?;
            lines_of(&records, args.json, Record::json, |record| {
                format!("{:>9}  {}", record.bytes, record.key)
            })
        }
        What::Cat {
            collection,
            key,
            secret,
        } => {
            let read = |given| secret_of(given, std::io::stdin());
            let secret = secret.map(read).transpose()?;
            let value = inspector.value(&collection, key.as_deref(), secret.as_deref(), sequence);
            content(runtime.block_on(value)?, args.json)
        }
        What::Verify => {
            let verdict = runtime.block_on(inspector.verify(sequence))?;
            if !verdict.is_whole() {
                exit = Exit::Damaged;
            }
            if args.json {
                format!("{}\n", verdict.json()).into_bytes()
            } else {
                verified(&verdict)
            }
        }
    };
    match std::io::stdout().lock().write_all(&shown) {
        // Whoever asked has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(exit),
        Err(error) => Err(InspectError::from(error).into()),
        Ok(()) => Ok(exit),
    }
}

fn lines_of<T>(
    things: &[T],
    json: bool,
    as_json: impl Fn(&T) -> Value,
    as_text: impl Fn(&T) -> String,
) -> Vec<u8> {
    let mut text = String::new();
    for thing in things {
        if json {
            text.push_str(&as_json(thing).to_string());
        } else {
            text.push_str(&as_text(thing));
        }
        text.push('\n');
    }
    text.into_bytes()
}

fn release(line: &ReleaseLine) -> String {
    format!(
        "{:>8}  {}  manifest {}  on {} mirrors, {} pointers  {}",
        line.sequence.0,
        line.as_of.rfc3339(),
        line.manifest.short(),
        line.mirrors,
        line.pointers,
        line.signers.join(", "),
    )
}

fn collection(line: &CollectionLine) -> String {
    format!(
        "{:<24} {:<9} {:>9} records  {} segments, {} bytes",
        line.name.as_str(),
        line.privacy.as_str(),
        line.records,
        line.segments,
        line.bytes,
    )
}

fn verified(verdict: &Verdict) -> Vec<u8> {
    let mut text = String::new();
    for mirror in &verdict.mirrors {
        text.push_str(&format!(
            "{}: release {}, {} objects, {} records verified\n",
            mirror.url, verdict.sequence, mirror.objects, mirror.records
        ));
        for problem in &mirror.problems {
            text.push_str(&format!("  {problem}\n"));
        }
    }
    text.into_bytes()
}

pub(super) fn open(args: &ReleaseArgs) -> Result<Inspector, Failure> {
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

fn secret_of(given: String, input: impl Read) -> Result<String, Failure> {
    if given != "-" {
        return Ok(given);
    }
    let mut text = String::new();
    input
        .take(SECRET_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(InspectError::from)?;
    if text.len() as u64 > SECRET_BYTES {
        let message = format!("the secret on standard input is longer than {SECRET_BYTES} bytes");
        return Err(Failure::usage(message, None));
    }
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn content(mut value: Vec<u8>, json: bool) -> Vec<u8> {
    if json {
        let text = std::str::from_utf8(&value).ok();
        let line = json!({ "bytes": value.len(), "text": text });
        return format!("{line}\n").into_bytes();
    }
    if std::io::stdout().is_terminal() && !value.ends_with(b"\n") {
        value.push(b'\n');
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_too_long_is_refused_rather_than_cut() {
        let most = "x".repeat(usize::try_from(SECRET_BYTES).unwrap());
        let read = |text: &str| secret_of("-".to_owned(), text.as_bytes());
        assert_eq!(read("s3cret\r\n").unwrap(), "s3cret");
        assert_eq!(read(&most).unwrap(), most);
        let refused = read(&format!("{most}x")).unwrap_err();
        assert_eq!(refused.exit, Exit::Usage);
        assert_eq!(
            refused.to_string(),
            "the secret on standard input is longer than 4096 bytes"
        );
    }
}
