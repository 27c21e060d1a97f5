//! Puts the parts of the sync screen where the layout wants them. What stands in them is made in `texts` and by the board.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::layout::{Density, Panes};
use super::{OperationView, blocker, header, panes, table, timeline};
use crate::tui::board::Board;
use crate::tui::model::Model;
use crate::tui::paint::{self, Pen};
use crate::tui::theme::Role;

impl OperationView {
    /// Draws everything.
    pub(super) fn draw_all(&self, model: &Model, board: Option<&Board>, panes: &Panes, buffer: &mut Buffer) {
        if panes.density == Density::Line {
            table::one_line(model, board, panes.verdict, buffer);
        } else {
            header::place(model, board, panes.place, panes.density, buffer);
            header::facts(model, board, panes.facts, buffer);
            header::verdict(model, board, panes, buffer);
            table::title(model, board, &self.cache.notes, panes.title, buffer);
        }
        match board {
            Some(board) => {
                self.draw_rail(model, panes, buffer);
                self.draw_table(board, model, panes, buffer);
                self.draw_upper(board, model, panes, buffer);
                self.draw_lower(board, model, panes, buffer);
            }
            None => trouble(model, panes.table, buffer),
        }
    }

    fn draw_rail(&self, model: &Model, panes: &Panes, buffer: &mut Buffer) {
        if panes.density == Density::Wide {
            return self.draw_wide_rail(model, panes.rail, buffer);
        }
        let Some(mut pen) = Pen::row(buffer, panes.rail, 0) else { return };
        for (text, role) in &self.cache.rail {
            pen.put(text, model.theme.style(*role));
        }
    }

    fn draw_wide_rail(&self, model: &Model, area: Rect, buffer: &mut Buffer) {
        paint::rule(buffer, Rect { height: area.height.min(1), ..area }, model.theme, "", "");
        let mut x = area.x;
        for (at, column) in self.cache.columns.iter().enumerate() {
            let part = Rect { x, y: area.y, width: column.width.min(area.right().saturating_sub(x)), height: area.height };
            for (row, pieces) in column.rows.iter().enumerate() {
                let Some(mut pen) = Pen::row(buffer, part, row as u16 + 1) else { continue };
                pen.put(if at == 0 { " " } else { "▏" }, model.theme.style(Role::Rule));
                for (text, role) in pieces {
                    pen.put(text, model.theme.style(*role));
                }
            }
            x = x.saturating_add(column.width);
        }
    }

    fn draw_table(&self, board: &Board, model: &Model, panes: &Panes, buffer: &mut Buffer) {
        let visible = self.cursor.visible(usize::from(panes.table.height), self.lines.len());
        let selected = self.cursor.selected.checked_sub(visible.start).filter(|_| !self.in_log);
        let slice = table::Slice {
            board,
            lines: &self.lines[visible],
            selected,
            marks: &self.marks,
            groups: &self.cache.groups,
            several_namespaces: self.cache.several_namespaces,
        };
        table::heads(model, panes.heads, panes.density, self.cache.several_namespaces, buffer);
        table::draw(model, &slice, panes.table, panes.density, buffer);
    }

    fn draw_upper(&self, board: &Board, model: &Model, panes: &Panes, buffer: &mut Buffer) {
        let Some(operation) = board.operation() else {
            paint::rule(buffer, Rect { height: panes.timeline.height.min(1), ..panes.timeline }, model.theme, "timeline", "");
            paint::rule(buffer, Rect { height: panes.blocker.height.min(1), ..panes.blocker }, model.theme, "", "");
            return;
        };
        timeline::draw(model, operation, &self.cache.bars, panes.timeline, buffer);
        if let Some(row) = self.row().or_else(|| board.focus()) {
            blocker::draw(model, board, row, panes.blocker, buffer);
        } else {
            paint::rule(buffer, Rect { height: panes.blocker.height.min(1), ..panes.blocker }, model.theme, "", "");
        }
        if !panes.events.is_empty() {
            paint::rule(buffer, Rect { height: 1, ..panes.events }, model.theme, "events", "");
            let below = Rect { y: panes.events.y + 1, height: panes.events.height - 1, ..panes.events };
            panes::events(model, operation, None, below, buffer);
        }
    }

    fn draw_lower(&self, board: &Board, model: &Model, panes: &Panes, buffer: &mut Buffer) {
        if let Some(task) = self.log_task(board) {
            let tail = panes::Tail { board, task, back: self.back, focused: self.in_log };
            panes::log(model, &tail, panes.log_title.union(panes.log), buffer);
        } else {
            paint::rule(buffer, panes.log_title, model.theme, "logs", "");
            panes::hint(model, "choose a resource: what its pods print shows here", panes.log, buffer);
        }
        if !panes.next.is_empty() {
            panes::next(model, board, panes.next, buffer);
        }
        panes::last(model, board, panes.last, buffer);
    }
}

/// Draws why there is nothing to show.
fn trouble(model: &Model, area: Rect, buffer: &mut Buffer) {
    for (row, line) in model.trouble.iter().enumerate() {
        let Some(mut pen) = Pen::row(buffer, area, row as u16) else { return };
        pen.put(" ", model.theme.style(Role::Text)).fit(line, model.theme.style(Role::Text));
    }
}
