//! Asks before an app is deleted with everything that it owns: names what goes, what stays and why, and which hooks run. The harmless button
//! is the chosen one, and no single key answers yes.

use std::collections::BTreeMap;
use std::sync::Arc;

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Choice, Dialog, Field, Piece, Sheet, labelled, plural, room, sheet};
use crate::engine::session::{Ask, Planned};
use crate::model::{Phase, Task};
use crate::operation::Request;
use crate::plan::Plan;
use crate::plan::deletion::reason_to_stay;
use crate::tui::action::Action;
use crate::tui::clean;
use crate::tui::model::{Busy, Model};
use crate::tui::row::short_kind;
use crate::tui::theme::Role;
use crate::tui::views::{Notice, Outbox, Wish};

/// Columns beside a label.
const WIDTH: usize = 62;
/// How many lines of names there are where there is room, and where there is none.
const ROWS: [usize; 2] = [4, 1];
/// How many reasons and warnings are told.
const REASONS: usize = 3;

/// What is known of the plan.
enum State {
    Asked,
    Ready(Arc<Planned>),
    Failed(Vec<String>),
}

/// The question.
pub(crate) struct DeleteDialog {
    state: State,
    choice: Choice,
    request: Request,
}

impl DeleteDialog {
    /// Makes the question and asks for the plan.
    pub(crate) fn new(model: &Model, out: &mut Outbox) -> Self {
        let request = model.deletion.clone();
        out.ask(Ask::PlanDeletion { request: request.clone() });
        Self { state: State::Asked, choice: Choice::new(model), request }
    }

    fn refusal(&self, model: &Model) -> Option<String> {
        match &self.state {
            State::Asked => Some("the plan is still being made".to_owned()),
            State::Failed(_) => Some("there is no plan to run".to_owned()),
            State::Ready(planned) => self.choice.refusal(model).or_else(|| refusal_of(planned, model)),
        }
    }

    fn delete(&self, model: &Model, out: &mut Outbox) {
        match self.refusal(model) {
            Some(reason) => out.say(Notice::bad(reason)),
            None => {
                out.ask(Ask::Delete { request: self.request.clone() });
                out.wish(Wish::CloseDialog);
            }
        }
    }

    fn lines(&self, model: &Model, room: usize) -> Vec<Vec<Piece>> {
        let whole = self.page(model, ROWS[0]);
        if whole.len() > room { self.page(model, ROWS[1]) } else { whole }
    }

    fn page(&self, model: &Model, rows: usize) -> Vec<Vec<Piece>> {
        let mut lines = vec![place(model)];
        if rows > 1 {
            lines.push(Vec::new());
        }
        match &self.state {
            State::Asked => lines.push(labelled("plan", [("planning…".to_owned(), Role::Running)])),
            State::Failed(report) => lines.extend(report.iter().map(|line| vec![(line.clone(), Role::Bad)])),
            State::Ready(planned) => lines.extend(self.told(planned, rows)),
        }
        lines.extend(self.choice.line());
        lines
    }

    fn told(&self, planned: &Planned, rows: usize) -> Vec<Vec<Piece>> {
        let plan = &planned.plan;
        let (goes, stays) = self.split(plan);
        let mut lines = hook_lines(plan, Phase::PreDelete, "first", "; nothing is deleted before they succeed");
        let children = planned.tally(None).deleted.with_children();
        let count = format!("{} object{}{children}, the highest wave first:", goes.len(), plural(goes.len()));
        lines.push(labelled("DELETES", [(if goes.is_empty() { "nothing".to_owned() } else { count }, Role::Warn)]));
        lines.extend(wrapped(&goes, rows).into_iter().map(|line| labelled("", [(line, Role::Text)])));
        let mut reasons: BTreeMap<&str, Vec<&Task>> = BTreeMap::new();
        for (task, reason) in &stays {
            reasons.entry(reason).or_default().push(task);
        }
        for (at, (reason, tasks)) in reasons.iter().take(REASONS).enumerate() {
            let names = wrapped(tasks, 1).join("");
            lines.push(labelled(if at == 0 { "keeps" } else { "" }, [(format!("{names}: {}", kept(reason)), Role::Text)]));
        }
        let asked = goes.iter().filter(|task| self.is_to_be_confirmed(plan, task)).count();
        if asked > 0 {
            let text = format!("for a confirmation first: {asked} object{} (Delete=confirm)", plural(asked));
            lines.push(labelled("asks", [(text, Role::Warn)]));
        }
        lines.extend(hook_lines(plan, Phase::PostDelete, "then", " when everything is gone"));
        lines.extend(warnings(planned));
        lines
    }

    /// What goes, the highest wave first, and what stays with the reason.
    fn split<'a>(&self, plan: &'a Plan) -> (Vec<&'a Task>, Vec<(&'a Task, &'static str)>) {
        let (mut goes, mut stays) = (Vec::new(), Vec::new());
        for task in plan.tasks.iter().filter(|task| task.id.phase == Phase::Delete) {
            match reason_to_stay(&task.id.key, &task.traits, &self.request.options) {
                Some(reason) => stays.push((task, reason)),
                None => goes.push(task),
            }
        }
        goes.sort_by_key(|task| std::cmp::Reverse(task.wave));
        (goes, stays)
    }

    fn is_to_be_confirmed(&self, plan: &Plan, task: &Task) -> bool {
        let key = &task.id.key;
        plan.asks_first(key, &task.traits, &self.request.options) && !self.request.approved.contains(key)
    }

    fn button(&self) -> String {
        match &self.state {
            State::Ready(planned) => {
                let (goes, _) = self.split(&planned.plan);
                format!("Delete {} object{}", goes.len(), plural(goes.len()))
            }
            State::Asked | State::Failed(_) => "Delete".to_owned(),
        }
    }
}

fn place(model: &Model) -> Vec<Piece> {
    let Some(place) = &model.place else { return vec![(clean::text(&model.target).into_owned(), Role::Strong)] };
    let role = if place.protected { Role::Protected } else { Role::Strong };
    vec![
        (format!("{}/{} and all that it owns, in ", clean::text(&place.namespace), clean::text(&place.app)), Role::Strong),
        (clean::text(&place.context).into_owned(), role),
    ]
}

/// The reasons of results, as something that will be.
fn kept(reason: &str) -> &str {
    reason.strip_prefix("ignored (").and_then(|rest| rest.strip_suffix(')')).unwrap_or(reason)
}

fn hook_lines(plan: &Plan, phase: Phase, label: &str, when: &str) -> Vec<Vec<Piece>> {
    let hooks: Vec<&Task> = plan.tasks.iter().filter(|task| task.is_hook() && task.id.phase == phase).collect();
    if hooks.is_empty() {
        return Vec::new();
    }
    let head = format!("{phase} hooks run{when}:");
    vec![labelled(label, [(head, Role::Text)]), labelled("", [(wrapped(&hooks, 1).join(""), Role::Text)])]
}

/// The names in at most so many rows; how many more there are stands at the end.
fn wrapped(tasks: &[&Task], rows: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (at, task) in tasks.iter().enumerate() {
        let name = format!("{}/{}", short_kind(&clean::text(&task.id.key.kind)), clean::text(&task.id.key.name));
        let more = format!(" +{}", tasks.len() - at);
        let is_full = lines.len() >= rows;
        match lines.last_mut() {
            Some(line) if clean::columns(line) + clean::columns(&name) + 2 + more.len() <= WIDTH => {
                line.push_str(", ");
                line.push_str(&name);
            }
            Some(line) if is_full => {
                line.push_str(&more);
                return lines;
            }
            Some(_) | None => lines.push(name),
        }
    }
    lines
}

fn warnings(planned: &Planned) -> Vec<Vec<Piece>> {
    let plan = &planned.plan;
    let blocked = planned.blocked.iter().map(|text| (text.clone(), Role::Bad));
    let invalid = plan.invalid.iter().map(|invalid| (format!("will fail: {}", invalid.message), Role::Bad));
    let warnings = plan.warnings.iter().map(|warning| (warning.message.clone(), Role::Warn));
    let notes = planned.notes.iter().map(|note| (note.clone(), Role::Warn));
    let all = blocked.chain(invalid).chain(warnings).chain(notes).map(|(text, role)| (clean::text(&text).into_owned(), role));
    all.take(REASONS).map(|piece| vec![("! ".to_owned(), Role::Warn), piece]).collect()
}

/// Why the plan of a deletion may not be run.
fn refusal_of(planned: &Planned, model: &Model) -> Option<String> {
    if let Some(text) = planned.blocked.as_deref() {
        return Some(clean::text(text).into_owned());
    }
    if planned.plan.tasks.is_empty() {
        return Some("there is nothing to delete: the app owns no object".to_owned());
    }
    model.may(Action::Delete).err()
}

impl Dialog for DeleteDialog {
    fn update(&mut self, action: Action, model: &Model, out: &mut Outbox) {
        match action {
            Action::NextPane | Action::Right => self.choice.walk(true),
            Action::PreviousPane | Action::Left => self.choice.walk(false),
            Action::Open if self.choice.is(Field::Act) => self.delete(model, out),
            Action::Open if self.choice.is(Field::Name) => self.choice.choose(Field::Act),
            Action::Open | Action::No => out.wish(Wish::CloseDialog),
            _ => {}
        }
    }

    fn typed(&mut self, key: KeyEvent) -> bool {
        self.choice.typed(key)
    }

    fn pasted(&mut self, text: &str) {
        self.choice.pasted(text);
    }

    fn planned(&mut self, planned: Result<Arc<Planned>, Vec<String>>) {
        self.state = match planned {
            Ok(planned) => State::Ready(planned),
            Err(report) => State::Failed(report),
        };
    }

    fn settle(&mut self, model: &Model) -> Option<String> {
        let begun = model.running().is_some() || model.busy == Some(Busy::Starting);
        begun.then(|| "an operation has begun meanwhile".to_owned())
    }

    fn draw(&self, model: &Model, area: Rect, buffer: &mut Buffer) {
        let title = format!("Delete {}?", clean::text(model.app_name()));
        let lines = self.lines(model, room(area));
        let looks = Sheet {
            title: &title,
            lines: &lines,
            focus: if self.choice.is(Field::Name) { lines.len().saturating_sub(1) } else { 0 },
            buttons: &[("Cancel", self.choice.is(Field::Keep)), (&self.button(), self.choice.is(Field::Act))],
            hint: "tab/←→ choose · enter press the chosen button · n/esc cancel",
        };
        sheet(model.theme, &looks, area, buffer);
    }
}
