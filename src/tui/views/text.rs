//! A text that is scrolled: offset, size and the keys for moving. Details, YAML and help are such texts.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::action::Action;
use crate::tui::clean;
use crate::tui::model::Model;
use crate::tui::paint::Pen;
use crate::tui::theme::Role;

/// A line of pieces with roles.
pub(crate) type TextLine = Vec<(String, Role)>;

/// Widest label below which nothing else stands when its line is broken.
const LABEL: usize = 20;
/// Columns by which a broken line without a label is moved in.
const APART: usize = 4;
/// Bytes that one column may take.
const WIDEST: usize = 16;

/// Breaks a printable text between words, or where a word is too wide within it, so that its first part has at most `first` columns and no
/// other one more than `columns`.
pub(super) fn broken(text: &str, first: usize, columns: usize) -> Vec<&str> {
    let columns = columns.max(1);
    let (mut parts, mut rest, mut room) = (Vec::new(), text, first);
    loop {
        let near = &rest[..clean::char_end_before(rest, room.saturating_mul(WIDEST).saturating_add(1))];
        let head = clean::head(near, room);
        if head.len() == rest.len() {
            parts.push(rest);
            return parts;
        }
        let is_between = rest[head.len()..].starts_with(' ');
        let end = if is_between { Some(head.len()) } else { head.rfind(' ').filter(|at| !head[..*at].trim().is_empty()) };
        let is_fresh = room == columns;
        let (part, next) = match end {
            Some(end) => (&rest[..end], &rest[end..]),
            // The first part may be too short for the first word.
            None if !is_fresh => ("", rest),
            None => {
                let end = if head.is_empty() { clean::wrapped(near, 1).next().map_or(rest.len(), str::len) } else { head.len() };
                rest.split_at(end)
            }
        };
        parts.push(part);
        (rest, room) = (next.trim_start_matches(' '), columns);
    }
}

/// Breaks the lines of a text that are wider than so many columns. What goes on stands below the text, not below its label.
pub(crate) fn fitted(lines: Vec<TextLine>, columns: usize) -> Vec<TextLine> {
    let mut fitted = Vec::with_capacity(lines.len());
    for line in lines {
        if line.iter().map(|(text, _)| clean::columns(text)).sum::<usize>() <= columns {
            fitted.push(line);
            continue;
        }
        let label = line.first().filter(|_| line.len() > 1).map_or("", |(text, _)| text.as_str());
        // Without a label it stands apart from the next line.
        let wanted = clean::columns(label) + if label.trim().is_empty() { APART } else { 0 };
        let indent = if wanted <= LABEL.min(columns / 2) { wanted } else { 0 };
        let (mut now, mut column) = (TextLine::new(), 0);
        for (text, role) in line {
            for (at, part) in broken(&text, columns.saturating_sub(column), columns - indent).into_iter().enumerate() {
                if at > 0 {
                    fitted.push(std::mem::replace(&mut now, vec![(" ".repeat(indent), role)]));
                    column = indent;
                }
                column += clean::columns(part);
                now.push((part.to_owned(), role));
            }
        }
        fitted.push(now);
    }
    fitted
}

/// Breaks lines likewise if they take at most so many rows; `None` if they take more, as soon as that is known.
pub(crate) fn fitted_within(lines: &[TextLine], columns: usize, rows: usize) -> Option<Vec<TextLine>> {
    let mut shown = Vec::new();
    for line in lines {
        let room = columns.saturating_mul(rows.checked_sub(shown.len())?);
        // What alone is wider than all rows is not broken at all.
        if line.iter().any(|(text, _)| clean::is_wider(text, room)) {
            return None;
        }
        shown.extend(fitted(vec![line.clone()], columns));
    }
    (shown.len() <= rows).then_some(shown)
}

/// Where a person is in a text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scroll {
    top: usize,
    left: usize,
    height: usize,
    len: usize,
}

/// How many columns one step to the side goes.
const SIDEWAYS: usize = 8;

impl Scroll {
    /// Takes the size of text and area.
    pub(super) fn settle(&mut self, len: usize, height: usize) {
        self.len = len;
        self.height = height;
        self.top = self.top.min(len.saturating_sub(height));
    }

    /// Goes to a line.
    pub(super) fn reveal(&mut self, line: usize) {
        if line < self.top || line >= self.top + self.height.max(1) {
            self.top = line.saturating_sub(self.height / 3).min(self.len.saturating_sub(self.height));
        }
    }

    /// Returns the lines that are seen.
    pub(super) fn visible(&self) -> Range<usize> {
        self.top.min(self.len)..self.top.saturating_add(self.height).min(self.len)
    }

    /// Returns how many lines there is room for.
    pub(super) fn height(&self) -> usize {
        self.height
    }

    /// Returns how many columns are out of sight at the left.
    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// Scrolls sideways, if need be, so that these columns are among the `width` that are seen.
    pub(super) fn show_columns(&mut self, columns: Range<usize>, width: usize) {
        if columns.start < self.left || columns.end > self.left + width {
            self.left = if columns.end <= width { 0 } else { columns.start.saturating_sub(width / 3) };
        }
    }

    /// Puts a line at the top, as far as there are lines below it.
    pub(super) fn place(&mut self, line: usize) {
        self.top = line;
    }

    /// Scrolls to the left.
    pub(super) fn move_left(&mut self, columns: usize) {
        self.left = self.left.saturating_sub(columns);
    }

    /// Scrolls to the right, at most to `last`, with which the widest line is seen to its end.
    pub(super) fn move_right(&mut self, columns: usize, last: usize) {
        self.left = self.left.max(self.left.saturating_add(columns).min(last));
    }

    /// Goes back to the start.
    pub(super) fn reset(&mut self) {
        self.top = 0;
        self.left = 0;
    }

    /// Obeys a verb of movement. Returns whether it was one.
    pub(super) fn go(&mut self, action: Action) -> bool {
        let page = self.height.max(2) - 1;
        let last = self.len.saturating_sub(self.height);
        match action {
            Action::Up => self.top = self.top.saturating_sub(1),
            Action::Down => self.top = (self.top + 1).min(last),
            Action::PageUp => self.top = self.top.saturating_sub(page),
            Action::PageDown => self.top = (self.top + page).min(last),
            Action::HalfUp => self.top = self.top.saturating_sub(page.div_ceil(2)),
            Action::HalfDown => self.top = (self.top + page.div_ceil(2)).min(last),
            Action::Top => self.top = 0,
            Action::Bottom => self.top = last,
            Action::Left => self.left = self.left.saturating_sub(SIDEWAYS),
            Action::Right => self.left += SIDEWAYS,
            _ => return false,
        }
        true
    }

    /// Returns what is seen, for a title.
    pub(super) fn notes(&self) -> String {
        if self.len <= self.height {
            return format!("{} lines", self.len);
        }
        format!("{}–{} of {}", self.top + 1, (self.top + self.height).min(self.len), self.len)
    }

    /// Draws the visible lines of a text of plain strings.
    pub(super) fn draw_plain(&self, model: &Model, lines: &[String], sought: &Sought<'_>, area: Rect, buffer: &mut Buffer) {
        for (row, line) in lines.iter().enumerate().skip(self.top).take(usize::from(area.height)) {
            let Some(mut pen) = Pen::row(buffer, area, (row - self.top) as u16) else { return };
            let (rest, torn) = clean::tail(line, self.left);
            let role = sought.role(row).unwrap_or(Role::Text);
            pen.put(" ", model.theme.style(Role::Text)).skip(torn as u16).fit(rest, model.theme.style(role));
        }
    }

    /// Draws the visible lines of a text of pieces.
    pub(super) fn draw(&self, model: &Model, lines: &[TextLine], area: Rect, buffer: &mut Buffer) {
        self.draw_found(model, lines, &Sought::default(), area, buffer);
    }

    /// Draws the visible lines of a text of pieces in which something is searched for.
    pub(super) fn draw_found(&self, model: &Model, lines: &[TextLine], sought: &Sought<'_>, area: Rect, buffer: &mut Buffer) {
        for (row, pieces) in lines.iter().enumerate().skip(self.top).take(usize::from(area.height)) {
            let Some(mut pen) = Pen::row(buffer, area, (row - self.top) as u16) else { return };
            pen.put(" ", model.theme.style(Role::Text));
            let found = sought.role(row);
            for (text, role) in pieces {
                pen.fit(text, model.theme.style(found.unwrap_or(*role)));
            }
        }
    }
}

/// What has been found in a text. Lines are not looked through while they are drawn: one may be a megabyte.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sought<'a> {
    /// The lines that have it, in order.
    pub(super) hits: &'a [usize],
    /// The line that was gone to.
    pub(super) here: Option<usize>,
}

impl Sought<'_> {
    /// Returns what a line is drawn as that has it.
    fn role(&self, row: usize) -> Option<Role> {
        self.hits.binary_search(&row).ok()?;
        Some(if self.here == Some(row) { Role::Chosen } else { Role::Marked })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_long_text_is_broken_between_words_and_a_long_word_within() {
        assert_eq!(broken("one two three", 7, 5), ["one two", "three"]);
        assert_eq!(broken("one two three", 2, 5), ["", "one", "two", "three"]);
        assert_eq!(broken("abcdefgh", 3, 3), ["abc", "def", "gh"]);
        assert_eq!(broken("世界 x", 1, 1), ["世", "界", "x"]);
        assert_eq!(broken("", 0, 4), [""]);
    }

    #[test]
    fn what_goes_on_stands_below_the_text_of_a_label() {
        let line = vec![("message  ".to_owned(), Role::Dim), ("the server refuses it".to_owned(), Role::Text)];
        let lines: Vec<String> = fitted(vec![line], 20).iter().map(|line| line.iter().map(|(text, _)| text.as_str()).collect()).collect();
        assert_eq!(lines, ["message  the server", "         refuses it"]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_too_wide(text in "[ab世 ]{0,80}", first in 0_usize..12, columns in 2_usize..12) {
            let parts = broken(&text, first, columns);
            let letters = |text: &str| text.replace(' ', "");
            prop_assert_eq!(letters(&parts.concat()), letters(&text));
            for (at, part) in parts.iter().enumerate() {
                prop_assert!(clean::columns(part) <= if at == 0 { first } else { columns }, "{:?}", parts);
            }
            let line = vec![("label ".to_owned(), Role::Dim), (text, Role::Text)];
            let twice = [line.clone(), line.clone()];
            let whole = fitted(twice.to_vec(), columns + 6);
            prop_assert_eq!(fitted_within(&twice, columns + 6, whole.len() - 1), None);
            prop_assert_eq!(fitted_within(&twice, columns + 6, whole.len()), Some(whole));
            prop_assert!(fitted(vec![line], columns + 6).iter().all(|line| line.iter().map(|(text, _)| clean::columns(text)).sum::<usize>() <= columns + 6));
        }
    }
}
