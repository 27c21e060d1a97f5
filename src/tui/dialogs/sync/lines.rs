//! The words of the sync dialog: what each choice would do, in names and numbers, as short as the room asks for.

use super::choices::{Choices, SWITCHED, Switch};
use super::{Field, Scope, State, SyncDialog};
use crate::engine::session::{Action as Planning, Planned};
use crate::model::{Phase, Role as TaskRole, Task};
use crate::operation::Request;
use crate::operation::verdict::short_time;
use crate::plan::{Hooks, Plan};
use crate::tui::clean;
use crate::tui::dialogs::{Piece, labelled, wrapped};
use crate::tui::model::Model;
use crate::tui::row::short_kind;
use crate::tui::theme::Role;

/// How many warnings are shown.
const WARNINGS: usize = 3;
/// How many names are spelt out in a list.
const NAMES: usize = 3;
/// Columns beside a label.
const WIDTH: usize = 62;

/// Lines as they grow, and which of them holds the chosen field.
#[derive(Default)]
struct Page {
    lines: Vec<Vec<Piece>>,
    focus: usize,
}

impl Page {
    fn put(&mut self, line: Vec<Piece>) {
        self.lines.push(line);
    }

    fn put_field(&mut self, is_chosen: bool, line: Vec<Piece>) {
        if is_chosen {
            self.focus = self.lines.len();
        }
        self.put(line);
    }
}

impl SyncDialog {
    /// Returns the lines and the one to be kept in sight. Everything is said if there is room for it, else the names of hooks go first.
    pub(super) fn lines(&self, model: &Model, room: usize) -> (Vec<Vec<Piece>>, usize) {
        let whole = self.page(model, false);
        let page = if whole.lines.len() > room { self.page(model, true) } else { whole };
        (page.lines, page.focus)
    }

    fn page(&self, model: &Model, compact: bool) -> Page {
        let mut page = Page::default();
        page.put(place(model));
        if !compact {
            page.put(Vec::new());
        }
        self.put_scopes(&mut page);
        if let State::Failed(report) = &self.state {
            report.iter().for_each(|line| page.put(vec![(line.clone(), Role::Bad)]));
        } else {
            page.put(self.objects_line());
            self.effects_lines(compact).into_iter().for_each(|line| page.put(line));
        }
        self.put_hooks(&mut page, compact);
        self.put_switches(&mut page, model);
        also(&self.request).into_iter().for_each(|line| page.put(line));
        if let Some(planned) = self.planned_so_far() {
            blocked(planned).into_iter().for_each(|line| page.put(line));
            warnings(planned, if compact { 1 } else { WARNINGS }).into_iter().for_each(|line| page.put(line));
        }
        if let Some(confirmation) = &self.confirmation {
            page.put_field(self.field == Field::Name, confirmation.line(self.field == Field::Name));
        }
        if matches!(self.field, Field::Sync | Field::Cancel) {
            page.focus = 0;
        }
        page
    }

    fn put_scopes(&self, page: &mut Page) {
        for (at, scope) in self.scopes.iter().enumerate() {
            let text = match scope {
                Scope::Everything if self.request.selection.is_none() => "everything".to_owned(),
                Scope::Everything => "what was named on the command line".to_owned(),
                Scope::Some { selection, how } => {
                    let names: Vec<String> = selection
                        .iter()
                        .take(NAMES)
                        .map(|item| format!("{}/{}", short_kind(&item.kind), clean::text(&item.name)))
                        .collect();
                    format!("{how} ({}): {}{}", selection.len(), names.join(", "), more(selection.len()))
                }
            };
            let dot = if at == self.scope { "(•) " } else { "( ) " };
            let is_chosen = self.field == Field::Scope && at == self.scope;
            let role = if is_chosen { Role::Chosen } else { Role::Text };
            page.put_field(is_chosen, labelled(if at == 0 { "scope" } else { "" }, [(dot.to_owned(), role), (text, Role::Text)]));
        }
    }

    fn objects_line(&self) -> Vec<Piece> {
        let planning = ("planning…".to_owned(), Role::Running);
        match &self.state {
            State::Asked(None) => labelled("plan", [planning]),
            State::Asked(Some(planned)) => labelled("objects", [planning, (format!("  was {}", objects(planned)), Role::Dim)]),
            State::Ready(planned) => labelled("objects", [(objects(planned), Role::Text)]),
            State::Failed(_) => Vec::new(),
        }
    }

    /// What happens beyond the objects themselves, as the switches stand.
    fn effects_lines(&self, compact: bool) -> Vec<Vec<Piece>> {
        let Some(planned) = self.planned_so_far().filter(|_| !self.choices.dry_run) else { return Vec::new() };
        let tally = planned.tally(Some(self.choices.prune));
        // How many are deleted says the line of the switch.
        if tally.rolled == 0 && tally.recreated.objects == 0 && tally.deleted.with_children().is_empty() {
            return Vec::new();
        }
        let text = tally.consequences();
        let lines = if compact { vec![text] } else { wrapped(&text, WIDTH) };
        lines.into_iter().enumerate().map(|(at, line)| labelled(if at == 0 { "effects" } else { "" }, [(line, Role::Warn)])).collect()
    }

    fn put_hooks(&self, page: &mut Page, compact: bool) {
        let is_on = self.choices.runs_hooks(self.is_selective());
        let Some(planned) = self.planned_so_far() else {
            return page.put_field(self.is_at(Switch::Hooks), self.switch("hooks", Switch::Hooks, "run", Role::Text));
        };
        let phases = hooks(&planned.plan);
        let (text, role) = match (is_on, self.is_selective(), phases.as_slice()) {
            (false, true, _) => ("run  none: a selective sync skips them".to_owned(), Role::Warn),
            (false, false, _) => ("run  none: they are SKIPPED".to_owned(), Role::Warn),
            (true, _, []) => ("run  there are none".to_owned(), Role::Text),
            (true, _, phases) if compact => {
                let short: Vec<String> = phases.iter().map(|(phase, tasks, _)| format!("{phase} {}", tasks.len())).collect();
                (format!("run  {}", short.join(" · ")), Role::Text)
            }
            (true, _, [(phase, tasks, armed), ..]) => (format!("run  {}", hook_line(*phase, tasks, armed)), Role::Text),
        };
        page.put_field(self.is_at(Switch::Hooks), self.switch("hooks", Switch::Hooks, &text, role));
        if is_on && !compact {
            for (phase, tasks, armed) in phases.iter().skip(1) {
                page.put(labelled("", [(format!("         {}", hook_line(*phase, tasks, armed)), Role::Text)]));
            }
        }
        if !planned.plan.not_run.is_empty() {
            let left: Vec<&Task> = planned.plan.not_run.iter().map(|left| &left.task).collect();
            page.put(labelled("not run", [(format!("{}: {}", left.len(), names(&left)), Role::Dim)]));
        }
    }

    fn put_switches(&self, page: &mut Page, model: &Model) {
        let (prune, role) = self.prune_words();
        page.put_field(self.is_at(Switch::Prune), self.switch("prune", Switch::Prune, &prune, role));
        let dry = if self.choices.dry_run { Role::Strong } else { Role::Text };
        page.put_field(
            self.is_at(Switch::DryRun),
            self.switch("dry run", Switch::DryRun, "write NOTHING; the server says what each task would do", dry),
        );
        for (label, switch, is_on, words) in [
            ("force", Switch::Force, self.choices.force, "delete and create again what cannot be changed"),
            ("replace", Switch::Replace, self.choices.replace, "replace whole objects instead of applying"),
        ] {
            let role = if is_on { Role::Warn } else { Role::Text };
            // The word comes first: what does not fit into a narrow dialog is cut at its end.
            let mut line = self.switch(label, switch, "DANGER ", if is_on { Role::Bad } else { Role::Dim });
            line.push((words.to_owned(), role));
            page.put_field(self.is_at(switch), line);
        }
        let namespace = model.place.as_ref().map(|place| clean::text(&place.namespace).into_owned()).unwrap_or_default();
        let mut options = self.switch("options", Switch::ServerSide, "server-side apply   ", Role::Text);
        options.extend(self.box_of(Switch::Namespace));
        options.push((format!("create namespace {namespace}"), Role::Text));
        page.put_field(self.is_at(Switch::ServerSide) || self.is_at(Switch::Namespace), options);
    }

    fn prune_words(&self) -> (String, Role) {
        let Some(planned) = self.planned_so_far() else { return ("delete what no manifest asks for".to_owned(), Role::Text) };
        let tasks = prunes(&planned.plan);
        if tasks.is_empty() {
            return ("nothing to delete".to_owned(), Role::Text);
        }
        let role = if self.choices.prune && !self.choices.dry_run { Role::Warn } else { Role::Text };
        (format!("delete {} without a manifest: {}", count(tasks.len(), "object"), names(&tasks)), role)
    }

    fn is_at(&self, switch: Switch) -> bool {
        self.field == Field::Switch(switch)
    }

    fn box_of(&self, switch: Switch) -> [Piece; 2] {
        let tick = if self.choices.is_on(switch, self.is_selective()) { "[x]" } else { "[ ]" };
        [(tick.to_owned(), if self.is_at(switch) { Role::Chosen } else { Role::Text }), (" ".to_owned(), Role::Text)]
    }

    fn switch(&self, label: &str, switch: Switch, words: &str, role: Role) -> Vec<Piece> {
        labelled(label, self.box_of(switch).into_iter().chain([(words.to_owned(), role)]))
    }
}

fn place(model: &Model) -> Vec<Piece> {
    let Some(place) = &model.place else { return vec![(clean::text(&model.target).into_owned(), Role::Strong)] };
    let revision: String = place.revision.chars().take(7).collect();
    let role = if place.protected { Role::Protected } else { Role::Strong };
    vec![
        (format!("{}/{} → {}  into ", clean::text(&place.namespace), clean::text(&place.app), clean::text(&revision)), Role::Strong),
        (clean::text(&place.context).into_owned(), role),
    ]
}

fn objects(planned: &Planned) -> String {
    let plan = &planned.plan;
    let applied = plan.tasks.iter().filter(|task| !task.is_hook() && !task.is_prune()).count();
    let count = |word: &str| planned.actions.values().filter(|action| action.as_str() == word).count();
    let refused = planned.actions.values().filter(|action| matches!(action, Planning::Refused(_))).count();
    let refused = if refused > 0 { format!(", {refused} REFUSED") } else { String::new() };
    format!("{applied}: {} create, {} change, {} unchanged{refused}", count("create"), count("configure"), count("unchanged"))
}

/// The hooks of each phase that has some.
fn hooks(plan: &Plan) -> Vec<(Phase, Vec<&Task>, &'static str)> {
    let of = |phase: Phase| plan.tasks.iter().filter(move |task| task.is_hook() && task.id.phase == phase).collect::<Vec<_>>();
    let armed = |phase: Phase| if phase == Phase::SyncFail { " (only if the sync fails)" } else { "" };
    Phase::OF_SYNC.into_iter().map(|phase| (phase, of(phase), armed(phase))).filter(|(_, tasks, _)| !tasks.is_empty()).collect()
}

fn hook_line(phase: Phase, tasks: &[&Task], armed: &str) -> String {
    format!("{phase} {}: {}{armed}", tasks.len(), names(tasks))
}

fn prunes(plan: &Plan) -> Vec<&Task> {
    plan.tasks.iter().filter(|task| task.is_prune()).collect()
}

fn names(tasks: &[&Task]) -> String {
    let names: Vec<String> =
        tasks.iter().take(NAMES).map(|task| format!("{}/{}", short_kind(&task.id.key.kind), clean::text(&task.id.key.name))).collect();
    format!("{}{}", names.join(", "), more(tasks.len()))
}

fn more(count: usize) -> String {
    if count > NAMES { format!(" +{}", count - NAMES) } else { String::new() }
}

fn count(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

/// What is in force without a switch here: from the command line and the configuration.
fn also(request: &Request) -> Vec<Vec<Piece>> {
    let time = |time| jiff::SignedDuration::try_from(time).map(short_time).unwrap_or_default();
    let mut words = Vec::new();
    if request.retry.allows(0) {
        let times = request.retry.limit.map_or_else(|| "without end".to_owned(), |limit| format!("{limit}×"));
        words.push(format!("retry {times}, first after {}", time(request.retry.duration)));
    }
    for (of, limit) in [("operation", request.limits.operation), ("phase", request.limits.phase), ("hook", request.limits.hook)] {
        words.extend(limit.map(|limit| format!("limit of {} {of} {}", if of == "operation" { "the" } else { "a" }, time(limit))));
    }
    words.extend(request.pause_before.iter().map(|point| match point.wave {
        Some(wave) => format!("pause before {} wave {wave}", point.phase),
        None => format!("pause before {}", point.phase),
    }));
    if !request.wave_delay.is_zero() {
        words.push(format!("{} between waves", time(request.wave_delay)));
    }
    words.extend(request.skip_hooks.iter().map(|hook| format!("without hooks {hook}")));
    words.extend(request.options.items().iter().filter(|item| !SWITCHED.contains(&item.as_str())).cloned());
    if request.take_over {
        words.push("TAKES OVER what Argo CD owns".to_owned());
    }
    if request.hooks == Hooks::Always && request.selection.is_none() {
        words.push("hooks in a selective sync too".to_owned());
    }
    listed(&words)
}

/// As many words on a line as fit.
fn listed(words: &[String]) -> Vec<Vec<Piece>> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        let word = clean::text(word);
        match lines.last_mut() {
            Some(line) if clean::columns(line) + clean::columns(&word) + 3 <= WIDTH => {
                line.push_str(" · ");
                line.push_str(&word);
            }
            Some(_) | None => lines.push(word.into_owned()),
        }
    }
    lines.into_iter().enumerate().map(|(at, line)| labelled(if at == 0 { "also" } else { "" }, [(line, Role::Text)])).collect()
}

/// Why no sync may begin, and from when on it may: the whole sentence.
fn blocked(planned: &Planned) -> Vec<Vec<Piece>> {
    let text = planned.blocked.as_deref().map(clean::text).unwrap_or_default();
    let lines = if text.is_empty() { Vec::new() } else { wrapped(&text, WIDTH) };
    lines.into_iter().enumerate().map(|(at, line)| labelled(if at == 0 { "NOT NOW" } else { "" }, [(line, Role::Bad)])).collect()
}

fn warnings(planned: &Planned, most: usize) -> Vec<Vec<Piece>> {
    let plan = &planned.plan;
    let invalid = plan.invalid.iter().map(|invalid| (format!("will fail: {}: {}", invalid.task.key.short(), invalid.message), Role::Bad));
    let warnings = plan.warnings.iter().map(|warning| {
        let about = warning.about.as_ref().map(|key| format!("{}: ", key.short())).unwrap_or_default();
        (format!("{about}{}", warning.message), Role::Warn)
    });
    let notes = planned.notes.iter().map(|note| (note.clone(), Role::Warn));
    let all: Vec<Piece> = invalid.chain(warnings).chain(notes).map(|(text, role)| (clean::text(&text).into_owned(), role)).collect();
    let more = all.len().saturating_sub(most);
    let mut lines: Vec<Vec<Piece>> = all.into_iter().take(most).map(|piece| vec![("! ".to_owned(), Role::Warn), piece]).collect();
    if more > 0 {
        lines.push(vec![(format!("! and {more} more; `syncwave plan` prints them all"), Role::Warn)]);
    }
    lines
}

/// Returns the name of the button that goes ahead: what will happen.
pub(super) fn button(choices: &Choices, planned: &Planned) -> String {
    if choices.dry_run {
        return "Dry run".to_owned();
    }
    let how = match (choices.force, choices.replace) {
        (true, true) => "Sync with force and replace",
        (true, false) => "Sync with force",
        (false, true) => "Sync with replace",
        (false, false) => "Sync",
    };
    match prunes(&planned.plan).len() {
        deleted if choices.prune && deleted > 0 => format!("{how}, delete {deleted}"),
        _ => how.to_owned(),
    }
}

/// Returns what may happen beyond what the plan says; each needs a second yes.
pub(super) fn risks(choices: &Choices, planned: &Planned) -> Vec<(&'static str, String)> {
    let plan = &planned.plan;
    let mut risks = Vec::new();
    if choices.dry_run {
        return risks;
    }
    if choices.force {
        risks.push(("force", "what the server refuses to change is DELETED and created again".to_owned()));
        risks.push(("", "with its pods, and with data that goes when it goes".to_owned()));
    }
    if choices.replace {
        risks.push(("replace", "whole objects are overwritten: fields that others have set".to_owned()));
        risks.push(("", "(replicas of an autoscaler, say) are lost".to_owned()));
    }
    let deleted = prunes(plan).len();
    if choices.prune && deleted > 0 && !plan.tasks.iter().any(|task| task.id.role == TaskRole::Apply) {
        risks.push(("prune", format!("EVERYTHING of the app is deleted: {}", count(deleted, "object"))));
        risks.push(("", "no manifest asks for any object".to_owned()));
    }
    risks
}

/// Returns the lines of the second question.
pub(super) fn sure(model: &Model, choices: &Choices, planned: &Planned) -> Vec<Vec<Piece>> {
    let mut lines = vec![place(model), Vec::new()];
    lines.extend(risks(choices, planned).into_iter().map(|(label, text)| labelled(label, [(text, Role::Warn)])));
    lines.push(Vec::new());
    let touched: Vec<&Task> = planned
        .plan
        .tasks
        .iter()
        .filter(|task| task.id.role == TaskRole::Apply)
        .filter(|task| !matches!(planned.actions.get(&task.id), Some(Planning::Unchanged | Planning::Create)))
        .collect();
    let text = if touched.is_empty() {
        "nothing that is there now".to_owned()
    } else {
        format!("{}: {}", count(touched.len(), "object"), names(&touched))
    };
    lines.push(labelled("concerns", [(text, Role::Text)]));
    let deleted = prunes(&planned.plan);
    if choices.prune && !deleted.is_empty() {
        lines.push(labelled("deletes", [(format!("{}: {}", count(deleted.len(), "object"), names(&deleted)), Role::Warn)]));
    }
    lines
}
