//! Asks before a sync: into which context, what will be applied, which hooks run, what would be pruned, and how. Asks the session for the
//! plan first and again whenever a choice changes it, so that what is confirmed is what was shown. What deletes or overwrites more than the
//! plan says is asked for a second time.

mod choices;
mod lines;

use std::collections::BTreeSet;
use std::sync::Arc;

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use self::choices::{Choices, Switch};
use super::{Confirmation, Dialog, Sheet, room, sheet, turn};
use crate::engine::session::{Ask, Planned};
use crate::operation::Request;
use crate::plan::Selector;
use crate::tui::action::Action;
use crate::tui::clean;
use crate::tui::model::{Busy, Model};
use crate::tui::views::diff::{DiffView, Opening};
use crate::tui::views::{Notice, Outbox, Wish};

/// What the sync is about.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scope {
    Everything,
    /// A selective sync: no hooks, unless they are asked for.
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
    /// It is being made; what was known before is still shown.
    Asked(Option<Arc<Planned>>),
    Ready(Arc<Planned>),
    Failed(Vec<String>),
}

/// Parts that can be chosen, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Scope,
    Switch(Switch),
    Name,
    Sync,
    Cancel,
}

/// Buttons of the second question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sure {
    Back,
    Go,
}

/// The question.
pub(crate) struct SyncDialog {
    scopes: Vec<Scope>,
    scope: usize,
    choices: Choices,
    state: State,
    field: Field,
    /// The second question, while it is asked.
    sure: Option<Sure>,
    confirmation: Option<Confirmation>,
    request: Request,
}

/// What a sync is proposed with.
pub(crate) struct Proposal {
    /// How its switches stand at first.
    pub(crate) request: Request,
    /// At most two.
    pub(crate) scopes: Vec<Scope>,
    /// Whether the second one is chosen.
    pub(crate) some: bool,
}

impl SyncDialog {
    /// Makes the question and asks for the plan. `scopes` are at most two; `some` chooses the second.
    pub(crate) fn new(model: &Model, scopes: Vec<Scope>, some: bool, out: &mut Outbox) -> Self {
        Self::of(Proposal { request: model.request.clone(), scopes, some }, model, out)
    }

    /// Makes the question of a proposal and asks for the plan.
    pub(crate) fn of(proposal: Proposal, model: &Model, out: &mut Outbox) -> Self {
        let Proposal { request, scopes, some } = proposal;
        let confirmation = Confirmation::new(model);
        let scope = if some { scopes.len().saturating_sub(1) } else { 0 };
        let choices = Choices::of(&request);
        let field = match &confirmation {
            Some(_) => Field::Name,
            None if choices.is_dangerous() => Field::Cancel,
            None => Field::Sync,
        };
        let dialog = Self { scopes, scope, choices, state: State::Asked(None), field, sure: None, confirmation, request };
        out.ask(Ask::Plan { request: dialog.request() });
        dialog
    }

    fn selection(&self) -> Option<&[Selector]> {
        match &self.scopes[self.scope] {
            Scope::Everything => self.request.selection.as_deref(),
            Scope::Some { selection, .. } => Some(selection),
        }
    }

    fn is_selective(&self) -> bool {
        self.selection().is_some()
    }

    fn request(&self) -> Request {
        let selection = self.selection().map(<[Selector]>::to_vec);
        self.choices.request(&Request { selection, ..self.request.clone() })
    }

    fn planned_so_far(&self) -> Option<&Planned> {
        match &self.state {
            State::Ready(planned) | State::Asked(Some(planned)) => Some(planned),
            State::Asked(None) | State::Failed(_) => None,
        }
    }

    fn fields(&self) -> Vec<Field> {
        let scope = (self.scopes.len() > 1).then_some(Field::Scope);
        let name = self.confirmation.as_ref().map(|_| Field::Name);
        let switches = Switch::ALL.into_iter().map(Field::Switch);
        scope.into_iter().chain(switches).chain(name).chain([Field::Sync, Field::Cancel]).collect()
    }

    fn walk(&mut self, forward: bool) {
        let fields = self.fields();
        let at = fields.iter().position(|field| *field == self.field).unwrap_or_default();
        self.field = fields[turn(at, fields.len(), forward)];
    }

    fn toggle(&mut self, out: &mut Outbox) {
        match self.field {
            Field::Scope => {
                self.scope = turn(self.scope, self.scopes.len(), true);
                self.plan_anew(out);
            }
            Field::Switch(switch) => {
                self.choices.turn(switch, self.is_selective());
                if switch.changes_plan() {
                    self.plan_anew(out);
                }
            }
            Field::Name | Field::Sync | Field::Cancel => {}
        }
    }

    fn plan_anew(&mut self, out: &mut Outbox) {
        let before = match std::mem::replace(&mut self.state, State::Asked(None)) {
            State::Ready(planned) | State::Asked(Some(planned)) => Some(planned),
            State::Asked(None) | State::Failed(_) => None,
        };
        self.state = State::Asked(before);
        out.ask(Ask::Plan { request: self.request() });
    }

    /// Shows what this very sync changes; the question waits meanwhile.
    fn open_diff(&self, out: &mut Outbox) {
        let opening = Opening { request: self.request(), task: None, marks: BTreeSet::new(), has_dialog: true };
        let view = DiffView::new(opening, out);
        out.wish(Wish::OpenAside(Box::new(view)));
    }

    /// Why it cannot start now.
    fn refusal(&self, model: &Model) -> Option<String> {
        match &self.state {
            State::Asked(_) => Some("the plan is still being made".to_owned()),
            State::Failed(_) => Some("there is no plan to run".to_owned()),
            State::Ready(_) if self.confirmation.as_ref().is_some_and(|confirmation| !confirmation.is_right()) => {
                Some(format!("type {} first: the context is protected", model.app_name()))
            }
            State::Ready(planned) if planned.blocked.is_some() => planned.blocked.as_deref().map(|text| clean::text(text).into_owned()),
            State::Ready(planned) if planned.plan.tasks.is_empty() => Some("there is nothing to sync".to_owned()),
            State::Ready(_) => model.may(Action::Sync).err(),
        }
    }

    /// Starts the sync, or asks the second question first.
    fn sync(&mut self, model: &Model, out: &mut Outbox) {
        if let Some(reason) = self.refusal(model) {
            return out.say(Notice::bad(reason));
        }
        let is_risky = self.planned_so_far().is_some_and(|planned| !lines::risks(&self.choices, planned).is_empty());
        if is_risky && self.sure.is_none() {
            self.sure = Some(Sure::Back);
            return;
        }
        out.ask(Ask::Sync { request: self.request() });
        out.wish(Wish::CloseDialog);
    }

    /// Obeys a verb while the second question is asked. A held key never answers it: its button has to be chosen.
    fn update_sure(&mut self, sure: Sure, action: Action, model: &Model, out: &mut Outbox) {
        match action {
            Action::NextPane | Action::PreviousPane | Action::Left | Action::Right => {
                self.sure = Some(if sure == Sure::Back { Sure::Go } else { Sure::Back });
            }
            Action::Open if sure == Sure::Go => self.sync(model, out),
            Action::Open | Action::No => self.sure = None,
            _ => {}
        }
    }

    fn draw_sure(&self, sure: Sure, planned: &Planned, model: &Model, area: Rect, buffer: &mut Buffer) {
        let go = lines::button(&self.choices, planned);
        let looks = Sheet {
            title: "Really?",
            lines: &lines::sure(model, &self.choices, planned),
            focus: 0,
            buttons: &[("Back", sure == Sure::Back), (&go, sure == Sure::Go)],
            hint: "tab/←→ choose · enter confirm · n/esc back",
        };
        sheet(model.theme, &looks, area, buffer);
    }

    fn title(&self) -> &'static str {
        match (self.choices.dry_run, self.is_selective(), self.choices.runs_hooks(self.is_selective())) {
            (true, false, _) => "Dry run",
            (true, true, _) => "Selective dry run",
            (false, true, false) => "Selective sync, without hooks",
            (false, true, true) => "Selective sync, with hooks",
            (false, false, true) => "Sync",
            (false, false, false) => "Sync, without hooks",
        }
    }
}

impl Dialog for SyncDialog {
    fn update(&mut self, action: Action, model: &Model, out: &mut Outbox) {
        if let Some(sure) = self.sure {
            return self.update_sure(sure, action, model, out);
        }
        match (action, self.field) {
            (Action::NextPane, _) => self.walk(true),
            (Action::PreviousPane, _) => self.walk(false),
            (Action::Left | Action::Right, Field::Sync) => self.field = Field::Cancel,
            (Action::Left | Action::Right, Field::Cancel) => self.field = Field::Sync,
            (Action::Left | Action::Right, Field::Scope) | (Action::Mark, _) => self.toggle(out),
            (Action::Open, Field::Cancel) | (Action::No, _) => out.wish(Wish::CloseDialog),
            (Action::Open, Field::Scope | Field::Switch(_)) => self.walk(true),
            (Action::Diff, _) => self.open_diff(out),
            (Action::Open | Action::Yes, _) => self.sync(model, out),
            _ => {}
        }
    }

    fn typed(&mut self, key: KeyEvent) -> bool {
        let is_open = self.field == Field::Name && self.sure.is_none();
        is_open && self.confirmation.as_mut().is_some_and(|confirmation| confirmation.typed(key))
    }

    fn pasted(&mut self, text: &str) {
        if let Some(confirmation) = self.confirmation.as_mut().filter(|_| self.field == Field::Name && self.sure.is_none()) {
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
        if let (Some(sure), Some(planned)) = (self.sure, self.planned_so_far()) {
            return self.draw_sure(sure, planned, model, area, buffer);
        }
        let (lines, focus) = self.lines(model, room(area));
        let button = self.planned_so_far().map_or_else(|| "Sync".to_owned(), |planned| lines::button(&self.choices, planned));
        let looks = Sheet {
            title: self.title(),
            lines: &lines,
            focus,
            buttons: &[(&button, self.field == Field::Sync), ("Cancel", self.field == Field::Cancel)],
            hint: "tab next · space switch · d diff · enter go · esc cancel",
        };
        sheet(model.theme, &looks, area, buffer);
    }
}
