//! Which rows a log view has: the lines of a task that the person chose to see, wrapped or not, with marks and ends between them. Keeps
//! running sums of rows, so that any place is found by binary search, and takes in new lines without looking at old ones again.

use std::collections::VecDeque;

use jiff::Timestamp;

use crate::tui::clean;
use crate::tui::log_store::{StoredLine, TaskLog};

use super::find::Needle;

/// What is shown. A change means that all rows are made anew.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Choice {
    /// Only this source, else all.
    pub(super) source: Option<usize>,
    /// Rows of the store before this number were cleared away.
    pub(super) cleared: u64,
    /// Only lines printed since then.
    pub(super) since: Option<Timestamp>,
    pub(super) needle: Needle,
    pub(super) only_matches: bool,
    /// Columns at which lines wrap.
    pub(super) wrap: Option<usize>,
    /// Lines that the person drew below a row of the store.
    pub(super) marks: Vec<(u64, Timestamp)>,
}

/// What stands in an entry of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A row of the store.
    Line,
    /// A line drawn by the person, by its index.
    Mark(usize),
    /// The end of a source's stream, by its index.
    End(usize),
}

/// A row of the store, or something between two of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The row of the store that it is, or that it stands below.
    pub(super) number: u64,
    pub(super) kind: Kind,
    /// Row after its last one, counted since the list was made.
    end: u64,
}

/// A place that survives when the list is made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Anchor {
    number: u64,
    kind: Kind,
    offset: usize,
}

/// The number of entries that stand below all lines.
const BOTTOM: u64 = u64::MAX;

/// The list.
#[derive(Debug, Default)]
pub(super) struct Rows {
    entries: VecDeque<Entry>,
    /// Rows that were dropped in front since the list was made.
    gone: u64,
    /// The store's rows from this number on have not been looked at, or may change.
    seen: u64,
    hits: VecDeque<u64>,
}

impl Rows {
    /// Makes the list anew.
    pub(super) fn rebuild(&mut self, log: &TaskLog, choice: &Choice) {
        *self = Self { seen: choice.cleared, ..Self::default() };
        self.extend(log, choice);
    }

    /// Takes in what is new in the store. Returns how many rows vanished in front.
    pub(super) fn extend(&mut self, log: &TaskLog, choice: &Choice) -> usize {
        let kept = log.numbers();
        let vanished = self.drop_before(kept.start);
        let from = self.seen.max(kept.start);
        while self.entries.back().is_some_and(|entry| entry.number >= from) {
            self.entries.pop_back();
        }
        while self.hits.back().is_some_and(|number| *number >= from) {
            self.hits.pop_back();
        }
        let rest = usize::try_from(kept.end.saturating_sub(from)).unwrap_or_default();
        for (number, line) in (from..kept.end).zip(log.window(from, rest)) {
            self.take(number, line, log, choice);
        }
        self.seen = log.settled().max(choice.cleared);
        self.ends_below(log, choice);
        vanished
    }

    fn drop_before(&mut self, first: u64) -> usize {
        let before = self.gone;
        while let Some(entry) = self.entries.front().copied().filter(|entry| entry.number < first) {
            self.gone = entry.end;
            self.entries.pop_front();
        }
        while self.hits.front().is_some_and(|number| *number < first) {
            self.hits.pop_front();
        }
        usize::try_from(self.gone - before).unwrap_or(usize::MAX)
    }

    fn take(&mut self, number: u64, line: &StoredLine, log: &TaskLog, choice: &Choice) {
        if let Some(rows) = rows_of(line, choice) {
            let is_hit = line.text().is_some_and(|text| choice.needle.is_in(&text.text));
            if is_hit {
                self.hits.push_back(number);
            }
            if is_hit || !choice.only_matches || choice.needle.is_empty() {
                self.add(number, Kind::Line, rows);
            }
        }
        for (index, _) in choice.marks.iter().enumerate().filter(|(_, (below, _))| *below == number) {
            self.add(number, Kind::Mark(index), 1);
        }
        let source = log.sources().get(line.source);
        if source.is_some_and(|source| source.is_closed() && source.last == Some(number)) && choice.shows_end(line.source) {
            self.add(number, Kind::End(line.source), 1);
        }
    }

    /// Ends of streams whose last row is not kept, or that never printed anything.
    fn ends_below(&mut self, log: &TaskLog, choice: &Choice) {
        let first = log.numbers().start.max(choice.cleared);
        for (index, source) in log.sources().iter().enumerate() {
            let has_row = source.last.is_some_and(|last| last >= first);
            if source.is_closed() && !has_row && choice.shows_end(index) {
                self.add(BOTTOM, Kind::End(index), 1);
            }
        }
    }

    fn add(&mut self, number: u64, kind: Kind, rows: u64) {
        let end = self.end() + rows;
        self.entries.push_back(Entry { number, kind, end });
    }

    fn end(&self) -> u64 {
        self.entries.back().map_or(self.gone, |entry| entry.end)
    }

    /// Returns how many rows there are.
    pub(super) fn len(&self) -> usize {
        usize::try_from(self.end() - self.gone).unwrap_or(usize::MAX)
    }

    /// Returns how many entries there are, each a line or a note.
    pub(super) fn entries(&self) -> usize {
        self.entries.len()
    }

    /// Returns the lines that have the needle.
    pub(super) fn hits(&self) -> &VecDeque<u64> {
        &self.hits
    }

    /// Returns the index of the entry that a row belongs to, and which row of the entry it is.
    pub(super) fn at(&self, row: usize) -> Option<(usize, usize)> {
        let row = self.gone + row as u64;
        let index = self.entries.partition_point(|entry| entry.end <= row);
        (index < self.entries.len()).then(|| (index, usize::try_from(row - self.start(index)).unwrap_or_default()))
    }

    /// Returns the entries from an index on.
    pub(super) fn from(&self, index: usize) -> impl Iterator<Item = Entry> {
        self.entries.range(index.min(self.entries.len())..).copied()
    }

    /// Returns an entry.
    pub(super) fn entry(&self, index: usize) -> Option<Entry> {
        self.entries.get(index).copied()
    }

    /// Returns how many entries from a number of the store on lie below a row.
    pub(super) fn newer_below(&self, number: u64, row: usize) -> usize {
        let below = self.gone + row as u64;
        let index = self.entries.partition_point(|entry| entry.number < number || entry.end <= below);
        self.entries.len() - index
    }

    fn start(&self, index: usize) -> u64 {
        index.checked_sub(1).map_or(self.gone, |before| self.entries[before].end)
    }

    /// Returns the first row of a line of the store, or of what comes after it.
    pub(super) fn row_of(&self, number: u64) -> usize {
        self.row_at(Anchor { number, kind: Kind::Line, offset: 0 })
    }

    /// Returns a place that [`row_at`](Self::row_at) finds again.
    pub(super) fn anchor(&self, row: usize) -> Option<Anchor> {
        let (index, offset) = self.at(row)?;
        let entry = self.entries[index];
        Some(Anchor { number: entry.number, kind: entry.kind, offset })
    }

    /// Returns the row of a place, or the one that took its place.
    pub(super) fn row_at(&self, anchor: Anchor) -> usize {
        let index = self.entries.partition_point(|entry| (entry.number, entry.kind) < (anchor.number, anchor.kind));
        let Some(entry) = self.entries.get(index) else { return self.len().saturating_sub(1) };
        let start = self.start(index);
        let offset = if entry.number == anchor.number && entry.kind == anchor.kind { anchor.offset } else { 0 };
        usize::try_from((start + offset as u64).min(entry.end - 1) - self.gone).unwrap_or_default()
    }
}

impl Choice {
    fn shows_end(&self, source: usize) -> bool {
        self.source.is_none_or(|only| only == source) && (!self.only_matches || self.needle.is_empty())
    }
}

/// Returns how many rows a row of the store takes, `None` if it is not chosen.
fn rows_of(line: &StoredLine, choice: &Choice) -> Option<u64> {
    let is_chosen = choice.source.is_none_or(|source| source == line.source) && choice.since.is_none_or(|since| line.time() >= since);
    match (line.text(), choice.wrap) {
        _ if !is_chosen => None,
        (Some(text), Some(width)) if text.columns > width => Some(clean::wrapped_rows(&text.text, width)),
        (Some(_) | None, _) => Some(1),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Phase, ResourceKey, Role, TaskId};
    use crate::operation::{LogContent, LogLine};
    use crate::tui::log_store::LogStore;

    fn task() -> TaskId {
        TaskId { phase: Phase::Sync, key: ResourceKey::new("", "Pod", "shop", "a"), role: Role::Hook }
    }

    fn piece(pod: u8, text: &str, continued: bool) -> LogLine {
        LogLine {
            operation: "op".into(),
            task: task(),
            pod: format!("pod-{pod}").into(),
            container: "main".into(),
            attempt: 1,
            pod_attempt: 1,
            at: Timestamp::UNIX_EPOCH,
            log_time: None,
            content: LogContent::Line { text: text.as_bytes().into(), continued },
        }
    }

    fn log(store: &LogStore) -> &TaskLog {
        store.log("op", &task()).unwrap()
    }

    #[test]
    fn a_row_is_found_by_its_line_and_a_line_by_its_row() {
        let mut store = LogStore::default();
        for text in ["short", "a line of twenty-two ch", "世界世界世界", ""] {
            store.push(piece(0, text, false));
        }
        let mut rows = Rows::default();
        rows.rebuild(log(&store), &Choice { wrap: Some(9), ..Choice::default() });
        let places: Vec<_> = (0..rows.len()).map(|row| rows.at(row).unwrap()).collect();
        assert_eq!(places, [(0, 0), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (3, 0)]);
        assert_eq!(rows.at(7), None);
        assert_eq!((0..4).map(|number| rows.row_of(number)).collect::<Vec<_>>(), [0, 1, 4, 6]);
    }

    fn pieces() -> impl Strategy<Value = Vec<(u8, String, bool)>> {
        prop::collection::vec((0_u8..3, "[ab世]{0,30}", prop::bool::weighted(0.2)), 0..60)
    }

    fn choice() -> impl Strategy<Value = Choice> {
        (prop::option::of(0_usize..3), prop::option::of(1_usize..12), "[ab]{0,2}", any::<bool>(), prop::collection::vec(0_u64..40, 0..3))
            .prop_map(|(source, wrap, needle, only_matches, marks)| Choice {
                source,
                wrap,
                needle: Needle::new(&needle),
                only_matches,
                marks: marks.into_iter().map(|number| (number, Timestamp::UNIX_EPOCH)).collect(),
                ..Choice::default()
            })
    }

    proptest! {
        #[test]
        fn taking_in_new_lines_gives_the_same_rows_as_starting_anew(
            pieces in pieces(), choice in choice(), budget in 500_usize..6000, every in 1_usize..7,
        ) {
            let mut store = LogStore::new(budget);
            let (mut rows, mut total_gone) = (Rows::default(), 0);
            for (count, (pod, text, continued)) in pieces.iter().enumerate() {
                store.push(piece(*pod, text, *continued));
                if count % every == 0 {
                    total_gone += rows.extend(log(&store), &choice);
                }
            }
            prop_assume!(!pieces.is_empty());
            total_gone += rows.extend(log(&store), &choice);
            let mut anew = Rows::default();
            anew.rebuild(log(&store), &choice);
            let plain = |rows: &Rows| (0..rows.len()).map(|row| rows.at(row).map(|(index, offset)| (rows.entries[index].number, rows.entries[index].kind, offset))).collect::<Vec<_>>();
            prop_assert_eq!(plain(&rows), plain(&anew));
            prop_assert_eq!(&rows.hits, &anew.hits);
            prop_assert_eq!(total_gone as u64, rows.gone);
            for row in 0..rows.len() {
                prop_assert_eq!(rows.row_at(rows.anchor(row).unwrap()), row);
            }
        }
    }
}
