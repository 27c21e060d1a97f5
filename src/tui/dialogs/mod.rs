//! Questions over the live screen. A dialog says what it will do and to what, before it is done; the harmless button is chosen when it
//! opens. Nothing here changes a cluster by itself: a dialog only wishes.

pub(crate) mod approve;
pub(crate) mod delete;
pub(crate) mod quit;
pub(crate) mod report;
pub(crate) mod resume;
pub(crate) mod sync;
pub(crate) mod terminate;

use std::sync::Arc;

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr as _;

use super::action::Action;
use super::clean;
use super::model::Model;
use super::paint::{self, Pen};
use super::theme::{Role, Theme};
use super::views::Outbox;
use super::views::text::fitted_within;
use super::widgets::prompt::{Prompt, PromptOutcome, PromptStyles};
use crate::engine::session::Planned;

/// Widest dialog: fits 80 columns with a bit of the screen around it.
const WIDTH: u16 = 76;

/// A question.
pub(crate) trait Dialog {
    /// Obeys a verb of the dialog's keys.
    fn update(&mut self, action: Action, model: &Model, out: &mut Outbox);

    /// Gives a key to the line that is being typed in, if there is one. Returns whether it was used.
    fn typed(&mut self, _key: KeyEvent) -> bool {
        false
    }

    /// Takes pasted text.
    fn pasted(&mut self, _text: &str) {}

    /// Takes the plan that was asked for, or why there is none.
    fn planned(&mut self, _planned: Result<Arc<Planned>, Vec<String>>) {}

    /// Brings the dialog up to date before a frame. A sentence closes it: what it asks about is over.
    fn settle(&mut self, _model: &Model) -> Option<String> {
        None
    }

    /// Draws itself over the screen.
    fn draw(&self, model: &Model, area: Rect, buffer: &mut Buffer);
}

/// A piece of a line and its role.
pub(super) type Piece = (String, Role);

/// The looks of a dialog: a frame with a title, lines, a row of buttons and a hint.
pub(super) struct Sheet<'a> {
    pub(super) title: &'a str,
    pub(super) lines: &'a [Vec<Piece>],
    /// The line that stays in sight when not all of them fit.
    pub(super) focus: usize,
    pub(super) buttons: &'a [(&'a str, bool)],
    pub(super) hint: &'a str,
}

/// Rows of a dialog that are not lines: frame, buttons, hint.
const AROUND: u16 = 6;

/// Returns how many lines a dialog can show in an area.
pub(super) fn room(area: Rect) -> usize {
    usize::from(area.height.saturating_sub(AROUND))
}

/// Draws a dialog in the middle of the screen; on small screens the lines that fit, and always the buttons. Long lines are cut only where
/// there is no room for all of them.
pub(super) fn sheet(theme: Theme, sheet: &Sheet<'_>, area: Rect, buffer: &mut Buffer) {
    let width = WIDTH.min(area.width);
    let whole = fitted_within(sheet.lines, usize::from(width.saturating_sub(4)), room(area));
    let shown = whole.as_deref().unwrap_or(sheet.lines);
    let wanted = shown.len() as u16 + AROUND;
    let height = wanted.min(area.height);
    let part = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 3, width, height };
    paint::clear(buffer, part);
    frame(theme, sheet.title, part, buffer);
    let inner = Rect { x: part.x + 2, y: part.y + 1, width: width.saturating_sub(4), height: height.saturating_sub(2) };
    let below = if inner.height > 4 { 4 } else { 1 };
    let lines = inner.height.saturating_sub(below);
    let hidden = (sheet.focus + 1).saturating_sub(usize::from(lines));
    for (row, pieces) in shown.iter().skip(hidden).enumerate().take(usize::from(lines)) {
        let Some(mut pen) = Pen::row(buffer, inner, row as u16) else { break };
        for (text, role) in pieces {
            pen.fit(text, theme.style(*role));
        }
    }
    buttons(theme, sheet.buttons, inner, if below == 4 { lines + 1 } else { lines }, buffer);
    if below == 4
        && let Some(mut pen) = Pen::row(buffer, inner, lines + 3)
    {
        pen.fit(sheet.hint, theme.style(Role::Dim));
    }
}

/// All buttons if they fit, else the chosen one between arrows.
fn buttons(theme: Theme, buttons: &[(&str, bool)], inner: Rect, row: u16, buffer: &mut Buffer) {
    let Some(mut pen) = Pen::row(buffer, inner, row) else { return };
    let width: usize = buttons.iter().map(|(name, _)| name.width() + 7).sum();
    let all = width <= usize::from(inner.width) + 3;
    if inner.width > 60 {
        pen.skip(8);
    }
    for (name, chosen) in buttons.iter().filter(|(_, chosen)| all || *chosen) {
        let style = if *chosen { theme.style(Role::Chosen) } else { theme.style(Role::Text) };
        let (open, close) = if *chosen { ("[›", "‹]") } else { ("[ ", " ]") };
        pen.put(open, style).put(name, style).put(close, style).skip(3);
    }
    if !all {
        pen.put("← →", theme.style(Role::Dim));
    }
}

fn frame(theme: Theme, title: &str, area: Rect, buffer: &mut Buffer) {
    let style = theme.style(Role::Strong);
    let line = |buffer: &mut Buffer, row: u16, left: &str, right: &str, title: &str| {
        let Some(mut pen) = Pen::row(buffer, area, row) else { return };
        pen.put(left, style);
        if !title.is_empty() {
            pen.put("─ ", style).fit(title, style).put(" ", style);
        }
        pen.fill("─", style);
        edge(buffer, area, row, right, style);
    };
    let last = area.height.saturating_sub(1);
    for row in 1..last {
        if let Some(mut pen) = Pen::row(buffer, area, row) {
            pen.put("│", style);
        }
        edge(buffer, area, row, "│", style);
    }
    line(buffer, last, "└", "┘", "");
    line(buffer, 0, "┌", "┐", title);
}

fn edge(buffer: &mut Buffer, area: Rect, row: u16, symbol: &str, style: Style) {
    let part = Rect { x: area.right().saturating_sub(1), width: 1, ..area };
    if let Some(mut pen) = Pen::row(buffer, part, row) {
        pen.put(symbol, style);
    }
}

/// A line of words after a label of fixed width.
pub(super) fn labelled(label: &str, pieces: impl IntoIterator<Item = Piece>) -> Vec<Piece> {
    let pad = 10_usize.saturating_sub(label.width());
    std::iter::once((format!("{label}{}", " ".repeat(pad)), Role::Dim)).chain(pieces).collect()
}

/// The line in which the app's name must be typed before a change of a protected context.
#[derive(Debug, Default)]
pub(super) struct Confirmation {
    wanted: String,
    prompt: Prompt,
}

impl Confirmation {
    /// Makes the line if the context is protected.
    pub(super) fn new(model: &Model) -> Option<Self> {
        model.is_protected().then(|| Self { wanted: model.app_name().to_owned(), prompt: Prompt::default() })
    }

    /// Returns whether the right name stands there.
    pub(super) fn is_right(&self) -> bool {
        self.prompt.text() == self.wanted
    }

    /// Gives a key to the line. Returns whether it was used.
    pub(super) fn typed(&mut self, key: KeyEvent) -> bool {
        matches!(self.prompt.key(key), PromptOutcome::Changed | PromptOutcome::Moved)
    }

    /// Takes pasted text.
    pub(super) fn pasted(&mut self, text: &str) {
        self.prompt.insert(text);
    }

    /// Returns the line.
    pub(super) fn line(&self, focused: bool) -> Vec<Piece> {
        let styles = PromptStyles::default();
        let text: String = self.prompt.line("", 30, styles).spans.iter().map(|span| &*span.content).collect();
        let role = if self.is_right() { Role::Good } else { Role::Input };
        let lead = if focused { "› " } else { "  " };
        vec![
            ("protected ".to_owned(), Role::Warn),
            (format!("type {} to confirm", clean::text(&self.wanted)), Role::Text),
            (lead.to_owned(), Role::Text),
            (format!("{text:<16}"), role),
        ]
    }
}

/// What the keys go to in a dialog with a harmless button, one that acts, and, in a protected context, the line for the app's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Keep,
    Act,
    Name,
}

/// The field that the keys go to, and the line if there is one.
#[derive(Debug)]
pub(super) struct Choice {
    field: Field,
    confirmation: Option<Confirmation>,
}

impl Choice {
    /// Chooses the harmless button.
    pub(super) fn new(model: &Model) -> Self {
        Self { field: Field::Keep, confirmation: Confirmation::new(model) }
    }

    pub(super) fn is(&self, field: Field) -> bool {
        self.field == field
    }

    pub(super) fn choose(&mut self, field: Field) {
        self.field = field;
    }

    /// Goes to the next or to the previous field, round and round.
    pub(super) fn walk(&mut self, forward: bool) {
        let all = [Field::Keep, Field::Act, Field::Name];
        let count = if self.confirmation.is_some() { 3 } else { 2 };
        self.field = all[turn(self.field as usize, count, forward)];
    }

    /// Gives a key to the line if it is chosen. Returns whether it was used.
    pub(super) fn typed(&mut self, key: KeyEvent) -> bool {
        self.is(Field::Name) && self.confirmation.as_mut().is_some_and(|confirmation| confirmation.typed(key))
    }

    /// Takes pasted text if the line is chosen.
    pub(super) fn pasted(&mut self, text: &str) {
        if let Some(confirmation) = self.confirmation.as_mut().filter(|_| self.field == Field::Name) {
            confirmation.pasted(text);
        }
    }

    /// Returns why it may not be done yet: the name is missing.
    pub(super) fn refusal(&self, model: &Model) -> Option<String> {
        let is_missing = self.confirmation.as_ref().is_some_and(|confirmation| !confirmation.is_right());
        is_missing.then(|| format!("type {} first: the context is protected", model.app_name()))
    }

    /// Returns the line.
    pub(super) fn line(&self) -> Option<Vec<Piece>> {
        self.confirmation.as_ref().map(|confirmation| confirmation.line(self.is(Field::Name)))
    }
}

/// Moves a choice among `count` things, round and round.
pub(crate) fn turn(chosen: usize, count: usize, forward: bool) -> usize {
    if forward { (chosen + 1) % count.max(1) } else { (chosen + count.max(1) - 1) % count.max(1) }
}

/// The end of a noun after a number.
pub(super) fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Breaks a line between words so that no part is wider; one that fits stays as it is, with its indentation.
pub(super) fn wrapped(line: &str, columns: usize) -> Vec<String> {
    if clean::columns(line) <= columns {
        return vec![line.to_owned()];
    }
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        let Some(last) = lines.last_mut() else { break };
        if last.is_empty() {
            last.push_str(word);
        } else if clean::columns(last) + clean::columns(word) < columns {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_sentence_is_read_to_its_end_and_an_excerpt_keeps_its_columns() {
        let sentence =
            "cannot sync: blocked by sync window: the deny window `0 8 * * *` for 2h is active; syncs are possible from 10:00 UTC";
        let lines = wrapped(sentence, 72);
        assert_eq!(lines.join(" "), sentence);
        assert!(lines.len() == 2 && lines.iter().all(|line| line.len() <= 72), "{lines:?}");
        assert_eq!(wrapped("     ╰── here", 72), ["     ╰── here"]);
        assert_eq!(wrapped(&"x".repeat(100), 72).len(), 1);
    }

    #[test]
    fn a_megabyte_is_not_laid_out_to_see_that_there_is_no_room_for_it() {
        let area = Rect::new(0, 0, 80, 24);
        let mut buffer = Buffer::empty(area);
        let long = vec![("why ".to_owned(), Role::Dim), ("世界".repeat(180_000), Role::Text)];
        let looks = Sheet { title: "a question", lines: &[long.clone(), long], focus: 0, buttons: &[("No", true)], hint: "" };
        let looked = clean::cells::count::during(|| sheet(Theme::default(), &looks, area, &mut buffer));
        assert!(looked < 10_000, "{looked}");
    }
}
