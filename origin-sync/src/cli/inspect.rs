//! `origin-sync inspect`.

use std::io::{IsTerminal, Read};

use serde_json::json;

use super::said::{lines_of, print};
use super::{Failure, InspectArgs, What, runtime};
use crate::exit::Exit;
use crate::inspect::{CollectionLine, InspectError, Record};

/// Longest secret on standard input, bytes.
const SECRET_BYTES: u64 = 4096;

pub(super) fn run(args: InspectArgs) -> Result<Exit, Failure> {
    let inspector = args.at.place.open()?;
    let sequence = args.at.sequence();
    let runtime = runtime()?;
    let shown = match args.what {
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
    };
    print(&shown)?;
    Ok(Exit::Done)
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

pub(super) fn secret_of(given: String, input: impl Read) -> Result<String, Failure> {
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
