//! `edge order notice`: the words that every page shows.

use clap::Args;

use super::Word;
use super::draft::Change;
use super::facts::SiteFacts;
use crate::cmd::Fault;

pub(super) const HELP: &str = "\
Examples:
  edge order notice pay \"카드 결제가 되지 않습니다\"
  edge order notice site --text ko=\"복구 중입니다\" --text en=\"We are restoring\"
  edge order notice site --clear";

/// Longest notice in one language, bytes.
pub(super) const NOTICE_BYTES: usize = 1200;

#[derive(Clone, Debug, Args)]
pub(super) struct Notice {
    /// A service, or `site`.
    pub(super) scope: String,
    /// The words, in the language of --language.
    #[arg(value_name = "TEXT", conflicts_with = "text")]
    words: Vec<String>,
    /// The language of TEXT; the site's first language if it is not said.
    #[arg(long, value_name = "LANGUAGE", requires = "words")]
    language: Option<String>,
    /// Words in one language: ko=..., en=... May be given several times.
    #[arg(long, value_name = "LANGUAGE=TEXT")]
    text: Vec<String>,
    /// Take all notices of this scope away.
    #[arg(long, conflicts_with_all = ["words", "text"])]
    clear: bool,
    #[command(flatten)]
    pub(super) word: Word,
}

impl Notice {
    /// What it asks for.
    pub(super) fn change(self, facts: Option<&SiteFacts>) -> Result<Change, Fault> {
        if self.clear {
            return Ok(Change::ClearNotices);
        }
        notice(&self.words, self.language, &self.text, facts)
    }
}

/// The notice that the command line asks for.
fn notice(
    words: &[String],
    language: Option<String>,
    texts: &[String],
    facts: Option<&SiteFacts>,
) -> Result<Change, Fault> {
    let mut notice: Vec<(String, String)> = Vec::new();
    if !words.is_empty() {
        let first = facts.and_then(|facts| facts.manifest.languages.first().cloned());
        let language = language.or(first).ok_or_else(|| {
            let fault = Fault::usage("in which language? no release on the mirrors tells");
            fault.hint("give --language ko, or --text ko=... --text en=...")
        })?;
        notice.push((language, words.join(" ")));
    }
    for text in texts {
        let Some((language, words)) = text.split_once('=') else {
            let fault = Fault::usage(format!("--text {text:?} names no language"));
            return Err(fault.hint("write --text ko=\"...\""));
        };
        notice.push((language.to_owned(), words.to_owned()));
    }
    if notice.is_empty() {
        let fault = Fault::usage("a notice without words");
        return Err(fault.hint("give TEXT, --text LANGUAGE=TEXT, or --clear"));
    }
    for (language, words) in &notice {
        sound(language, words)?;
    }
    for (n, (language, _)) in notice.iter().enumerate() {
        if notice.iter().take(n).any(|(other, _)| other == language) {
            return Err(Fault::usage(format!("two texts in language {language}")));
        }
    }
    Ok(Change::Notice(notice.into_iter().collect()))
}

fn sound(language: &str, words: &str) -> Result<(), Fault> {
    let tag = (2..=3).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_lowercase());
    if !tag {
        let message = format!("{language:?} is not a language: expected ko, en, ...");
        return Err(Fault::usage(message));
    }
    if words.trim().is_empty() || words.len() > NOTICE_BYTES {
        let message = format!(
            "the {language} text has {} bytes: expected 1 to {NOTICE_BYTES}",
            words.trim().len()
        );
        return Err(Fault::usage(message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_need_words_and_a_language() {
        let one = |words: &str, language: Option<&str>| {
            notice(&[words.into()], language.map(Into::into), &[], None)
        };
        assert!(one("불이야", Some("ko")).is_ok());
        assert!(one("불이야", None).is_err());
        assert!(one("불이야", Some("KO")).is_err());
        assert!(one(&"x".repeat(NOTICE_BYTES), Some("ko")).is_ok());
        let long = one(&"x".repeat(NOTICE_BYTES + 1), Some("ko")).unwrap_err();
        let expected = "the ko text has 1201 bytes: expected 1 to 1200";
        assert!(long.to_string().contains(expected), "{long}");
        assert!(notice(&[], None, &["ko=불".into(), "en=fire".into()], None).is_ok());
        assert!(notice(&[], None, &["ko=불".into(), "ko=물".into()], None).is_err());
        assert!(notice(&[], None, &["불".into()], None).is_err());
        assert!(notice(&[], None, &[], None).is_err());
    }
}
