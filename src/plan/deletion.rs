//! The plan of the deletion of an app (spec topic 11): PreDelete hooks, everything that the app owns from the highest wave down, PostDelete
//! hooks. Says which objects stay, and whose deletion a person has to confirm. Asks nobody: what is live comes with the input.

use std::collections::BTreeSet;

use super::build::{Draft, Entry, positions};
use super::order::arrange;
use super::target::Mark;
use super::{Candidate, Invalid, Kind, NotRunCode, Plan, PlanInput, PlanWarning};
use crate::model::{Options, Phase, ResourceKey, Role, Task, TaskId, Traits, Wave};

/// What is known of an app that is about to be deleted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deletion {
    /// Live objects that have the name of a hook and belong to somebody else.
    pub(crate) strangers: BTreeSet<ResourceKey>,
    /// An earlier deletion was cut off after its PreDelete hooks: they do not run again beside what is left of the app.
    pub(crate) is_begun: bool,
}

/// Returns why an object outlives its app, as its result says it; `None` if it is deleted (spec R705, R706).
pub(crate) fn reason_to_stay(key: &ResourceKey, traits: &Traits, options: &Options) -> Option<&'static str> {
    if effective(traits, options, "Delete") == Some("false") {
        return Some("ignored (Delete=false)");
    }
    if traits.keep {
        return Some("ignored (helm.sh/resource-policy: keep)");
    }
    key.is_definition().then_some("ignored (a CustomResourceDefinition is never deleted with an app)")
}

/// Returns whether a person has to confirm the deletion of an object (spec R1110): `Prune=confirm` counts like `Delete=confirm`.
fn needs_confirmation(traits: &Traits, options: &Options) -> bool {
    ["Delete", "Prune"].into_iter().any(|name| effective(traits, options, name) == Some("confirm"))
}

/// The object's own word comes before the operation's (spec R704, R705).
pub(crate) fn effective<'a>(traits: &'a Traits, options: &'a Options, name: &str) -> Option<&'a str> {
    traits.option(name).or_else(|| options.value(name))
}

impl Plan {
    /// Returns the plan of a deletion with what was found since: an object in the place of another one takes over its task.
    pub(crate) fn with_found(&self, found: &[Candidate]) -> Self {
        let mut plan = self.clone();
        for task in found.iter().map(task_of) {
            match plan.tasks.iter_mut().find(|known| known.id == task.id) {
                Some(known) => *known = task,
                None => plan.tasks.push(task),
            }
        }
        arrange(&mut plan.tasks, &self.namespace);
        plan.index = positions(&plan.tasks);
        plan
    }

    /// Returns whether an object is deleted only after a person has confirmed it (spec R634, R1110). `traits`: those of the live object.
    pub(crate) fn asks_first(&self, key: &ResourceKey, traits: &Traits, options: &Options) -> bool {
        match self.kind {
            Kind::Sync => effective(traits, options, "Prune") == Some("confirm"),
            Kind::Delete => self.confirm.contains(key) || needs_confirmation(traits, options),
        }
    }
}

pub(super) fn build(input: &PlanInput<'_>, deletion: &Deletion) -> Plan {
    let mut draft = Draft::new(input, Kind::Delete);
    let mut confirm = BTreeSet::new();
    let manifests = draft.without_repeats();
    for manifest in manifests {
        let traits = Traits::of(&manifest.object);
        let key = draft.key_of(&manifest.object);
        if needs_confirmation(&traits, &input.shape.options) {
            confirm.insert(key.clone());
        }
        take_hooks(&mut draft, Entry { manifest, key: &key, traits: &traits }, deletion);
    }
    take_owned(&mut draft);
    warn_of_waves(&mut draft);
    draft.warn_of_options();
    let refused = refused(&draft, deletion);
    let mut plan = draft.finish();
    plan.invalid.extend(refused);
    plan.confirm = confirm;
    plan
}

/// The hooks of a manifest; a PreDelete hook belongs to what is deleted after it, too (spec R1113).
fn take_hooks(draft: &mut Draft<'_>, entry: Entry<'_>, deletion: &Deletion) {
    let Entry { manifest, traits, .. } = entry;
    let phases = [Phase::PreDelete, Phase::PostDelete].into_iter().filter(|phase| traits.runs_in(*phase));
    for phase in phases {
        draft.warn_of_annotations(entry);
        let key = &ResourceKey { name: draft.hook_name(&manifest.object, phase).into(), ..entry.key.clone() };
        let named = Entry { key, ..entry };
        if phase == Phase::PreDelete && deletion.is_begun {
            let reason = "it ran in an earlier deletion, which goes on with this one".to_owned();
            draft.leave(named, phase, NotRunCode::NotNeeded, reason);
            continue;
        }
        let target = draft.target(&manifest.object, key, entry.key, Mark::Label);
        let hook = Task { wave: Wave(0), ..named.task(phase, target) };
        if phase == Phase::PreDelete {
            let id = TaskId { phase: Phase::Delete, key: hook.id.key.clone(), role: Role::Prune };
            draft.tasks.push(Task { id, wave: traits.wave, target: None, ..hook.clone() });
        }
        draft.tasks.push(hook);
    }
}

/// Everything that the app owns. What a hook has left is deleted when the hook runs anew, and a PostDelete hook runs after this.
fn take_owned(draft: &mut Draft<'_>) {
    let hooks: BTreeSet<ResourceKey> = draft.tasks.iter().map(|task| task.id.key.clone()).collect();
    let owned = draft.input.candidates.iter().filter(|candidate| !hooks.contains(&candidate.key));
    draft.tasks.extend(owned.map(task_of));
}

fn task_of(owned: &Candidate) -> Task {
    Task {
        id: TaskId { phase: Phase::Delete, key: owned.key.clone(), role: Role::Prune },
        version: owned.version.clone(),
        wave: owned.live.traits.wave,
        traits: owned.live.traits.clone(),
        target: None,
        origin: None,
        uid: Some(owned.live.uid.clone()),
        pulled_forward: false,
        automatic: false,
        prefailed: None,
        unmodified: false,
    }
}

fn warn_of_waves(draft: &mut Draft<'_>) {
    for phase in [Phase::PreDelete, Phase::PostDelete] {
        let waves: BTreeSet<Wave> = draft.tasks.iter().filter(|task| task.id.phase == phase).map(|task| task.traits.wave).collect();
        if waves.len() > 1 {
            let message = format!("{phase} hooks have waves, but all of them start together: waves order only what is deleted");
            draft.warnings.push(PlanWarning { about: None, message, origin: None });
        }
    }
}

/// Hooks that cannot run, so that nothing is deleted.
fn refused(draft: &Draft<'_>, deletion: &Deletion) -> Vec<Invalid> {
    let refuse = |task: &Task, summary: String| Invalid { task: task.id.clone(), message: summary.clone(), summary };
    let hooks = || draft.tasks.iter().filter(|task| task.is_hook());
    let strangers = hooks().filter(|task| deletion.strangers.contains(&task.id.key)).map(|task| {
        let (key, app) = (&task.id.key, draft.input.app);
        refuse(task, format!("{key} exists and does not belong to the app {app}; give the hook another name, or delete that object"))
    });
    let homeless = hooks().filter(|task| task.id.phase == Phase::PostDelete).filter_map(|task| {
        let namespace = draft.tasks.iter().find(|other| is_namespace(other, &task.id.key.namespace))?;
        let is_deleted = reason_to_stay(&namespace.id.key, &namespace.traits, &draft.input.shape.options).is_none();
        let (key, name) = (&task.id.key, &namespace.id.key.name);
        let way_out = "put the hook into another namespace, or annotate the Namespace with Delete=false";
        is_deleted
            .then(|| refuse(task, format!("{key} could never run, because the app's Namespace {name} is deleted before it; {way_out}")))
    });
    strangers.chain(homeless).collect()
}

fn is_namespace(task: &Task, name: &str) -> bool {
    let key = &task.id.key;
    task.id.phase == Phase::Delete && key.group.is_empty() && *key.kind == *"Namespace" && *key.name == *name
}

#[cfg(test)]
mod tests;
