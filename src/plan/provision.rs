//! Whether everything that a plan's objects need is there in time (users.md P-66). Compares places in the order of the plan and names what
//! only the cluster can tell; never asks it. A finding that may be wrong is worse than none: whatever else may provide a name counts.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use super::deletion::{effective, reason_to_stay};
use super::references::{Reference, Strength, references};
use super::{Kind, NotRun, NotRunCode, Plan, PlanWarning};
use crate::model::{DeletePolicy, Options, Phase, ResourceKey, Task, Wave};

mod hearsay;
mod sentences;

use hearsay::Hearsay;

/// What of a request decides how long an object is there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances<'a> {
    /// Whether what no manifest asks for any more is deleted.
    pub(crate) prunes: bool,
    /// Whether a hook with the policy HookSucceeded goes as soon as it has succeeded (decision 9).
    pub(crate) hooks_go_early: bool,
    pub(crate) options: &'a Options,
}

/// Why something that is needed is not there.
#[derive(Clone, Copy, Debug)]
enum Lack<'a> {
    /// No task makes it.
    Nowhere,
    /// Its task comes after the object that needs it.
    Late(&'a Task),
    /// It is needed when the sync fails, which may be before its task.
    Unreached(&'a Task),
    /// It is in the manifests, but not among the tasks.
    LeftOut(&'a NotRun),
    /// This sync deletes it.
    Pruned,
    /// A hook that its delete policy removes too early.
    Removed(DeletePolicy),
    /// It comes in time, but without the key that is needed.
    Keyless,
    /// It is deleted with the app, before the PostDelete hooks run.
    Deleted,
}

impl Lack<'_> {
    /// Returns whether nothing is wrong as long as the object is live.
    fn depends_on_cluster(self) -> bool {
        match self {
            Self::Nowhere | Self::Late(_) | Self::Unreached(_) | Self::LeftOut(_) | Self::Keyless => true,
            Self::Pruned | Self::Removed(_) | Self::Deleted => false,
        }
    }
}

/// Something that is needed and that the plan does not provide in time.
#[derive(Debug)]
struct Finding<'a> {
    needy: &'a Task,
    reference: Reference,
    lack: Lack<'a>,
}

/// Everything that a plan does not provide in time.
#[derive(Debug)]
pub(crate) struct Findings<'a> {
    plan: &'a Plan,
    circumstances: Circumstances<'a>,
    found: Vec<Finding<'a>>,
}

impl<'a> Findings<'a> {
    /// Looks through a plan.
    pub(crate) fn of(plan: &'a Plan, circumstances: Circumstances<'a>) -> Self {
        let needs = needs(plan);
        let search = Search { plan, circumstances, index: index(plan, &needs), hearsay: OnceCell::new() };
        let mut seen = BTreeSet::new();
        let found = needs.into_iter().filter_map(|(needy, reference)| {
            let lack = search.lack(needy, &reference)?;
            seen.insert((identity(needy), reference.to.clone())).then_some(Finding { needy, reference, lack })
        });
        Self { plan, circumstances, found: found.collect() }
    }

    /// Returns the objects of which the cluster has to tell whether they are there.
    pub(crate) fn unsure(&self) -> BTreeSet<&ResourceKey> {
        self.found.iter().filter(|finding| finding.lack.depends_on_cluster()).map(|finding| &finding.reference.to).collect()
    }

    /// Returns one sentence for each object and what it lacks; `absent` are those that the cluster certainly does not have.
    pub(crate) fn warnings(&self, absent: &BTreeSet<ResourceKey>) -> Vec<PlanWarning> {
        let certain = |finding: &&Finding<'_>| !finding.lack.depends_on_cluster() || absent.contains(&finding.reference.to);
        let warning = |finding: &Finding<'_>| PlanWarning {
            about: Some(finding.needy.id.key.clone()),
            message: sentences::sentence(finding, self.plan, &self.circumstances),
            origin: finding.needy.origin.clone(),
        };
        self.found.iter().filter(certain).map(warning).collect()
    }
}

/// What the tasks of a plan need; each Namespace only once.
fn needs(plan: &Plan) -> Vec<(&Task, Reference)> {
    let mut namespaces = BTreeSet::new();
    if !is_destination_unclear(plan) {
        namespaces.insert(plan.namespace.clone());
    }
    let mut needs = Vec::new();
    for task in &plan.tasks {
        let Some(target) = task.target.as_ref().filter(|_| !task.is_prune()) else { continue };
        let wanted = references(target)
            .into_iter()
            .filter(|reference| reference.strength != Strength::Optional && !comes_by_itself(reference))
            .filter(|reference| !is_namespace(&reference.to) || namespaces.insert(reference.to.name.clone()));
        needs.extend(wanted.map(|reference| (task, reference)));
    }
    needs
}

/// A hook that runs in two phases, maybe under two generated names, is one object for the person who wrote it.
fn identity(task: &Task) -> String {
    task.origin.as_ref().map_or_else(|| task.id.key.to_string(), ToString::to_string)
}

fn is_namespace(key: &ResourceKey) -> bool {
    key.group.is_empty() && *key.kind == *"Namespace"
}

/// Whether the destination is there is told by the dry run of any ordinary object in it, or by what is live in it; so that only an app of
/// nothing but hooks has to be asked for.
fn is_destination_unclear(plan: &Plan) -> bool {
    !plan.tasks.iter().any(|task| !task.is_hook() && task.id.key.namespace == plan.namespace)
}

/// What every cluster or namespace has.
fn comes_by_itself(reference: &Reference) -> bool {
    match (&*reference.to.kind, &*reference.to.name) {
        ("ConfigMap", "kube-root-ca.crt") | ("ServiceAccount", "default") => true,
        ("Namespace", name) => ["default", "kube-system", "kube-public", "kube-node-lease"].contains(&name),
        _ => false,
    }
}

/// Tasks by the object that they are about, in the order of the plan.
type Index<'a> = BTreeMap<ResourceKey, Vec<&'a Task>>;

fn index<'a>(plan: &'a Plan, needs: &[(&Task, Reference)]) -> Index<'a> {
    let mut index: Index<'a> = needs.iter().map(|(_, reference)| (reference.to.clone(), Vec::new())).collect();
    for task in &plan.tasks {
        if let Some(tasks) = index.get_mut(&task.id.key) {
            tasks.push(task);
        }
    }
    index
}

struct Search<'a> {
    plan: &'a Plan,
    circumstances: Circumstances<'a>,
    index: Index<'a>,
    hearsay: OnceCell<Hearsay<'a>>,
}

impl<'a> Search<'a> {
    fn lack(&self, needy: &Task, reference: &Reference) -> Option<Lack<'a>> {
        let tasks = self.index.get(&reference.to).map_or(&[][..], Vec::as_slice);
        match self.plan.kind {
            Kind::Sync => self.lack_in_sync(needy, reference, tasks),
            Kind::Delete => self.lack_in_deletion(needy, reference, tasks),
        }
    }

    fn lack_in_sync(&self, needy: &Task, reference: &Reference, tasks: &[&'a Task]) -> Option<Lack<'a>> {
        let makers: Vec<&'a Task> = tasks.iter().copied().filter(|task| !task.is_prune()).collect();
        // What is left out because it is as it should be is there; why a Namespace could not be made is said elsewhere.
        if makers.iter().any(|maker| maker.unmodified || maker.prefailed.is_some()) {
            return None;
        }
        let in_time: Vec<&'a Task> = makers.iter().copied().filter(|maker| self.is_in_time(maker, needy)).collect();
        if !in_time.is_empty() {
            let removed: Option<Vec<DeletePolicy>> = in_time.iter().map(|maker| self.removal(maker, needy)).collect();
            let removed = removed.and_then(|policies| policies.first().copied()).map(Lack::Removed);
            return removed.or_else(|| in_time.iter().all(|maker| lacks_key(maker, reference)).then_some(Lack::Keyless));
        }
        let Some(maker) = makers.first().copied() else { return self.lack_without_task(needy, reference, tasks) };
        if needy.id.phase == Phase::SyncFail {
            return Some(Lack::Unreached(maker));
        }
        let can_wait = !starts_pods(needy) && !is_namespace(&reference.to) && maker.id.phase != Phase::SyncFail;
        (!can_wait).then_some(Lack::Late(maker))
    }

    /// Within a group what is needed stands before what needs it, because of its kind (spec R503).
    fn is_in_time(&self, maker: &Task, needy: &Task) -> bool {
        let (made, needed) = (group(maker), group(needy));
        if needy.id.phase == Phase::SyncFail && maker.id.phase != Phase::SyncFail {
            // A sync may fail in its first group, but not before.
            return self.plan.tasks.first().is_some_and(|first| group(first) == made);
        }
        made <= needed
    }

    /// Returns the policy by which a hook is deleted while it is still needed: at the end of the sync, or before its SyncFail hooks start
    /// (spec R208, R209).
    fn removal(&self, maker: &Task, needy: &Task) -> Option<DeletePolicy> {
        let has = |policy: DeletePolicy| maker.delete_policies().contains(&policy);
        let is_earlier = group(maker) < group(needy);
        if has(DeletePolicy::HookFailed) && needy.id.phase == Phase::SyncFail && is_earlier {
            return Some(DeletePolicy::HookFailed);
        }
        let goes = (self.circumstances.hooks_go_early && is_earlier) || !ends(needy);
        (has(DeletePolicy::HookSucceeded) && goes).then_some(DeletePolicy::HookSucceeded)
    }

    fn lack_without_task(&self, needy: &Task, reference: &Reference, tasks: &[&'a Task]) -> Option<Lack<'a>> {
        if let Some(prune) = tasks.first() {
            // A person may not confirm it, and whatever has taken its place may make an object of its name.
            let stays = !self.circumstances.prunes
                || matches!(effective(&prune.traits, self.circumstances.options, "Prune"), Some("false" | "confirm"))
                || (ends(needy) && group(needy) < group(prune))
                || self.nowhere(needy, reference).is_none();
            return (!stays).then_some(Lack::Pruned);
        }
        if let Some(left) = self.left_out(reference) {
            return (left.code != NotRunCode::NotNeeded).then_some(Lack::LeftOut(left));
        }
        self.nowhere(needy, reference)
    }

    fn left_out(&self, reference: &Reference) -> Option<&'a NotRun> {
        self.plan.not_run.iter().find(|left| left.task.id.key == reference.to)
    }

    fn nowhere(&self, needy: &Task, reference: &Reference) -> Option<Lack<'a>> {
        let hearsay = self.hearsay.get_or_init(|| Hearsay::of(&self.plan.tasks));
        (!hearsay.mentions(&reference.to.name, needy)).then_some(Lack::Nowhere)
    }

    /// PreDelete hooks start before anything is deleted, PostDelete hooks after it; their waves do not matter (spec R1106, R1108).
    fn lack_in_deletion(&self, needy: &Task, reference: &Reference, tasks: &[&'a Task]) -> Option<Lack<'a>> {
        if tasks.iter().any(|task| task.is_hook() && task.id.phase == needy.id.phase) {
            return None;
        }
        let deleted = tasks.iter().find(|task| task.is_prune());
        match (needy.id.phase, deleted) {
            (Phase::PreDelete, Some(_)) => None,
            // The plan is refused because of it.
            (Phase::PostDelete, Some(_)) if is_namespace(&reference.to) => None,
            (Phase::PostDelete, Some(task)) => {
                let stays = reason_to_stay(&task.id.key, &task.traits, self.circumstances.options).is_some();
                (!stays).then_some(Lack::Deleted)
            }
            (_, _) => match tasks.iter().find(|task| task.is_hook()) {
                Some(later) => Some(Lack::Late(later)),
                None => self.nowhere(needy, reference),
            },
        }
    }
}

fn group(task: &Task) -> (Phase, Wave) {
    (task.id.phase, task.wave)
}

/// Returns whether a manifest has values, but not the one that is needed. Without any value somebody else fills it in.
fn lacks_key(maker: &Task, reference: &Reference) -> bool {
    let (Some(key), Some(target)) = (&reference.key, &maker.target) else { return false };
    let fields = ["data", "stringData", "binaryData"].into_iter().filter_map(|field| target.wire().get(field)?.as_object());
    let keys: Vec<&String> = fields.flat_map(|field| field.keys()).collect();
    !keys.is_empty() && !keys.contains(&key)
}

/// Returns whether an object has done its work within the operation, so that what it needs may go afterwards.
fn ends(task: &Task) -> bool {
    matches!((&*task.id.key.group, &*task.id.key.kind), ("batch", "Job") | ("", "Pod"))
}

/// Returns whether the pods of an object start as soon as it is applied.
fn starts_pods(task: &Task) -> bool {
    let Some(target) = &task.target else { return false };
    let spec = target.wire().get("spec");
    let is_empty = spec.and_then(|spec| spec.get("replicas")).and_then(serde_json::Value::as_u64) == Some(0);
    let is_suspended = spec.and_then(|spec| spec.get("suspend")).and_then(serde_json::Value::as_bool) == Some(true);
    *task.id.key.kind != *"CronJob" && !is_empty && !is_suspended
}

#[cfg(test)]
mod tests;
