//! Shows why something could not be done, when that takes more than one line: the place in a manifest with its caret, for example.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Dialog, Piece, Sheet, sheet};
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
            wrapped(&clean::text(line)).into_iter().map(move |text| vec![(text, role)]).collect::<Vec<_>>()
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

/// Breaks a line between words where the dialog ends; a line that fits stays as it is, with its indentation.
fn wrapped(line: &str) -> Vec<String> {
    if clean::columns(line) <= COLUMNS {
        return vec![line.to_owned()];
    }
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        let Some(last) = lines.last_mut() else { break };
        if last.is_empty() {
            last.push_str(word);
        } else if clean::columns(last) + clean::columns(word) < COLUMNS {
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
        let lines = wrapped(sentence);
        assert_eq!(lines.join(" "), sentence);
        assert!(lines.len() == 2 && lines.iter().all(|line| line.len() <= COLUMNS), "{lines:?}");
        assert_eq!(wrapped("     ╰── here"), ["     ╰── here"]);
        assert_eq!(wrapped(&"x".repeat(100)).len(), 1);
    }
}
