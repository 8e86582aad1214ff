//! HTML that cannot forget to escape: markup comes only from the program's own text, and every
//! value is escaped on its way in unless it is [`Html`] already.

/// A piece of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Html(String);

/// What may stand in a page, in text or inside a quoted attribute.
pub trait Markup {
    /// Appends itself, escaped.
    fn append_to(&self, out: &mut String);
}

impl Html {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends `markup` with each `{}` filled by the next of `values`.
    pub fn add(&mut self, markup: &'static str, values: &[&dyn Markup]) {
        debug_assert_eq!(markup.matches("{}").count(), values.len(), "{markup}");
        let mut values = values.iter();
        for (at, piece) in markup.split("{}").enumerate() {
            if at > 0
                && let Some(value) = values.next()
            {
                value.append_to(&mut self.0);
            }
            self.0.push_str(piece);
        }
    }

    /// The markup.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The markup, owned.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl Markup for Html {
    fn append_to(&self, out: &mut String) {
        out.push_str(&self.0);
    }
}

impl Markup for str {
    fn append_to(&self, out: &mut String) {
        escape(self, out);
    }
}

impl Markup for &str {
    fn append_to(&self, out: &mut String) {
        escape(self, out);
    }
}

impl Markup for String {
    fn append_to(&self, out: &mut String) {
        escape(self, out);
    }
}

fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_and_markup_is_not() {
        let mut inner = Html::new();
        inner.add("<b>{}</b>", &[&"a<b>&\"'{}"]);
        let mut outer = Html::new();
        outer.add(
            "<p title=\"{}\">{}</p>",
            &[&"\"><script>".to_owned(), &inner],
        );
        assert_eq!(
            outer.as_str(),
            "<p title=\"&quot;&gt;&lt;script&gt;\"><b>a&lt;b&gt;&amp;&quot;&#39;{}</b></p>"
        );
    }
}
