//! Others' words on this terminal.

/// Words that somebody else wrote, on one line: nothing in them moves the cursor, colours anything or
/// turns the direction of text. They are shown before anybody has verified who wrote them.
pub fn plain(words: &str) -> String {
    let control =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    words.replace(control, " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_becomes_a_space() {
        let odd = "fire\u{1b}[2J\r\nedge: all is well\u{202e}\u{9b}1m";
        assert_eq!(plain(odd), "fire [2J  edge: all is well  1m");
        assert_eq!(plain("불이야 — fire"), "불이야 — fire");
    }
}
