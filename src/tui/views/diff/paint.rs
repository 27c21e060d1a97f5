//! Draws the diff screen. Changes nothing and touches only what is visible: the lines and rows are ready.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::layout::{self, GUTTER, Panes, SIGN};
use super::list::{role, size_words};
use super::page::{Row, Shape};
use super::ruler::Part;
use super::script::Sign;
use super::words::{self, Said};
use super::{DiffView, Focus};
use crate::tui::clean;
use crate::tui::comparison::{Entry, Found};
use crate::tui::model::Model;
use crate::tui::paint::{self, Pen};
use crate::tui::theme::Role;

/// Narrowest fold that says which key unfolds it.
const WITH_HINT: u16 = 40;
/// A row of a line that has begun in a row before.
const CONTINUES: &str = "↪";
/// There is text to the left.
const HIDDEN: &str = "‹";

impl DiffView {
    pub(super) fn draw_all(&self, model: &Model, panes: &Panes, buffer: &mut Buffer) {
        let theme = model.theme;
        let found = self.found(model);
        place(model, found, panes, buffer);
        let Some(found) = found else {
            paint::rule(buffer, panes.rule, theme, "diff", "");
            return said(model, &words::waiting(model), panes.body, buffer);
        };
        self.draw_summary(model, found, panes, buffer);
        let entry = self.entry(found);
        let title = if panes.head.is_empty() { entry.map(|entry| self.title(found, entry)).unwrap_or_default() } else { Title::default() };
        paint::rule(buffer, panes.rule, theme, &title.text, &title.notes);
        self.draw_list(model, found, panes.list, buffer);
        for row in 0..panes.bar.height {
            if let Some(mut pen) = Pen::row(buffer, panes.bar, row) {
                pen.put("│", theme.style(Role::Rule));
            }
        }
        match entry {
            Some(entry) if self.writing.is_some() => {
                self.draw_head(model, found, entry, (panes.head, buffer));
                said(model, &words::writing(), panes.body, buffer);
            }
            Some(entry) => {
                self.draw_head(model, found, entry, (panes.head, buffer));
                self.draw_body(model, panes.body, buffer);
            }
            None => said(model, &words::nothing(found), panes.body, buffer),
        }
        let (text, role) = self.status(model, found);
        if let Some(mut pen) = Pen::row(buffer, panes.status, 0) {
            pen.put(" ", theme.style(Role::Text)).fit(&text, theme.style(role));
        }
    }

    /// On wide screens at the end of the first line, else on a line of its own.
    fn draw_summary(&self, model: &Model, found: &Found, panes: &Panes, buffer: &mut Buffer) {
        let theme = model.theme;
        let Some(mut pen) = Pen::row(buffer, panes.summary, 0) else { return };
        let len = self.len(found);
        if len > 0 {
            pen.end(" ", theme.style(Role::Text));
            let marked = if self.marks.is_empty() { String::new() } else { format!("{} marked · ", self.marks.len()) };
            pen.end(&format!("{marked}{}/{len}", self.list.selected + 1), theme.style(Role::Strong));
        }
        pen.put(" ", theme.style(Role::Text)).fit(&found.summary, theme.style(Role::Text));
    }

    fn title(&self, found: &Found, entry: &Entry) -> Title {
        let part = |text: &str| if text.is_empty() { String::new() } else { format!("  {text}") };
        let wave = match (entry.wave, entry.task.role) {
            (None, _) => String::new(),
            (Some(wave), crate::model::Role::Hook) => format!("  {} wave {wave}", entry.task.phase),
            (Some(wave), _) => format!("  wave {wave}"),
        };
        let size = size_words(entry, self.sizes.get(self.list.selected).copied().flatten(), found.request.prune);
        let word = entry.sort.word();
        let place = if self.scroll.visible().len() < self.page.height() { format!(" · {}", self.scroll.notes()) } else { String::new() };
        let notes = if size.starts_with(word) { format!("{size}{place}") } else { format!("{word} {size}{place}") };
        let mark = if self.marks.contains(&entry.task.key) { "* " } else { "" };
        let text = format!("{mark}{} {}/{}{}{wave}", entry.sort.glyph(), entry.kind, entry.name, part(&entry.namespace));
        Title { text, notes }
    }

    /// The title beside a list; of both sides, what each is.
    fn draw_head(&self, model: &Model, found: &Found, entry: &Entry, (area, buffer): (Rect, &mut Buffer)) {
        let theme = model.theme;
        if area.is_empty() {
            return;
        }
        let title = self.title(found, entry);
        let strong = theme.style(if self.focus == Focus::Text { Role::Strong } else { Role::Text });
        let (left, right) = if self.shape == Shape::Sides { layout::halves(area) } else { (area, Rect { width: 0, ..area }) };
        if let Some(mut pen) = Pen::row(buffer, left, 0) {
            if right.is_empty() {
                pen.end(" ", strong).end(&title.notes, theme.style(role(entry.sort)));
            }
            pen.put(if right.is_empty() { " " } else { " LIVE    " }, theme.style(Role::Dim)).fit(&title.text, strong);
        }
        if let Some(mut pen) = Pen::row(buffer, right, 0) {
            pen.end(" ", strong).end(&title.notes, theme.style(role(entry.sort)));
            let revision: String = found.planned.place.revision.chars().take(7).collect();
            pen.put("│ TARGET  ", theme.style(Role::Dim)).fit(&clean::text(&revision), strong);
        }
    }

    fn draw_body(&self, model: &Model, area: Rect, buffer: &mut Buffer) {
        let visible = self.scroll.visible();
        let first_fold = self.page.seen(visible.clone()).position(|(row, _)| matches!(row, Row::Fold(_)));
        for (at, (row, part)) in self.page.seen(visible).enumerate().take(usize::from(area.height)) {
            let line = Rect { y: area.y + at as u16, height: 1, ..area };
            match row {
                Row::Text(text) => self.draw_text(model, (text, part), line, buffer),
                Row::Pair(left, right) => self.draw_pair(model, (left, right, part), line, buffer),
                Row::Fold(fold) => self.draw_fold(model, (fold, first_fold == Some(at)), line, buffer),
                Row::Note(note) => self.draw_note(model, note, line, buffer),
            }
        }
    }

    fn draw_note(&self, model: &Model, note: usize, line: Rect, buffer: &mut Buffer) {
        let Some(mut pen) = Pen::row(buffer, line, 0) else { return };
        for (text, role) in self.page.note(note) {
            pen.fit(text, model.theme.style(*role));
        }
    }

    fn draw_fold(&self, model: &Model, (fold, is_first): (usize, bool), line: Rect, buffer: &mut Buffer) {
        let (Some(mut pen), Some(fold)) = (Pen::row(buffer, line, 0), self.page.script.folds.get(fold)) else { return };
        let dim = model.theme.style(Role::Dim);
        if is_first && line.width >= WITH_HINT {
            pen.end(" ", dim).end("z unfolds", dim);
        }
        pen.put(&format!("   ⋯ {} unchanged lines", fold.lines.len()), dim);
        if !fold.trail.is_empty() {
            pen.put("  ", dim).fit(&fold.trail, model.theme.style(Role::Key));
        }
    }

    fn draw_text(&self, model: &Model, (at, part): (usize, usize), line: Rect, buffer: &mut Buffer) {
        let Some(text) = self.page.script.texts.get(at) else { return };
        let Some(mut pen) = Pen::row(buffer, line, 0) else { return };
        self.draw_sign(model, (text.sign, part), &mut pen);
        self.draw_content(model, (at, part), cut(line, SIGN), buffer);
    }

    fn draw_pair(&self, model: &Model, (left, right, part): (Option<usize>, Option<usize>, usize), line: Rect, buffer: &mut Buffer) {
        let (one, other) = layout::halves(line);
        self.draw_side(model, left.map(|at| (at, part, false)), one, buffer);
        if let Some(mut pen) = Pen::row(buffer, other, 0) {
            pen.put("│", model.theme.style(Role::Rule));
        }
        self.draw_side(model, right.map(|at| (at, part, true)), cut(other, 1), buffer);
    }

    fn draw_side(&self, model: &Model, line: Option<(usize, usize, bool)>, area: Rect, buffer: &mut Buffer) {
        let Some((at, part, is_right)) = line else { return };
        let Some(text) = self.page.script.texts.get(at).filter(|_| self.page.part(at, part).is_some()) else { return };
        let Some(mut pen) = Pen::row(buffer, area, 0) else { return };
        let number = if is_right { text.right } else { text.left };
        let number = if part == 0 { number.to_string() } else { String::new() };
        pen.number(&number, GUTTER - SIGN, model.theme.style(Role::Dim));
        self.draw_sign(model, (text.sign, part), &mut pen);
        self.draw_content(model, (at, part), cut(area, GUTTER), buffer);
    }

    fn draw_sign(&self, model: &Model, (sign, part): (Sign, usize), pen: &mut Pen<'_>) {
        let style = model.theme.style(sign_role(sign));
        if part > 0 {
            pen.put(CONTINUES, model.theme.style(Role::Dim));
        } else {
            pen.put(" ", style);
        }
        pen.put(letter(sign), style);
    }

    /// The text of a line, what differs from the one beside it, and what is searched for.
    fn draw_content(&self, model: &Model, (at, part): (usize, usize), area: Rect, buffer: &mut Buffer) {
        let theme = model.theme;
        let (line, width) = (&self.page.script.texts[at], usize::from(area.width));
        let seen =
            if self.page.is_wrapped() { self.page.part(at, part) } else { Some(line.ruler.from(&line.text, self.scroll.left(), width)) };
        let Some(Part { bytes, torn }) = seen else { return };
        let base = theme.style(sign_role(line.sign));
        if let Some(mut pen) = Pen::row(buffer, area, 0) {
            pen.skip(torn as u16).fit(&line.text[bytes.clone()], base);
        }
        let mut highlight = |range: Range<usize>, style: Style| {
            let column = |byte: usize| {
                let columns = torn + clean::columns(&line.text[bytes.start..byte.clamp(bytes.start, bytes.end)]);
                columns.min(width) as u16
            };
            let (from, to) = (column(range.start), column(range.end));
            buffer.set_style(Rect { x: area.x + from, width: to.saturating_sub(from), ..area }.intersection(buffer.area), style);
        };
        if let Some(changed) = line.changed.clone() {
            highlight(changed, base.add_modifier(Modifier::BOLD));
        }
        if !self.search.needle.is_empty() {
            let style = theme.style(if self.is_here(at) { Role::Chosen } else { Role::Marked });
            for place in self.search.needle.places_in(&line.text, bytes.clone()) {
                highlight(place, style);
            }
        }
        let hides = !self.page.is_wrapped() && self.scroll.left() > 0 && !line.text.is_empty();
        if let Some(mut pen) = Pen::row(buffer, area, 0).filter(|_| hides) {
            pen.put(HIDDEN, theme.style(Role::Dim));
        }
    }
}

/// What is told of the chosen resource.
#[derive(Default)]
struct Title {
    text: String,
    notes: String,
}

fn letter(sign: Sign) -> &'static str {
    match sign {
        Sign::Same => "  ",
        Sign::Removed => "- ",
        Sign::Added => "+ ",
    }
}

fn sign_role(sign: Sign) -> Role {
    match sign {
        Sign::Same => Role::Text,
        Sign::Removed => Role::Removed,
        Sign::Added => Role::Added,
    }
}

/// Returns what is right of some columns.
fn cut(area: Rect, columns: u16) -> Rect {
    let columns = columns.min(area.width);
    Rect { x: area.x + columns, width: area.width - columns, ..area }
}

/// Where it was compared, with which revision and when; on wide screens also what came of it.
fn place(model: &Model, found: Option<&Found>, panes: &Panes, buffer: &mut Buffer) {
    let theme = model.theme;
    let Some(mut pen) = Pen::row(buffer, panes.place, 0) else { return };
    let (text, dim) = (theme.style(Role::Text), theme.style(Role::Dim));
    let Some(place) = found.map(|found| &found.planned.place).or(model.place.as_ref()) else {
        pen.put(" ", text).fit(&clean::text(&model.target), theme.style(Role::Strong));
        return;
    };
    if let Some(taken) = found.and_then(|found| found.taken) {
        pen.end(" ", dim).end(&words::clock(model, taken), dim);
    }
    let revision: String = place.revision.chars().take(7).collect();
    let context = if place.protected { Role::Protected } else { Role::Strong };
    pen.put(" ", text).put(&clean::text(&place.context), theme.style(context)).put(" │ ", dim);
    pen.put(&format!("{}/{}", clean::text(&place.namespace), clean::text(&place.app)), theme.style(Role::Strong)).put(" │ ", dim);
    pen.fit(&format!("live → {}", clean::text(&revision)), text);
    if let Some(found) = found.filter(|_| panes.summary.is_empty()) {
        let room = usize::from(pen.rest()).saturating_sub(2);
        pen.end(&clean::fit(&found.summary, room), text);
    }
    let how = how(found);
    if clean::columns(&how) + 3 <= usize::from(pen.rest()) {
        pen.put(" │ ", dim).put(&how, text);
    }
}

fn how(found: Option<&Found>) -> String {
    let selected = found.is_some_and(|found| found.request.selection.is_some());
    let approximate = found.map_or(0, |found| found.planned.approximate.len());
    let some = if selected { ", a selection" } else { "" };
    if approximate > 0 { format!("server-side dry run, {approximate} approximate{some}") } else { format!("server-side dry run{some}") }
}

/// Lines where the text would be.
fn said(model: &Model, lines: &[Said], area: Rect, buffer: &mut Buffer) {
    let lead = u16::from(area.height > lines.len() as u16 + 2);
    for (at, (text, role)) in lines.iter().enumerate() {
        let Some(mut pen) = Pen::row(buffer, area, at as u16 + lead) else { return };
        pen.put("  ", model.theme.style(Role::Text)).fit(text, model.theme.style(*role));
    }
}
