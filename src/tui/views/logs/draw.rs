//! Puts the log view on the screen: the lines above, the visible rows. Makes no lines; `settle` has made them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::clean;
use crate::tui::log_store::{LogStore, TaskLog};

use super::paint::{self, Painter, Place};
use super::rows::Kind;
use super::{LogsContext, LogsView, header};

/// The parts of the screen.
#[derive(Clone, Copy)]
pub(super) struct Parts {
    subject: Rect,
    mode: Rect,
    title: Rect,
    pub(super) body: Rect,
}

impl LogsView {
    /// Draws the view. Looks at the visible lines only.
    pub(crate) fn draw(&self, store: &LogStore, context: &LogsContext<'_>, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        let parts = parts(area);
        let log = store.log(&self.operation, &self.task);
        header::subject(context, parts.subject, buf);
        header::mode(self, log, context, parts.mode, buf);
        header::position(self, log, context, parts.title, buf);
        match log {
            Some(log) if self.rows.len() > 0 => self.draw_rows(log, context, parts.body, buf),
            _ => self.draw_empty(log, context, parts.body, buf),
        }
    }

    fn draw_rows(&self, log: &TaskLog, context: &LogsContext<'_>, area: Rect, buf: &mut Buffer) {
        let painter = Painter {
            styles: context.styles,
            zone: context.zone,
            started: context.started,
            time: self.time_in(area),
            label: self.label,
            several_containers: paint::has_several_containers(log.sources()),
            scroll: self.scroll,
            wrap: self.wrap,
            needle: self.needle(),
        };
        let Some((first, mut offset)) = self.rows.at(self.cursor.top) else { return };
        let selected =
            u16::try_from(self.cursor.selected.saturating_sub(self.cursor.top)).ok().filter(|_| !self.follows()).map(|row| area.y + row);
        let mut y = area.y;
        for entry in self.rows.from(first) {
            if y >= area.bottom() {
                break;
            }
            let rest = Rect { y, height: area.bottom() - y, ..area };
            y += match entry.kind {
                Kind::Line => match log.line(entry.number) {
                    Some(line) => painter.line(line, log, Place { area: rest, offset, selected }, buf),
                    None => 0,
                },
                Kind::Mark(index) => {
                    self.choice.marks.get(index).map_or(0, |(_, at)| painter.note(rest, painter.mark(*at), context.styles.note, buf))
                }
                Kind::End(source) => {
                    log.sources().get(source).map_or(0, |source| painter.note(rest, painter.end_of(source), context.styles.note, buf))
                }
            };
            offset = 0;
        }
        if let Some(row) = selected.filter(|row| *row < area.bottom()) {
            paint::put(buf, Rect { y: row, height: 1, ..area }, 0, paint::SELECTED, context.styles.selected);
        }
    }

    fn draw_empty(&self, log: Option<&TaskLog>, context: &LogsContext<'_>, area: Rect, buf: &mut Buffer) {
        let why = match log.filter(|log| log.received() > 0) {
            None => clean::text(context.empty).into_owned(),
            Some(_) if self.only_matches => format!("no line has `{}`: & shows all lines again", self.needle().text()),
            Some(_) => "no line to show: 0 and a bring back what was cleared or left out".to_owned(),
        };
        paint::put(buf, area, 1, &clean::fit(&why, usize::from(area.width.saturating_sub(2))), context.styles.note);
    }
}

/// Divides the screen; what is above the lines makes room on a low one.
pub(super) fn parts(area: Rect) -> Parts {
    let (subject, mode, title) = match area.height {
        0..=3 => (0, 0, 0),
        4..=5 => (0, 0, 1),
        6..=7 => (1, 0, 1),
        8.. => (1, 1, 1),
    };
    let mut y = area.y;
    let mut next = |height: u16| {
        let part = Rect { y, height, ..area };
        y += height;
        part
    };
    Parts { subject: next(subject), mode: next(mode), title: next(title), body: next(area.height - subject - mode - title) }
}
