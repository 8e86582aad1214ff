//! `edge order notice`: the words that every page shows.
//!
//! They come from the command line, or from a preset, words that the site's publisher wrote in calm for
//! this cause. `add` takes a time off the front of them, as a log is kept: `17:30 messages return first`.

use clap::Args;
use snapshot::manifest::Preset;
use snapshot::{CauseName, LocalText, Manifest, Scope, Timestamp, words};

use super::Word;
use super::draft::Change;
use crate::cmd::Fault;
use crate::page::UtcOffset;

pub(super) const HELP: &str = "\
Examples:
  edge order notice pay --preset fire
  edge order notice pay \"카드 결제가 되지 않습니다\"
  edge order notice site --text ko=\"복구 중입니다\" --text en=\"We are restoring\"
  edge order notice site add \"17:30 messages return first\" --language en
  edge order notice site --clear

A preset is what [notice.CAUSE] of site.toml holds for the site and [service.NAME.notice.CAUSE] for a
service, in every language. After `add`, words that begin with HH:MM are dated by it, on the clock that
pages print; what has no time is dated now. Readers whose language has no words get the first that has,
marked as such. Words are one paragraph of visible text, at most 1,200 bytes a language.";

/// What stands before words that are dated by a time in front of them.
const ADD: &str = "add";

#[derive(Clone, Debug, Args)]
pub(super) struct Notice {
    /// A service, or `site`, which may be left out before `add`.
    pub(super) scope: String,
    /// The words, in the language of --language. `add` before them takes a time off their front.
    #[arg(value_name = "TEXT", conflicts_with = "preset")]
    words: Vec<String>,
    /// The language of TEXT; the site's first language if it is not said.
    #[arg(long, value_name = "LANGUAGE", requires = "words")]
    language: Option<String>,
    /// Words in one language: ko=..., en=... May be given several times.
    #[arg(long, value_name = "LANGUAGE=TEXT", conflicts_with = "preset")]
    text: Vec<String>,
    /// The words that the site keeps for this cause, in every language: fire, network.
    #[arg(long, value_name = "CAUSE")]
    preset: Option<CauseName>,
    /// Take all notices of this scope away.
    #[arg(long, conflicts_with_all = ["words", "text", "preset"])]
    clear: bool,
    #[command(flatten)]
    pub(super) word: Word,
}

impl Notice {
    /// `notice add "17:30 ..."`: who leaves the scope out means the site. A service of that name is
    /// `service:add`.
    pub(super) fn about_the_site(mut self) -> Self {
        let has_words = !(self.words.is_empty() && self.text.is_empty());
        if self.scope == ADD && has_words {
            self.words
                .insert(0, std::mem::replace(&mut self.scope, "site".to_owned()));
        }
        self
    }

    /// What it asks for about `scope` at `now`, of a site of which `manifest` is known.
    pub(super) fn change(
        self,
        scope: &Scope,
        manifest: Option<&Manifest>,
        now: Timestamp,
    ) -> Result<Change, Fault> {
        if self.clear {
            return Ok(Change::ClearNotices);
        }
        if let Some(cause) = &self.preset {
            let text = preset(scope, cause, manifest)?;
            return Ok(Change::Notice { at: None, text });
        }
        let (dated, given) = match self.words.split_first() {
            Some((first, rest)) if first == ADD => (true, rest),
            _ => (false, self.words.as_slice()),
        };
        let mut texts = texts(given, self.language, &self.text, manifest)?;
        let at = if dated {
            take_time(&mut texts, now)?
        } else {
            None
        };
        for (language, words) in &texts {
            sound(language, words)?;
        }
        for (n, (language, _)) in texts.iter().enumerate() {
            if texts.iter().take(n).any(|(other, _)| other == language) {
                return Err(Fault::usage(format!("two texts in language {language}")));
            }
        }
        let text: LocalText = texts.into_iter().collect();
        Ok(Change::Notice { at, text })
    }
}

/// The words of the preset, from whom they are about.
fn preset(
    scope: &Scope,
    cause: &CauseName,
    manifest: Option<&Manifest>,
) -> Result<LocalText, Fault> {
    let Some(manifest) = manifest else {
        let fault = Fault::failed("no path gives a release: no presets are known");
        return Err(fault.hint("give the words themselves: --text ko=... --text en=..."));
    };
    let of: &[Preset] = match scope {
        Scope::Site => &manifest.presets,
        Scope::Service(name) => manifest
            .service(name)
            .map_or(&[], |service| &service.presets),
    };
    if let Some(found) = of.iter().find(|preset| preset.cause == *cause) {
        for (language, words) in &found.text.0 {
            sound(language, words)?;
        }
        return Ok(found.text.clone());
    }
    let names = |presets: &[Preset]| {
        let names: Vec<&str> = presets.iter().map(|preset| preset.cause.as_str()).collect();
        match names.as_slice() {
            [] => "none".to_owned(),
            names => names.join(", "),
        }
    };
    let message = format!("{scope} has no preset {cause}: it has {}", names(of));
    let hint = match scope {
        Scope::Site => "give the words themselves: --text ko=... --text en=...".to_owned(),
        Scope::Service(_) => format!(
            "the site has {}; or give the words",
            names(&manifest.presets)
        ),
    };
    Err(Fault::usage(message).hint(hint))
}

/// The words of the command line, each with its language.
fn texts(
    given: &[String],
    language: Option<String>,
    texts: &[String],
    manifest: Option<&Manifest>,
) -> Result<Vec<(String, String)>, Fault> {
    let mut all: Vec<(String, String)> = Vec::new();
    if !given.is_empty() {
        let first = manifest.and_then(|manifest| manifest.languages.first().cloned());
        let language = language.or(first).ok_or_else(|| {
            let fault = Fault::usage("in which language? no release on the mirrors tells");
            fault.hint("give --language ko, or --text ko=... --text en=...")
        })?;
        all.push((language, given.join(" ")));
    }
    for text in texts {
        let Some((language, words)) = text.split_once('=') else {
            let fault = Fault::usage(format!("--text {text:?} names no language"));
            return Err(fault.hint("write --text ko=\"...\""));
        };
        all.push((language.to_owned(), words.to_owned()));
    }
    if all.is_empty() {
        let fault = Fault::usage("a notice without words");
        return Err(fault.hint("give TEXT, --text LANGUAGE=TEXT, --preset CAUSE, or --clear"));
    }
    Ok(all)
}

/// Takes the time off the front of each text: the nearest moment with that time on the clock that pages
/// print. `None` where no text has one.
fn take_time(texts: &mut [(String, String)], now: Timestamp) -> Result<Option<Timestamp>, Fault> {
    let mut found = None;
    for (_, words) in texts {
        let Some((clock, rest)) = leading_clock(words) else {
            continue;
        };
        if found.is_some_and(|found| found != clock) {
            return Err(Fault::usage("the texts begin with different times"));
        }
        found = Some(clock);
        *words = rest.to_owned();
    }
    let zone = UtcOffset::default();
    Ok(found.map(|(hour, minute)| zone.nearest(hour, minute, now)))
}

/// `17:30 words` as its time and its words.
fn leading_clock(words: &str) -> Option<((u8, u8), &str)> {
    let (clock, rest) = words.trim_start().split_once(char::is_whitespace)?;
    let (hour, minute) = clock.split_once(':')?;
    let digits = |part: &str, most: usize| {
        (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
    };
    if !digits(hour, 2) || minute.len() != 2 || !digits(minute, 2) {
        return None;
    }
    let (hour, minute): (u8, u8) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then(|| ((hour, minute), rest.trim_start()))
}

fn sound(language: &str, text: &str) -> Result<(), Fault> {
    let tag = (2..=3).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_lowercase());
    if !tag {
        let message = format!("{language:?} is not a language: expected ko, en, ...");
        return Err(Fault::usage(message));
    }
    words::fit(text).map_err(|unfit| Fault::usage(format!("the {language} text: {unfit}")))
}

#[cfg(test)]
mod tests {
    use snapshot::limits::NOTICE_BYTES;
    use snapshot::manifest::Preset;

    use super::*;
    use crate::fixture;

    /// 2026-11-22 14:05 KST.
    const NOW: Timestamp = Timestamp::from_secs(1_795_323_900);

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        notice: Notice,
    }

    fn asked(arguments: &[&str], manifest: Option<&Manifest>) -> Result<Change, Fault> {
        let line = ["notice"].iter().chain(arguments);
        let line = <Line as clap::Parser>::try_parse_from(line);
        let notice = line.map_err(Fault::usage)?.notice.about_the_site();
        let scope = crate::cmd::order::scope(&notice.scope)?;
        notice.change(&scope, manifest, NOW)
    }

    fn said(arguments: &[&str]) -> (Option<Timestamp>, LocalText) {
        match asked(arguments, Some(&fixture::manifest(Vec::new()))) {
            Ok(Change::Notice { at, text }) => (at, text),
            other => panic!("{other:?}"),
        }
    }

    fn refused(arguments: &[&str]) -> String {
        let manifest = fixture::manifest(Vec::new());
        asked(arguments, Some(&manifest)).unwrap_err().to_string()
    }

    #[test]
    fn notices_need_words_and_a_language() {
        let long = "x".repeat(NOTICE_BYTES);
        assert_eq!(
            said(&["pay", "불이야"]).1,
            [("ko", "불이야")].into_iter().collect()
        );
        assert_eq!(said(&["pay", &long]).1.0.len(), 1);
        assert_eq!(
            said(&["pay", "--text", "ko=불", "--text", "en=fire"])
                .1
                .0
                .len(),
            2
        );
        assert!(asked(&["pay", "불이야"], None).is_err());
        assert!(asked(&["pay", "불이야", "--language", "ko"], None).is_ok());
        for (arguments, why) in [
            (
                vec!["pay", "불", "--language", "KO"],
                "\"KO\" is not a language",
            ),
            (
                vec!["pay", "--text", "ko=불", "--text", "ko=물"],
                "two texts in language ko",
            ),
            (vec!["pay", "--text", "불"], "names no language"),
            (vec!["pay"], "a notice without words"),
            (vec!["pay", " "], "the ko text: it has no words"),
            (
                vec!["pay", "a\nb"],
                "the ko text: character 2 is U+000A, a line break",
            ),
            (
                vec!["pay", "a\u{202e}b"],
                "which turns the direction of text",
            ),
            (
                vec!["pay", "a\u{1b}[2J"],
                "the ko text: character 2 is U+001B",
            ),
        ] {
            let said = refused(&arguments);
            assert!(said.contains(why), "{arguments:?}: {said}");
        }
        let longer = refused(&["pay", &format!("{long}x")]);
        assert!(
            longer.contains("it has 1201 bytes: expected at most 1200"),
            "{longer}"
        );
    }

    #[test]
    fn a_time_in_front_dates_what_is_added() {
        let (at, text) = said(&["site", "add", "17:30 messages return first"]);
        assert_eq!(text.0[0].1, "messages return first");
        assert_eq!(at, Some(Timestamp::from_secs(1_795_323_900 + 205 * 60)));
        let both = [
            "site",
            "add",
            "--text",
            "ko=9:05 메시지부터",
            "--text",
            "en=9:05 messages",
        ];
        let (at, text) = said(&both);
        assert_eq!(at, Some(Timestamp::from_secs(1_795_323_900 - 300 * 60)));
        assert_eq!(text.0[1].1, "messages");
        for (words, kept) in [
            ("24:00 no time", "24:00 no time"),
            ("17:3 no time", "17:3 no time"),
            ("at 17:30", "at 17:30"),
        ] {
            let (at, text) = said(&["site", "add", words]);
            assert_eq!((at, text.0[0].1.as_str()), (None, kept));
        }
        // Without `add` it is one of the words.
        assert_eq!(said(&["site", "17:30 we open"]).1.0[0].1, "17:30 we open");
        let apart = ["site", "add", "--text", "ko=9:05 가", "--text", "en=9:06 a"];
        assert!(refused(&apart).contains("different times"));
        assert!(refused(&["site", "add", "17:30 "]).contains("no words"));
    }

    #[test]
    fn add_without_a_scope_is_about_the_site() {
        let said_so = said(&["site", "add", "17:30 messages return first"]);
        assert_eq!(said(&["add", "17:30 messages return first"]), said_so);
        let (at, text) = said(&["add", "--text", "ko=9:05 가"]);
        assert!(at.is_some() && text.0[0].1 == "가");
        let line = ["notice", "add", "17:30 words"];
        let line = <Line as clap::Parser>::parse_from(line).notice;
        assert_eq!(line.about_the_site().scope, "site");
        // A service of that name is named in full, or has nothing said of it.
        for kept in [
            ["notice", "service:add", "words"],
            ["notice", "add", "--clear"],
        ] {
            let line = <Line as clap::Parser>::parse_from(kept).notice;
            assert_eq!(line.about_the_site().scope, kept[1]);
        }
    }

    #[test]
    fn a_preset_is_of_whom_the_notice_is_about() {
        let mut manifest = fixture::manifest(Vec::new());
        let preset = |cause: &str, words: &str| Preset {
            cause: cause.parse().unwrap(),
            text: [("ko", words), ("en", words)].into_iter().collect(),
        };
        manifest.presets = vec![preset("fire", "site"), preset("power", "site")];
        manifest.services[0].presets = vec![preset("fire", "pay")];
        let of =
            |scope: &str, cause: &str| match asked(&[scope, "--preset", cause], Some(&manifest)) {
                Ok(Change::Notice { at: None, text }) => Ok(text.0[1].1.clone()),
                Ok(other) => panic!("{other:?}"),
                Err(fault) => Err(fault.to_string()),
            };
        assert_eq!(of("pay", "fire").unwrap(), "pay");
        assert_eq!(of("site", "fire").unwrap(), "site");
        let absent = of("pay", "power").unwrap_err();
        assert!(
            absent.contains("service:pay has no preset power: it has fire"),
            "{absent}"
        );
        let absent = of("site", "flood").unwrap_err();
        assert!(
            absent.contains("site has no preset flood: it has fire, power"),
            "{absent}"
        );
        assert!(asked(&["pay", "--preset", "fire"], None).is_err());
        assert!(asked(&["pay", "words", "--preset", "fire"], Some(&manifest)).is_err());
        assert!(of("pay", "Fire").is_err());
    }

    #[test]
    fn a_word_that_is_no_preset_of_this_release_is_not_signed() {
        let mut manifest = fixture::manifest(Vec::new());
        manifest.presets = vec![Preset {
            cause: "fire".parse().unwrap(),
            text: [("ko", "a\u{202e}b")].into_iter().collect(),
        }];
        assert!(asked(&["site", "--preset", "fire"], Some(&manifest)).is_err());
    }
}
