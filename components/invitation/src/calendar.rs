//! The wedding as a calendar entry, RFC 5545.

use std::fmt::Write;

use kit::{Clock, Context, Day, Moment, Row};

/// Most octets of a line, RFC 5545, section 3.1; its end is not counted.
const LINE_OCTETS: usize = 75;

/// The calendar's file; `None` if the row has no day or no hour.
pub(crate) fn event(context: &Context, row: &Row) -> Option<String> {
    let language = &context.language;
    let text = |name: &str| row.text(name, language);
    let day = Day::parse(&row.field("date"))?;
    let start = Moment::in_seoul(day, Clock::parse(&row.field("time"))?);
    let couple = format!("{} ♥ {}", text("groom"), text("bride"));
    let summary = language.pick(format!("{couple} 결혼식"), format!("Wedding of {couple}"));
    let place = [text("venue"), text("hall"), text("address")];
    let place: Vec<String> = place.into_iter().filter(|part| !part.is_empty()).collect();

    let mut file = String::new();
    line(&mut file, "BEGIN:VCALENDAR");
    line(&mut file, "VERSION:2.0");
    line(&mut file, "PRODID:-//Holdfast//invitation//EN");
    line(&mut file, "BEGIN:VEVENT");
    line(&mut file, &format!("UID:{}", uid(context)));
    // A guest has no clock: the entry was true as of its copy.
    let stamp = context.as_of.unwrap_or(start).basic_utc();
    line(&mut file, &format!("DTSTAMP:{stamp}"));
    line(&mut file, &format!("DTSTART:{}", start.basic_utc()));
    line(&mut file, "DURATION:PT2H");
    line(&mut file, &format!("SUMMARY:{}", escape(&summary)));
    line(
        &mut file,
        &format!("LOCATION:{}", escape(&place.join(", "))),
    );
    let directions = text("directions");
    if !directions.is_empty() {
        line(&mut file, &format!("DESCRIPTION:{}", escape(&directions)));
    }
    line(&mut file, "END:VEVENT");
    line(&mut file, "END:VCALENDAR");
    Some(file)
}

/// The same for every reader and every copy, and without the invitation's id: calendars are
/// shared with people who were not sent the link.
fn uid(context: &Context) -> String {
    let name = seal::record_name(&context.site, "event", context.key().unwrap_or_default());
    format!("{}@{}", name.get(..32).unwrap_or(&name), context.site)
}

/// TEXT, RFC 5545, section 3.3.11. Other control characters are not allowed at all.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.replace("\r\n", "\n").chars() {
        match character {
            '\\' | ';' | ',' => {
                out.push('\\');
                out.push(character);
            }
            '\n' | '\r' => out.push_str("\\n"),
            other if other.is_control() => {}
            other => out.push(other),
        }
    }
    out
}

/// One content line, folded between characters.
fn line(file: &mut String, text: &str) {
    let mut octets = 0;
    for character in text.chars() {
        if octets + character.len_utf8() > LINE_OCTETS {
            file.push_str("\r\n ");
            octets = 1;
        }
        octets += character.len_utf8();
        file.push(character);
    }
    // Writing to a string does not fail.
    let _ = write!(file, "\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        assert_eq!(escape("a,b;c\\d\r\ne\u{7}\rf"), "a\\,b\\;c\\\\d\\ne\\nf");
    }

    #[test]
    fn long_lines_are_folded_between_characters() {
        let text = format!("SUMMARY:{}", "가나다 ".repeat(60));
        let mut file = String::new();
        line(&mut file, &text);
        assert!(file.ends_with("\r\n"));
        let lines: Vec<&str> = file.trim_end_matches("\r\n").split("\r\n").collect();
        assert!(lines.len() > 5);
        assert!(lines.iter().all(|line| line.len() <= LINE_OCTETS));
        assert!(lines.iter().skip(1).all(|line| line.starts_with(' ')));
        assert_eq!(file.replace("\r\n ", ""), format!("{text}\r\n"));
    }
}
