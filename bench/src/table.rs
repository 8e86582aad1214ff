//! What a bench found: rows with a bound each, for a person and for a script.

use serde_json::{Value, json};

/// One number and what it must hold.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Its name.
    pub(crate) id: &'static str,
    /// What was found: the median of its rounds.
    pub(crate) value: f64,
    /// The unit of value and bound; `x` is a plain ratio.
    pub(crate) unit: &'static str,
    /// The most that it may be.
    pub(crate) bound: f64,
    /// How it came about: the rounds, and what it was measured against.
    pub(crate) note: String,
}

impl Row {
    fn holds(&self) -> bool {
        self.value <= self.bound
    }

    fn json(&self) -> Value {
        json!({
            "id": self.id,
            "value": self.value,
            "unit": self.unit,
            "bound": self.bound,
            "holds": self.holds(),
        })
    }
}

/// All rows of one bench.
#[derive(Debug, Default)]
pub(crate) struct Table(Vec<Row>);

impl Table {
    /// Takes a row, and shows it: a bench takes minutes.
    pub(crate) fn add(&mut self, row: Row) {
        let mark = if row.holds() { "✓" } else { "✗" };
        println!(
            "  {mark} {:<13} {:>10} {:<5} at most {:<8} {}",
            row.id,
            number(row.value),
            row.unit,
            number(row.bound),
            row.note
        );
        self.0.push(row);
    }

    /// The line that ends a bench for scripts.
    pub(crate) fn json(&self, bench: &str) -> String {
        let rows: Vec<Value> = self.0.iter().map(Row::json).collect();
        json!({ "bench": bench, "rows": rows }).to_string()
    }
}

/// Three significant digits.
fn number(value: f64) -> String {
    let digits = match value.abs() {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.digits$}")
}

/// What so many of a hundred `values` stay at or below.
pub(crate) fn percentile(values: &[f64], percent: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() as f64 * percent / 100.0).ceil() as usize;
    sorted
        .get(rank.saturating_sub(1))
        .copied()
        .unwrap_or(f64::NAN)
}

/// The median of `values`.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |at: usize| sorted.get(at).copied().unwrap_or(f64::NAN);
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        at(half)
    } else {
        f64::midpoint(at(half.saturating_sub(1)), at(half))
    }
}
