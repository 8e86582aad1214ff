//! Amounts of money.

use crate::language::Language;

/// `15,000원`, `₩15,000`; a text that is no whole number stays what it is.
#[must_use]
pub fn won(text: &str, language: &Language) -> String {
    let trimmed = text.trim();
    let (sign, digits) = match trimmed.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", trimmed),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return text.to_owned();
    }
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    language.pick(format!("{sign}{grouped}원"), format!("{sign}₩{grouped}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        let (ko, en) = (Language::new("ko"), Language::new("en"));
        for (text, korean, english) in [
            ("0", "0원", "₩0"),
            ("500", "500원", "₩500"),
            ("15000", "15,000원", "₩15,000"),
            ("1234567", "1,234,567원", "₩1,234,567"),
            ("-1000", "-1,000원", "-₩1,000"),
            ("무료", "무료", "무료"),
            ("1,000", "1,000", "1,000"),
            ("", "", ""),
        ] {
            assert_eq!(won(text, &ko), korean);
            assert_eq!(won(text, &en), english);
        }
    }
}
