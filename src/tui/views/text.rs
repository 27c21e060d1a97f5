//! A text that is scrolled: offset, size and the keys for moving. Details, YAML and help are such texts.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::action::Action;
use crate::tui::model::Model;
use crate::tui::paint::Pen;
use crate::tui::theme::Role;

/// A line of pieces with roles.
pub(super) type TextLine = Vec<(String, Role)>;

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
    pub(super) fn draw_plain(&self, model: &Model, lines: &[String], found: &str, area: Rect, buffer: &mut Buffer) {
        for (row, line) in lines.iter().skip(self.top).enumerate().take(usize::from(area.height)) {
            let Some(mut pen) = Pen::row(buffer, area, row as u16) else { return };
            let (rest, _) = crate::tui::clean::tail(line, self.left);
            let hit = !found.is_empty() && crate::tui::row::contains(line, found);
            pen.put(" ", model.theme.style(Role::Text)).fit(rest, model.theme.style(if hit { Role::Marked } else { Role::Text }));
        }
    }

    /// Draws the visible lines of a text of pieces.
    pub(super) fn draw(&self, model: &Model, lines: &[TextLine], area: Rect, buffer: &mut Buffer) {
        for (row, pieces) in lines.iter().skip(self.top).enumerate().take(usize::from(area.height)) {
            let Some(mut pen) = Pen::row(buffer, area, row as u16) else { return };
            pen.put(" ", model.theme.style(Role::Text));
            for (text, role) in pieces {
                pen.fit(text, model.theme.style(*role));
            }
        }
    }
}
