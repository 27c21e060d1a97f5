//! The small log on the sync screen: lines of one task, unwrapped, under a rule that says where they come from.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::clean;
use crate::tui::log_store::{StoredLine, TaskLog};

use super::find::Needle;
use super::header;
use super::paint::{self, DOT, LogStyles, Painter, Place, TimeMode};

/// What the pane needs to know beside the lines.
pub(crate) struct PaneContext<'a> {
    /// What stands in the title while no container has been heard of, for example `Job/db-migrate`.
    pub(crate) subject: &'a str,
    /// The sentence for a log without lines, for example why there are none yet.
    pub(crate) empty: &'a str,
    /// How many rows the person scrolled up.
    pub(crate) back: usize,
    /// The task failed: only the newest lines that say why.
    pub(crate) why: bool,
    pub(crate) now: Timestamp,
    pub(crate) zone: &'a TimeZone,
    pub(crate) styles: &'a LogStyles,
}

/// Below this width the time is short and the title says less.
pub(super) const NARROW: u16 = 72;

/// Draws a task's newest lines; the first row of the area is the title.
pub(crate) fn draw_pane(log: Option<&TaskLog>, context: &PaneContext<'_>, area: Rect, buf: &mut Buffer) {
    let area = area.intersection(buf.area);
    if area.is_empty() {
        return;
    }
    title(log, context, Rect { height: 1, ..area }, buf);
    draw_tail(log, context, Rect { y: area.y + 1, height: area.height - 1, ..area }, buf);
}

/// Draws a task's newest lines without a title.
pub(crate) fn draw_tail(log: Option<&TaskLog>, context: &PaneContext<'_>, area: Rect, buf: &mut Buffer) {
    let area = area.intersection(buf.area);
    let Some(log) = log.filter(|log| !log.numbers().is_empty() || !log.is_live()) else {
        let empty = clean::text(context.empty);
        return paint::put(buf, area, 1, &clean::fit(&empty, usize::from(area.width.saturating_sub(2))), context.styles.note);
    };
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
    let end = (!log.is_live() && context.back == 0).then(|| log.sources().iter().max_by_key(|source| source.last)).flatten();
    let room = usize::from(area.height).saturating_sub(usize::from(end.is_some()));
    let mut rows = (area.y..area.bottom()).map(|y| Rect { y, height: 1, ..area });
    let mut draw = |line: &StoredLine| {
        if let Some(row) = rows.next() {
            painter.line(line, log, Place { area: row, offset: 0, selected: None }, buf);
        }
    };
    if context.why {
        log.why(room).into_iter().for_each(&mut draw);
    } else {
        let from = log.numbers().end.saturating_sub((room + context.back) as u64).max(log.numbers().start);
        log.window(from, room).for_each(&mut draw);
    }
    if let (Some(source), Some(row)) = (end, rows.next()) {
        painter.note(row, painter.end_of(source), context.styles.note, buf);
    }
}

fn title(log: Option<&TaskLog>, context: &PaneContext<'_>, area: Rect, buf: &mut Buffer) {
    let is_narrow = area.width < NARROW;
    let from = match log.map(TaskLog::sources) {
        Some(sources @ [.., newest]) => header::origin(sources, newest, DOT),
        Some([]) | None => clean::text(context.subject).into_owned(),
    };
    let left = match (context.why, is_narrow) {
        (true, false) => format!("why · last error lines of {from}"),
        (true, true) => format!("why · {from}"),
        (false, false) => format!("logs {from}"),
        (false, true) => from,
    };
    header::rule(&left, header::stream(log, context.now, context.styles, !is_narrow), context.styles, area, buf);
}
