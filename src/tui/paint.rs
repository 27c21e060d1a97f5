//! Writes text into cells, clipped to its row. Nothing here allocates for text that fits, and nothing outside the given
//! rectangle is ever touched. Knows columns and styles, no meaning.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::clean;
use super::theme::{Role, Theme};

/// Writes along one row from left to right.
pub(crate) struct Pen<'a> {
    buffer: &'a mut Buffer,
    x: u16,
    y: u16,
    right: u16,
}

impl<'a> Pen<'a> {
    /// Takes a row of an area, counted from its top; `None` outside the area or the buffer.
    pub(crate) fn row(buffer: &'a mut Buffer, area: Rect, row: u16) -> Option<Self> {
        let area = area.intersection(buffer.area);
        (row < area.height && area.width > 0).then_some(Self { buffer, x: area.x, y: area.y + row, right: area.right() })
    }

    /// Returns how many columns are left.
    pub(crate) fn rest(&self) -> u16 {
        self.right.saturating_sub(self.x)
    }

    /// Writes text; what does not fit is cut.
    pub(crate) fn put(&mut self, text: &str, style: Style) -> &mut Self {
        if self.x < self.right {
            let (x, _) = self.buffer.set_stringn(self.x, self.y, text, usize::from(self.right - self.x), style);
            self.x = x;
        }
        self
    }

    /// Writes text; if it does not fit, its end is an ellipsis.
    pub(crate) fn fit(&mut self, text: &str, style: Style) -> &mut Self {
        let room = usize::from(self.rest());
        if text.len() <= room {
            return self.put(text, style);
        }
        let short = clean::fit(text, room);
        self.put(&short, style)
    }

    /// Writes text into a column of this width, left-aligned, and goes on behind it.
    pub(crate) fn field(&mut self, text: &str, width: u16, style: Style) -> &mut Self {
        let end = self.x.saturating_add(width).min(self.right);
        let (right, start) = (self.right, self.x);
        self.right = end;
        self.fit(text, style);
        self.right = right;
        self.x = end.max(start);
        self
    }

    /// Writes text into a column of this width, right-aligned, and goes on behind it.
    pub(crate) fn number(&mut self, text: &str, width: u16, style: Style) -> &mut Self {
        let taken = clean::columns(text) as u16;
        self.skip(width.saturating_sub(taken)).field(text, taken.min(width), style)
    }

    /// Goes some columns to the right.
    pub(crate) fn skip(&mut self, columns: u16) -> &mut Self {
        self.x = self.x.saturating_add(columns).min(self.right);
        self
    }

    /// Writes text at the right end and makes the row shorter by it, with a space between. Leaves it out if it does not fit.
    pub(crate) fn end(&mut self, text: &str, style: Style) -> &mut Self {
        let width = clean::columns(text) as u16;
        if width > 0 && width <= self.rest() {
            self.buffer.set_stringn(self.right - width, self.y, text, usize::from(width), style);
            self.right = self.right.saturating_sub(width + 1).max(self.x);
        }
        self
    }

    /// Fills the rest of the row with a symbol.
    pub(crate) fn fill(&mut self, symbol: &str, style: Style) -> &mut Self {
        while self.x < self.right {
            self.buffer[(self.x, self.y)].set_symbol(symbol).set_style(style);
            self.x += 1;
        }
        self
    }
}

/// How much of a long title stays before its notes are left out.
const MIN_TITLE: usize = 24;

/// Draws a horizontal line with a title at its left and notes at its right end.
pub(crate) fn rule(buffer: &mut Buffer, area: Rect, theme: Theme, title: &str, notes: &str) {
    let line = theme.style(Role::Rule);
    let Some(mut pen) = Pen::row(buffer, area, 0) else { return };
    if !notes.is_empty() && clean::columns(notes) + clean::columns(title).min(MIN_TITLE) + 8 < usize::from(area.width) {
        pen.end("─", line);
        pen.end(notes, theme.style(Role::Dim));
    }
    if !title.is_empty() {
        let room = usize::from(pen.rest()).saturating_sub(4);
        pen.put("─ ", line).put(&clean::fit(title, room), theme.style(Role::Strong)).put(" ", line);
    }
    pen.fill("─", line);
}

/// Gives a row of an area one style on top of what is there.
pub(crate) fn tint(buffer: &mut Buffer, area: Rect, row: u16, style: Style) {
    let area = area.intersection(buffer.area);
    if row < area.height {
        buffer.set_style(Rect { y: area.y + row, height: 1, ..area }, style);
    }
}

/// Empties an area, for what is drawn over something else.
pub(crate) fn clear(buffer: &mut Buffer, area: Rect) {
    let area = area.intersection(buffer.area);
    for position in area.positions() {
        buffer[position].reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(width: u16, write: impl FnOnce(&mut Pen<'_>)) -> String {
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, 1));
        let area = buffer.area;
        write(&mut Pen::row(&mut buffer, area, 0).unwrap());
        buffer.content.iter().map(|cell| cell.symbol()).collect()
    }

    #[test]
    fn columns_stay_where_they_are_whatever_stands_in_them() {
        let style = Style::new();
        assert_eq!(written(14, |pen| _ = pen.field("abcdef", 4, style).number("7", 3, style).put("|", style)), "abc…  7|      ");
        assert_eq!(written(14, |pen| _ = pen.field("a", 4, style).number("1234", 3, style).put("|", style)), "a   12…|      ");
    }

    #[test]
    fn a_note_at_the_end_makes_the_row_shorter_or_stays_away() {
        let style = Style::new();
        assert_eq!(written(10, |pen| _ = pen.end("end", style).fit("longer text", style)), "longe… end");
        assert_eq!(written(4, |pen| _ = pen.end("too long", style).put("ab", style)), "ab  ");
    }

    #[test]
    fn nothing_is_written_outside() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 2));
        assert!(Pen::row(&mut buffer, Rect::new(0, 0, 9, 9), 2).is_none());
        assert!(Pen::row(&mut buffer, Rect::new(9, 9, 9, 9), 0).is_none());
        rule(&mut buffer, Rect::new(2, 1, 50, 1), Theme::default(), "a title", "notes");
        tint(&mut buffer, Rect::new(0, 0, 4, 9), 8, Style::new());
        clear(&mut buffer, Rect::new(3, 1, 8, 8));
    }
}
