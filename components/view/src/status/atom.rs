//! `status.atom`: a feed (RFC 4287) with an entry for each notice, and for each service that is not as
//! usual, in every language. What an entry is named by never changes, so that a reader sees it once.

use kit::{Context, Html, Language, Moment, Notice, Service, Words};

/// Longest title of an entry, characters.
const TITLE_CHARS: usize = 80;
/// What names are made in: another form, other names.
const NAMES: &str = "holdfast status feed entry v1";
/// Where nothing is known of time.
const EPOCH: &str = "1970-01-01T00:00:00Z";

pub(super) fn feed(context: &Context) -> String {
    let own = own_language(context);
    let title = in_language(&context.title, &own).unwrap_or(&context.site);
    let as_of = if context.as_of_text.is_empty() {
        EPOCH
    } else {
        &context.as_of_text
    };
    let mut entries = entries(context, &own, as_of);
    entries.sort_by(|a, b| b.updated.cmp(&a.updated).then_with(|| a.id.cmp(&b.id)));
    entries.dedup_by(|a, b| a.id == b.id);
    let updated = entries.first().map_or(as_of, |entry| &entry.updated);
    let mut out = Html::new();
    out.add(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"{}\">\n<id>{}</id>\n\
         <title>{}: {}</title>\n<subtitle>{}</subtitle>\n<updated>{}</updated>\n\
         <author><name>{}</name></author>\n\
         <link rel=\"self\" type=\"application/atom+xml\" href=\"{}\"/>\n\
         <link rel=\"alternate\" type=\"text/html\" href=\"/status.html\"/>\n",
        &[
            &own.tag(),
            &id(&[&context.site]),
            &title,
            &own.pick("서비스 상태", "service status"),
            &age(context, &own),
            &updated,
            &title,
            &context.path,
        ],
    );
    for entry in &entries {
        entry.append_to(&mut out);
    }
    out.add("</feed>\n", &[]);
    out.into_string()
}

struct Entry {
    id: String,
    updated: String,
    title: String,
    /// In each language.
    content: Words,
}

impl Entry {
    fn append_to(&self, out: &mut Html) {
        let mut paragraphs = Html::new();
        for (language, words) in &self.content {
            paragraphs.add(
                "<p lang=\"{}\" xml:lang=\"{}\">{}</p>",
                &[language, language, words],
            );
        }
        out.add(
            "<entry>\n<id>{}</id>\n<title>{}</title>\n<updated>{}</updated>\n\
             <content type=\"xhtml\"><div xmlns=\"http://www.w3.org/1999/xhtml\">{}</div></content>\n\
             </entry>\n",
            &[&self.id, &self.title, &self.updated, &paragraphs],
        );
    }
}

fn entries(context: &Context, own: &Language, as_of: &str) -> Vec<Entry> {
    let notices = context.notices.iter().map(|n| notice(context, n, own));
    let services = context.services.iter();
    let services = services.filter_map(|service| state(context, service, own, as_of));
    notices.chain(services).collect()
}

fn notice(context: &Context, notice: &Notice, own: &Language) -> Entry {
    let words = in_language(&notice.texts, own).unwrap_or(&notice.text);
    let name = notice.scope.strip_prefix("service:");
    let about = context
        .services
        .iter()
        .find(|s| Some(s.name.as_str()) == name);
    let title = match about {
        Some(service) => {
            let title = in_language(&service.titles, own).unwrap_or(&service.name);
            format!("{title}: {words}")
        }
        None => words.to_owned(),
    };
    let mut named = vec![context.site.as_str(), &notice.scope, &notice.at];
    for (language, words) in &notice.texts {
        named.extend([language.as_str(), words]);
    }
    Entry {
        id: id(&named),
        updated: notice.at.clone(),
        title: cut(&title),
        content: notice.texts.clone(),
    }
}

/// What is to be told of a service by itself; nothing of one that is as usual.
fn state(context: &Context, service: &Service, own: &Language, as_of: &str) -> Option<Entry> {
    let (kind, since) = match (service.mode.as_str(), &service.back) {
        ("normal", Some(back)) => ("back", Some(back)),
        ("normal", None) => return None,
        (mode, _) => (mode, service.since.as_ref()),
    };
    let told = |language: &Language| {
        let title = in_language(&service.titles, language).unwrap_or(&service.name);
        let state = match kind {
            "back" => language.pick("다시 됩니다", "back"),
            "probing" => language.pick("복구 중입니다", "recovering"),
            _ => language.pick("멈췄습니다", "down"),
        };
        format!("{title}: {state}")
    };
    let content = context.languages.iter().map(|tag| {
        let language = Language::new(tag);
        let mut words = told(&language);
        if let Some(since) = since.and_then(|since| Moment::parse(since)) {
            let since = since.long(&language);
            words = language.pick(
                format!("{words} ({since}부터)"),
                format!("{words} since {since}"),
            );
        }
        if kind == "degraded"
            && let Some(meanwhile) = in_language(&service.meanwhiles, &language)
        {
            words = format!("{words}. {meanwhile}");
        }
        (tag.clone(), words)
    });
    let updated = since.map_or(as_of, String::as_str);
    let when = since.map_or("", String::as_str);
    Some(Entry {
        id: id(&[&context.site, &service.name, kind, when]),
        updated: updated.to_owned(),
        title: cut(&told(own)),
        content: content.collect(),
    })
}

/// The site's first language: a feed is the same for every reader.
fn own_language(context: &Context) -> Language {
    let first = context.languages.first().map(String::as_str);
    Language::new(first.unwrap_or(context.language.tag()))
}

fn in_language<'w>(words: &'w Words, language: &Language) -> Option<&'w str> {
    let exact = words.iter().find(|(tag, _)| tag == language.tag());
    let found = exact.or_else(|| words.first())?;
    Some(found.1.as_str()).filter(|words| !words.is_empty())
}

fn age(context: &Context, own: &Language) -> String {
    let Some(as_of) = context.as_of else {
        return String::new();
    };
    let plain = as_of.long(own);
    own.pick(format!("{plain} 기준"), format!("As of {plain}"))
}

fn cut(title: &str) -> String {
    if title.chars().count() <= TITLE_CHARS {
        return title.to_owned();
    }
    let start: String = title.chars().take(TITLE_CHARS - 1).collect();
    format!("{}…", start.trim_end())
}

/// A name (RFC 9562, version 8) of these parts, the same wherever and whenever it is made.
fn id(parts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new_derive_key(NAMES);
    for part in parts {
        hasher.update(&(part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    let hash = hasher.finalize();
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(hash.as_bytes()) {
        *to = *from;
    }
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = |range: std::ops::Range<usize>| -> String {
        let bytes = bytes.get(range).unwrap_or_default();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    };
    format!(
        "urn:uuid:{}-{}-{}-{}-{}",
        hex(0..4),
        hex(4..6),
        hex(6..8),
        hex(8..10),
        hex(10..16)
    )
}
