//! Asks before a sync: into which context, what will be applied, which hooks run, what would be pruned. Asks the session for the plan first
//! and again whenever the choice changes it, so that what is confirmed is what was shown.

use std::sync::Arc;

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Confirmation, Dialog, Piece, Sheet, labelled, sheet, turn};
use crate::engine::session::{Action as Planning, Ask, Planned};
use crate::model::{Phase, Task};
use crate::operation::Request;
use crate::plan::{Plan, Selector};
use crate::tui::action::Action;
use crate::tui::clean;
use crate::tui::model::{Busy, Model};
use crate::tui::row::{action_word, short_kind};
use crate::tui::theme::Role;
use crate::tui::views::{Notice, Outbox, Wish};

/// How many warnings are shown.
const WARNINGS: usize = 3;
/// How many names are spelt out in a list.
const NAMES: usize = 3;

/// What the sync is about.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scope {
    Everything,
    /// A selective sync: no hooks.
    Some {
        selection: Vec<Selector>,
        how: &'static str,
    },
}

impl Scope {
    /// Makes the scope of some resources; `how` says how they were chosen.
    pub(crate) fn some(selection: Vec<Selector>, how: &'static str) -> Self {
        Self::Some { selection, how }
    }
}

/// What is known of the plan.
enum State {
    Asked,
    Ready(Arc<Planned>),
    Failed(Vec<String>),
}

/// Parts that can be chosen, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Scope,
    Prune,
    Name,
    Sync,
    Cancel,
}

/// The question.
pub(crate) struct SyncDialog {
    scopes: Vec<Scope>,
    scope: usize,
    prune: bool,
    state: State,
    field: Field,
    confirmation: Option<Confirmation>,
    request: Request,
}

impl SyncDialog {
    /// Makes the question and asks for the plan. `scopes` are at most two; `some` chooses the second.
    pub(crate) fn new(model: &Model, scopes: Vec<Scope>, some: bool, out: &mut Outbox) -> Self {
        let confirmation = Confirmation::new(model);
        let field = if confirmation.is_some() { Field::Name } else { Field::Sync };
        let scope = if some { scopes.len().saturating_sub(1) } else { 0 };
        let request = model.request.clone();
        let dialog = Self { scopes, scope, prune: request.prune, state: State::Asked, field, confirmation, request };
        out.ask(Ask::Plan { request: dialog.request() });
        dialog
    }

    fn request(&self) -> Request {
        let selection = match &self.scopes[self.scope] {
            Scope::Everything => self.request.selection.clone(),
            Scope::Some { selection, .. } => Some(selection.clone()),
        };
        Request { prune: self.prune, selection, ..self.request.clone() }
    }

    fn fields(&self) -> Vec<Field> {
        let mut fields = Vec::new();
        if self.scopes.len() > 1 {
            fields.push(Field::Scope);
        }
        fields.push(Field::Prune);
        if self.confirmation.is_some() {
            fields.push(Field::Name);
        }
        fields.extend([Field::Sync, Field::Cancel]);
        fields
    }

    fn walk(&mut self, forward: bool) {
        let fields = self.fields();
        let at = fields.iter().position(|field| *field == self.field).unwrap_or_default();
        self.field = fields[turn(at, fields.len(), forward)];
    }

    fn toggle(&mut self, out: &mut Outbox) {
        if self.field == Field::Scope {
            self.scope = turn(self.scope, self.scopes.len(), true);
            self.state = State::Asked;
            out.ask(Ask::Plan { request: self.request() });
        } else {
            self.prune = !self.prune;
        }
    }

    fn sync(&self, model: &Model, out: &mut Outbox) {
        let refusal = match &self.state {
            State::Asked => Some("the plan is still being made".to_owned()),
            State::Failed(_) => Some("there is no plan to run".to_owned()),
            State::Ready(_) if self.confirmation.as_ref().is_some_and(|confirmation| !confirmation.is_right()) => {
                Some(format!("type {} first: the context is protected", model.app_name()))
            }
            State::Ready(planned) if planned.plan.tasks.is_empty() => Some("there is nothing to sync".to_owned()),
            State::Ready(_) => model.may(Action::Sync).err(),
        };
        match refusal {
            Some(reason) => out.say(Notice::bad(reason)),
            None => {
                out.ask(Ask::Sync { request: self.request() });
                out.wish(Wish::CloseDialog);
            }
        }
    }

    fn lines(&self, model: &Model) -> Vec<Vec<Piece>> {
        let mut lines = vec![place(model), Vec::new()];
        lines.extend(self.scope_lines());
        match &self.state {
            State::Asked => lines.push(labelled("plan", [("planning…".to_owned(), Role::Running)])),
            State::Failed(report) => lines.extend(report.iter().map(|line| vec![(line.clone(), Role::Bad)])),
            State::Ready(planned) => {
                lines.push(labelled("objects", [(objects(planned), Role::Text)]));
                lines.extend(hooks(&planned.plan));
                lines.push(self.prune_line(&planned.plan));
                lines.extend(warnings(planned));
            }
        }
        if let Some(confirmation) = &self.confirmation {
            lines.push(confirmation.line(self.field == Field::Name));
        }
        lines
    }

    fn scope_lines(&self) -> Vec<Vec<Piece>> {
        let line = |(at, scope): (usize, &Scope)| {
            let text = match scope {
                Scope::Everything if self.request.selection.is_none() => "everything".to_owned(),
                Scope::Everything => "what was named on the command line".to_owned(),
                Scope::Some { selection, how } => format!("{how} ({}), hooks are SKIPPED", selection.len()),
            };
            let dot = if at == self.scope { "(•) " } else { "( ) " };
            let focus = self.field == Field::Scope && at == self.scope;
            labelled(if at == 0 { "scope" } else { "" }, [(format!("{dot}{text}"), if focus { Role::Chosen } else { Role::Text })])
        };
        let mut lines: Vec<Vec<Piece>> = self.scopes.iter().enumerate().map(line).collect();
        if let Scope::Some { selection, .. } = &self.scopes[self.scope] {
            let names: Vec<String> =
                selection.iter().take(NAMES).map(|item| format!("{}/{}", short_kind(&item.kind), clean::text(&item.name))).collect();
            let more = if selection.len() > NAMES { format!(" +{}", selection.len() - NAMES) } else { String::new() };
            lines.push(labelled("", [(format!("    {}{more}", names.join(", ")), Role::Strong)]));
        }
        lines
    }

    fn prune_line(&self, plan: &Plan) -> Vec<Piece> {
        let tasks: Vec<&Task> = plan.tasks.iter().filter(|task| task.is_prune()).collect();
        let tick = if self.prune { "[x]" } else { "[ ]" };
        let role = if self.field == Field::Prune { Role::Chosen } else { Role::Text };
        let what = match tasks.len() {
            0 => "nothing to delete".to_owned(),
            count => format!("delete {count} object{} without a manifest: {}", if count == 1 { "" } else { "s" }, names(&tasks)),
        };
        let danger = if self.prune && !tasks.is_empty() { Role::Warn } else { Role::Text };
        labelled("prune", [(tick.to_owned(), role), (format!(" {what}"), danger)])
    }
}

fn place(model: &Model) -> Vec<Piece> {
    let Some(place) = &model.place else { return vec![(model.target.clone(), Role::Strong)] };
    let revision: String = place.revision.chars().take(7).collect();
    let role = if place.protected { Role::Protected } else { Role::Strong };
    vec![
        (format!("{}/{} → {revision}  into ", clean::text(&place.namespace), clean::text(&place.app)), Role::Strong),
        (clean::text(&place.context).into_owned(), role),
    ]
}

fn objects(planned: &Planned) -> String {
    let plan = &planned.plan;
    let applied = plan.tasks.iter().filter(|task| !task.is_hook() && !task.is_prune()).count();
    let count = |word: &str| planned.actions.values().filter(|action| action_word(action) == word).count();
    let refused = planned.actions.values().filter(|action| matches!(action, Planning::Refused(_))).count();
    let refused = if refused > 0 { format!(", {refused} REFUSED") } else { String::new() };
    format!("{applied}: {} create, {} change, {} unchanged{refused}", count("create"), count("configure"), count("unchanged"))
}

/// Which hooks will run, phase by phase, and what stays out.
fn hooks(plan: &Plan) -> Vec<Vec<Piece>> {
    let mut lines = Vec::new();
    for phase in Phase::OF_SYNC {
        let tasks: Vec<&Task> = plan.tasks.iter().filter(|task| task.is_hook() && task.id.phase == phase).collect();
        if !tasks.is_empty() {
            let armed = if phase == Phase::SyncFail { " (only if the sync fails)" } else { "" };
            let label = if lines.is_empty() { "hooks" } else { "" };
            lines.push(labelled(label, [(format!("{phase} {}: {}{armed}", tasks.len(), names(&tasks)), Role::Text)]));
        }
    }
    if lines.is_empty() {
        let text = if plan.selective { "none: a selective sync skips them" } else { "none" };
        lines.push(labelled("hooks", [(text.to_owned(), if plan.selective { Role::Warn } else { Role::Text })]));
    }
    if !plan.not_run.is_empty() {
        let left: Vec<&Task> = plan.not_run.iter().map(|left| &left.task).collect();
        lines.push(labelled("not run", [(format!("{}: {}", left.len(), names(&left)), Role::Dim)]));
    }
    lines
}

fn names(tasks: &[&Task]) -> String {
    let names: Vec<String> =
        tasks.iter().take(NAMES).map(|task| format!("{}/{}", short_kind(&task.id.key.kind), clean::text(&task.id.key.name))).collect();
    let more = if tasks.len() > NAMES { format!(" +{}", tasks.len() - NAMES) } else { String::new() };
    format!("{}{more}", names.join(", "))
}

fn warnings(planned: &Planned) -> Vec<Vec<Piece>> {
    let plan = &planned.plan;
    let invalid = plan.invalid.iter().map(|invalid| (format!("will fail: {}: {}", invalid.task.key.short(), invalid.message), Role::Bad));
    let warnings = plan.warnings.iter().map(|warning| {
        let about = warning.about.as_ref().map(|key| format!("{}: ", key.short())).unwrap_or_default();
        (format!("{about}{}", warning.message), Role::Warn)
    });
    let notes = planned.notes.iter().map(|note| (note.clone(), Role::Warn));
    let all: Vec<Piece> = invalid.chain(warnings).chain(notes).map(|(text, role)| (clean::text(&text).into_owned(), role)).collect();
    let more = all.len().saturating_sub(WARNINGS);
    let mut lines: Vec<Vec<Piece>> = all.into_iter().take(WARNINGS).map(|piece| vec![("! ".to_owned(), Role::Warn), piece]).collect();
    if more > 0 {
        lines.push(vec![(format!("! and {more} more; `syncwave plan` prints them all"), Role::Warn)]);
    }
    lines
}

impl Dialog for SyncDialog {
    fn update(&mut self, action: Action, model: &Model, out: &mut Outbox) {
        match (action, self.field) {
            (Action::NextPane, _) => self.walk(true),
            (Action::PreviousPane, _) => self.walk(false),
            (Action::Left | Action::Right, Field::Sync) => self.field = Field::Cancel,
            (Action::Left | Action::Right, Field::Cancel) => self.field = Field::Sync,
            (Action::Left | Action::Right, Field::Scope) | (Action::Mark, _) => self.toggle(out),
            (Action::Open, Field::Cancel) | (Action::No, _) => out.wish(Wish::CloseDialog),
            (Action::Open, Field::Scope | Field::Prune) => self.walk(true),
            (Action::Open | Action::Yes, _) => self.sync(model, out),
            _ => {}
        }
    }

    fn typed(&mut self, key: KeyEvent) -> bool {
        self.field == Field::Name && self.confirmation.as_mut().is_some_and(|confirmation| confirmation.typed(key))
    }

    fn pasted(&mut self, text: &str) {
        if let Some(confirmation) = self.confirmation.as_mut().filter(|_| self.field == Field::Name) {
            confirmation.pasted(text);
        }
    }

    fn planned(&mut self, planned: Result<Arc<Planned>, Vec<String>>) {
        self.state = match planned {
            Ok(planned) => State::Ready(planned),
            Err(report) => State::Failed(report),
        };
    }

    fn settle(&mut self, model: &Model) -> Option<String> {
        let begun = model.running().is_some() || model.busy == Some(Busy::Starting);
        begun.then(|| "a sync has begun meanwhile".to_owned())
    }

    fn draw(&self, model: &Model, area: Rect, buffer: &mut Buffer) {
        let title = if matches!(self.scopes[self.scope], Scope::Everything) { "Sync" } else { "Selective sync, without hooks" };
        let looks = Sheet {
            title,
            lines: &self.lines(model),
            buttons: &[("Sync", self.field == Field::Sync), ("Cancel", self.field == Field::Cancel)],
            hint: "tab choose · space switch prune or scope · enter confirm · esc cancel",
        };
        sheet(model.theme, &looks, area, buffer);
    }
}
