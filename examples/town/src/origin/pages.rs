//! The origin's own pages, from the templates in `origin/`.

use anyhow::{Context, Result};
use minijinja::{Environment, Value};

/// The templates, by file name.
const TEMPLATES: &[(&str, &str)] = &[
    ("base.html", include_str!("../../origin/base.html")),
    ("gift.html", include_str!("../../origin/gift.html")),
    (
        "invitation.html",
        include_str!("../../origin/invitation.html"),
    ),
    ("login.html", include_str!("../../origin/login.html")),
    ("record.html", include_str!("../../origin/record.html")),
    ("meeting.html", include_str!("../../origin/meeting.html")),
];

/// Renders pages.
#[derive(Debug)]
pub(crate) struct Pages(Environment<'static>);

impl Pages {
    pub(crate) fn new() -> Result<Self> {
        let mut environment = Environment::new();
        for (name, source) in TEMPLATES {
            environment
                .add_template(name, source)
                .with_context(|| format!("template {name}"))?;
        }
        Ok(Self(environment))
    }

    pub(crate) fn render(
        &self,
        template: &str,
        language: &str,
        values: Vec<(&str, Value)>,
    ) -> Result<String> {
        let korean = language == "ko";
        let mut context: Vec<(String, Value)> =
            values.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        context.push(("language".to_owned(), language.into()));
        context.push(("ko".to_owned(), korean.into()));
        Ok(self
            .0
            .get_template(template)?
            .render(Value::from_pairs(context))?)
    }
}

/// A row as a template sees it: every column, and for each pair `x_ko`, `x_en` also `x`.
pub(crate) fn row(columns: &[&str], values: &[&str], language: &str) -> Value {
    let mut row: Vec<(String, Value)> = Vec::with_capacity(columns.len() * 2);
    for (column, value) in columns.iter().zip(values) {
        if let Some(short) = column
            .strip_suffix(language)
            .and_then(|c| c.strip_suffix('_'))
        {
            row.push((short.to_owned(), Value::from(*value)));
        }
        row.push(((*column).to_owned(), Value::from(*value)));
    }
    Value::from_pairs(row)
}
