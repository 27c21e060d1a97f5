//! Everything known of one object: what the sync does with it and when, its pods, its events, and its live YAML.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::diff::{DiffView, Opening};
use super::text::{Scroll, TextLine, fitted};
use super::{Outbox, Outcome, Shown, View, Wish};
use crate::engine::session::{self, Ask};
use crate::model::{Assessment, Live, Phase, Task, TaskId};
use crate::operation::verdict::short_time;
use crate::operation::{Attempt, Operation};
use crate::tui::action::Action;
use crate::tui::board::Board;
use crate::tui::clean;
use crate::tui::keymap::Context;
use crate::tui::model::{Model, Yaml};
use crate::tui::paint::{self, Pen};
use crate::tui::theme::{Role, glyph, stage_role};

/// What of the object is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tab {
    Overview,
    Yaml,
    Events,
    Pods,
}

const TABS: [(Tab, &str); 4] = [(Tab::Overview, "details"), (Tab::Yaml, "yaml"), (Tab::Events, "events"), (Tab::Pods, "pods")];

/// How many events are listed.
const MOST_EVENTS: usize = 200;

/// The details of a task's object.
pub(crate) struct DetailsView {
    shown: Shown,
    task: TaskId,
    tab: Tab,
    scroll: Scroll,
    find: String,
    lines: Vec<TextLine>,
}

impl DetailsView {
    /// Makes the view and asks for what it needs.
    pub(crate) fn new(shown: Shown, task: TaskId, tab: Tab, model: &Model, out: &mut Outbox) -> Self {
        let view = Self { shown, task, tab, scroll: Scroll::default(), find: String::new(), lines: Vec::new() };
        view.ask(model, out);
        view
    }

    /// The live object is asked for each time its tab is opened.
    fn ask(&self, model: &Model, out: &mut Outbox) {
        if self.tab == Tab::Yaml && model.yaml.get(&self.task.key) != Some(&Yaml::Asked) {
            out.ask(Ask::Object { key: self.task.key.clone() });
        }
    }

    fn turn(&mut self, tab: Tab, model: &Model, out: &mut Outbox) {
        self.tab = tab;
        self.scroll.reset();
        self.ask(model, out);
    }

    fn step(&mut self, forward: bool, model: &Model, out: &mut Outbox) {
        let at = TABS.iter().position(|(tab, _)| *tab == self.tab).unwrap_or_default();
        let (tab, _) = TABS[crate::tui::dialogs::turn(at, TABS.len(), forward)];
        self.turn(tab, model, out);
    }

    fn yaml<'a>(&self, model: &'a Model) -> Option<&'a [String]> {
        match model.yaml.get(&self.task.key) {
            Some(Yaml::Lines(lines)) => Some(lines),
            Some(Yaml::Asked | Yaml::Missing(_)) | None => None,
        }
    }

    fn other_lines(&self, model: &Model) -> Vec<TextLine> {
        let Some(board) = model.board(self.shown) else { return Vec::new() };
        let task = board.plan().task(&self.task);
        match (self.tab, board.operation()) {
            (Tab::Overview, operation) => overview(model, board, &self.task, task, operation),
            (Tab::Events, Some(operation)) => events(model, operation, &self.task),
            (Tab::Pods, Some(operation)) => pods(model, operation, &self.task),
            (Tab::Events | Tab::Pods, None) => vec![dim("nothing has run yet")],
            (Tab::Yaml, _) => vec![match model.yaml.get(&self.task.key) {
                Some(Yaml::Missing(reason)) => vec![(reason.clone(), Role::Warn)],
                Some(Yaml::Asked | Yaml::Lines(_)) | None => dim("asking the cluster…"),
            }],
        }
    }
}

fn dim(text: &str) -> TextLine {
    vec![(text.to_owned(), Role::Dim)]
}

fn field(label: &str, text: impl Into<String>) -> TextLine {
    vec![(format!("{label:<14}"), Role::Dim), (text.into(), Role::Text)]
}

fn overview(model: &Model, board: &Board, id: &TaskId, task: Option<&Task>, operation: Option<&Operation>) -> Vec<TextLine> {
    let mut lines = Vec::new();
    if let Some(row) = board.position(id).and_then(|at| board.rows().get(at)) {
        let time = row.elapsed(model.now).map(|time| format!(" · {}", short_time(time))).unwrap_or_default();
        lines.push(vec![
            (format!("{:<14}", "state"), Role::Dim),
            (format!("{} {}", glyph(row.stage), row.word), stage_role(row.stage)),
            (time, Role::Text),
        ]);
        // Of a plan the whole sentence stands nowhere else.
        let reason = board.action(id).filter(|_| operation.is_none()).and_then(reason);
        if let Some((label, why)) = reason {
            lines.push(field(label, clean::text(why).into_owned()));
        } else if !row.message.is_empty() {
            lines.push(field("message", row.message.clone()));
        }
    }
    if let Some(left) = board.plan().not_run.iter().find(|left| left.task.id == *id) {
        lines.push(field("not run", clean::text(&left.reason).into_owned()));
        lines.extend(traits(&left.task));
    }
    if let Some(operation) = operation {
        lines.extend(result(model, operation, id));
    }
    if let Some(operation) = operation {
        lines.extend(earlier(operation, id));
    }
    if let Some(task) = task {
        lines.extend(traits(task));
    }
    if let Some(live) = operation.and_then(|operation| operation.live(&id.key)) {
        lines.extend(live_lines(live));
    }
    if let Some(operation) = operation {
        lines.push(Vec::new());
        lines.extend(pods(model, operation, id));
        lines.push(Vec::new());
        lines.extend(events(model, operation, id));
    }
    lines
}

/// Returns the whole reason of what a sync would do, where the table has room for a part of it.
fn reason(action: &session::Action) -> Option<(&'static str, &str)> {
    use session::Action;
    match action {
        Action::Refused(why) => Some(("refused", why)),
        Action::Unknown(why) => Some(("unknown", why)),
        Action::Recreate(why) => Some(("recreated", why)),
        Action::Create | Action::Configure | Action::Unchanged | Action::Replace | Action::Prune | Action::Run => None,
    }
}

fn result(model: &Model, operation: &Operation, id: &TaskId) -> Vec<TextLine> {
    let mut lines = Vec::new();
    if let Some(result) = operation.result(id) {
        let words: Vec<&str> = [result.code.as_str(), result.state.as_str()].into_iter().filter(|word| !word.is_empty()).collect();
        lines.push(field("result", format!("{}: {}", words.join(", "), clean::text(&result.message))));
    }
    if let Some(progress) = operation.progress(id) {
        let since = |at: jiff::Timestamp| format!("+{}", short_time(at.duration_since(operation.started_at())));
        for (label, at) in [("started", progress.started_at), ("applied", progress.applied_at), ("finished", progress.finished_at)] {
            if let Some(at) = at {
                let clock = at.to_zoned(model.zone.clone()).strftime("%H:%M:%S%.3f").to_string();
                lines.push(field(label, format!("{clock}  {}", since(at))));
            }
        }
    }
    lines
}

/// What the task came to in the attempts before, the newest first.
fn earlier(operation: &Operation, id: &TaskId) -> Vec<TextLine> {
    let Some(position) = operation.plan().position(id) else { return Vec::new() };
    let line = |attempt: &Attempt| {
        let label = format!("attempt {}", attempt.number);
        let Some((result, progress)) = attempt.of(position) else { return field(&label, "not run") };
        let times = progress.and_then(|progress| Some((progress.started_at?, progress.finished_at?)));
        let took = times.map(|(from, to)| format!(" after {}", short_time(to.duration_since(from)))).unwrap_or_default();
        let words: Vec<&str> = [result.code.as_str(), result.state.as_str()].into_iter().filter(|word| !word.is_empty()).collect();
        field(&label, format!("{}{took}: {}", words.join(", "), clean::text(&result.message)))
    };
    operation.attempts().iter().rev().map(line).collect()
}

fn traits(task: &Task) -> Vec<TextLine> {
    let moved = if task.pulled_forward { " (pulled forward)" } else { "" };
    let mut lines = vec![field("phase, wave", format!("{} wave {}{moved}", task.id.phase, task.wave))];
    if task.is_hook() {
        let types: Vec<&str> = task.hook_types().iter().map(|phase| phase.as_str()).collect();
        let policies: Vec<&str> = task.delete_policies().iter().map(|policy| policy.as_str()).collect();
        lines.push(field("hook", types.join(", ")));
        lines.push(field("deleted by", policies.join(", ")));
    }
    if task.is_prune() {
        let why = if task.id.phase == Phase::Delete { "it goes with its app" } else { "no manifest asks for it any more" };
        lines.push(field("prune", why));
    }
    if !task.traits.options.is_empty() {
        lines.push(field("sync options", clean::text(&task.traits.options.join(", ")).into_owned()));
    }
    if let Some(origin) = &task.origin {
        lines.push(field("manifest", clean::text(&origin.to_string()).into_owned()));
    }
    lines
}

fn live_lines(live: &Live) -> Vec<TextLine> {
    let health = match &live.assessment {
        Assessment::NoRule => "no rule for this kind: done when it is applied".to_owned(),
        Assessment::Known(health) => format!("{} by rule {}: {}", health.status, clean::text(&health.rule), clean::text(&health.message)),
        Assessment::Error(error) => format!("cannot be told: {}", clean::text(error)),
    };
    let mut lines = vec![field("health", health)];
    if let (Some(generation), Some(observed)) = (live.generation, live.observed_generation) {
        let behind = if observed < generation { "  (its controller has not seen the newest yet)" } else { "" };
        lines.push(field("generation", format!("{observed} of {generation}{behind}")));
    }
    if !live.finalizers.is_empty() {
        lines.push(field("finalizers", clean::text(&live.finalizers.join(", ")).into_owned()));
    }
    if let Some(at) = live.deletion {
        lines.push(vec![(format!("{:<14}", "deletion"), Role::Dim), (format!("asked for at {at}"), Role::Warn)]);
    }
    lines
}

fn pods(model: &Model, operation: &Operation, id: &TaskId) -> Vec<TextLine> {
    let pods = operation.pods_of(&id.key);
    if pods.is_empty() {
        return vec![dim("no pods")];
    }
    let mut lines = vec![vec![(format!("{} pod{}", pods.len(), if pods.len() == 1 { "" } else { "s" }), Role::Strong)]];
    for pod in pods {
        let mut line = vec![("  ".to_owned(), Role::Text)];
        line.extend(super::operation::pod_line(operation, pod));
        if let Some(created) = pod.created {
            let age = short_time(model.now.duration_since(created).max(SignedDuration::ZERO));
            // Before the last piece, which may be a long sentence.
            line.insert(line.len() - 1, (format!("  {age} old"), Role::Dim));
        }
        lines.push(line);
        for container in pod.containers.iter().filter(|_| pod.containers.len() > 1) {
            let init = if container.init { " (init)" } else { "" };
            let state = super::operation::container_word(container).unwrap_or_else(|| {
                let ready = if container.ready { "ready" } else { "not ready" };
                format!("{}: {ready}", container.name)
            });
            lines.push(vec![(format!("      {}{init}", clean::text(&state)), Role::Dim)]);
        }
    }
    lines
}

fn events(model: &Model, operation: &Operation, id: &TaskId) -> Vec<TextLine> {
    let found = super::operation::newest_events(operation, Some(&id.key), MOST_EVENTS);
    if found.is_empty() {
        return vec![dim("no events")];
    }
    let mut lines = vec![vec![(format!("{} event{}, newest first", found.len(), if found.len() == 1 { "" } else { "s" }), Role::Strong)]];
    for event in found {
        let age = event.at.map(|at| short_time(model.now.duration_since(at).max(SignedDuration::ZERO))).unwrap_or_default();
        let times = if event.count > 1 { format!(" ×{}", event.count) } else { String::new() };
        lines.push(vec![
            (format!("  {age:>6} "), Role::Dim),
            (format!("{}{times} ", clean::text(&event.reason)), if event.warning { Role::Warn } else { Role::Text }),
            (format!("{} ", clean::text(&event.about.short())), Role::Dim),
            (clean::text(&event.message).into_owned(), Role::Text),
        ]);
    }
    lines
}

impl View for DetailsView {
    fn context(&self) -> Context {
        Context::Details
    }

    fn update(&mut self, action: Action, model: &Model, out: &mut Outbox) -> Outcome {
        if self.scroll.go(action) {
            return Outcome::Consumed;
        }
        match action {
            Action::Details | Action::NextPane => self.step(true, model, out),
            Action::PreviousPane => self.step(false, model, out),
            Action::Yaml => self.turn(Tab::Yaml, model, out),
            Action::Events => self.turn(Tab::Events, model, out),
            Action::Diff => {
                let (request, task) = (model.request.clone(), Some(self.task.clone()));
                let view = DiffView::new(Opening { request, task, marks: BTreeSet::new(), has_dialog: false }, out);
                out.wish(Wish::Open(Box::new(view)));
            }
            Action::Logs | Action::Open => out.wish(Wish::OpenLogs { shown: self.shown, task: self.task.clone() }),
            Action::Filter => out.wish(Wish::Search),
            Action::Back if !self.find.is_empty() => self.find.clear(),
            _ => return Outcome::Ignored,
        }
        Outcome::Consumed
    }

    fn search(&mut self, text: &str, model: &Model) {
        text.clone_into(&mut self.find);
        let found = self.yaml(model).and_then(|lines| lines.iter().position(|line| crate::tui::row::contains(line, text)));
        if let Some(line) = found.filter(|_| !text.is_empty() && self.tab == Tab::Yaml) {
            self.scroll.reveal(line);
        }
    }

    fn search_text(&self) -> &str {
        &self.find
    }

    fn settle(&mut self, model: &Model, area: Rect, _out: &mut Outbox) {
        let height = usize::from(area.height.saturating_sub(2));
        if self.tab == Tab::Yaml
            && let Some(lines) = self.yaml(model)
        {
            return self.scroll.settle(lines.len(), height);
        }
        // The whole of what a server says stands here, however long it is.
        self.lines = fitted(self.other_lines(model), usize::from(area.width.saturating_sub(1)));
        self.scroll.settle(self.lines.len(), height);
    }

    fn draw(&self, model: &Model, area: Rect, buffer: &mut Buffer) {
        if let Some(mut pen) = Pen::row(buffer, area, 0) {
            let phase = self.task.phase.as_str();
            pen.put(" ", model.theme.style(Role::Text)).put(&clean::text(&self.task.key.short()), model.theme.style(Role::Strong));
            pen.put(&format!("  {} · {phase}", clean::text(&self.task.key.namespace)), model.theme.style(Role::Dim));
        }
        let rule = Rect { y: area.y + 1, height: area.height.saturating_sub(1).min(1), ..area };
        paint::rule(buffer, rule, model.theme, "", &self.scroll.notes());
        if let Some(mut pen) = Pen::row(buffer, rule, 0) {
            pen.skip(2);
            for (tab, name) in TABS {
                let style = model.theme.style(if tab == self.tab { Role::Chosen } else { Role::Dim });
                pen.put(" ", style).put(name, style).put(" ", style).skip(1);
            }
        }
        let body = Rect { y: area.y + 2, height: area.height.saturating_sub(2), ..area };
        match self.yaml(model).filter(|_| self.tab == Tab::Yaml) {
            Some(lines) => self.scroll.draw_plain(model, lines, &self.find, body, buffer),
            None => self.scroll.draw(model, &self.lines, body, buffer),
        }
    }

    fn verbs(&self) -> &'static [Action] {
        &[Action::Details, Action::Diff, Action::Yaml, Action::Events, Action::Logs, Action::Back, Action::Help]
    }

    fn title(&self) -> &'static str {
        "details"
    }
}
