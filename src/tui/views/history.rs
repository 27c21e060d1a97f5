//! The operations since the program started, newest first. One of them opens read-only.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::operation::OperationView;
use super::{Outbox, Outcome, Shown, View, Wish, go};
use crate::operation::verdict::short_time;
use crate::tui::action::Action;
use crate::tui::clean;
use crate::tui::keymap::Context;
use crate::tui::model::Model;
use crate::tui::paint::{self, Pen};
use crate::tui::theme::{self, Role};
use crate::tui::widgets::cursor::Cursor;

/// The list of operations.
#[derive(Debug, Default)]
pub(crate) struct HistoryView {
    cursor: Cursor,
    height: usize,
    len: usize,
}

impl HistoryView {
    /// Makes the list.
    pub(crate) fn new(model: &Model) -> Self {
        Self { len: model.operations().len(), ..Self::default() }
    }
}

impl View for HistoryView {
    fn context(&self) -> Context {
        Context::General
    }

    fn update(&mut self, action: Action, model: &Model, out: &mut Outbox) -> Outcome {
        match action {
            Action::Open => {
                if let Some(board) = model.operations().nth(self.cursor.selected) {
                    let view = OperationView::new(Shown::Past(board.number()), board.has_failed());
                    out.wish(Wish::Open(Box::new(view)));
                }
            }
            _ => return go(&mut self.cursor, action, self.height, self.len),
        }
        Outcome::Consumed
    }

    fn settle(&mut self, model: &Model, area: Rect, _out: &mut Outbox) {
        let grown = model.operations().len().saturating_sub(self.len);
        self.len = model.operations().len();
        if grown > 0 && self.cursor.selected > 0 {
            self.cursor.select(self.cursor.selected + grown, self.len);
        }
        self.height = usize::from(area.height.saturating_sub(2));
        self.cursor.keep_visible(self.height, self.len);
    }

    fn draw(&self, model: &Model, area: Rect, buffer: &mut Buffer) {
        let theme = model.theme;
        if let Some(mut pen) = Pen::row(buffer, area, 0) {
            pen.put(" operations since the program started · ", theme.style(Role::Strong));
            pen.fit(&clean::text(model.app_name()), theme.style(Role::Text));
        }
        let rule = Rect { y: area.y + 1, height: area.height.saturating_sub(1).min(1), ..area };
        paint::rule(buffer, rule, theme, "", &format!("{}", self.len));
        let body = Rect { y: area.y + 2, height: area.height.saturating_sub(2), ..area };
        if self.len == 0
            && let Some(mut pen) = Pen::row(buffer, body, 0)
        {
            pen.put(" none yet; s on the sync screen starts one", theme.style(Role::Dim));
        }
        let visible = self.cursor.visible(usize::from(body.height), self.len);
        for (row, board) in model.operations().skip(visible.start).take(visible.len()).enumerate() {
            let Some(mut pen) = Pen::row(buffer, body, row as u16) else { return };
            let Some(operation) = board.operation() else { continue };
            let chosen = visible.start + row == self.cursor.selected;
            let verdict = board.verdict();
            let (glyph, role) = theme::tone(verdict.tone);
            let took = operation.finished_at().unwrap_or(model.now).duration_since(operation.started_at());
            let start = operation.started_at().to_zoned(model.zone.clone()).strftime("%H:%M:%S").to_string();
            let text = theme.style(if chosen { Role::Strong } else { Role::Text });
            pen.put(if chosen { "▌" } else { " " }, theme.style(Role::Running)).put(glyph, theme.style(role)).skip(1);
            pen.number(&board.number().to_string(), 3, text).skip(2).field(&start, 9, text).number(&short_time(took), 7, text).skip(2);
            pen.field(board.noun(), 9, text);
            pen.field(verdict.word, 12, theme.style(role)).fit(&verdict.text, text);
        }
    }

    fn verbs(&self) -> &'static [Action] {
        &[Action::Open, Action::Back, Action::Help]
    }

    fn title(&self) -> &'static str {
        "operations"
    }
}
