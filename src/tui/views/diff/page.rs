//! The text of one resource: lines with their signs, folds over what stays the same, and the rows that one text or two sides make of them.
//! Lines are made once, when the resource is first shown; rows anew when a fold opens or the shape changes. Pure.

use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::Value;

use super::super::text::TextLine;
use crate::plan::diff::{self, Difference, Line, LineKind};
use crate::tui::clean;

/// Lines around a change that are not folded.
const AROUND: usize = 3;
/// Values of an object up to which its lines are counted for a list without anybody looking at it.
const LIGHT: usize = 2_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Same,
    Removed,
    Added,
}

/// A line of the text.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) sign: Sign,
    pub(super) text: String,
    /// Its number on the side of the live object, and on that of the target; from 1.
    pub(super) left: usize,
    pub(super) right: usize,
    /// The line that stands for it on the other side.
    pub(super) mate: Option<usize>,
}

/// Neighbours that are the same on both sides.
#[derive(Debug)]
pub(super) struct Fold {
    pub(super) lines: Range<usize>,
    /// What encloses the line behind it.
    pub(super) trail: String,
}

/// What stands in a row of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Row {
    Text(usize),
    /// A line of the live object beside one of the target.
    Pair(Option<usize>, Option<usize>),
    Fold(usize),
    Note(usize),
}

/// Whether both sides make one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Unified,
    Sides,
}

/// How many lines come and go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) added: usize,
    pub(super) removed: usize,
}

impl Size {
    /// Counts the lines of a difference; `None` if the object is so large that this has to wait until somebody looks at it.
    pub(super) fn of(difference: &Difference) -> Option<Self> {
        let mut left = LIGHT;
        let is_light = [&difference.before, &difference.after].into_iter().flatten().all(|side| is_light(side, &mut left));
        is_light.then(|| Self::count(&diff::lines(difference, 0)))
    }

    fn count(lines: &[Line]) -> Self {
        lines.iter().fold(Self::default(), |size, line| match line.kind {
            LineKind::Added => Self { added: size.added + 1, ..size },
            LineKind::Removed => Self { removed: size.removed + 1, ..size },
            LineKind::Context | LineKind::Head | LineKind::Fold(_) => size,
        })
    }
}

/// Returns whether a value is used up before the number of values that may still come.
fn is_light(value: &Value, left: &mut usize) -> bool {
    if *left == 0 {
        return false;
    }
    *left -= 1;
    match value {
        Value::Object(fields) => fields.values().all(|value| is_light(value, left)),
        Value::Array(items) => items.iter().all(|value| is_light(value, left)),
        Value::String(text) => {
            *left = left.saturating_sub(text.len() / 100);
            true
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

/// The text of a resource and how it is folded.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) texts: Vec<Text>,
    pub(super) folds: Vec<Fold>,
    pub(super) rows: Vec<Row>,
    pub(super) notes: Vec<TextLine>,
    pub(super) size: Size,
    pairs: Vec<(Option<usize>, Option<usize>)>,
    open: BTreeSet<usize>,
}

impl Page {
    /// Makes the text of a difference. Nothing is in its rows before [`Page::lay`].
    pub(super) fn new(difference: &Difference) -> Self {
        let folded = diff::lines(difference, AROUND);
        let folds = folds(&folded);
        let lines = if folds.is_empty() { folded } else { diff::lines(difference, usize::MAX) };
        let size = Size::count(&lines);
        let mut texts = texts(&lines);
        let pairs = pairs(&texts);
        for (left, right) in pairs.iter().copied() {
            if let (Some(left), Some(right)) = (left, right)
                && left != right
            {
                texts[left].mate = Some(right);
                texts[right].mate = Some(left);
            }
        }
        Self { texts, folds, size, pairs, ..Self::default() }
    }

    /// Makes the rows: notes that go first, the text, the other notes.
    pub(super) fn lay(&mut self, shape: Shape, first: usize) {
        self.rows.clear();
        let first = first.min(self.notes.len());
        self.rows.extend((0..first).map(Row::Note));
        match shape {
            Shape::Unified => self.lay_text(),
            Shape::Sides => self.lay_sides(),
        }
        self.rows.extend((first..self.notes.len()).map(Row::Note));
    }

    fn lay_text(&mut self) {
        let mut at = 0;
        while at < self.texts.len() {
            let fold = self.closed_fold(at);
            self.rows.push(fold.map_or(Row::Text(at), Row::Fold));
            at = fold.map_or(at + 1, |fold| self.folds[fold].lines.end);
        }
    }

    fn lay_sides(&mut self) {
        let mut until = 0;
        for (left, right) in &self.pairs {
            let line = left.or(*right).unwrap_or_default();
            if line < until && left == right {
                continue;
            }
            let fold = self.closed_fold(line);
            self.rows.push(fold.map_or(Row::Pair(*left, *right), Row::Fold));
            until = fold.map_or(0, |fold| self.folds[fold].lines.end);
        }
    }

    fn fold_at(&self, line: usize) -> Option<usize> {
        let at = self.folds.partition_point(|fold| fold.lines.end <= line);
        self.folds.get(at).filter(|fold| fold.lines.contains(&line)).map(|_| at)
    }

    fn closed_fold(&self, line: usize) -> Option<usize> {
        self.fold_at(line).filter(|fold| !self.open.contains(fold))
    }

    /// Opens the first closed fold among some rows, else closes the first open one. Returns the line to be kept in sight.
    pub(super) fn turn(&mut self, rows: Range<usize>) -> Option<usize> {
        let seen = self.rows.get(rows.start..rows.end.min(self.rows.len())).unwrap_or_default();
        let closed = seen.iter().find_map(|row| match row {
            Row::Fold(fold) => Some(*fold),
            Row::Text(_) | Row::Pair(..) | Row::Note(_) => None,
        });
        if let Some(fold) = closed {
            self.open.insert(fold);
            return Some(self.folds[fold].lines.start);
        }
        let fold = seen.iter().find_map(|row| self.fold_at(row.line()?))?;
        self.open.remove(&fold);
        Some(self.folds[fold].lines.start)
    }

    /// Opens all folds, or closes them if all are open. Returns whether they are open now.
    pub(super) fn turn_all(&mut self) -> bool {
        let opens = self.open.len() < self.folds.len();
        self.open = if opens { (0..self.folds.len()).collect() } else { BTreeSet::new() };
        opens
    }

    /// Opens all folds.
    pub(super) fn open_all(&mut self) {
        self.open = (0..self.folds.len()).collect();
    }

    /// Opens the fold that hides a line. Returns whether there is one.
    pub(super) fn uncover(&mut self, line: usize) -> bool {
        self.closed_fold(line).is_some_and(|fold| self.open.insert(fold))
    }

    /// Returns the row of a line, or of the fold that hides it.
    pub(super) fn row_of(&self, line: usize) -> Option<usize> {
        let fold = self.closed_fold(line);
        self.rows.iter().position(|row| match row {
            Row::Text(at) => *at == line,
            Row::Pair(left, right) => *left == Some(line) || *right == Some(line),
            Row::Fold(at) => Some(*at) == fold,
            Row::Note(_) => false,
        })
    }

    /// Returns the text as a unified diff, for the clipboard.
    pub(super) fn unified(&self, title: &str) -> String {
        let mut text = format!("--- live {title}\n+++ target {title}\n");
        let mut at = 0;
        while let Some(line) = self.texts.get(at) {
            if let Some(fold) = self.fold_at(at) {
                text += &format!("@@ {} @@\n", self.folds[fold].trail).replace("  ", " ");
                at = self.folds[fold].lines.end;
                continue;
            }
            text.push(line.sign.letter());
            text.push_str(&line.text);
            text.push('\n');
            at += 1;
        }
        text
    }
}

impl Sign {
    /// Returns the character before a line.
    pub(super) fn letter(self) -> char {
        match self {
            Self::Same => ' ',
            Self::Removed => '-',
            Self::Added => '+',
        }
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

fn texts(lines: &[Line]) -> Vec<Text> {
    let text = |line: &Line| {
        let sign = match line.kind {
            LineKind::Context => Sign::Same,
            LineKind::Removed => Sign::Removed,
            LineKind::Added => Sign::Added,
            LineKind::Head | LineKind::Fold(_) => return None,
        };
        let text = format!("{:1$}{2}", "", line.indent, clean::text(&line.text));
        Some(Text { sign, text, left: line.before.unwrap_or_default(), right: line.after.unwrap_or_default(), mate: None })
    };
    lines.iter().filter_map(text).collect()
}

/// Which line stands beside which: what is removed beside what is added right after it.
fn pairs(texts: &[Text]) -> Vec<(Option<usize>, Option<usize>)> {
    let mut pairs = Vec::with_capacity(texts.len());
    let mut at = 0;
    while at < texts.len() {
        if texts[at].sign == Sign::Same {
            pairs.push((Some(at), Some(at)));
            at += 1;
            continue;
        }
        let run = |from: usize, sign: Sign| from + texts[from..].iter().take_while(|text| text.sign == sign).count();
        let removed = at..run(at, Sign::Removed);
        let added = removed.end..run(removed.end, Sign::Added);
        let of = |range: &Range<usize>, step: usize| Some(range.start + step).filter(|line| range.contains(line));
        pairs.extend((0..removed.len().max(added.len())).map(|step| (of(&removed, step), of(&added, step))));
        at = added.end;
    }
    pairs
}

/// Which lines are left out of the folded text, and where what comes after them belongs.
fn folds(folded: &[Line]) -> Vec<Fold> {
    let mut folds: Vec<Fold> = Vec::new();
    let mut at = 0;
    for line in folded {
        match line.kind {
            LineKind::Fold(count) => {
                folds.push(Fold { lines: at..at + count, trail: String::new() });
                at += count;
            }
            LineKind::Head => {
                if let Some(fold) = folds.last_mut() {
                    fold.trail = clean::text(&line.text).into_owned();
                }
            }
            LineKind::Context | LineKind::Removed | LineKind::Added => at += 1,
        }
    }
    folds
}
