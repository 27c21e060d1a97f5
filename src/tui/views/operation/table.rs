//! The table of resources: the visible lines only, each copied from a row that is ready.

use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::layout::Density;
use super::lines::Line;
use super::{GroupText, header};
use crate::model::ResourceKey;
use crate::operation::timeline::Stage;
use crate::tui::board::Board;
use crate::tui::clean;
use crate::tui::model::Model;
use crate::tui::paint::{self, Pen};
use crate::tui::row::{Group, Row, column_time};
use crate::tui::theme::{Role, glyph, stage_role};

/// Widths of the columns; 0 leaves a column out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Columns {
    phase: u16,
    kind: u16,
    name: u16,
    namespace: u16,
    sync: u16,
    state: u16,
    start: u16,
    time: u16,
}

/// What of the table is drawn.
pub(super) struct Slice<'a> {
    pub(super) board: &'a Board,
    pub(super) lines: &'a [Line],
    /// Index of the chosen line within `lines`.
    pub(super) selected: Option<usize>,
    pub(super) marks: &'a BTreeSet<ResourceKey>,
    pub(super) groups: &'a [GroupText],
    pub(super) several_namespaces: bool,
}

fn columns(density: Density, width: u16, several_namespaces: bool) -> Columns {
    let namespace = if several_namespaces && width >= 100 { 12 } else { 0 };
    match density {
        Density::Line | Density::Sliver | Density::Narrow => {
            Columns { phase: 0, kind: 0, name: 0, namespace: 0, sync: 0, state: 0, start: 0, time: 7 }
        }
        Density::Normal | Density::Wide if width < 120 => {
            let spare = width.saturating_sub(80).min(16);
            Columns { phase: 0, kind: 12, name: 21 + spare, namespace, sync: 0, state: 12, start: 0, time: 6 }
        }
        Density::Normal | Density::Wide => Columns { phase: 0, kind: 16, name: 22, namespace, sync: 10, state: 12, start: 0, time: 7 },
        Density::Huge => Columns { phase: 10, kind: 23, name: 28, namespace: 12, sync: 10, state: 12, start: 8, time: 8 },
    }
}

/// Draws the names of the columns.
pub(super) fn heads(model: &Model, area: Rect, density: Density, several_namespaces: bool, buffer: &mut Buffer) {
    let columns = columns(density, area.width, several_namespaces);
    let style = model.theme.style(Role::Dim);
    let Some(mut pen) = Pen::row(buffer, area, 0) else { return };
    pen.skip(3);
    if columns.phase > 0 {
        pen.skip(1).field("PHASE", columns.phase, style);
    }
    pen.number("W", 3, style).skip(1);
    for (name, width) in [("KIND", columns.kind), ("NAME", columns.name), ("NAMESPACE", columns.namespace), ("SYNC", columns.sync)] {
        if width > 0 {
            pen.field(name, width, style).skip(1);
        }
    }
    pen.field("STATE", columns.state, style);
    if columns.start > 0 {
        pen.number("START", columns.start, style);
    }
    pen.number("FOR", columns.time, style).skip(1).put("MESSAGE", style);
}

/// Draws the lines.
pub(super) fn draw(model: &Model, slice: &Slice<'_>, area: Rect, density: Density, buffer: &mut Buffer) {
    for (at, line) in slice.lines.iter().enumerate().take(usize::from(area.height)) {
        let chosen = slice.selected == Some(at);
        let Some(mut pen) = Pen::row(buffer, area, at as u16) else { return };
        let mark = if chosen { "▌" } else { " " };
        pen.put(mark, model.theme.style(Role::Running));
        match line {
            Line::Group(group) => group_line(model, slice, *group, &mut pen),
            Line::Row(row) => row_line(model, slice, *row, density, &mut pen),
        }
        if chosen {
            paint::tint(buffer, area, at as u16, Style::new().add_modifier(Modifier::BOLD));
        }
    }
}

fn group_line(model: &Model, slice: &Slice<'_>, group: Group, pen: &mut Pen<'_>) {
    let Some(text) = slice.groups.iter().find(|text| text.group == group) else { return };
    let theme = model.theme;
    pen.put(if text.folded { "▸ " } else { "▾ " }, theme.style(Role::Dim));
    let width = if slice.board.is_deletion() { 11 } else { 9 };
    pen.field(text.name, width, theme.style(Role::Strong));
    pen.field(&text.state, 10, theme.style(stage_role(text.stage)));
    pen.fit(&text.detail, theme.style(Role::Dim));
}

fn row_line(model: &Model, slice: &Slice<'_>, at: usize, density: Density, pen: &mut Pen<'_>) {
    let Some(row) = slice.board.rows().get(at) else { return };
    let theme = model.theme;
    let columns = columns(density, pen.rest() + 1, slice.several_namespaces);
    let role = if row.problem && row.stage != Stage::Failed { Role::Warn } else { stage_role(row.stage) };
    let text = theme.style(if matches!(row.stage, Stage::Waiting | Stage::Skipped | Stage::Armed) { Role::Dim } else { Role::Text });
    pen.put(glyph(row.stage), theme.style(role));
    let is_marked = !slice.marks.is_empty() && slice.board.task_id(at).is_some_and(|id| slice.marks.contains(&id.key));
    if is_marked {
        pen.put("*", theme.style(Role::Marked));
    } else {
        pen.put(if row.hook { "◇" } else { " " }, theme.style(Role::Dim));
    }
    if columns.kind == 0 {
        return folded_row(model, row, density, text, pen);
    }
    if columns.phase > 0 {
        pen.skip(1).field(row.group_phase().as_str(), columns.phase, text);
    }
    pen.number(&row.wave.to_string(), 3, text).skip(1);
    let kind = if row.kind.len() > usize::from(columns.kind) { row.short_kind() } else { &row.kind };
    pen.field(kind, columns.kind, text).skip(1).field(&row.name, columns.name, text).skip(1);
    if columns.namespace > 0 {
        pen.field(&row.namespace, columns.namespace, text).skip(1);
    }
    if columns.sync > 0 {
        pen.field(row.sync, columns.sync, text).skip(1);
    }
    pen.field(row.word, columns.state, theme.style(role));
    if columns.start > 0 {
        pen.number(&start(slice.board, row), columns.start, text);
    }
    pen.number(&time(model, row), columns.time, text).skip(1);
    pen.fit(message(slice.board, row), text);
}

/// On narrow screens kind, name and message share what is left of the row.
fn folded_row(model: &Model, row: &Row, density: Density, text: Style, pen: &mut Pen<'_>) {
    pen.number(&row.wave.to_string(), 2, text).skip(1);
    let time = time(model, row);
    pen.end(&time, text);
    let kind = if density == Density::Narrow { &row.kind } else { row.short_kind() };
    pen.put(kind, text).put("/", text).fit(&row.name, text);
    if matches!(row.stage, Stage::Running | Stage::Failed) {
        pen.skip(1).fit(&row.message, model.theme.style(Role::Dim));
    }
}

fn time(model: &Model, row: &Row) -> String {
    row.elapsed(model.now).map(column_time).unwrap_or_default()
}

fn start(board: &Board, row: &Row) -> String {
    let (Some(started), Some(operation)) = (row.started_at, board.operation()) else { return String::new() };
    format!("+{}", column_time(started.duration_since(operation.started_at())))
}

fn message<'a>(board: &'a Board, row: &'a Row) -> &'a str {
    if row.message.is_empty() && row.stage == Stage::Waiting { board.gate() } else { &row.message }
}

/// Draws the title over the table.
pub(super) fn title(model: &Model, board: Option<&Board>, notes: &str, area: Rect, buffer: &mut Buffer) {
    let text = match board {
        None => String::new(),
        Some(board) if board.operation().is_none() => format!("plan · {} tasks", board.tasks()),
        Some(board) => {
            let counts = board.counts();
            let failed = if counts.failed > 0 { format!(" · {} failed", counts.failed) } else { String::new() };
            let what = if board.is_deletion() { format!("Delete {} ·", clean::text(&board.plan().app)) } else { "resources".to_owned() };
            format!("{what} {}/{}{failed}", counts.done, counts.total)
        }
    };
    paint::rule(buffer, area, model.theme, &text, notes);
}

/// Draws what fits on a screen too small for a table: the whole state in one row, then the rail and the chosen row.
pub(super) fn one_line(model: &Model, board: Option<&Board>, area: Rect, buffer: &mut Buffer) {
    let Some(mut pen) = Pen::row(buffer, area, 0) else { return };
    let standing = header::standing(model, board);
    let (glyph, role) = crate::tui::theme::tone(standing.tone);
    if let Some(place) = &model.place {
        pen.put(&clean::text(&place.context), model.theme.style(Role::Text)).put(" ", model.theme.style(Role::Text));
    }
    pen.put(&clean::text(model.app_name()), model.theme.style(Role::Strong)).put(" ", model.theme.style(Role::Text));
    pen.put(glyph, model.theme.style(role)).put(" ", model.theme.style(role));
    if let Some(board) = board.filter(|board| board.operation().is_some()) {
        let counts = board.counts();
        pen.put(&format!("{}/{} {} ", counts.done, counts.total, header::elapsed(board, model.now)), model.theme.style(Role::Text));
    }
    pen.fit(&standing.text, model.theme.style(Role::Text));
}
