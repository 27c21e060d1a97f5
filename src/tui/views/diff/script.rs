//! The lines of one resource: what stays, what goes, what comes, what stands beside what, and what may be folded away. Made once from a
//! difference and never changed; made beside the frames where that takes long. Pure.

use std::ops::Range;

use serde_json::Value;

use super::ruler::Ruler;
use crate::plan::diff::{self, Difference, Line, LineKind};
use crate::tui::clean;

/// Lines around a change that are not folded.
const AROUND: usize = 3;
/// Values that may be written as lines within a frame without anybody noticing.
pub(super) const LIGHT: usize = 2_000;

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
    pub(super) ruler: Ruler,
    /// Its number on the side of the live object, and on that of the target; from 1.
    pub(super) left: usize,
    pub(super) right: usize,
    /// What of it is not in the line beside it.
    pub(super) changed: Option<Range<usize>>,
}

/// Neighbours that are the same on both sides.
#[derive(Debug)]
pub(super) struct Fold {
    pub(super) lines: Range<usize>,
    /// What encloses the line behind it.
    pub(super) trail: String,
}

/// How many lines come and go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) added: usize,
    pub(crate) removed: usize,
}

/// Two lines that stand beside each other; one of them if nothing stands beside it.
pub(super) type Pair = (Option<usize>, Option<usize>);

/// All lines of a resource.
#[derive(Debug, Default)]
pub(crate) struct Script {
    pub(super) texts: Vec<Text>,
    pub(super) folds: Vec<Fold>,
    pub(super) pairs: Vec<Pair>,
    pub(super) size: Size,
}

impl Size {
    /// Counts the lines of a difference.
    pub(super) fn of(difference: &Difference) -> Self {
        Self::count(&diff::lines(difference, 0))
    }

    fn count(lines: &[Line]) -> Self {
        lines.iter().fold(Self::default(), |size, line| match line.kind {
            LineKind::Added => Self { added: size.added + 1, ..size },
            LineKind::Removed => Self { removed: size.removed + 1, ..size },
            LineKind::Context | LineKind::Head | LineKind::Fold(_) => size,
        })
    }
}

/// Takes the values of a difference from those that may still be written. Returns whether there were enough.
pub(super) fn is_light(difference: &Difference, left: &mut usize) -> bool {
    [&difference.before, &difference.after].into_iter().flatten().all(|side| takes(side, left))
}

fn takes(value: &Value, left: &mut usize) -> bool {
    if *left == 0 {
        return false;
    }
    *left -= 1;
    match value {
        Value::Object(fields) => fields.values().all(|value| takes(value, left)),
        Value::Array(items) => items.iter().all(|value| takes(value, left)),
        Value::String(text) => {
            *left = left.saturating_sub(text.len() / 100);
            true
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

impl Script {
    /// Makes the lines of a difference; where nothing changes, those of the object.
    pub(super) fn new(difference: &Difference) -> Self {
        let lines = lines(difference);
        let folds = folds(difference, &lines);
        let size = Size::count(&lines);
        let mut texts = texts(&lines);
        let pairs = pairs(&texts);
        for (left, right) in pairs.iter().copied() {
            if let (Some(left), Some(right)) = (left, right)
                && left != right
            {
                let (of_left, of_right) = (changed(&texts[left], &texts[right]), changed(&texts[right], &texts[left]));
                (texts[left].changed, texts[right].changed) = (of_left, of_right);
            }
        }
        Self { texts, folds, pairs, size }
    }

    /// Returns the fold that a line is in.
    pub(super) fn fold_at(&self, line: usize) -> Option<usize> {
        let at = self.folds.partition_point(|fold| fold.lines.end <= line);
        self.folds.get(at).filter(|fold| fold.lines.contains(&line)).map(|_| at)
    }

    /// Returns one side as a text: the lines that stay, and those of this sign.
    pub(super) fn side(&self, sign: Sign) -> String {
        let lines = self.texts.iter().filter(|line| line.sign == Sign::Same || line.sign == sign);
        lines.flat_map(|line| [line.text.as_str(), "\n"]).collect()
    }

    /// Returns the text as a unified diff; all of it where nothing changes, so that there is something to read.
    pub(super) fn unified(&self, title: &str) -> String {
        let mut text = format!("--- live {title}\n+++ target {title}\n");
        let mut at = 0;
        while let Some(line) = self.texts.get(at) {
            if let Some(fold) = self.fold_at(at).filter(|_| self.size != Size::default()) {
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

fn texts(lines: &[Line]) -> Vec<Text> {
    let text = |line: &Line| {
        let sign = match line.kind {
            LineKind::Context => Sign::Same,
            LineKind::Removed => Sign::Removed,
            LineKind::Added => Sign::Added,
            LineKind::Head | LineKind::Fold(_) => return None,
        };
        let text = format!("{:1$}{2}", "", line.indent, clean::text(&line.text));
        let (left, right) = (line.before.unwrap_or_default(), line.after.unwrap_or_default());
        Some(Text { sign, ruler: Ruler::of(&text), text, left, right, changed: None })
    };
    lines.iter().filter_map(text).collect()
}

/// Which line stands beside which: what is removed beside what is added right after it.
fn pairs(texts: &[Text]) -> Vec<Pair> {
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

/// Returns what of a line is not in the one beside it; nothing if they have only their indentation in common.
fn changed(line: &Text, mate: &Text) -> Option<Range<usize>> {
    let same = |(one, other): &((usize, char), char)| one.1 == *other;
    let start = line.text.char_indices().zip(mate.text.chars()).take_while(same).map(|((at, found), _)| at + found.len_utf8()).last();
    let start = start.unwrap_or_default();
    let rest = &line.text[start..];
    let limit = rest.len().min(mate.text.len() - start);
    let ends = rest.chars().rev().zip(mate.text[start..].chars().rev()).take_while(|(one, other)| one == other);
    let mut end = 0;
    for (found, _) in ends {
        if end + found.len_utf8() > limit {
            break;
        }
        end += found.len_utf8();
    }
    (!line.text[..start].trim_matches([' ', '-']).is_empty()).then(|| start..line.text.len() - end)
}

/// Returns all lines that are shown of a resource.
pub(super) fn lines(difference: &Difference) -> Vec<Line> {
    if difference.is_empty() { diff::unchanged(difference) } else { diff::lines(difference, usize::MAX) }
}

/// Which lines are left out of the folded text, and where what comes after them belongs.
fn folds(difference: &Difference, all: &[Line]) -> Vec<Fold> {
    if difference.is_empty() {
        // One line is no shorter when it is folded.
        return if all.len() > 1 { vec![Fold { lines: 0..all.len(), trail: String::new() }] } else { Vec::new() };
    }
    let mut folds: Vec<Fold> = Vec::new();
    let mut at = 0;
    for line in diff::lines(difference, AROUND) {
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
