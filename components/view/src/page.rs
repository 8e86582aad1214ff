//! One page: the template over the records, within bounds.

use kit::{Answer, Context};
use minijinja::{AutoEscape, Environment, Error, ErrorKind};

use crate::bounded::Bounded;
use crate::filters;
use crate::status;
use crate::templates::{TEMPLATES, Templates};
use crate::values::{Records, variables};

/// Most steps of one rendering, in the engine's fuel.
pub const FUEL: u64 = 100_000;
/// Most a page may weigh, bytes.
pub const OUTPUT_BYTES: usize = 256 * 1024;

/// The layout that templates extend: the same shell as every guest's.
const LAYOUT: (&str, &str) = (
    "layout",
    "{{ shell.before_title }}{% block title %}{{ site }}{% endblock %}{{ shell.before_content }}\
     {% block content %}{% endblock %}{{ shell.end }}",
);

/// How far rendering came.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// To its answer.
    Done(Answer),
    /// To templates that were not read yet: read them, and render again.
    Needs(Vec<String>),
}

/// Renders `template` over `records`.
#[must_use]
pub fn render(context: &Context, template: &str, records: &Records, templates: &Templates) -> Step {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_fuel(Some(FUEL));
    filters::add(&mut environment, &context.language);
    let shared = templates.clone();
    environment.set_loader(move |name| {
        Ok(match name {
            name if name == LAYOUT.0 => Some(LAYOUT.1.to_owned()),
            name if name == status::PAGE.0 => Some(status::PAGE.1.to_owned()),
            name => {
                let own = (name == status::OWN.0).then(|| status::OWN.1.to_owned());
                shared.source(name).or(own)
            }
        })
    });
    let rendered = write(&environment, template, context, records);
    let wanted = templates.take_wanted();
    if !wanted.is_empty() {
        if templates.len() + wanted.len() > TEMPLATES {
            return Step::Done(Answer::failed(format_args!(
                "template {template}: more than {TEMPLATES} templates for one page"
            )));
        }
        return Step::Needs(wanted);
    }
    Step::Done(match rendered {
        Ok(body) => Answer::page(body),
        Err(error) => Answer::failed(explain(template, &error)),
    })
}

fn write(
    environment: &Environment<'_>,
    template: &str,
    context: &Context,
    records: &Records,
) -> Result<String, Error> {
    let mut out = Bounded::new(OUTPUT_BYTES);
    environment
        .get_template(template)?
        .render_captured_to(variables(context, records), &mut out)?;
    Ok(out.into_string())
}

/// `template meeting.html line 7: unknown filter …`: for whoever wrote the template.
fn explain(template: &str, error: &Error) -> String {
    let name = error.name().unwrap_or(template);
    let place = match error.line() {
        Some(line) => format!("template {name} line {line}"),
        None => format!("template {name}"),
    };
    let cause = std::error::Error::source(error)
        .map(|cause| format!(": {cause}"))
        .unwrap_or_default();
    match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => format!("{place}: more than {FUEL} steps"),
        (kind, Some(detail)) => format!("{place}: {kind}: {detail}{cause}"),
        (kind, None) => format!("{place}: {kind}{cause}"),
    }
}
