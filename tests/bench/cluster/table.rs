//! Statistics and the table: median, smallest, largest, and whether a budget is kept.

use std::fmt;

/// The rows so far.
pub(crate) struct Table {
    machine: String,
    runs: usize,
    rows: Vec<Row>,
    notes: Vec<String>,
}

struct Row {
    what: String,
    figure: String,
    budget: String,
    verdict: &'static str,
}

/// What a figure should be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Budget {
    AtMost(f64),
    AtLeast(f64),
    /// At least the first, or at most the second of another figure's ratio.
    Either {
        at_least: f64,
        ratio: f64,
        at_most: f64,
    },
    None,
}

impl Budget {
    fn is_kept(self, median: f64) -> Option<bool> {
        match self {
            Self::AtMost(most) => Some(median <= most),
            Self::AtLeast(least) => Some(median >= least),
            Self::Either { at_least, ratio, at_most } => Some(median >= at_least || ratio <= at_most),
            Self::None => None,
        }
    }
}

impl Table {
    pub(crate) fn new(machine: String, runs: usize) -> Self {
        Self { machine, runs, rows: Vec::new(), notes: Vec::new() }
    }

    /// Adds a row of samples; `unit` is printed behind the figures.
    pub(crate) fn add(&mut self, what: impl Into<String>, samples: &[f64], unit: &str, budget: Budget) {
        let figure = format!("{} {unit} ({} to {})", short(median(samples)), short(least(samples)), short(most(samples)));
        let text = match budget {
            Budget::AtMost(most) => format!("at most {}", short(most)),
            Budget::AtLeast(least) => format!("at least {}", short(least)),
            Budget::Either { at_least, at_most, .. } => format!("at least {}, or ratio at most {}", short(at_least), short(at_most)),
            Budget::None => String::new(),
        };
        let verdict = match budget.is_kept(median(samples)) {
            Some(true) => "ok",
            Some(false) => "over",
            None => "",
        };
        self.rows.push(Row { what: what.into(), figure, budget: text, verdict });
    }

    /// Adds a sentence below the table.
    pub(crate) fn note(&mut self, text: String) {
        self.notes.push(text);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "\n{}", self.machine)?;
        writeln!(out, "one warm-up and {} runs of each; median (smallest to largest)\n", self.runs)?;
        let width = |cell: fn(&Row) -> &str| self.rows.iter().map(|row| cell(row).chars().count()).max().unwrap_or_default();
        let (what, figure, budget) = (width(|row| &row.what), width(|row| &row.figure), width(|row| &row.budget));
        for row in &self.rows {
            writeln!(out, "{:what$}  {:figure$}  {:budget$}  {}", row.what, row.figure, row.budget, row.verdict)?;
        }
        self.notes.iter().try_for_each(|note| writeln!(out, "\n{note}"))
    }
}

fn short(number: f64) -> String {
    match number.abs() {
        large if large >= 100.0 => format!("{number:.0}"),
        middle if middle >= 10.0 => format!("{number:.1}"),
        _ => format!("{number:.3}"),
    }
}

/// Returns the middle of the samples, 0 if there are none.
pub(crate) fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => sorted[odd / 2],
        even => f64::midpoint(sorted[even / 2 - 1], sorted[even / 2]),
    }
}

fn least(samples: &[f64]) -> f64 {
    samples.iter().copied().min_by(f64::total_cmp).unwrap_or_default()
}

pub(crate) fn most(samples: &[f64]) -> f64 {
    samples.iter().copied().max_by(f64::total_cmp).unwrap_or_default()
}
