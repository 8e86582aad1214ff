//! The rows of the town: one file a table, every column a text, as guests and templates read it.

mod accounts;
mod bank;
mod duty;
mod exchange;
mod guide;
mod invitation;
mod meeting;
mod payment;
mod place;
mod sign_in;
mod talk;
mod taxi;
mod wishes;

pub use accounts::Accounts;
pub use bank::BankAccount;
pub use duty::Duty;
pub use exchange::Member;
pub use guide::Guide;
pub use invitation::Invitation;
pub use meeting::Meeting;
pub use payment::Payment;
pub use place::Place;
pub use sign_in::SignIn;
pub use talk::Talk;
pub use taxi::Taxi;
pub use wishes::Wishes;

use crate::rng::Rng;
use crate::words::Pair;

/// A table of texts.
pub trait Table: Sized {
    /// Its name.
    const NAME: &'static str;
    /// Its columns, in order; the first is the primary key.
    const COLUMNS: &'static [&'static str];

    /// The values in the order of [`Self::COLUMNS`].
    fn values(&self) -> Vec<&str>;

    /// Reads a row with every column.
    ///
    /// # Errors
    /// SQLite's, for a column that is absent or no text.
    fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self>;
}

/// A table whose every row has a page of its own.
pub trait Record: Table {
    /// The service whose page it is.
    const SERVICE: &'static str;
    /// What the page is about.
    const TITLE: Pair;
    /// What the page must tell, in the order of reading: the column, without the language where it
    /// has one, and what to call it. Columns that end in `_won` are amounts.
    const FACTS: &'static [(&'static str, Pair)];
    /// What only the living service can do.
    const ACTION: Pair;

    /// The page's path.
    fn path(&self) -> String;

    /// What the page must tell besides, whatever the row holds.
    fn says(&self, _language: &str) -> Vec<String> {
        Vec::new()
    }

    /// Where links of the page must lead, percent-coding undone.
    fn links(&self, _language: &str) -> Vec<String> {
        Vec::new()
    }

    /// The facts in `language`, each with its name.
    fn facts(&self, language: &str) -> Vec<(&'static str, String)> {
        let values = self.values();
        let column = |name: &str| {
            let at = Self::COLUMNS.iter().position(|column| *column == name)?;
            values.get(at).copied()
        };
        Self::FACTS
            .iter()
            .filter_map(|(name, (ko, en))| {
                let value = column(&format!("{name}_{language}")).or_else(|| column(name))?;
                let value = if name.ends_with("_won") {
                    grouped(value)
                } else {
                    value.to_owned()
                };
                Some((if language == "ko" { *ko } else { *en }, value))
            })
            .collect()
    }
}

/// A record that is made at random, one of many.
pub trait Made: Record {
    /// Row number `at`, from 0.
    fn make(rng: &mut Rng, at: usize) -> Self;
}

/// Korean or English.
fn pick(language: &str, (ko, en): Pair) -> String {
    if language == "ko" { ko } else { en }.to_owned()
}

/// A text message to `number`, its words written.
fn sms(number: &str, words: &str) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    format!("sms:{digits}?body={words}")
}

/// An amount as pages print it, thousands apart.
fn grouped(digits: &str) -> String {
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Declares a table: its struct, its column names and the way to a row of texts and back.
macro_rules! table {
    ($(#[$doc:meta])* $type:ident in $table:literal { $($field:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct $type {
            $(#[doc = concat!("Column `", stringify!($field), "`.")] pub $field: String,)+
        }

        impl $crate::model::Table for $type {
            const NAME: &'static str = $table;
            const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),+];

            fn values(&self) -> Vec<&str> {
                vec![$(self.$field.as_str()),+]
            }

            fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
                Ok(Self { $($field: row.get(stringify!($field))?,)+ })
            }
        }
    };
}
use table;
