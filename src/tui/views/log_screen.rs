//! The full-screen log as a layer of the program: turns verbs into the log view's own, and tells it where it is and how its task stands.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::logs::{LogStyles, LogsContext, LogsKey, LogsOutcome, LogsView, Since};
use super::{Notice, Outbox, Outcome, Shown, View, Wish};
use crate::model::TaskId;
use crate::operation::LogLine;
use crate::operation::verdict::short_time;
use crate::tui::action::Action;
use crate::tui::clean;
use crate::tui::keymap::Context;
use crate::tui::model::Model;
use crate::tui::theme::{Role, Theme, glyph, stage_role};

/// The log of a task on the whole screen.
pub(crate) struct LogScreen {
    shown: Shown,
    view: LogsView,
    facts: Facts,
}

/// What the log view is told of its task.
#[derive(Default)]
struct Facts {
    place: String,
    subject: String,
    state: String,
    role: Option<Role>,
    empty: String,
    started: Option<Timestamp>,
    wave_started: Option<Timestamp>,
}

impl LogScreen {
    /// Opens the log of a task; `None` if nothing has run yet.
    pub(crate) fn open(shown: Shown, task: TaskId, model: &Model) -> Option<Self> {
        let operation = model.board(shown)?.operation()?.id().clone();
        let facts = facts(model, shown, &task);
        Some(Self { shown, view: LogsView::open(operation, task), facts })
    }
}

fn obey(outcome: LogsOutcome, out: &mut Outbox) -> Outcome {
    match outcome {
        LogsOutcome::Changed => {}
        LogsOutcome::Close => out.wish(Wish::Close),
        LogsOutcome::Copy(text) => out.wish(Wish::Copy(text)),
        LogsOutcome::Flash(text) => out.say(Notice::plain(text)),
    }
    Outcome::Consumed
}

fn facts(model: &Model, shown: Shown, task: &TaskId) -> Facts {
    let Some((board, operation)) = model.board(shown).and_then(|board| Some((board, board.operation()?))) else { return Facts::default() };
    let (context, _) = operation.destination();
    let place = format!("{} │ {}", clean::text(context), clean::text(&task.key.namespace));
    let found = board.plan().task(task);
    let wave = found.map(|task| task.wave);
    let role = if found.is_some_and(|task| task.is_hook()) { format!("{} hook", task.phase) } else { task.phase.to_string() };
    let subject = format!("{} ({role}, wave {})", clean::text(&task.key.short()), wave.unwrap_or_default());
    let row = board.position(task).and_then(|at| board.rows().get(at));
    let state = row.map(|row| {
        let time = row.elapsed(model.now).map(|time| format!(" {}", short_time(time))).unwrap_or_default();
        format!("{} {}{time}", glyph(row.stage), row.word)
    });
    let why = operation.why_waiting(task);
    let empty = if why.is_empty() { "nothing has been printed".to_owned() } else { format!("nothing has been printed: {why}") };
    let wave_started = wave.and_then(|wave| operation.wave_span(task.phase, wave)).and_then(|span| span.started_at);
    Facts {
        place,
        subject,
        state: state.unwrap_or_default(),
        role: row.map(|row| stage_role(row.stage)),
        empty,
        started: Some(operation.started_at()),
        wave_started,
    }
}

fn context<'a>(facts: &'a Facts, model: &'a Model, styles: &'a LogStyles) -> LogsContext<'a> {
    LogsContext {
        place: &facts.place,
        subject: &facts.subject,
        state: &facts.state,
        state_style: model.theme.style(facts.role.unwrap_or(Role::Text)),
        empty: &facts.empty,
        now: model.now,
        started: facts.started,
        wave_started: facts.wave_started,
        zone: &model.zone,
        styles,
    }
}

/// Returns the looks of logs in a theme.
pub(in crate::tui::views) fn styles(theme: Theme) -> LogStyles {
    let [text, dim, warn, bad, strong] = [Role::Text, Role::Dim, Role::Warn, Role::Bad, Role::Strong].map(|role| theme.style(role));
    LogStyles {
        text,
        debug: dim,
        warn,
        error: bad,
        time: dim,
        source: theme.style(Role::Key),
        note: dim,
        gap: warn,
        found: theme.style(Role::Marked),
        found_here: theme.style(Role::Chosen),
        selected: theme.style(Role::Running),
        edge: dim,
        rule: theme.style(Role::Rule),
        title: strong,
        header: strong,
        mode: text,
        live: theme.style(Role::Good),
        ended: dim,
        paused: warn,
    }
}

fn log_key(action: Action) -> Option<LogsKey> {
    Some(match action {
        Action::Up => LogsKey::Up,
        Action::Down => LogsKey::Down,
        Action::PageUp => LogsKey::PageUp,
        Action::PageDown => LogsKey::PageDown,
        Action::HalfUp => LogsKey::HalfUp,
        Action::HalfDown => LogsKey::HalfDown,
        Action::Top => LogsKey::Top,
        Action::Bottom => LogsKey::Bottom,
        Action::Left => LogsKey::Left,
        Action::Right => LogsKey::Right,
        Action::LogFollow => LogsKey::Follow,
        Action::Wrap => LogsKey::Wrap,
        Action::LogTime => LogsKey::Time,
        Action::FindNext => LogsKey::Next,
        Action::FindPrevious => LogsKey::Previous,
        Action::OnlyMatches => LogsKey::OnlyMatches,
        Action::LogEarlier => LogsKey::Earlier,
        Action::LogAll => LogsKey::AllSources,
        Action::LogMark => LogsKey::Mark,
        Action::LogCopy => LogsKey::Copy,
        Action::LogClear => LogsKey::Clear,
        Action::SinceStart => LogsKey::Since(Since::Everything),
        Action::SinceHead => LogsKey::Since(Since::Head),
        Action::Since1m => LogsKey::Since(Since::Minutes(1)),
        Action::Since5m => LogsKey::Since(Since::Minutes(5)),
        Action::Since15m => LogsKey::Since(Since::Minutes(15)),
        Action::Since30m => LogsKey::Since(Since::Minutes(30)),
        Action::Since1h => LogsKey::Since(Since::Minutes(60)),
        Action::SinceWave => LogsKey::Since(Since::WaveStart),
        Action::SinceOperation => LogsKey::Since(Since::OperationStart),
        Action::Back => LogsKey::Close,
        _ => return None,
    })
}

impl View for LogScreen {
    fn context(&self) -> Context {
        Context::Logs
    }

    fn update(&mut self, action: Action, model: &Model, out: &mut Outbox) -> Outcome {
        if action == Action::Filter {
            out.wish(Wish::Search);
            return Outcome::Consumed;
        }
        let Some(key) = log_key(action) else { return Outcome::Ignored };
        let styles = styles(model.theme);
        let outcome = self.view.update(key, &model.logs, &context(&self.facts, model, &styles));
        obey(outcome, out)
    }

    fn search(&mut self, text: &str, model: &Model) {
        let styles = styles(model.theme);
        self.view.search(text, &model.logs, &context(&self.facts, model, &styles));
    }

    fn search_text(&self) -> &str {
        self.view.search_text()
    }

    fn settle(&mut self, model: &Model, area: Rect, _out: &mut Outbox) {
        self.facts = facts(model, self.shown, self.view.task());
        let styles = styles(model.theme);
        self.view.settle(&model.logs, &context(&self.facts, model, &styles), area);
    }

    fn draw(&self, model: &Model, area: Rect, buffer: &mut Buffer) {
        let styles = styles(model.theme);
        self.view.draw(&model.logs, &context(&self.facts, model, &styles), area, buffer);
    }

    fn shows(&self, line: &LogLine, _model: &Model) -> bool {
        self.view.shows(line)
    }

    fn verbs(&self) -> &'static [Action] {
        &[
            Action::LogFollow,
            Action::Wrap,
            Action::LogTime,
            Action::Filter,
            Action::FindNext,
            Action::LogEarlier,
            Action::SinceStart,
            Action::SinceHead,
            Action::LogCopy,
            Action::Help,
            Action::Back,
        ]
    }

    fn title(&self) -> &'static str {
        "logs"
    }
}
