//! Statements as text that survives e-mail and chat.
//!
//! ```text
//! -----BEGIN HOLDFAST ORDER-----
//! kwHECk9yZGVy...
//! check:6e1f0c2a9b44d310
//! -----END HOLDFAST ORDER-----
//! ```
//!
//! Base64 (RFC 4648 section 4), then the first eight bytes of the BLAKE3 hash of what it stands for:
//! a paste that lost something is named before anybody wonders about signatures. What quoting adds
//! (`>`, spaces, line ends, other dashes) is taken away again.

use std::io::Read;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use snapshot::Digest;

use crate::cmd::Fault;

/// Characters of base64 in a line.
const LINE: usize = 64;
/// Digits of the check.
const CHECK_DIGITS: usize = 16;
/// What may stand around and between the armor, bytes, beside twice the statement's own.
const AROUND_BYTES: usize = 64 << 10;

/// What an armored text holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// An order in its envelope.
    Order,
    /// A generation of trust in its envelope.
    Trust,
}

/// Why a text is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArmorError {
    /// Its first line is not there.
    #[error("no line -----BEGIN HOLDFAST {}----- in it", .0.as_str())]
    NoBegin(Label),
    /// It is armor of the other kind.
    #[error("it holds a HOLDFAST {}, and a HOLDFAST {} is expected", .got.as_str(), .expected.as_str())]
    Other {
        /// What it is.
        got: Label,
        /// What was asked for.
        expected: Label,
    },
    /// It breaks off.
    #[error("it is cut off: no line -----END HOLDFAST {}-----", .0.as_str())]
    NoEnd(Label),
    /// A character that is none of base64.
    #[error("line {line} of the armor has {found:?}, which is no character of base64")]
    Character {
        /// Counted from the line with BEGIN, which is 0.
        line: usize,
        /// The character.
        found: char,
    },
    /// The characters are right and their number is not.
    #[error("its base64 is not whole: something was left out")]
    Base64,
    /// There is no check.
    #[error("it has no line check:...: something was left out before the end")]
    NoCheck,
    /// The check is of other bytes.
    #[error("it was changed on its way: check says {says}, and it is {is}")]
    Check {
        /// What stands there.
        says: String,
        /// What should.
        is: String,
    },
    /// More than any.
    #[error("more than {limit} bytes")]
    TooLarge {
        /// Bytes allowed.
        limit: usize,
    },
}

impl Label {
    const ALL: [Self; 2] = [Self::Order, Self::Trust];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Order => "ORDER",
            Self::Trust => "TRUST",
        }
    }

    /// The command that takes it.
    const fn taken_by(self) -> &'static str {
        match self {
            Self::Order => "edge order sign or apply",
            Self::Trust => "edge trust sign or apply",
        }
    }

    fn begin(self) -> String {
        format!("BEGIN HOLDFAST {}", self.as_str())
    }

    fn end(self) -> String {
        format!("END HOLDFAST {}", self.as_str())
    }
}

/// `bytes` as text.
pub fn armor(label: Label, bytes: &[u8]) -> String {
    let mut text = format!("-----{}-----\n", label.begin());
    let body = STANDARD.encode(bytes);
    for (at, character) in body.chars().enumerate() {
        if at > 0 && at % LINE == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text + &format!("\ncheck:{}\n-----{}-----\n", check(bytes), label.end())
}

/// The bytes that `text` holds, whatever stands before and after.
pub fn dearmor(label: Label, text: &str) -> Result<Vec<u8>, ArmorError> {
    let Some((_, rest)) = text.split_once(&label.begin()) else {
        let other = Label::ALL
            .into_iter()
            .find(|other| text.contains(&other.begin()));
        return Err(match other {
            Some(got) => ArmorError::Other {
                got,
                expected: label,
            },
            None => ArmorError::NoBegin(label),
        });
    };
    let (body, _) = rest
        .split_once(&label.end())
        .ok_or(ArmorError::NoEnd(label))?;
    let (mut base64, mut says) = (String::new(), None);
    for (line, words) in body.lines().enumerate() {
        for word in words.split(is_between).filter(|word| !word.is_empty()) {
            match word.strip_prefix("check:") {
                Some(check) => says = Some(check.to_ascii_lowercase()),
                None => {
                    let odd = |c: &char| !(c.is_ascii_alphanumeric() || "+/=".contains(*c));
                    if let Some(found) = word.chars().find(odd) {
                        return Err(ArmorError::Character { line, found });
                    }
                    base64.push_str(word);
                }
            }
        }
    }
    let says = says.ok_or(ArmorError::NoCheck)?;
    let bytes = STANDARD.decode(base64).map_err(|_| ArmorError::Base64)?;
    let is = check(&bytes);
    if says != is {
        return Err(ArmorError::Check { says, is });
    }
    Ok(bytes)
}

/// Reads a statement of at most `limit` bytes from `source`, `-` being standard input: armored, or as
/// it is. Blocking.
///
/// # Errors
/// Unreadable, too long, or a text that is not whole.
pub fn read(source: &Path, label: Label, limit: usize) -> Result<Vec<u8>, Fault> {
    let shown = if source == Path::new("-") {
        "what was pasted".to_owned()
    } else {
        source.display().to_string()
    };
    let most = 2 * limit + AROUND_BYTES;
    let read = |input: &mut dyn Read| {
        let mut bytes = Vec::new();
        let taken = input.take(most as u64 + 1).read_to_end(&mut bytes);
        taken.map(|_| bytes)
    };
    let read = if source == Path::new("-") {
        read(&mut std::io::stdin().lock()).map_err(|error| format!("standard input: {error}"))
    } else {
        let file = fs_err::File::open(source);
        file.and_then(|mut file| read(&mut file))
            .map_err(|error| error.to_string())
    };
    let bytes = read.map_err(Fault::failed)?;
    let fault = |error: ArmorError| {
        let fault = Fault::failed(format!("{shown}: {error}"));
        match error {
            ArmorError::Other { got, .. } => fault.hint(format!("give it to {}", got.taken_by())),
            _ => fault.hint(
                "take the whole text, from the line with BEGIN to the line with END, or the file itself",
            ),
        }
    };
    if bytes.len() > most {
        return Err(fault(ArmorError::TooLarge { limit: most }));
    }
    // An array of MessagePack begins with a byte that begins no text.
    let is_text = !matches!(bytes.first(), Some(0x90..=0x9f));
    let bytes = if is_text {
        dearmor(label, &String::from_utf8_lossy(&bytes)).map_err(fault)?
    } else {
        bytes
    };
    if bytes.len() > limit {
        return Err(fault(ArmorError::TooLarge { limit }));
    }
    Ok(bytes)
}

/// What stands between words: spaces of every kind, what quotes a line, and dashes around the armor.
fn is_between(character: char) -> bool {
    character.is_whitespace()
        || matches!(
            character,
            '>' | '|'
                | '-'
                | '\u{2010}'..='\u{2015}'
                | '\u{2212}'
                | '\u{ad}'
                | '\u{200b}'..='\u{200f}'
                | '\u{feff}'
        )
}

fn check(bytes: &[u8]) -> String {
    let digest = Digest::of(bytes).to_string();
    digest.chars().take(CHECK_DIGITS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Vec<u8> {
        (0..=255).cycle().skip(0x93).take(700).collect()
    }

    #[test]
    fn what_quoting_adds_is_taken_away() {
        let text = armor(Label::Order, &some());
        let quoted: String = text
            .lines()
            .map(|line| format!("> > {line} \r\n"))
            .collect();
        let joined = text.replace('\n', " ");
        let chat = text
            .replace("-----", "\u{2014}\u{2013}-")
            .replace('\n', "\u{a0}\n\n");
        let around = format!("minho, please sign:\n\n{text}\n-- \nsora\n");
        let wrapped: String = text
            .lines()
            .map(|line| {
                let (a, b) = line.split_at(line.len() / 2);
                if line.starts_with("-----") || line.starts_with("check") {
                    format!("{line}\n")
                } else {
                    format!("  {a}\n\u{feff}{b}\n")
                }
            })
            .collect();
        for text in [&text, &quoted, &joined, &chat, &around, &wrapped] {
            assert_eq!(dearmor(Label::Order, text).as_ref(), Ok(&some()), "{text}");
        }
    }

    #[test]
    fn a_bad_paste_is_named() {
        let text = armor(Label::Order, &some());
        let lines: Vec<&str> = text.lines().collect();
        let without = |n: usize| {
            let kept = lines.iter().enumerate().filter(|(at, _)| *at != n);
            kept.map(|(_, line)| format!("{line}\n"))
                .collect::<String>()
        };
        let last = lines.len() - 1;
        let is_check =
            |text: &str| matches!(dearmor(Label::Order, text), Err(ArmorError::Check { .. }));
        // A whole line is lost, and the number of characters is right all the same.
        assert!(is_check(&without(2)));
        assert!(is_check(&text.replace("check:", "check:0")));
        let said = |text: &str| dearmor(Label::Order, text).unwrap_err().to_string();
        assert!(said(&without(0)).contains("no line -----BEGIN HOLDFAST ORDER-----"));
        assert!(said(&without(last)).contains("cut off"));
        assert!(said(&without(last - 1)).contains("no line check:"));
        assert!(said(&text.replacen('\n', "\nA", 1)).contains("not whole"));
        assert!(said(&text.replacen('\n', "\n…", 1)).contains("line 1 of the armor has '…'"));
        assert!(said(&armor(Label::Trust, b"x")).contains("holds a HOLDFAST TRUST"));
    }

    #[test]
    fn a_file_is_text_or_the_bytes_themselves_and_not_too_long() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("order");
        let read = |bytes: &[u8]| {
            fs_err::write(&file, bytes).unwrap();
            read(&file, Label::Order, some().len())
        };
        assert_eq!(read(&some()).unwrap(), some());
        assert_eq!(
            read(armor(Label::Order, &some()).as_bytes()).unwrap(),
            some()
        );
        let longer = [some(), vec![0]].concat();
        for bytes in [longer.clone(), armor(Label::Order, &longer).into_bytes()] {
            let said = read(&bytes).unwrap_err().to_string();
            assert!(said.contains("more than 700 bytes"), "{said}");
        }
        let endless = vec![b'x'; 2 * some().len() + AROUND_BYTES + 1];
        let said = read(&endless).unwrap_err().to_string();
        assert!(said.contains("order: more than 66936 bytes"), "{said}");
        assert!(read(b"").is_err());
    }
}
