//! Links that work without any server: a call, a text message.

use crate::percent::encode_path;

/// A `tel:` link (RFC 3966): the number's digits, and a `+` in front if there is one.
#[must_use]
pub fn tel(number: &str) -> String {
    format!("tel:{}", digits(number))
}

/// An `sms:` link (RFC 5724), with the words ready if there are any.
#[must_use]
pub fn sms(number: &str, words: &str) -> String {
    let number = digits(number);
    if words.is_empty() {
        format!("sms:{number}")
    } else {
        format!("sms:{number}?body={}", encode_path(words))
    }
}

fn digits(number: &str) -> String {
    let plus = if number.trim_start().starts_with('+') {
        "+"
    } else {
        ""
    };
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    format!("{plus}{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_digits_and_a_leading_plus_are_dialled() {
        assert_eq!(tel("02-1234-5678"), "tel:0212345678");
        assert_eq!(tel(" +82 10 (1234) 5678"), "tel:+821012345678");
        assert_eq!(tel("javascript:alert(1)+2"), "tel:12");
        assert_eq!(sms("010-1234-5678", ""), "sms:01012345678");
        assert_eq!(
            sms("010-1", "축하 & \"?"),
            "sms:0101?body=%EC%B6%95%ED%95%98%20%26%20%22%3F"
        );
    }
}
