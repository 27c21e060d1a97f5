//! What a plan would change: for each task the action, and both sides of the object compared. Asks the server for dry runs; where it may
//! not be asked, compares here, and says so. Writes nothing.

mod defined;
mod spared;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::StreamExt as _;
use serde_json::Value;

use self::spared::Would;
use super::candidates::NAMED;
use super::children;
use super::gathered::Gathered;
use super::neighbours;
use super::prepare::Prepared;
use super::respect;
use super::seals::{Seals, Sent};
use super::session::{Action, Planned};
use crate::cluster::apply::Spot;
use crate::cluster::beside::is_final;
use crate::cluster::foresee::{Foreseen, Glimpse, Prospect};
use crate::cluster::outgoing::outgoing;
use crate::cluster::{CallError, Cluster, Reporter, Resource, Snapshot, hints};
use crate::model::{DeletePolicy, Mode, Object, ResourceKey, Role, Task, TaskId, Verb};
use crate::operation::Request;
use crate::plan::diff::{self, Difference, IgnoreFields, NoRules, Sides};
use crate::plan::impact::{self, Facts, Impact, Outside, Scene, Terms};
use crate::plan::{Kind, Plan};

/// How many objects are looked at at once.
const AT_ONCE: usize = 32;

/// How closely a plan is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// What a plan says: what stays as it is needs no second look, and of a hook only whether it can run.
    Plan,
    /// Everything is compared, hooks with the live ones.
    Diff,
}

/// What was found out about a task.
#[derive(Debug)]
struct Look {
    action: Action,
    difference: Option<Difference>,
    approximate: Option<String>,
    notes: Vec<String>,
    /// What the server would do now with what the sync does not send.
    would: Option<String>,
    /// What the comparison does not show of the live object.
    facts: Option<Facts>,
}

impl Look {
    fn only(action: Action) -> Self {
        Self { action, difference: None, approximate: None, notes: Vec::new(), would: None, facts: None }
    }
}

/// Finds out what each task would change.
pub(super) async fn preview(prepared: Prepared, request: &Request, depth: Depth) -> Planned {
    let Prepared { place, plan, notes, connected, seals, .. } = prepared;
    let read = plan.tasks.iter().filter(|task| plan.kind == Kind::Sync && !task.is_hook());
    let gathered = Gathered::of(&connected.cluster, read).await;
    let eye = Eye {
        cluster: &connected.cluster,
        plan: &plan,
        request,
        depth,
        gathered,
        seals: seals.as_deref(),
        definitions: Definitions::default(),
    };
    let (eye, tasks) = (&eye, &plan.tasks);
    // A look is made when its turn comes: thousands of them at once would be megabytes.
    let looks = (0..tasks.len()).map(|at| async move { (tasks[at].id.clone(), eye.look(&tasks[at]).await) });
    let mut looks = futures::stream::iter(looks).buffer_unordered(AT_ONCE);
    let mut planned = Planned::new(place, plan.clone(), notes);
    let (mut told, mut facts, mut would) = (BTreeSet::new(), BTreeMap::new(), Would::default());
    while let Some((id, look)) = looks.next().await {
        planned.approximate.extend(look.approximate.map(|why| (id.clone(), why)));
        told.extend(look.difference.iter().flat_map(|difference| difference.problems.iter().cloned()));
        planned.differences.extend(look.difference.map(|difference| (id.clone(), Arc::new(difference))));
        told.extend(look.notes);
        would.add(&id, look.would);
        facts.extend(look.facts.filter(|_| look.action != Action::Unchanged).map(|facts| (id.clone(), facts)));
        planned.actions.insert(id, look.action);
    }
    planned.notes.extend(told.into_iter().chain(would.notes()));
    drop(looks);
    planned.effects = effects(&connected.cluster, &planned, request, facts).await;
    planned
}

async fn effects(
    cluster: &Cluster,
    planned: &Planned,
    request: &Request,
    mut facts: BTreeMap<TaskId, Facts>,
) -> BTreeMap<TaskId, Vec<Impact>> {
    let terms = Terms { options: &request.options, prunes: request.prune, approved: &request.approved };
    let Planned { plan, actions, differences, .. } = planned;
    let draft = Scene { plan, actions, differences, facts: &BTreeMap::new(), outside: &Outside::default(), terms };
    let fed = impact::fed_namespaces(&draft);
    let ((), outside) = futures::join!(children::count(cluster, planned, terms, &mut facts), neighbours::look(cluster, plan, fed));
    impact::impacts(&Scene { plan, actions, differences, facts: &facts, outside: &outside, terms })
}

/// Returns the objects that an apply would not change, as the server's dry run says, or only in what is ignored (spec R730).
pub(super) async fn unmodified(cluster: &Cluster, plan: &Plan, request: &Request, seals: Option<&Seals>) -> BTreeSet<ResourceKey> {
    let tasks: Vec<&Task> = plan.tasks.iter().filter(|task| task.id.role == Role::Apply && !task.automatic).collect();
    let gathered = Gathered::of(cluster, tasks.iter().copied()).await;
    let (eye, tasks) = (&Eye { cluster, plan, request, depth: Depth::Plan, gathered, seals, definitions: Definitions::default() }, &tasks);
    let looks = (0..tasks.len()).map(|at| async move { (tasks[at].id.key.clone(), eye.look(tasks[at]).await) });
    let looks = futures::stream::iter(looks).buffer_unordered(AT_ONCE);
    let only_ignored = |difference: &Difference| difference.is_empty() && !difference.ignored.is_empty();
    let is_as_it_should_be = |look: &Look| {
        look.action == Action::Unchanged || look.action == Action::Configure && look.difference.as_ref().is_some_and(only_ignored)
    };
    looks.filter_map(|(key, look)| std::future::ready(is_as_it_should_be(&look).then_some(key))).collect().await
}

type Definitions = tokio::sync::Mutex<BTreeMap<ResourceKey, Option<Object>>>;

/// Looks at the tasks of one plan.
struct Eye<'a> {
    cluster: &'a Cluster,
    plan: &'a Plan,
    request: &'a Request,
    depth: Depth,
    gathered: Gathered,
    /// What says that the sync sends nothing; `None`: the server is asked about every object.
    seals: Option<&'a Seals>,
    /// Definitions of the plan as they are live, as far as one was needed.
    definitions: Definitions,
}

impl Eye<'_> {
    async fn look(&self, task: &Task) -> Look {
        if let Some(invalid) = self.plan.invalid.iter().find(|invalid| invalid.task == task.id) {
            return Look::only(Action::Refused(invalid.message.clone()));
        }
        match (task.id.role, &task.target) {
            (Role::Hook, Some(target)) => self.hook(task, target).await,
            (Role::Hook, None) => Look::only(Action::Run),
            (Role::Prune, _) if self.plan.kind == Kind::Sync => self.prune(task).await,
            (Role::Prune, _) => Look::only(Action::Prune),
            (Role::Apply, None) => Look::only(Action::Unknown("the plan has no manifest for it".to_owned())),
            (Role::Apply, Some(target)) if task.id.key.name.is_empty() => self.nameless(task, target),
            (Role::Apply, Some(target)) => self.apply(task, target).await,
        }
    }

    fn mode(&self, task: &Task, live: &[String]) -> Mode {
        Mode::of(&self.request.options, self.request.force, &task.traits.options, live)
    }

    /// Returns what was asked for of a task and does nothing.
    fn idle(&self, task: &Task, live: Option<&Object>) -> Option<String> {
        self.mode(task, &options_of(live)).idle().map(str::to_owned)
    }

    /// With `Replace=true` the server names it anew in each sync (spec R307).
    fn nameless(&self, task: &Task, target: &Object) -> Look {
        if self.mode(task, &[]).verb == Verb::Replace && !target.generate_name().is_empty() {
            let why = "the server names it anew in each sync";
            return Look { approximate: Some(why.to_owned()), ..created(target) };
        }
        Look::only(Action::Refused("resource name may not be empty".to_owned()))
    }

    async fn prune(&self, task: &Task) -> Look {
        let Some(resource) = self.cluster.known_resource(&task.gvk()) else { return Look::only(Action::Prune) };
        match self.live(spot(&resource, task), &task.id.key).await {
            Ok(Some(live)) => {
                let (difference, facts) = (compared(Some(live.wire()), None, &NoRules), Facts::of(live.wire()));
                Look { difference: Some(difference), facts: Some(facts), ..Look::only(Action::Prune) }
            }
            Ok(None) => Look::only(Action::Prune),
            Err(error) => Look { approximate: Some(format!("it cannot be read: {error}")), ..Look::only(Action::Prune) },
        }
    }

    /// A hook is run anew: said of it is what the server refuses, and what is different from the live one, if that is still there.
    async fn hook(&self, task: &Task, target: &Object) -> Look {
        let Some(resource) = self.cluster.known_resource(&task.gvk()).filter(|_| !task.id.key.name.is_empty()) else {
            return Look::only(Action::Run);
        };
        let spot = spot(&resource, task);
        // A deletion takes away what has the name of a hook, whatever its policy (spec R1111).
        let is_anew = self.plan.kind == Kind::Delete || task.delete_policies().contains(&DeletePolicy::BeforeHookCreation);
        let foreseen = if is_anew {
            self.cluster.foresee_anew(spot, target, "the hook of the last run is deleted first", |live| self.mode(task, live)).await
        } else {
            self.cluster.foresee(spot, target, Glimpse::Unseen, |live| self.mode(task, live)).await
        };
        let foreseen = self.by_definition(task, target, foreseen).await;
        // Somebody else's refusal may be about what comes before the hook in this very sync.
        if matches!(&foreseen.prospect, Prospect::Refused(error) if is_final(error)) && !foreseen.live.as_ref().is_some_and(is_leaving) {
            return self.judged(task, target, foreseen);
        }
        let leaving = |live: &Object| leaving(&task.id.key, live, "the hook is made anew when it is gone");
        let idle = self.idle(task, foreseen.live.as_ref());
        let notes = foreseen.live.as_ref().and_then(leaving).into_iter().chain(left_out(&task.id.key, &foreseen)).chain(idle);
        let notes = notes.chain(denied(&task.id.key, &foreseen)).collect();
        let run = Look { notes, ..Look::only(Action::Run) };
        let Some(live) = foreseen.live.as_ref().filter(|_| self.depth == Depth::Diff) else { return run };
        let (difference, approximate) = self.both_sides(task, (live, target), &foreseen);
        Look { difference: Some(difference), approximate, ..run }
    }

    async fn apply(&self, task: &Task, target: &Object) -> Look {
        let Some(resource) = self.cluster.known_resource(&task.gvk()) else {
            let why = format!("it cannot be tried before {} is served, which comes with this sync", task.gvk().kind);
            return Look { approximate: Some(why), notes: self.misfits(task, target).into_iter().collect(), ..created(target) };
        };
        let spot = spot(&resource, task);
        let target = &self.sent(task, target, spot).await;
        let mut glimpse = self.gathered.glimpse(&task.id.key);
        if let Some(seals) = self.seals.filter(|seals| seals.know(&task.id.key)) {
            // What cannot be read is told by the look that follows.
            let live = self.live(spot, &task.id.key).await.ok().flatten();
            // A plan tells what the sync sends; a diff asks the server about everything.
            if self.depth == Depth::Plan && live.as_ref().is_some_and(|live| self.is_spared(seals, (task, target), live)) {
                return Look::only(Action::Unchanged);
            }
            glimpse = live.map_or(glimpse, Glimpse::Live);
        }
        let foreseen = self.cluster.foresee(spot, target, glimpse, |live| self.mode(task, live)).await;
        let foreseen = self.by_definition(task, target, foreseen).await;
        if let Prospect::Refused(error) = &foreseen.prospect
            && error.is_not_found()
            && self.creates_namespace(&task.id.key.namespace)
        {
            let why = format!("it cannot be tried before Namespace {} is there, which comes with this sync", task.id.key.namespace);
            return Look { approximate: Some(why), ..created(target) };
        }
        let leaving = foreseen.live.as_ref().and_then(|live| leaving(&task.id.key, live, "what the sync writes into it goes with it"));
        let idle = self.idle(task, foreseen.live.as_ref());
        let notes = leaving.into_iter().chain(left_out(&task.id.key, &foreseen)).chain(idle).collect();
        let facts = foreseen.live.as_ref().map(|live| Facts::of(live.wire()));
        let spared = foreseen.live.clone().filter(|live| self.seals.is_some_and(|seals| self.is_spared(seals, (task, target), live)));
        let look = Look { notes, facts, ..self.judged(task, target, foreseen) };
        match spared {
            Some(live) => spared::spared(look, &live, &self.request.ignore.about(&task.id.key)),
            None => look,
        }
    }

    /// Returns the live object, as it was seen already or as it is now.
    async fn live(&self, spot: Spot<'_>, key: &ResourceKey) -> Result<Option<Object>, CallError> {
        match self.gathered.glimpse(key) {
            Glimpse::Unseen => self.cluster.get(spot, &Reporter::default()).await,
            Glimpse::Absent => Ok(None),
            Glimpse::Live(live) => Ok(Some(live)),
        }
    }

    /// Returns whether the sync finds that it has nothing to send.
    fn is_spared(&self, seals: &Seals, (task, target): (&Task, &Object), live: &Object) -> bool {
        let live = Snapshot::of(live.wire());
        seals.spare(task, Sent { target, mode: self.mode(task, &live.options) }, &live)
    }

    /// Returns what a sync sends for a target. If the live object cannot be read, that is said where both sides are looked at.
    async fn sent(&self, task: &Task, target: &Object, spot: Spot<'_>) -> Object {
        let rules = respect::rules(self.request, task);
        if rules.is_empty() {
            return target.clone();
        }
        let wanted = respect::wanted(self.cluster, spot, (target, &rules), &Reporter::default()).await;
        wanted.map_or_else(|_| target.clone(), |wanted| wanted.target)
    }

    /// Compares with what the server says, or, when it says nothing, with the merge of manifest and live object that is made here.
    fn both_sides(&self, task: &Task, (live, target): (&Object, &Object), foreseen: &Foreseen) -> (Difference, Option<String>) {
        let rules = self.request.ignore.about(&task.id.key);
        let mut difference = match &foreseen.after {
            Some(after) => compared(Some(live.wire()), Some(after.wire()), &rules),
            None => compared(Some(live.wire()), Some(&diff::three_way(live.wire(), &outgoing(target))), &rules),
        };
        difference.overrule(target.wire());
        (difference, foreseen.approximate.clone())
    }

    fn judged(&self, task: &Task, target: &Object, foreseen: Foreseen) -> Look {
        let action = match &foreseen.prospect {
            Prospect::Create => Action::Create,
            Prospect::Configure => Action::Configure,
            Prospect::Unchanged if self.depth == Depth::Plan => return Look::only(Action::Unchanged),
            Prospect::Unchanged => Action::Unchanged,
            Prospect::Replace => Action::Replace,
            Prospect::Recreate(why) => Action::Recreate(why.clone()),
            Prospect::Refused(error) => Action::Refused(hints::explained(error)),
            Prospect::Unknown(why) => return Look::only(Action::Unknown(why.clone())),
            Prospect::Untried => return self.untried(task, target, foreseen),
        };
        let Some(live) = &foreseen.live else {
            let after = foreseen.after.as_ref().map_or_else(|| outgoing(target), |after| after.wire().clone());
            let difference = Some(compared(None, Some(&after), &NoRules));
            return Look { difference, approximate: foreseen.approximate, ..Look::only(action) };
        };
        let (difference, approximate) = self.both_sides(task, (live, target), &foreseen);
        Look { difference: Some(difference), approximate, ..Look::only(action) }
    }

    /// The server would take it, but does not say what comes of it.
    fn untried(&self, task: &Task, target: &Object, foreseen: Foreseen) -> Look {
        let Some(live) = &foreseen.live else { return Look { approximate: foreseen.approximate, ..created(target) } };
        let (difference, approximate) = self.both_sides(task, (live, target), &foreseen);
        let action = match self.mode(task, &options_of(Some(live))).verb {
            Verb::Replace => Action::Replace,
            Verb::Apply | Verb::ServerSideApply if difference.is_empty() => Action::Unchanged,
            Verb::Apply | Verb::ServerSideApply => Action::Configure,
        };
        Look { difference: Some(difference), approximate, ..Look::only(action) }
    }

    fn creates_namespace(&self, namespace: &str) -> bool {
        self.plan.tasks.iter().any(|task| {
            let key = &task.id.key;
            key.group.is_empty() && *key.kind == *"Namespace" && *key.name == *namespace && !task.is_prune()
        })
    }
}

/// Returns the items of the live object's sync-options annotation.
fn options_of(live: Option<&Object>) -> Vec<String> {
    live.map(|live| Snapshot::of(live.wire()).options).unwrap_or_default()
}

fn spot<'a>(resource: &'a Resource, task: &'a Task) -> Spot<'a> {
    Spot { resource, namespace: &task.id.key.namespace, name: &task.id.key.name }
}

fn created(target: &Object) -> Look {
    Look { difference: Some(compared(None, Some(&outgoing(target)), &NoRules)), ..Look::only(Action::Create) }
}

fn compared(live: Option<&Value>, after: Option<&Value>, rules: &dyn IgnoreFields) -> Difference {
    diff::compare(&Sides { live, after }, rules)
}

fn is_leaving(live: &Object) -> bool {
    !live.text(&["metadata", "deletionTimestamp"]).is_empty()
}

/// Says that an object is in deletion, and what that means for the sync.
fn leaving(key: &ResourceKey, live: &Object, meaning: &str) -> Option<String> {
    let since = live.text(&["metadata", "deletionTimestamp"]);
    is_leaving(live).then(|| format!("{key} is being deleted since {since}; {meaning}"))
}

/// Rights, quotas and the like may come with what is applied before a hook, so this is a note and no refusal.
fn denied(key: &ResourceKey, foreseen: &Foreseen) -> Option<String> {
    match &foreseen.prospect {
        Prospect::Refused(error) if error.is_forbidden() => {
            Some(format!("{key}: as things stand the API server refuses this hook: {}", hints::explained(error)))
        }
        Prospect::Unknown(why) => Some(format!("{key}: whether the API server takes this hook is not known: {why}")),
        Prospect::Refused(_)
        | Prospect::Create
        | Prospect::Configure
        | Prospect::Unchanged
        | Prospect::Replace
        | Prospect::Recreate(_)
        | Prospect::Untried => None,
    }
}

/// Says which fields of a manifest come to nothing: without validation the server drops in silence what it does not know.
fn left_out(key: &ResourceKey, foreseen: &Foreseen) -> Option<String> {
    let fields = &foreseen.left_out;
    let named: Vec<&str> = fields.iter().take(NAMED).map(String::as_str).collect();
    let more = fields.len() - named.len();
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!named.is_empty()).then(|| format!("{key}: the API server does not know {}{rest}, so the sync leaves that out", named.join(", ")))
}
