//! The lines above a log: what it is of, how it is shown, where in it the person is. Text only; what does not fit is left out, the least
//! important first.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::tui::clean;
use crate::tui::log_store::{Source, TaskLog};

use super::paint::{self, BAR, DOT, LogStyles, RULE, TimeMode};
use super::{LogsContext, LogsView, Since};

/// A part of the mode line. A higher rank goes first when there is no room.
struct Part {
    rank: u8,
    text: String,
    style: Style,
}

/// Draws `place │ subject        state`.
pub(super) fn subject(context: &LogsContext<'_>, area: Rect, buf: &mut Buffer) {
    let state = clean::text(context.state);
    let width = usize::from(area.width);
    let right = clean::fit(&state, width / 2);
    let columns = clean::columns(&right);
    let room = width.saturating_sub(columns + 3);
    let (place, subject) = (clean::text(context.place), clean::text(context.subject));
    let whole = format!("{place}{BAR}{subject}");
    let left = if clean::columns(&whole) <= room { &whole } else { &*subject };
    paint::put(buf, area, 1, &clean::fit(left, room), context.styles.header);
    paint::put(buf, area, u16::try_from(width.saturating_sub(columns + 1)).unwrap_or_default(), &right, context.state_style);
}

/// Draws how the log is shown.
pub(super) fn mode(view: &LogsView, log: Option<&TaskLog>, context: &LogsContext<'_>, area: Rect, buf: &mut Buffer) {
    let styles = context.styles;
    let mut parts = parts(view, log, context);
    let room = usize::from(area.width).saturating_sub(2);
    let columns = |parts: &[Part]| {
        parts.iter().map(|part| clean::columns(&part.text)).sum::<usize>() + parts.len().saturating_sub(1) * clean::columns(BAR)
    };
    while parts.len() > 1 && columns(&parts) > room {
        let Some(least) = parts.iter().enumerate().max_by_key(|(_, part)| part.rank).map(|(index, _)| index) else { break };
        parts.remove(least);
    }
    let mut x = 1;
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            paint::put(buf, area, x, BAR, styles.rule);
            x += 3;
        }
        let text = clean::fit(&part.text, room.saturating_sub(usize::from(x) - 1));
        paint::put(buf, area, x, &text, part.style);
        x += u16::try_from(clean::columns(&text)).unwrap_or_default();
    }
}

fn parts(view: &LogsView, log: Option<&TaskLog>, context: &LogsContext<'_>) -> Vec<Part> {
    let styles = context.styles;
    let plain = |rank, text: String| Part { rank, text, style: styles.mode };
    let mut parts = Vec::new();
    if let Some((origin, attempt)) = log.and_then(|log| shown_origin(view, log)) {
        parts.push(plain(3, origin));
        parts.extend(attempt.map(|attempt| plain(5, attempt)));
    }
    if view.since != Since::Everything {
        parts.push(plain(4, format!("since {}", view.since.word())));
    }
    if !view.search_text().is_empty() {
        let hits = view.rows.hits();
        let count = view.current().map_or(0, |here| hits.partition_point(|number| *number <= here));
        let only = if view.only_matches { " only" } else { "" };
        parts.push(plain(1, format!("find{only}: {} {}/{}", view.search_text(), count, hits.len())));
    }
    parts.push(if view.follows() {
        plain(2, "follow on".to_owned())
    } else {
        let below = if view.below > 0 { format!(" +{} new below", paint::grouped(view.below as u64)) } else { String::new() };
        Part { rank: 0, text: format!("PAUSED{below}"), style: styles.paused }
    });
    parts.push(plain(6, format!("ts {}", time_word(view.time, context))));
    parts.push(plain(7, format!("wrap {}", if view.wrap { "on" } else { "off" })));
    parts
}

fn time_word(time: TimeMode, context: &LogsContext<'_>) -> &'static str {
    match time {
        TimeMode::Off => "off",
        TimeMode::Clock | TimeMode::ShortClock if *context.zone == jiff::tz::TimeZone::UTC => "UTC",
        TimeMode::Clock | TimeMode::ShortClock => "local",
        TimeMode::Offset => "+offset",
    }
}

fn shown_origin(view: &LogsView, log: &TaskLog) -> Option<(String, Option<String>)> {
    let sources = log.sources();
    let shown = view.shown_sources(log);
    let newest = shown.last()?;
    let last = sources.iter().map(|source| source.pod_attempt).max()?;
    let attempt = (shown.len() == 1).then(|| match newest.attempt {
        Some(operation) if operation > 1 => format!("retry {} attempt {}/{last}", operation - 1, newest.pod_attempt),
        Some(_) | None => format!("attempt {}/{last}", newest.pod_attempt),
    });
    Some((origin(shown, newest, BAR), attempt))
}

/// Returns `pod · container`, or how many of them there are.
pub(super) fn origin(shown: &[Source], newest: &Source, between: &str) -> String {
    let mut pods: Vec<_> = shown.iter().map(|source| (&source.pod, source.pod_attempt)).collect();
    pods.sort_unstable();
    pods.dedup();
    match (pods.len(), shown.len()) {
        (0 | 1, 0 | 1) => format!("{}{between}{}", clean::text(&newest.pod), clean::text(&newest.container)),
        (0 | 1, containers) => format!("{}{between}{containers} containers", clean::text(&newest.pod)),
        (pods, containers) if containers == pods => format!("{pods} pods{between}{}", container_of_all(shown)),
        (pods, containers) => format!("{pods} pods{between}{containers} containers"),
    }
}

fn container_of_all(shown: &[Source]) -> String {
    match shown {
        [first, rest @ ..] if rest.iter().all(|source| source.container == first.container) => clean::text(&first.container).into_owned(),
        _ => format!("{} containers", shown.len()),
    }
}

/// Returns `● live  3 l/s`, `■ ended` or nothing, and its look.
pub(super) fn stream(log: Option<&TaskLog>, now: Timestamp, styles: &LogStyles, with_rate: bool) -> (String, Style) {
    let Some(log) = log.filter(|log| !log.sources().is_empty()) else { return (String::new(), styles.rule) };
    if !log.is_live() {
        return ("■ ended".to_owned(), styles.ended);
    }
    let rate = log.rate(now);
    let rate = if with_rate && rate > 0.0 { format!("  {:.0} l/s", rate.ceil()) } else { String::new() };
    (format!("● live{rate}"), styles.live)
}

/// Draws where in the log the person is.
pub(super) fn position(view: &LogsView, log: Option<&TaskLog>, context: &LogsContext<'_>, area: Rect, buf: &mut Buffer) {
    let total = view.rows.entries();
    let visible = view.cursor.visible(view.height, view.rows.len());
    let first = view.rows.at(visible.start).map_or(0, |(index, _)| index + 1);
    let last = visible.end.checked_sub(1).and_then(|row| view.rows.at(row)).map_or(0, |(index, _)| index + 1);
    let mut left = match total {
        0 => "log".to_owned(),
        _ => format!("log {}–{} of {}", paint::grouped(first as u64), paint::grouped(last as u64), paint::grouped(total as u64)),
    };
    for (count, word) in log.map_or([(0, ""), (0, "")], |log| [(log.dropped(), "older dropped"), (log.missing(), "missing")]) {
        if count > 0 {
            left = format!("{left}{DOT}{} {word}", paint::grouped(count));
        }
    }
    rule(&left, stream(log, context.now, context.styles, area.width >= super::pane::NARROW), context.styles, area, buf);
}

/// Draws `─ left ───────── right ─`.
pub(super) fn rule(left: &str, right: (String, Style), styles: &LogStyles, area: Rect, buf: &mut Buffer) {
    for x in 0..area.width {
        paint::put(buf, area, x, RULE, styles.rule);
    }
    let width = usize::from(area.width);
    let (right, right_style) = right;
    let right = if right.is_empty() || clean::columns(&right) + 8 > width { String::new() } else { format!(" {right} ") };
    let columns = clean::columns(&right);
    let room = width.saturating_sub(columns + 5);
    if room > 0 {
        paint::put(buf, area, 1, &format!(" {} ", clean::fit(left, room)), styles.title);
    }
    paint::put(buf, area, u16::try_from(width.saturating_sub(columns + 1)).unwrap_or_default(), &right, right_style);
}
