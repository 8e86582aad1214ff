//! `edge why`: how a running edge would answer a URL, and how it finds that.

use std::fmt::Write as _;
use std::io::{BufRead, IsTerminal as _};

use clap::Args;
use url::Url;

use super::control::At;
use super::{Exit, Fault};
use crate::asking;
use crate::serve::why::{Answer, Explanation, Question};

pub(super) const HELP: &str = "\
Control listeners of edges are asked, which --edge or ops.toml names.

Nothing is asked of the origin, counted or logged, and the edge is not changed. The URL is sent in a
body and not repeated: what is shown is its route's template. A URL on the command line stands in the
shell's history and in `ps`; where it holds a capability, give `-` and paste it.

Examples:
  edge why https://town.example/clubs/
  edge why - < url.txt
  edge why --edge http://127.0.0.1:8081 --language ko town.example/i/ID/
  edge why --method POST https://town.example/pay

Exit status:
   0  the edge explained it, whatever it would answer
   1  no edge explained it; the reason is printed
  64  the command line or a settings file is wrong, or the URL is none";

/// Longest URL, bytes.
const URL_BYTES: u64 = 16 << 10;

#[derive(Debug, Args)]
pub(super) struct Why {
    /// The URL as a reader opens it; `-`: read from standard input.
    #[arg(value_name = "URL")]
    url: String,
    /// The method.
    #[arg(long, value_name = "METHOD", default_value = "GET")]
    method: String,
    /// The reader's `Accept-Language`.
    #[arg(long, value_name = "LANGUAGE")]
    language: Option<String>,
    #[command(flatten)]
    at: At,
    /// Show the URL as well; on a terminal only.
    #[arg(long)]
    show_url: bool,
    /// Print the edge's answer as one JSON object.
    #[arg(long)]
    json: bool,
}

impl Why {
    pub(super) async fn run(self) -> Result<Exit, Fault> {
        let edges = self.at.controls()?;
        let url = match self.url.as_str() {
            "-" => from_stdin()?,
            url => url.to_owned(),
        };
        let question = Question {
            url,
            method: Some(self.method),
            language: self.language,
        };
        question.head().map_err(Fault::usage)?;
        let told = ask(&edges, &question).await?;
        if self.json {
            println!("{told:#}");
            return Ok(Exit::Done);
        }
        let told: Explanation = serde_json::from_value(told).map_err(|error| {
            let fault = Fault::failed(format!("what the edge says is not readable: {error}"));
            fault.hint("ask with --json, or with an `edge` of its version")
        })?;
        if self.show_url && std::io::stdout().is_terminal() {
            println!("{}", question.url.trim());
        }
        print!("{}", words(&told));
        Ok(Exit::Done)
    }
}

/// The first of `edges` that answers.
async fn ask(edges: &[Url], question: &Question) -> Result<serde_json::Value, Fault> {
    let client = asking::client();
    let mut reasons = Vec::new();
    for edge in edges {
        match asking::why(&client, edge, question).await {
            Ok(told) => return Ok(told),
            Err(reason) => reasons.push(format!("{}: {reason}", edge)),
        }
    }
    let fault = Fault::failed(format!("no edge explains it: {}", reasons.join("; ")));
    Err(fault.hint("is it running? --edge URL names another control listener"))
}

fn from_stdin() -> Result<String, Fault> {
    if std::io::stdin().is_terminal() {
        eprintln!("edge: paste the URL, then Enter");
    }
    first_line(std::io::stdin().lock())
}

fn first_line(input: impl BufRead) -> Result<String, Fault> {
    let mut text = String::new();
    let read = input.take(URL_BYTES + 1).read_line(&mut text);
    read.map_err(|error| Fault::usage(format!("standard input: {error}")))?;
    if text.len() as u64 > URL_BYTES {
        return Err(Fault::usage(format!(
            "standard input: more than {URL_BYTES} bytes, which no URL has"
        )));
    }
    match text.trim() {
        "" => Err(Fault::usage("standard input: no URL").hint("pipe one in, or paste it")),
        url => Ok(url.to_owned()),
    }
}

/// The explanation, aligned: what, how long, what was found.
fn words(told: &Explanation) -> String {
    let mut text = String::new();
    let mut line = |step: &str, took: &str, found: &str| {
        writeln!(
            text,
            "{}",
            format!("{step:<10}{took:>10}   {found}").trim_end()
        )
        .ok();
    };
    line("edge", "", &told.edge);
    for step in &told.steps {
        let took = step.took_us;
        let took = took.map_or_else(|| "-".to_owned(), |us| format!("{us:.1} µs"));
        let mut found = step.found.iter();
        line(&step.step, &took, found.next().map_or("", String::as_str));
        found.for_each(|more| line("", "", more));
    }
    let total: f64 = told.steps.iter().filter_map(|step| step.took_us).sum();
    line("in all", &format!("{total:.1} µs"), "");
    for (answer, what) in [
        (&told.answer, "answer"),
        (&told.without_origin, "without the origin"),
    ] {
        if let Some(answer) = answer {
            text.push_str(&head(answer, what));
        }
    }
    text
}

fn head(answer: &Answer, what: &str) -> String {
    let mut text = format!("\n{what}: {} by the {}\n", answer.status, answer.by);
    let widest = answer.headers.iter().map(|(name, _)| name.len()).max();
    let width = widest.unwrap_or_default() + 1;
    for (name, value) in &answer.headers {
        writeln!(text, "  {:<width$} {value}", format!("{name}:")).ok();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_longer_than_any_url_is_not_read() {
        assert_eq!(
            first_line(&b"https://a.example/\nmore"[..]).unwrap(),
            "https://a.example/"
        );
        let long = vec![b'x'; URL_BYTES as usize];
        assert!(first_line(&long[..]).is_ok());
        for bad in [
            [&long[..], b"x"].concat(),
            b" \n".to_vec(),
            b"\xff".to_vec(),
        ] {
            let fault = first_line(&bad[..]).unwrap_err();
            assert_eq!(fault.exit(), Exit::Usage);
        }
    }
}
