//! The same that pages say of a site's troubles, as plain text: for pasting where no page reaches, into a
//! chat, a letter, somebody else's board.

use std::fmt::Write as _;

use super::catalogue::Tongue;
use super::state::{NoticeLine, PageState};

/// What is down, what is back and what ops say, in the reader's language; that nothing is down only where
/// that `is_known`.
#[must_use]
pub fn plain(state: &PageState, is_known: bool) -> String {
    let tongue = Tongue::of(&state.language);
    let mut out = String::new();
    let headline = if state.degraded().next().is_some() {
        Some(tongue.some_are_down())
    } else if state.back().next().is_some() {
        Some(tongue.back_again())
    } else {
        is_known.then_some(tongue.nothing_is_down())
    };
    // Writing to a String cannot fail.
    let _ = match headline {
        Some(headline) => writeln!(out, "{}: {headline}", state.site_title),
        None => writeln!(out, "{}", state.site_title),
    };
    for service in state.degraded() {
        let _ = write!(out, "- {}", service.title);
        if let Some(since) = service.since {
            let since = tongue.since(state.offset.civil(since), &state.offset);
            let _ = write!(out, " ({since})");
        }
        if !service.meanwhile.is_empty() {
            let _ = write!(out, ": {}", service.meanwhile);
        }
        out.push('\n');
    }
    for (service, since) in state.back() {
        let since = tongue.back_since(state.offset.civil(since), &state.offset);
        let _ = writeln!(out, "- {}: {since}", service.title);
    }
    let lines = state.newest_notices();
    if !lines.is_empty() {
        out.push('\n');
    }
    for line in lines {
        notice(&mut out, line, state, tongue);
    }
    out
}

fn notice(out: &mut String, line: &NoticeLine, state: &PageState, tongue: Tongue) {
    let at = tongue.written(state.offset.civil(line.at));
    let _ = write!(out, "{at}: ");
    if let Some(service) = state
        .services
        .iter()
        .find(|service| line.is_about(&service.name))
    {
        let _ = write!(out, "{}: ", service.title);
    }
    let _ = write!(out, "{}", line.text);
    if line.language != state.language {
        let _ = write!(out, " [{}]", line.language);
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use snapshot::Scope;

    use super::super::state::samples::{calm, notice as said, outage};
    use super::*;

    #[test]
    fn an_outage_is_told_in_lines() {
        let mut state = outage("en");
        state.notices.push(said(0, "첫 소식"));
        state.notices.push(NoticeLine {
            scope: Scope::Service("pay".parse().unwrap()),
            language: "en".to_owned(),
            ..said(30, "soon")
        });
        assert_eq!(
            plain(&state, false),
            "다솜: Some services are down\n\
             - Dasom pay (since 13:20 KST, 22 Nov): Meanwhile for pay\n\
             \n\
             14:30, 22 Nov: Dasom pay: soon\n\
             14:00, 22 Nov: 첫 소식 [ko]\n"
        );
    }

    #[test]
    fn calm_and_what_is_back_are_told_too() {
        let mut state = calm("ko");
        assert_eq!(plain(&state, true), "다솜: 모든 서비스가 정상입니다\n");
        assert_eq!(plain(&state, false), "다솜\n");
        state.services[1].back = Some(snapshot::Timestamp::from_secs(1_795_323_900));
        assert_eq!(
            plain(&state, true),
            "다솜: 서비스가 다시 됩니다\n- Dasom club: 11월 22일 14:05(KST)부터 다시 됩니다\n"
        );
    }
}
