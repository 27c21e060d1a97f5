//! The small log on the sync screen: the last lines of one task, unwrapped, under a rule that says where they come from.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::clean;
use crate::tui::log_store::TaskLog;

use super::find::Needle;
use super::header;
use super::paint::{self, LogStyles, Painter, Place, TimeMode};

/// What the pane needs to know beside the lines.
pub(crate) struct PaneContext<'a> {
    /// What stands in the title while no container has been heard of, for example `Job/db-migrate`.
    pub(crate) subject: &'a str,
    /// The sentence for a log without lines, for example why there are none yet.
    pub(crate) empty: &'a str,
    pub(crate) now: Timestamp,
    pub(crate) zone: &'a TimeZone,
    pub(crate) styles: &'a LogStyles,
}

/// Below this width the time is short and the title says less.
pub(super) const NARROW: u16 = 72;

/// Draws the newest rows of a task's log; the first row of the area is the title.
pub(crate) fn draw_pane(log: Option<&TaskLog>, context: &PaneContext<'_>, area: Rect, buf: &mut Buffer) {
    let area = area.intersection(buf.area);
    if area.is_empty() {
        return;
    }
    title(log, context, Rect { height: 1, ..area }, buf);
    let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
    match log.filter(|log| !log.numbers().is_empty() || !log.is_live()) {
        Some(log) => rows(log, context, body, buf),
        None => paint::put(
            buf,
            body,
            1,
            &clean::fit(&clean::text(context.empty), usize::from(area.width.saturating_sub(2))),
            context.styles.note,
        ),
    }
}

fn rows(log: &TaskLog, context: &PaneContext<'_>, area: Rect, buf: &mut Buffer) {
    let several_containers = paint::has_several_containers(log.sources());
    let needle = Needle::default();
    let painter = Painter {
        styles: context.styles,
        zone: context.zone,
        started: None,
        time: if area.width < NARROW { TimeMode::ShortClock } else { TimeMode::Clock },
        label: paint::label_columns(log.sources(), several_containers),
        several_containers,
        scroll: 0,
        wrap: false,
        needle: &needle,
    };
    let end = (!log.is_live()).then(|| log.sources().iter().max_by_key(|source| source.last)).flatten();
    let room = usize::from(area.height).saturating_sub(usize::from(end.is_some()));
    let mut y = area.y;
    for line in log.tail(room) {
        let row = Rect { y, height: 1, ..area };
        y += painter.line(line, log, Place { area: row, offset: 0, selected: None }, buf);
    }
    if let Some(source) = end.filter(|_| y < area.bottom()) {
        painter.note(Rect { y, height: 1, ..area }, painter.end_of(source), context.styles.note, buf);
    }
}

fn title(log: Option<&TaskLog>, context: &PaneContext<'_>, area: Rect, buf: &mut Buffer) {
    let is_narrow = area.width < NARROW;
    let from = match log.map(TaskLog::sources) {
        Some([.., newest]) => header::origin(log.map_or(&[], TaskLog::sources), newest, context.styles.glyphs.dot),
        Some([]) | None => clean::text(context.subject).into_owned(),
    };
    let left = if is_narrow { from } else { format!("logs {from}") };
    header::rule(&left, header::stream(log, context.now, context.styles, !is_narrow), context.styles, area, buf);
}
