//! Which of the site's languages a reader gets (RFC 9110 section 12.5.4).

use snapshot::Language;

use super::qvalue::weighted;

/// What a page is in when a site names no language at all.
const LAST_RESORT: &str = "en";

/// The best of `languages` (the site's, default first) for an `Accept-Language` field, by the
/// lookup of RFC 4647 section 3.4: ranges from the heaviest down, each shortened from its end until
/// it names a language of the site. A weight of zero rules a language out. Nothing fits: the
/// default, for a page in a foreign language is better than none.
#[must_use]
pub fn negotiate<'a>(accept_language: &str, languages: &'a [Language]) -> &'a str {
    let ranges = weighted(accept_language);
    let refused = |tag: &str| {
        ranges
            .iter()
            .any(|range| range.weight == 0 && range.value.eq_ignore_ascii_case(tag))
    };
    for range in ranges.iter().filter(|range| range.weight > 0) {
        let found = if range.value == "*" {
            languages.iter().find(|tag| !refused(tag))
        } else {
            look_up(range.value, languages).filter(|tag| !refused(tag))
        };
        if let Some(tag) = found {
            return tag;
        }
    }
    languages.first().map_or(LAST_RESORT, String::as_str)
}

fn look_up<'a>(range: &str, languages: &'a [Language]) -> Option<&'a Language> {
    let mut range = range;
    loop {
        let found = languages.iter().find(|tag| tag.eq_ignore_ascii_case(range));
        if found.is_some() {
            return found;
        }
        range = range.rsplit_once('-')?.0;
        // A single letter or digit introduces what follows it, and goes with it.
        if let Some((rest, singleton)) = range.rsplit_once('-')
            && singleton.len() == 1
        {
            range = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_get_what_they_read() {
        let site: Vec<Language> = vec!["ko".into(), "en".into(), "zh-hant".into()];
        for (field, expected) in [
            ("", "ko"),
            ("en", "en"),
            ("EN-us", "en"),
            ("ko-KR,ko;q=0.9,en;q=0.8", "ko"),
            ("en-GB-x-abc", "en"),
            ("zh-Hant-TW", "zh-hant"),
            ("zh", "ko"),
            ("fr, en;q=0.3, ko;q=0.5", "ko"),
            ("fr", "ko"),
            ("*", "ko"),
            ("fr;q=1, *;q=0.1", "ko"),
            ("*, ko;q=0", "en"),
            ("ko;q=0, en;q=0.001", "en"),
            ("ko;q=0", "ko"),
            ("en;q=nonsense", "ko"),
            ("-, --, ;;;q=1", "ko"),
        ] {
            assert_eq!(negotiate(field, &site), expected, "{field:?}");
        }
    }

    #[test]
    fn a_site_without_languages_still_answers() {
        assert_eq!(negotiate("ko", &[]), LAST_RESORT);
    }
}
