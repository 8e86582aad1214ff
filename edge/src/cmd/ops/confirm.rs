//! Whether to go on: asked on a terminal, told by `--yes`, and otherwise no.

use std::io::{BufRead, IsTerminal as _, Read as _, Write as _};

use clap::Args;
use snapshot::SiteName;

use crate::cmd::Fault;

/// Longest answer to a question, bytes.
const ANSWER_BYTES: u64 = 256;

/// The flags of whatever changes something.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Consent {
    /// Only show what would change: nothing is signed, nothing is sent.
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask whether to go on.
    #[arg(long, short = 'y')]
    pub yes: bool,
}

/// What has to be answered.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'s> {
    /// `y`.
    Yes,
    /// The site's name: it is about all of it.
    Name(&'s SiteName),
}

/// Goes on only if somebody wants it: `--yes`, or an answer at the terminal.
///
/// # Errors
/// Nobody there to ask, or an answer that is none.
pub async fn confirm(consent: Consent, what: &str, wanted: Wanted<'_>) -> Result<(), Fault> {
    if consent.yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        let fault = Fault::usage(format!(
            "{what}: nobody is here to be asked whether to go on"
        ));
        return Err(
            fault.hint("add --yes once the preview is what you mean, or --dry-run to look only")
        );
    }
    let question = match wanted {
        Wanted::Yes => format!("{what}: go on? [y/N] "),
        Wanted::Name(site) => {
            format!("{what}: this is about the whole site. Type its name, {site}, to go on: ")
        }
    };
    let site = match wanted {
        Wanted::Yes => None,
        Wanted::Name(site) => Some(site.clone()),
    };
    let asked = tokio::task::spawn_blocking(move || {
        eprint!("{question}");
        // A terminal that is gone answers nothing.
        std::io::stderr().flush().ok();
        let wanted = site.as_ref().map_or(Wanted::Yes, Wanted::Name);
        is_wanted(wanted, &mut std::io::stdin().lock())
    });
    if asked.await.unwrap_or(false) {
        return Ok(());
    }
    let fault = Fault::failed("not confirmed: nothing was signed, nothing was sent");
    Err(fault
        .hint("run it again and type what is asked for, or add --yes once it is what you mean"))
}

/// Reads one line, no longer than an answer is.
fn is_wanted(wanted: Wanted<'_>, input: &mut impl BufRead) -> bool {
    let mut answer = String::new();
    if input.take(ANSWER_BYTES).read_line(&mut answer).is_err() {
        return false;
    }
    match wanted {
        Wanted::Yes => matches!(answer.trim(), "y" | "Y" | "yes"),
        Wanted::Name(site) => answer.trim() == site.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_answer_goes_on_and_only_the_name_for_a_whole_site() {
        let site: SiteName = "dasom".parse().unwrap();
        let said = |wanted, answer: &str| is_wanted(wanted, &mut answer.as_bytes());
        for (answer, is_yes) in [
            ("y\n", true),
            ("yes\n", true),
            ("", false),
            ("\n", false),
            ("n\n", false),
            ("dasom\n", false),
        ] {
            assert_eq!(said(Wanted::Yes, answer), is_yes, "{answer:?}");
        }
        for (answer, is_name) in [
            (" dasom \n", true),
            ("y\n", false),
            ("Dasom\n", false),
            ("dasom2\n", false),
            ("", false),
        ] {
            assert_eq!(said(Wanted::Name(&site), answer), is_name, "{answer:?}");
        }
    }

    #[test]
    fn an_answer_without_end_is_none() {
        let most = usize::try_from(ANSWER_BYTES).unwrap();
        let answer = |spaces: usize| format!("{}y\n", " ".repeat(spaces));
        assert!(is_wanted(Wanted::Yes, &mut answer(most - 1).as_bytes()));
        assert!(!is_wanted(Wanted::Yes, &mut answer(most).as_bytes()));
    }

    #[tokio::test]
    async fn without_a_terminal_only_yes_goes_on() {
        // Tests have none on standard input, or are asked by nobody.
        if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
            return;
        }
        let no = confirm(Consent::default(), "degrade pay", Wanted::Yes).await;
        let no = no.unwrap_err();
        assert_eq!(no.exit(), crate::cmd::Exit::Usage);
        assert!(no.to_string().contains("--yes"), "{no}");
        let yes = Consent {
            yes: true,
            ..Consent::default()
        };
        assert!(confirm(yes, "degrade pay", Wanted::Yes).await.is_ok());
    }
}
