//! How the lines of one resource are laid out: which folds are open, which rows one text or two sides make of them, and how many rows a
//! wrapped line takes. Rows are made anew when a fold opens or the shape changes; a line is wrapped once for each width, and where that takes
//! long, somebody else does it first. Keeps running sums of rows, so that any place is found by binary search. Pure.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use super::super::text::TextLine;
use super::ruler::Part;
use super::script::{Script, Text};

/// Columns of lines that may be walked through in a frame to find out where they break.
const WALKED: usize = 20_000;

/// What stands in one place of the page, in one row of the screen or in several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Row {
    Text(usize),
    /// A line of the live object beside one of the target.
    Pair(Option<usize>, Option<usize>),
    Fold(usize),
    Note(usize),
}

/// Whether both sides make one text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Shape {
    #[default]
    Unified,
    Sides,
}

/// How the rows are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Looks {
    pub(super) shape: Shape,
    /// Columns at which lines wrap.
    pub(super) wrap: Option<usize>,
}

/// A place that is found again when the rows are made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    /// So many rows from the top, before the lines.
    Head(usize),
    /// A line, and how far into it.
    Line(usize, usize),
    /// So many rows below the last line.
    Foot(usize),
}

/// The lines of a resource and how they are laid out.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) script: Arc<Script>,
    pub(super) rows: Vec<Row>,
    notes: Vec<TextLine>,
    /// How many notes stand before the lines.
    first: usize,
    open: BTreeSet<usize>,
    looks: Looks,
    /// The row of the screen after the last one of each row of the page; empty if each has one.
    ends: Vec<usize>,
    /// Where the rows of wrapped lines begin, as far as that had to be looked for.
    breaks: Breaks,
}

/// Where the rows of lines begin when they are wrapped, but for those where that is a matter of counting.
#[derive(Clone, Debug, Default)]
pub(super) struct Breaks {
    /// Columns at which they wrap.
    width: usize,
    of: HashMap<usize, Arc<[usize]>>,
}

impl Breaks {
    /// Looks for all of them. Takes long where lines are long; nothing in a frame waits for it.
    pub(super) fn all(script: &Script, width: usize) -> Self {
        let lines = script.texts.iter().enumerate().filter(|(_, text)| text.ruler.must_be_walked(width));
        Self { width, of: lines.map(|(line, text)| (line, text.ruler.breaks(&text.text, width))).collect() }
    }
}

impl Page {
    /// Takes the lines of a resource, folded. Nothing is in its rows before [`Page::lay`].
    pub(super) fn new(script: Arc<Script>) -> Self {
        Self { script, ..Self::default() }
    }

    /// Takes what is said before and after the lines.
    pub(super) fn set_notes(&mut self, first: Vec<TextLine>, last: Vec<TextLine>) {
        self.first = first.len();
        self.notes = first;
        self.notes.extend(last);
    }

    /// Returns a note.
    pub(super) fn note(&self, note: usize) -> &[(String, crate::tui::theme::Role)] {
        self.notes.get(note).map(Vec::as_slice).unwrap_or_default()
    }

    /// Makes the rows: notes that go first, the lines, the other notes.
    pub(super) fn lay(&mut self, looks: Looks) {
        if let Some(width) = looks.wrap.filter(|width| *width != self.breaks.width) {
            self.breaks = Breaks { width, ..Breaks::default() };
        }
        self.looks = looks;
        self.rows.clear();
        self.rows.extend((0..self.first).map(Row::Note));
        match looks.shape {
            Shape::Unified => self.lay_text(),
            Shape::Sides => self.lay_sides(),
        }
        self.rows.extend((self.first..self.notes.len()).map(Row::Note));
        self.measure();
    }

    /// Returns whether it takes longer than a frame may to find out where lines break.
    pub(super) fn is_heavy(&self, width: usize) -> bool {
        let is_known = |line: &usize| self.breaks.width == width && self.breaks.of.contains_key(line);
        let lines = self.script.texts.iter().enumerate().filter(|(line, text)| text.ruler.must_be_walked(width) && !is_known(line));
        let mut columns = 0;
        lines.into_iter().any(|(_, text)| {
            columns += text.ruler.columns();
            columns > WALKED
        })
    }

    /// Takes what was found out beside the frames.
    pub(super) fn set_breaks(&mut self, breaks: Breaks) {
        self.breaks = breaks;
    }

    /// Returns whether the rows are those of wrapped lines.
    pub(super) fn is_wrapped(&self) -> bool {
        self.looks.wrap.is_some()
    }

    fn lay_text(&mut self) {
        let mut at = 0;
        while at < self.script.texts.len() {
            let fold = self.closed_fold(at);
            self.rows.push(fold.map_or(Row::Text(at), Row::Fold));
            at = fold.map_or(at + 1, |fold| self.script.folds[fold].lines.end);
        }
    }

    fn lay_sides(&mut self) {
        let script = self.script.clone();
        let mut until = 0;
        for (left, right) in &script.pairs {
            let line = left.or(*right).unwrap_or_default();
            if line < until && left == right {
                continue;
            }
            let fold = self.closed_fold(line);
            self.rows.push(fold.map_or(Row::Pair(*left, *right), Row::Fold));
            until = fold.map_or(0, |fold| script.folds[fold].lines.end);
        }
    }

    /// Counts the rows of the screen.
    fn measure(&mut self) {
        self.ends.clear();
        let Some(width) = self.looks.wrap else { return };
        let (script, breaks) = (self.script.clone(), &mut self.breaks);
        let mut height = |line: usize| match script.texts.get(line) {
            Some(text) if text.ruler.must_be_walked(width) => {
                breaks.of.entry(line).or_insert_with(|| text.ruler.breaks(&text.text, width)).len().max(1)
            }
            Some(text) => text.ruler.columns().div_ceil(width).max(1),
            None => 1,
        };
        let mut end = 0;
        self.ends.extend(self.rows.iter().map(|row| {
            end += match *row {
                Row::Text(line) => height(line),
                Row::Pair(left, right) => left.map_or(1, &mut height).max(right.map_or(1, &mut height)),
                Row::Fold(_) | Row::Note(_) => 1,
            };
            end
        }));
    }

    /// Returns how many rows of the screen there are.
    pub(super) fn height(&self) -> usize {
        self.ends.last().copied().unwrap_or(self.rows.len())
    }

    /// Returns which row of the page a row of the screen shows, and which part of it.
    pub(super) fn at(&self, row: usize) -> Option<(usize, usize)> {
        if self.ends.is_empty() {
            return (row < self.rows.len()).then_some((row, 0));
        }
        let at = self.ends.partition_point(|end| *end <= row);
        (at < self.rows.len()).then(|| (at, row - self.start(at)))
    }

    /// Returns the first row of the screen of a row of the page.
    fn start(&self, at: usize) -> usize {
        if self.ends.is_empty() { at } else { at.checked_sub(1).map_or(0, |before| self.ends[before]) }
    }

    /// Returns what some rows of the screen show: a row of the page and which part of it.
    pub(super) fn seen(&self, visible: Range<usize>) -> impl Iterator<Item = (Row, usize)> {
        let (first, mut part) = self.at(visible.start).unwrap_or((self.rows.len(), 0));
        let mut at = first;
        visible.map_while(move |row| {
            let seen = (*self.rows.get(at)?, part);
            part += 1;
            if row + 1 >= self.start(at + 1) {
                (at, part) = (at + 1, 0);
            }
            Some(seen)
        })
    }

    /// Returns the part of a line that is seen in its row of this number; `None` if it has not so many.
    pub(super) fn part(&self, line: usize, part: usize) -> Option<Part> {
        let text = self.script.texts.get(line)?;
        let end = text.text.len();
        let Some(width) = self.looks.wrap else { return (part == 0).then_some(Part { bytes: 0..end, torn: 0 }) };
        let bytes = match self.breaks.of.get(&line) {
            Some(breaks) => *breaks.get(part)?..breaks.get(part + 1).copied().unwrap_or(end),
            None if text.ruler.columns() <= width => (part == 0).then_some(0..end)?,
            None => {
                let start = part.checked_mul(width).filter(|start| *start < end)?;
                start..end.min(start + width)
            }
        };
        Some(Part { bytes, torn: 0 })
    }

    fn closed_fold(&self, line: usize) -> Option<usize> {
        self.script.fold_at(line).filter(|fold| !self.open.contains(fold))
    }

    /// Opens the first closed fold among some rows of the screen, else closes the first open one. Returns the line to be kept in sight.
    pub(super) fn turn(&mut self, visible: Range<usize>) -> Option<usize> {
        let mut closed = self.seen(visible.clone()).filter_map(|(row, _)| match row {
            Row::Fold(fold) => Some(fold),
            Row::Text(_) | Row::Pair(..) | Row::Note(_) => None,
        });
        if let Some(fold) = closed.next() {
            drop(closed);
            self.open.insert(fold);
            return Some(self.script.folds[fold].lines.start);
        }
        drop(closed);
        let fold = self.seen(visible).find_map(|(row, _)| self.script.fold_at(row.line()?))?;
        self.open.remove(&fold);
        Some(self.script.folds[fold].lines.start)
    }

    /// Opens all folds, or closes them if all are open. Returns whether they are open now.
    pub(super) fn turn_all(&mut self) -> bool {
        let opens = self.open.len() < self.script.folds.len();
        self.open = if opens { (0..self.script.folds.len()).collect() } else { BTreeSet::new() };
        opens
    }

    /// Opens all folds.
    pub(super) fn open_all(&mut self) {
        self.open = (0..self.script.folds.len()).collect();
    }

    /// Opens the fold that hides a line. Returns whether there is one.
    pub(super) fn uncover(&mut self, line: usize) -> bool {
        self.closed_fold(line).is_some_and(|fold| self.open.insert(fold))
    }

    /// Returns the first row of the screen of a line, or of the fold that hides it.
    pub(super) fn row_of(&self, line: usize) -> Option<usize> {
        let fold = self.closed_fold(line);
        let at = self.rows.iter().position(|row| match row {
            Row::Text(at) => *at == line,
            Row::Pair(left, right) => *left == Some(line) || *right == Some(line),
            Row::Fold(at) => Some(*at) == fold,
            Row::Note(_) => false,
        });
        at.map(|at| self.start(at))
    }

    /// Returns which row of its line shows a byte.
    pub(super) fn part_of(&self, line: usize, byte: usize) -> usize {
        match (self.looks.wrap, self.breaks.of.get(&line)) {
            (Some(_), Some(breaks)) => breaks.partition_point(|start| *start <= byte).saturating_sub(1),
            (Some(width), None) if self.script.texts.get(line).is_some_and(|text| text.ruler.columns() > width) => byte / width,
            (_, _) => 0,
        }
    }

    /// Returns a place that [`Page::row_at`] finds again.
    pub(super) fn anchor(&self, row: usize) -> Anchor {
        let Some((at, part)) = self.at(row) else { return Anchor::Foot(0) };
        let lines = self.rows.len() - (self.notes.len() - self.first);
        match self.rows[at] {
            Row::Text(line) => Anchor::Line(line, self.byte_of(line, part)),
            Row::Pair(left, right) => {
                let line = left.or(right).unwrap_or_default();
                Anchor::Line(line, self.byte_of(line, part))
            }
            Row::Fold(fold) => Anchor::Line(self.script.folds[fold].lines.start, 0),
            Row::Note(_) if at < lines => Anchor::Head(row),
            Row::Note(_) => Anchor::Foot(row - self.start(lines)),
        }
    }

    fn byte_of(&self, line: usize, part: usize) -> usize {
        self.part(line, part).map_or(0, |part| part.bytes.start)
    }

    /// Returns the row of the screen of a place.
    pub(super) fn row_at(&self, anchor: Anchor) -> usize {
        match anchor {
            Anchor::Head(row) => row.min(self.first),
            Anchor::Line(line, byte) => self.row_of(line).map_or(0, |row| row + self.part_of(line, byte)),
            Anchor::Foot(rows) => self.start(self.rows.len() - (self.notes.len() - self.first)) + rows,
        }
    }

    /// Returns which columns of the lines in some rows of the screen are changed.
    pub(super) fn changes(&self, visible: Range<usize>) -> Vec<Range<usize>> {
        let of = |line: Option<usize>| {
            let text = self.script.texts.get(line?)?;
            let changed = text.changed.as_ref()?;
            Some(text.ruler.column_of(&text.text, changed.start)..text.ruler.column_of(&text.text, changed.end))
        };
        let rows = self.seen(visible).flat_map(|(row, _)| match row {
            Row::Text(line) => [Some(line), None],
            Row::Pair(left, right) => [left, right],
            Row::Fold(_) | Row::Note(_) => [None, None],
        });
        rows.filter_map(of).collect()
    }

    /// Returns the widest line among some rows of the screen, in columns.
    pub(super) fn widest(&self, visible: Range<usize>) -> usize {
        let columns = |line: Option<usize>| line.and_then(|line| self.script.texts.get(line)).map_or(0, |text: &Text| text.ruler.columns());
        let of = |row: Row| match row {
            Row::Text(line) => columns(Some(line)),
            Row::Pair(left, right) => columns(left).max(columns(right)),
            Row::Fold(_) | Row::Note(_) => 0,
        };
        self.seen(visible).map(|(row, _)| of(row)).max().unwrap_or_default()
    }
}

impl Row {
    /// Returns the line of the text that stands here, the first one of two.
    pub(super) fn line(self) -> Option<usize> {
        match self {
            Self::Text(line) => Some(line),
            Self::Pair(left, right) => left.or(right),
            Self::Fold(_) | Self::Note(_) => None,
        }
    }
}
