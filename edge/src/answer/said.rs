//! What a component says of its own failure: for whoever publishes it, and for no reader.

use super::routes::Matched;

/// Most of a component's words that are kept, bytes.
pub const SAID_BYTES: usize = 512;
/// Shortest path parameter that is taken out of the words, bytes. A shorter one is no secret, and
/// would tear other words apart.
const SECRET_BYTES: usize = 4;

/// The words of `body`, which answered the request `matched`: bounded, on one line, without
/// characters that steer a terminal, and without the values of the path's parameters. `None` where
/// nothing was said.
pub(super) fn said(body: &[u8], matched: &Matched) -> Option<String> {
    let bounded = body.get(..SAID_BYTES).unwrap_or(body);
    let mut words = String::from_utf8_lossy(bounded).trim().to_owned();
    let capability = matched
        .capability
        .iter()
        .map(|c| ("capability", c.expose()));
    let params = matched.params.iter().map(|(n, v)| (n.as_str(), v.as_str()));
    for (name, value) in capability.chain(params) {
        if value.len() >= SECRET_BYTES {
            words = words.replace(value, &format!("{{{name}}}"));
        }
    }
    let mut plain = String::with_capacity(words.len());
    for c in words.chars() {
        if steers(c) {
            plain.extend(c.escape_default());
        } else {
            plain.push(c);
        }
    }
    (!plain.is_empty()).then_some(plain)
}

/// Control characters, line and paragraph separators, and what turns the direction of a line.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::super::{RequestPath, Routes};
    use super::*;
    use crate::fixture;
    use snapshot::manifest::Route;

    fn of(body: &[u8]) -> Option<String> {
        let route = Route {
            capability: Some("cap".to_owned()),
            ..fixture::component("/i/{id}/{n}/{cap}/", "view")
        };
        let routes = Routes::new(&fixture::manifest(vec![route])).unwrap();
        let path = RequestPath::parse("/i/abcd-1/7/s3cret/").unwrap();
        said(body, &routes.find(&path).unwrap())
    }

    #[test]
    fn words_are_bounded_and_steer_no_terminal() {
        assert_eq!(of(b" \n"), None);
        assert_eq!(
            of("template a.html line 7: \u{1b}[2J가\r\n\u{202e}\n".as_bytes()).unwrap(),
            "template a.html line 7: \\u{1b}[2J가\\r\\n\\u{202e}"
        );
        assert_eq!(of(&[b'x'; SAID_BYTES + 1]).unwrap().len(), SAID_BYTES);
        assert_eq!(of(b"\xff").unwrap(), "\u{fffd}");
    }

    #[test]
    fn the_secrets_of_the_path_are_taken_out() {
        let words = of(b"no abcd-1 on line 7 for s3cret").unwrap();
        assert_eq!(words, "no {id} on line 7 for {capability}");
    }
}
