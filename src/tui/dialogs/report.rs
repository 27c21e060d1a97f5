//! Shows why something could not be done, when that takes more than one line: the place in a manifest with its caret, for example.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Dialog, Piece, Sheet, sheet, wrapped};
use crate::tui::action::Action;
use crate::tui::clean;
use crate::tui::model::Model;
use crate::tui::theme::Role;
use crate::tui::views::{Outbox, Wish};

/// Columns of a line.
const COLUMNS: usize = 72;

/// A text with one button.
pub(crate) struct ReportDialog {
    title: &'static str,
    lines: Vec<Vec<Piece>>,
}

impl ReportDialog {
    /// Makes the dialog of a report.
    pub(crate) fn new(title: &'static str, report: &str) -> Self {
        let line = |(at, line): (usize, &str)| {
            let role = if at == 0 { Role::Bad } else { Role::Text };
            wrapped(&clean::text(line), COLUMNS).into_iter().map(move |text| vec![(text, role)]).collect::<Vec<_>>()
        };
        Self { title, lines: report.lines().enumerate().flat_map(line).collect() }
    }
}

impl Dialog for ReportDialog {
    fn update(&mut self, action: Action, _model: &Model, out: &mut Outbox) {
        if matches!(action, Action::Open | Action::No | Action::Yes) {
            out.wish(Wish::CloseDialog);
        }
    }

    fn draw(&self, model: &Model, area: Rect, buffer: &mut Buffer) {
        let looks = Sheet { title: self.title, lines: &self.lines, focus: 0, buttons: &[("Close", true)], hint: "enter/esc close" };
        sheet(model.theme, &looks, area, buffer);
    }
}
