//! An order that is made where nothing is reached, and carried by hand.
//!
//! What it follows cannot be read then, and an order in ignorance of the one before it could be older
//! than it: no edge would obey. So its number is asked for, which whoever does reach an edge reads out.

use snapshot::{Epoch, Scope};

use super::Word;
use super::mirrors::Held;
use crate::cmd::Fault;

/// What is in force, as far as a path told, for an order that may be given by its number.
///
/// # Errors
/// No path told, and no number; or a number that is too small.
pub(super) fn held(word: &Word, scope: &Scope, read: Result<Held, Fault>) -> Result<Held, Fault> {
    let mut held = match (read, word.epoch) {
        (Ok(held), None) => return Ok(held),
        (Err(fault), None) if word.out.is_some() => return Err(fault.hint(ASK)),
        (Err(fault), None) => {
            return Err(fault.hint(
                "give a mirror or an edge that answers with --via URL; where none does, save the \
                 order with --out FILE and let somebody carry it",
            ));
        }
        (Ok(held), Some(_)) => held,
        (Err(_), Some(_)) => Held::default(),
    };
    let Some(epoch) = word.epoch.map(Epoch) else {
        return Ok(held);
    };
    let known = held.newest(scope).map(|known| known.order.epoch);
    let known = known.unwrap_or_default();
    if epoch <= known {
        let fault = Fault::usage(format!(
            "--epoch {epoch}: there is order {known} about {scope} already"
        ));
        return Err(fault.hint("leave --epoch away: a path that answers tells the number"));
    }
    // What is known is not what is in force, if there were others since.
    if epoch != known.next() {
        held.forget(scope);
        eprintln!(
            "NOTE what is ordered about {scope} now is not known here: its notices and its pin end \
             with this order, unless it says them anew"
        );
    }
    Ok(held)
}

/// What to do where nothing was read.
const ASK: &str = "ask whoever reaches an edge for the number of the newest order in  edge order show, \
                   and give the one after it with --epoch N (1 if there is none)";

#[cfg(test)]
mod tests {
    use snapshot::order::Mode;
    use snapshot::{Envelope, encode};

    use super::*;
    use crate::cmd::Exit;
    use crate::fixture::order;

    fn word(epoch: Option<u64>, out: Option<&str>) -> Word {
        Word {
            epoch,
            out: out.map(Into::into),
            ..Word::default()
        }
    }

    #[test]
    fn a_number_stands_for_what_no_path_tells_and_is_above_what_one_does() {
        let scope: Scope = "service:pay".parse().unwrap();
        let gone = || Err(Fault::new(Exit::NoMirror, "nothing answers"));
        let said = |word| held(&word, &scope, gone()).unwrap_err().to_string();
        let asked = said(word(None, Some("order.txt")));
        assert!(asked.contains("with --epoch N (1 if"), "{asked}");
        let asked = said(word(None, None));
        assert!(asked.contains("--out FILE"), "{asked}");
        let blind = held(&word(Some(7), Some("order.txt")), &scope, gone()).unwrap();
        assert!(blind.newest(&scope).is_none());

        let known = || {
            let mut held = Held::default();
            let order = order("service:pay", 4, Mode::Degraded);
            held.put(&Envelope::seal(encode(&order).unwrap()));
            Ok(held)
        };
        let with = |epoch| held(&word(Some(epoch), Some("order.txt")), &scope, known());
        let old = with(4).unwrap_err();
        assert_eq!(old.exit(), Exit::Usage);
        assert!(old.to_string().contains("there is order 4"), "{old}");
        assert!(with(5).unwrap().newest(&scope).is_some());
        assert!(with(6).unwrap().newest(&scope).is_none());
    }
}
