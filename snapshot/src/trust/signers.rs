//! `allowed_signers` in OpenSSH's form (ssh-keygen(1), ALLOWED SIGNERS).
//!
//! Read by hand: the libraries' parsers of `authorized_keys` count spaces, let an open quote pass
//! and refuse a space inside quotes. All problems of the file are collected.

use ssh_key::PublicKey;

use crate::sshsig::check_algorithm;
use crate::trust::date::{self, DateError};
use crate::trust::pattern::Patterns;
use crate::trust::problem::{Problem, TrustFile, TrustProblem};
use crate::{Fingerprint, Namespace, Timestamp};

/// One line: these persons may sign with this key, for this, in this time.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Counted from 1.
    pub(crate) number: usize,
    pub(crate) principals: Patterns,
    pub(crate) key: Fingerprint,
    pub(crate) grant: Grant,
}

/// What a line allows its key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grant {
    namespaces: Option<Patterns>,
    pub(crate) after: Option<Timestamp>,
    pub(crate) before: Option<Timestamp>,
}

impl Grant {
    pub(crate) fn allows(&self, namespace: Namespace) -> bool {
        self.namespaces
            .as_ref()
            .is_none_or(|patterns| patterns.matches(namespace.as_str()))
    }
}

pub(crate) fn parse(text: &str) -> (Vec<Line>, Vec<TrustProblem>) {
    let mut lines = Vec::new();
    let mut problems = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_matches([' ', '\t', '\r']);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let number = index + 1;
        match parse_line(number, line) {
            Ok(line) => lines.push(line),
            Err(found) => problems.extend(found.into_iter().map(|problem| TrustProblem {
                file: TrustFile::AllowedSigners,
                line: Some(number),
                problem,
            })),
        }
    }
    (lines, problems)
}

fn parse_line(number: usize, line: &str) -> Result<Line, Vec<Problem>> {
    let (principals, rest) = principals(line).map_err(|problem| vec![problem])?;
    // As OpenSSH does: what is not a key is options, then a key. No option starts as a key's
    // type does, so a damaged key is named as such and not as an unknown option.
    let (grant, mut problems, key) = if starts_with_key_type(rest) {
        (Grant::default(), Vec::new(), public_key(rest))
    } else {
        let (list, rest) = field(rest).map_err(|problem| vec![problem])?;
        let (grant, problems) = options(list);
        (grant, problems, public_key(rest))
    };
    match (key, problems.is_empty()) {
        (Ok(key), true) => Ok(Line {
            number,
            principals,
            key: Fingerprint::of(key.key_data()),
            grant,
        }),
        (Ok(_), false) => Err(problems),
        (Err(problem), _) => {
            problems.push(problem);
            Err(problems)
        }
    }
}

/// True for what begins with the name of a key's algorithm.
fn starts_with_key_type(text: &str) -> bool {
    ["ssh-", "ecdsa-", "sk-", "rsa-"]
        .iter()
        .any(|start| text.starts_with(start))
}

fn public_key(text: &str) -> Result<PublicKey, Problem> {
    let key = PublicKey::from_openssh(text).map_err(|error| Problem::Key(error.to_string()))?;
    check_algorithm(key.key_data()).map_err(|error| Problem::Algorithm(error.to_string()))?;
    Ok(key)
}

/// The first field: patterns, bare or within double quotes.
fn principals(line: &str) -> Result<(Patterns, &str), Problem> {
    let (list, rest) = match line.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').ok_or(Problem::UnclosedQuote)?,
        None => line.split_once([' ', '\t']).unwrap_or((line, "")),
    };
    let patterns = Patterns::parse(list).ok_or_else(|| Problem::Principals(list.to_owned()))?;
    Ok((patterns, rest.trim_start_matches([' ', '\t'])))
}

/// Splits off what comes before the first blank outside quotes.
fn field(text: &str) -> Result<(&str, &str), Problem> {
    let end = outside_quotes(text, |c| c == ' ' || c == '\t')?.unwrap_or(text.len());
    let (field, rest) = text.split_at(end);
    Ok((field, rest.trim_start_matches([' ', '\t'])))
}

/// Where the first such character outside double quotes stands. `\"` neither opens nor closes.
fn outside_quotes(text: &str, wanted: impl Fn(char) -> bool) -> Result<Option<usize>, Problem> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            '"' if !escaped => quoted = !quoted,
            c if !quoted && wanted(c) => return Ok(Some(at)),
            _ => {}
        }
        escaped = c == '\\';
    }
    if quoted {
        return Err(Problem::UnclosedQuote);
    }
    Ok(None)
}

fn options(list: &str) -> (Grant, Vec<Problem>) {
    let mut grant = Grant::default();
    let mut problems = Vec::new();
    if list.is_empty() {
        return (grant, problems);
    }
    let mut rest = list;
    loop {
        // The list was split off outside quotes, so all of its quotes are closed.
        let end = outside_quotes(rest, |c| c == ',').ok().flatten();
        let option = end.and_then(|end| rest.get(..end)).unwrap_or(rest);
        if let Err(problem) = apply(option, &mut grant) {
            problems.push(problem);
        }
        match end.and_then(|end| rest.get(end + 1..)) {
            Some(next) => rest = next,
            None => break,
        }
    }
    if let (Some(after), Some(before)) = (grant.after, grant.before)
        && after > before
    {
        problems.push(Problem::NeverValid);
    }
    (grant, problems)
}

fn apply(option: &str, grant: &mut Grant) -> Result<(), Problem> {
    let (name, value) = match option.split_once('=') {
        Some((name, value)) => (name.to_ascii_lowercase(), Some(value)),
        None => (option.to_ascii_lowercase(), None),
    };
    let fresh = match name.as_str() {
        "cert-authority" => return Err(Problem::CertAuthority),
        "namespaces" => grant.namespaces.is_none(),
        "valid-after" => grant.after.is_none(),
        "valid-before" => grant.before.is_none(),
        _ => return Err(Problem::UnknownOption(option.chars().take(80).collect())),
    };
    let value = value
        .and_then(|value| value.strip_prefix('"')?.strip_suffix('"'))
        .filter(|_| fresh)
        .ok_or_else(|| Problem::Option(name.clone()))?
        .replace("\\\"", "\"");
    match name.as_str() {
        "namespaces" => {
            let patterns = Patterns::parse(&value).ok_or(Problem::Namespaces(value))?;
            grant.namespaces = Some(patterns);
        }
        "valid-after" => grant.after = Some(moment(&value)?),
        _ => grant.before = Some(moment(&value)?),
    }
    Ok(())
}

fn moment(text: &str) -> Result<Timestamp, Problem> {
    date::parse(text).map_err(|error| match error {
        DateError::NoZone => Problem::LocalDate(text.to_owned()),
        DateError::Malformed => Problem::Date(text.to_owned()),
    })
}
