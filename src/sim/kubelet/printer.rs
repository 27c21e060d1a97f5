//! Prints the lines of a run at their times. Knows when the next one is due; keeps nothing that was printed.

use std::time::Duration;

use jiff::Timestamp;

use crate::sim::rng::Rng;
use crate::sim::story::{Fields, LogLine, LogText, fill};

/// The lines of a run that are still to be printed.
#[derive(Debug)]
pub(super) struct Printer {
    pending: Vec<Pending>,
    rng: Rng,
}

#[derive(Debug)]
struct Pending {
    next: Timestamp,
    every: Option<Duration>,
    left: Option<u32>,
    printed: u32,
    text: LogText,
}

impl Printer {
    /// Plans the lines of a run that began at `start`.
    pub(super) fn new(lines: &[LogLine], start: Timestamp, seed: u64) -> Self {
        let plan = |line: &LogLine| Pending {
            next: later(start, line.first),
            every: line.every,
            left: if line.every.is_some() { line.count } else { Some(1) },
            printed: 0,
            text: line.text.clone(),
        };
        Self { pending: lines.iter().map(plan).filter(|line| line.left != Some(0)).collect(), rng: Rng::new(seed) }
    }

    /// Returns when the next line is due.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.pending.iter().map(|line| line.next).min()
    }

    /// Prints what is due by `until`, in the order of the times.
    pub(super) fn print(&mut self, until: Timestamp, pod: &str, mut sink: impl FnMut(Timestamp, &[u8])) {
        while let Some((place, at)) = self.first(until) {
            let line = &mut self.pending[place];
            line.printed += 1;
            match &line.text {
                LogText::Bytes(bytes) => sink(at, bytes),
                LogText::Template(text) => {
                    let fields = Fields { n: line.printed, at, pod };
                    let rng = &mut self.rng;
                    sink(at, fill(text, &fields, || rng.next_u64()).as_bytes());
                }
            }
            line.left = line.left.map(|left| left - 1);
            match line.every.filter(|_| line.left != Some(0)) {
                Some(every) => line.next = later(at, every),
                None => {
                    self.pending.remove(place);
                }
            }
        }
    }

    fn first(&self, until: Timestamp) -> Option<(usize, Timestamp)> {
        let due = self.pending.iter().enumerate().map(|(place, line)| (line.next, place)).min()?;
        (due.0 <= until).then_some((due.1, due.0))
    }
}

pub(super) fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_in_the_order_of_their_times() {
        let line = |first, every, count, text: &str| LogLine {
            first: Duration::from_secs(first),
            every,
            count,
            text: LogText::Template(text.to_owned()),
        };
        let lines = [line(2, None, None, "two"), line(1, Some(Duration::from_secs(1)), Some(3), "n{{n}}"), line(0, None, None, "zero")];
        let mut printer = Printer::new(&lines, Timestamp::UNIX_EPOCH, 1);
        let mut seen = Vec::new();
        let mut print = |printer: &mut Printer, until| {
            printer.print(Timestamp::from_second(until).unwrap(), "p", |at, line| {
                seen.push(format!("{} {}", at.as_second(), String::from_utf8_lossy(line)));
            });
        };
        print(&mut printer, 2);
        assert_eq!(printer.next(), Some(Timestamp::from_second(3).unwrap()));
        print(&mut printer, 9);
        assert_eq!(printer.next(), None);
        assert_eq!(seen, ["0 zero", "1 n1", "2 two", "2 n2", "3 n3"]);
    }
}
