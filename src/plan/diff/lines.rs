//! A difference as lines of YAML: what stays, what goes, what comes, and how many lines in between are left out. Only data; whoever draws
//! the lines chooses signs and colours.

use super::Difference;
use super::unified::{Fate, Full, Unified};

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) kind: LineKind,
    /// Columns before the text. Of a head: by how many columns the lines up to the next fold can be moved to the left.
    pub(crate) indent: usize,
    /// One line without its indentation. Of a head: the path of what all lines up to the next fold are part of.
    pub(crate) text: String,
    /// Its number on each side, from 1; `None` if it is not there.
    pub(crate) before: Option<usize>,
    pub(crate) after: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineKind {
    /// Where the lines that follow belong. Left out if that is the whole object.
    Head,
    Context,
    Removed,
    Added,
    /// So many unchanged lines are left out.
    Fold(usize),
}

/// Returns the lines that change, with so many unchanged lines around each; none if nothing changes. `usize::MAX` leaves nothing out.
pub(crate) fn lines(difference: &Difference, context: usize) -> Vec<Line> {
    let (before, after) = (difference.before.as_deref(), difference.after.as_deref());
    if difference.is_empty() {
        return Vec::new();
    }
    let mut unified = Unified::default();
    match (before, after) {
        (Some(before), Some(after)) => unified.pair(before, after, &difference.tree),
        (Some(before), None) => unified.whole(Fate::Removed, before),
        (None, Some(after)) => unified.whole(Fate::Added, after),
        (None, None) => {}
    }
    folded(&unified, context)
}

/// Returns all lines of an object in which nothing changes; none if something does.
pub(crate) fn unchanged(difference: &Difference) -> Vec<Line> {
    let object = difference.after.as_deref().or(difference.before.as_deref()).filter(|_| difference.is_empty());
    let mut unified = Unified::default();
    if let Some(object) = object {
        unified.whole(Fate::Same, object);
    }
    unified.lines.iter().enumerate().map(|(at, full)| line(full, (at + 1, at + 1))).collect()
}

fn folded(unified: &Unified<'_>, context: usize) -> Vec<Line> {
    let shown = shown(&unified.lines, context);
    let mut numbers = (0, 0);
    let mut numbered = Vec::with_capacity(unified.lines.len());
    for line in &unified.lines {
        numbers = (numbers.0 + usize::from(line.fate != Fate::Added), numbers.1 + usize::from(line.fate != Fate::Removed));
        numbered.push(numbers);
    }
    let mut found = Vec::new();
    let mut from = 0;
    while from < shown.len() {
        let to = from + shown[from..].iter().take_while(|is_shown| **is_shown == shown[from]).count();
        if shown[from] {
            found.extend(head(unified, from..to));
            found.extend((from..to).map(|at| line(&unified.lines[at], numbered[at])));
        } else {
            found.push(fold(to - from));
        }
        from = to;
    }
    found
}

/// Returns which lines are near enough to a change. One line alone is shown: a fold would take its place.
fn shown(lines: &[Full<'_>], context: usize) -> Vec<bool> {
    let mut shown = vec![false; lines.len()];
    let changed = |at: &usize| lines[*at].fate != Fate::Same;
    let mut from = 0;
    for at in (0..lines.len()).filter(changed) {
        let start = at.saturating_sub(context).max(from);
        from = at.saturating_add(context).saturating_add(1).min(lines.len());
        shown[start.min(from)..from].fill(true);
    }
    for at in 0..lines.len() {
        let is_hidden = |at: Option<usize>| at.and_then(|at| shown.get(at)).is_some_and(|is_shown| !is_shown);
        if !shown[at] && !is_hidden(at.checked_sub(1)) && !is_hidden(Some(at + 1)) {
            shown[at] = true;
        }
    }
    shown
}

fn head(unified: &Unified<'_>, hunk: std::ops::Range<usize>) -> Option<Line> {
    let place = unified.lines[hunk].iter().map(|line| line.place).reduce(|one, other| unified.common(one, other))?;
    let path = unified.path(place);
    if path.segments().is_empty() {
        return None;
    }
    Some(Line { kind: LineKind::Head, indent: unified.indent(place), text: path.to_string(), before: None, after: None })
}

fn fold(count: usize) -> Line {
    let text = format!("{count} unchanged lines");
    Line { kind: LineKind::Fold(count), indent: 0, text, before: None, after: None }
}

fn line(full: &Full<'_>, (before, after): (usize, usize)) -> Line {
    let (kind, before, after) = match full.fate {
        Fate::Same => (LineKind::Context, Some(before), Some(after)),
        Fate::Removed => (LineKind::Removed, Some(before), None),
        Fate::Added => (LineKind::Added, None, Some(after)),
    };
    Line { kind, indent: full.indent, text: full.text.to_string(), before, after }
}
