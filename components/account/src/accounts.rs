//! The accounts of a row: fields `a1_…`, `a2_…`, as far as there are numbers.

use kit::{Language, Row};

/// Most accounts of a row.
pub(crate) const ACCOUNTS: usize = 8;

/// One account.
pub(crate) struct Account {
    /// `groom` or `bride`.
    pub(crate) side: String,
    /// Whose it is: the groom's, his father's.
    pub(crate) relation: String,
    /// The name that a bank shows before the money goes.
    pub(crate) holder: String,
    /// The bank.
    pub(crate) bank: String,
    /// The number, as the family wrote it.
    pub(crate) number: String,
}

/// The accounts that have a number.
pub(crate) fn of(row: &Row, language: &Language) -> Vec<Account> {
    (1..=ACCOUNTS)
        .map(|n| Account {
            side: row.field(&format!("a{n}_side")),
            relation: row.text(&format!("a{n}_relation"), language),
            holder: row.text(&format!("a{n}_holder"), language),
            bank: row.text(&format!("a{n}_bank"), language),
            number: row.field(&format!("a{n}_number")),
        })
        .filter(|account| !account.number.is_empty())
        .collect()
}
