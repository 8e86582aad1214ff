//! `[notice.CAUSE]` and `[service.NAME.notice.CAUSE]`: words for a notice, written in calm and in
//! every language of the site, so that nobody has to find them at night.

use edge::settings::{Placed, Section};
use snapshot::manifest::Preset;
use snapshot::{CauseName, Language, limits, words};

/// The presets of the whole site or of one service.
pub(super) fn read(section: &mut Section<'_, '_>, languages: &[Language]) -> Vec<Preset> {
    let of = section.name().to_owned();
    let (span, problems) = (section.span(), section.problems());
    let presets: Vec<Preset> = section
        .named::<CauseName>("notice")
        .into_iter()
        .map(|(cause, table)| preset(cause, table, languages))
        .collect();
    if presets.len() > limits::PRESETS {
        let message = format!("{of} has {} notices", presets.len());
        let added = problems.add(span, message);
        added.help(format!("at most {}", limits::PRESETS));
    }
    presets
}

fn preset(cause: CauseName, table: Section<'_, '_>, languages: &[Language]) -> Preset {
    let (span, problems) = (table.span(), table.problems());
    let texts = table.rest_as_texts();
    for (tag, text) in &texts {
        if !languages.contains(&tag.value) {
            let message = format!("{:?} is not one of the site's languages", tag.value);
            let added = problems.add(tag.span, message);
            added.help(format!("languages = {languages:?}"));
        }
        if let Err(unfit) = words::fit(&text.value) {
            let message = format!("notice `{cause}` in {}: {unfit}", tag.value);
            problems.add(text.span, message);
        }
    }
    let words_in = |language: &Language| {
        let is = |(tag, _): &&(Placed<String>, Placed<String>)| tag.value == *language;
        texts.iter().find(is).map(|(_, text)| text.value.clone())
    };
    for language in languages {
        if words_in(language).is_none() {
            let message = format!("notice `{cause}` has no words in {language}");
            let added = problems.add(span, message);
            added.help(format!(
                "{language} = \"...\": its readers would get another language"
            ));
        }
    }
    let text = languages
        .iter()
        .filter_map(|language| Some((language.clone(), words_in(language)?)))
        .collect();
    Preset { cause, text }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Site;

    fn site(notices: &str) -> Result<Site, String> {
        let text = format!("site = \"x\"\nlanguages = [\"ko\", \"en\"]\n{notices}");
        let read = Site::parse(Path::new("site.toml"), &text);
        read.map_err(|mistakes| mistakes.render(false))
    }

    #[test]
    fn presets_are_read_in_the_sites_order_of_languages() {
        let site = site(
            "[notice.fire]\nen = \"A fire\"\nko = \"불\"\n\
             [service.pay.notice.network]\nko = \"망\"\nen = \"Network\"\n",
        )
        .unwrap();
        let fire = &site.presets[0];
        assert_eq!(fire.cause.as_str(), "fire");
        assert_eq!(fire.text.get("xx"), Some(("ko", "불")));
        assert_eq!(fire.text.get("en"), Some(("en", "A fire")));
        assert_eq!(site.services[0].presets[0].cause.as_str(), "network");
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let long = "x".repeat(limits::NOTICE_BYTES + 1);
        let said = site(&format!(
            "[notice.fire]\nko = \"불\"\nfr = \"feu\"\n\
             [notice.Fire]\nko = \"불\"\nen = \"fire\"\n\
             [service.pay.notice.network]\nko = \"\"\nen = \"{long}\"\n\
             [service.pay.notice.power]\nko = \"a\\u202eb\"\nen = \"two\\nlines\"\n"
        ))
        .unwrap_err();
        for part in [
            "notice `fire` has no words in en",
            "\"fr\" is not one of the site's languages",
            "\"Fire\" is not a cause",
            "notice `network` in ko: it has no words",
            "notice `network` in en: it has 1201 bytes: expected at most 1200",
            "notice `power` in ko: character 2 is U+202E, which turns the direction of text",
            "notice `power` in en: character 4 is U+000A, a line break",
        ] {
            assert!(said.contains(part), "{part}\n{said}");
        }
    }

    #[test]
    fn there_are_only_so_many() {
        let of = |count: usize| {
            let notice = |n| format!("[notice.c{n}]\nko = \"가\"\nen = \"a\"\n");
            site(&(0..count).map(notice).collect::<String>())
        };
        assert_eq!(of(limits::PRESETS).unwrap().presets.len(), limits::PRESETS);
        let said = of(limits::PRESETS + 1).unwrap_err();
        assert!(said.contains("has 65 notices"), "{said}");
    }
}
