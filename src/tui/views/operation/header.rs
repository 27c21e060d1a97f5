//! The lines at the top, which never move and never wrap: where we are, what runs, and the verdict.

use jiff::{SignedDuration, Timestamp};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::layout::{Density, Panes};
use crate::engine::session::Waiting;
use crate::operation::Operation;
use crate::operation::verdict::{Tone, Verdict, short_time};
use crate::tui::board::Board;
use crate::tui::clean;
use crate::tui::model::{Busy, Model};
use crate::tui::paint::Pen;
use crate::tui::theme::{self, Role};
use crate::tui::views::attempts::of_all;

/// How much of a name stays in a sentence that does not fit.
const NAME: usize = 20;
/// How many letters of a revision are shown.
const REVISION: usize = 7;

/// Draws the place line.
pub(super) fn place(model: &Model, board: Option<&Board>, area: Rect, density: Density, buffer: &mut Buffer) {
    let Some(mut pen) = Pen::row(buffer, area, 0) else { return };
    let theme = model.theme;
    let end = match density {
        Density::Line | Density::Sliver | Density::Narrow => board.map(|board| elapsed(board, model.now)).unwrap_or_default(),
        Density::Normal => board.map(|board| short_facts(model, board)).unwrap_or_default(),
        Density::Wide | Density::Huge => board.map(|board| clock(model, board)).unwrap_or_default(),
    };
    pen.end(" ", theme.style(Role::Text)).end(&end, theme.style(Role::Dim));
    let Some(place) = &model.place else {
        pen.put(" ", theme.style(Role::Text)).fit(&model.target, theme.style(Role::Strong));
        return;
    };
    let rule = if density >= Density::Wide { " ▏" } else { " │ " };
    let rule = if density >= Density::Normal { rule } else { " " };
    let context = if place.protected { Role::Protected } else { Role::Strong };
    let revision: String = place.revision.chars().take(REVISION).collect();
    // Whether anything can be changed here must be seen, however long the names are.
    let (rights, role) = rights(board, place.read_only.is_some());
    pen.end(if density >= Density::Normal { "│" } else { "" }, theme.style(Role::Rule)).end(rights, theme.style(role));
    pen.put(" ", theme.style(Role::Text)).put(&clean::text(&place.context), theme.style(context));
    if density == Density::Huge {
        pen.put(rule, theme.style(Role::Rule)).put(&clean::text(&place.cluster), theme.style(Role::Text));
    }
    pen.put(rule, theme.style(Role::Rule));
    if density > Density::Sliver {
        pen.put(&clean::text(&place.namespace), theme.style(Role::Text)).put("/", theme.style(Role::Dim));
    }
    pen.put(&clean::text(&place.app), theme.style(Role::Strong));
    if density >= Density::Wide {
        pen.put(rule, theme.style(Role::Rule)).put(&clean::text(&place.source), theme.style(Role::Text)).put(" @ ", theme.style(Role::Dim));
        pen.put(&revision, theme.style(Role::Text));
    } else if density >= Density::Narrow {
        pen.put(rule, theme.style(Role::Rule)).put(&revision, theme.style(Role::Text));
    }
}

fn rights(board: Option<&Board>, is_read_only: bool) -> (&'static str, Role) {
    let is_dry = board.and_then(Board::operation).is_some_and(|operation| operation.request().dry_run);
    match (is_dry, is_read_only) {
        (true, _) => ("DRY RUN", Role::Chosen),
        (false, true) => ("RO", Role::Warn),
        (false, false) => ("RW", Role::Text),
    }
}

/// Returns how long an operation has run, or took.
pub(super) fn elapsed(board: &Board, now: Timestamp) -> String {
    let Some(operation) = board.operation() else { return "idle".to_owned() };
    short_time(operation.finished_at().unwrap_or(now).duration_since(operation.started_at()))
}

fn short_facts(model: &Model, board: &Board) -> String {
    let Some(operation) = board.operation() else { return "idle".to_owned() };
    let by = &operation.request().by;
    // Which attempt it is matters more than who asked.
    let who = match attempt(operation) {
        Some(attempt) => format!("{attempt} · "),
        None if by.is_empty() => String::new(),
        None => format!("{} · ", clean::text(by)),
    };
    format!("op {} · {who}{}", board.number(), elapsed(board, model.now))
}

/// Returns `attempt 2/4` where a person has asked for several; a deletion tries its hooks again by itself.
fn attempt(operation: &Operation) -> Option<String> {
    let can_retry = (operation.request().retry.allows(0) && !operation.is_deletion()) || operation.attempt() > 1;
    can_retry.then(|| format!("attempt {}", of_all(operation, operation.attempt())))
}

/// The time of day while something runs; a clock that stands still would lie, so afterwards it is the time of the end.
fn clock(model: &Model, board: &Board) -> String {
    let at = |at: Timestamp| at.to_zoned(model.zone.clone()).strftime("%H:%M:%S").to_string();
    match board.operation().map(|operation| operation.finished_at()) {
        Some(None) => at(model.now),
        Some(Some(end)) => format!("ended {}", at(end)),
        None => "idle".to_owned(),
    }
}

/// Draws the line of facts about the operation.
pub(super) fn facts(model: &Model, board: Option<&Board>, area: Rect, buffer: &mut Buffer) {
    let Some(mut pen) = Pen::row(buffer, area, 0) else { return };
    let style = model.theme.style(Role::Text);
    pen.end(" ", style);
    last_runs(model, &mut pen);
    let Some(board) = board else { return };
    let tasks = board.tasks();
    let plural = if tasks == 1 { "" } else { "s" };
    let Some(operation) = board.operation() else {
        pen.fit(&format!(" plan · nothing runs · {tasks} task{plural}"), style);
        return;
    };
    let request = operation.request();
    let kind = if board.plan().selective && !request.dry_run { "selective sync" } else { board.noun() };
    let prune = match (board.is_deletion(), request.prune) {
        (true, _) => "",
        (false, true) => " · prune on",
        (false, false) => " · prune off",
    };
    let delay = if request.wave_delay.is_zero() { String::new() } else { format!(" · wave delay {}s", request.wave_delay.as_secs_f32()) };
    let attempt = attempt(operation).map(|attempt| format!(" · {attempt}")).unwrap_or_default();
    let (number, by, time) = (board.number(), clean::text(&request.by), elapsed(board, model.now));
    pen.fit(&format!(" op {number} · {kind} · {by} · {time}{attempt}{prune} · {tasks} task{plural}{delay}"), style);
    for (is_on, words) in [(request.force, " · force"), (request.options.has("Replace=true"), " · replace")] {
        pen.put(if is_on { words } else { "" }, model.theme.style(Role::Warn));
    }
    if !operation.polled().is_empty() {
        pen.put(&format!(" · polled, not watched: {}", operation.polled().join(", ")), model.theme.style(Role::Warn));
    }
}

fn last_runs(model: &Model, pen: &mut Pen<'_>) {
    let ended = model.operations().filter(|board| !board.is_running() && !board.is_deletion()).take(5);
    let glyphs: Vec<&str> = ended.map(|board| theme::tone(board.verdict().tone).0).collect();
    if !glyphs.is_empty() {
        pen.end(&format!("last: {}", glyphs.join(" ")), model.theme.style(Role::Dim));
    }
}

/// Draws the verdict: always a sentence.
pub(super) fn verdict(model: &Model, board: Option<&Board>, panes: &Panes, buffer: &mut Buffer) {
    let standing = standing(model, board);
    let (glyph, role) = theme::tone(standing.tone);
    let style = model.theme.style(role);
    let Some(mut pen) = Pen::row(buffer, panes.verdict, 0) else { return };
    pen.put(" ", style).put(glyph, style).put(" ", style);
    let (text, quiet) = match standing.text.rsplit_once("; no change for ") {
        Some((text, time)) if board.is_some_and(|board| board.stalled_since().is_some()) => {
            (text.to_owned(), format!("no change for {time}"))
        }
        Some(_) | None => (standing.text, String::new()),
    };
    pen.end(if quiet.is_empty() { "" } else { " " }, style).end(&quiet, model.theme.style(Role::Warn));
    let text = shortened(board, text, panes.verdict);
    let is_short = panes.density <= Density::Narrow && matches!(standing.tone, Tone::Blocked | Tone::Working);
    if !is_short {
        pen.put(standing.word, style).put(if panes.density >= Density::Normal { "  " } else { " " }, style);
    }
    if panes.verdict.height < 2 {
        pen.fit(&text, model.theme.style(Role::Strong));
        return;
    }
    let room = usize::from(pen.rest());
    let head = clean::head(&text, room);
    let head = if head.len() < text.len() { head.rsplit_once(' ').map_or(head, |(words, _)| words) } else { head };
    pen.put(head, model.theme.style(Role::Strong));
    if let Some(mut pen) = Pen::row(buffer, panes.verdict, 1) {
        pen.skip(3).fit(text[head.len()..].trim_start(), model.theme.style(Role::Strong));
    }
}

/// A generated name may be longer than everything else in the sentence; when room is short it gives way first, because it stands in the
/// table too.
fn shortened(board: Option<&Board>, text: String, area: Rect) -> String {
    let room = usize::from(area.width) * usize::from(area.height);
    if text.len() + 16 <= room {
        return text;
    }
    let Some(name) = board.and_then(|board| board.rows().get(board.focus()?)).map(|row| &row.name) else { return text };
    if clean::columns(name) <= NAME { text } else { text.replacen(&**name, &clean::fit(name, NAME), 1) }
}

/// Says what the session is doing: `long` with its time once it takes longer than expected, and what exactly is waited for if that is known.
fn at_work(model: &Model, quick: &str, long: &str) -> String {
    match (&model.waiting, waited(model)) {
        (Some(Waiting { what, since }), _) => {
            format!("waiting {} for {}", short_time(model.now.duration_since(*since)), clean::text(what))
        }
        (None, Some(time)) => format!("{long} for {time}"),
        (None, None) => quick.to_owned(),
    }
}

/// Returns how long the session has been at work, once that is longer than a person waits without a question.
fn waited(model: &Model) -> Option<String> {
    let time = model.now.duration_since(model.busy_since?);
    (time >= SignedDuration::from_secs(2)).then(|| short_time(time))
}

/// How things stand, also before there is a board.
pub(super) fn standing(model: &Model, board: Option<&Board>) -> Verdict {
    let say = |tone, word, text: &str| Verdict { tone, word, text: text.to_owned() };
    match (board, model.busy) {
        (Some(board), Some(Busy::Starting)) if !board.is_running() => {
            let text = "the plan is being made";
            say(Tone::Working, "STARTING", &at_work(model, text, text))
        }
        (Some(board), Some(Busy::Planning)) if !board.is_running() && waited(model).is_some() => {
            let text = "the plan is being made anew";
            say(Tone::Working, "PLANNING", &at_work(model, text, text))
        }
        (Some(board), _) => board.verdict().clone(),
        (None, Some(_)) => {
            let quick = "reading the manifests and asking the cluster what they would change";
            say(Tone::Working, "OPENING", &at_work(model, quick, "reading the manifests and asking the cluster"))
        }
        (None, None) if !model.trouble.is_empty() => say(Tone::Bad, "CANNOT PLAN", &model.trouble[0]),
        (None, None) => say(Tone::Working, "IDLE", "nothing is open"),
    }
}
