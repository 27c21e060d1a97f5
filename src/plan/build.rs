//! From manifests to a plan, one step after the other. Asks nobody: what is live comes as candidates.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::json;

use super::order::{self, arrange, definition_provided, highest_sync_wave, prune_waves};
use super::target::Mark;
use super::{Candidate, Hooks, Invalid, Kind, Manifest, NewNamespace, NotRun, NotRunCode, Plan, PlanInput, PlanWarning};
use crate::model::{KindFact, Object, Part, Phase, ResourceKey, Role, Task, TaskId, Traits, Wave, hook, kinds};

pub(super) fn build(input: &PlanInput<'_>) -> Plan {
    let mut draft = Draft::new(input, Kind::Sync);
    let manifests = draft.without_repeats();
    for manifest in manifests {
        draft.take(manifest);
    }
    let objects: BTreeSet<ResourceKey> = draft
        .tasks
        .iter()
        .chain(draft.not_run.iter().map(|left| &left.task))
        .filter(|task| !task.is_hook())
        .map(|task| task.id.key.clone())
        .collect();
    draft.take_new_namespace(&objects);
    draft.take_candidates(&objects);
    draft.warn_of_unmatched_selectors();
    draft.warn_of_options();
    draft.finish()
}

/// A plan in the making.
pub(super) struct Draft<'a> {
    pub(super) input: &'a PlanInput<'a>,
    pub(super) kind: Kind,
    pub(super) tasks: Vec<Task>,
    pub(super) not_run: Vec<NotRun>,
    pub(super) warnings: Vec<PlanWarning>,
}

/// A manifest as a plan takes it: under which name, and what its annotations say.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) key: &'a ResourceKey,
    pub(super) traits: &'a Traits,
}

impl Entry<'_> {
    /// Returns its task in a phase.
    pub(super) fn task(self, phase: Phase, target: Object) -> Task {
        let Self { manifest, key, traits } = self;
        let role = if traits.is_hook() { Role::Hook } else { Role::Apply };
        Task {
            id: TaskId { phase, key: key.clone(), role },
            version: manifest.object.gvk().version,
            wave: traits.wave,
            traits: traits.clone(),
            target: Some(target),
            origin: Some(manifest.origin.clone()),
            uid: None,
            pulled_forward: false,
            automatic: false,
            prefailed: None,
            unmodified: false,
        }
    }
}

impl<'a> Draft<'a> {
    pub(super) fn new(input: &'a PlanInput<'a>, kind: Kind) -> Self {
        Self { input, kind, tasks: Vec::new(), not_run: Vec::new(), warnings: Vec::new() }
    }

    /// Of two manifests with one identity the later one counts, as for Argo CD; the person is told.
    pub(super) fn without_repeats(&mut self) -> Vec<&'a Manifest> {
        let mut last: BTreeMap<ResourceKey, usize> = BTreeMap::new();
        for (at, manifest) in self.input.manifests.iter().enumerate() {
            let key = self.key_of(&manifest.object);
            if key.name.is_empty() {
                continue;
            }
            if let Some(earlier) = last.insert(key.clone(), at) {
                let message =
                    format!("stands twice in the manifests; this one counts, the one at {} does not", self.input.manifests[earlier].origin);
                self.warnings.push(PlanWarning { about: Some(key), message, origin: Some(manifest.origin.clone()) });
            }
        }
        let counts = |(at, manifest): &(usize, &'a Manifest)| {
            let key = self.key_of(&manifest.object);
            key.name.is_empty() || last.get(&key) == Some(at)
        };
        self.input.manifests.iter().enumerate().filter(counts).map(|(_, manifest)| manifest).collect()
    }

    pub(super) fn key_of(&self, object: &Object) -> ResourceKey {
        self.input.kinds.key_of(object, self.input.namespace)
    }

    fn take(&mut self, manifest: &Manifest) {
        let traits = Traits::of(&manifest.object);
        let entry = Entry { manifest, key: &self.key_of(&manifest.object), traits: &traits };
        self.warn_of_annotations(entry);
        match &traits.part {
            Part::Resource => self.take_resource(entry),
            Part::Skip => self.leave(entry, Phase::Sync, NotRunCode::Skip, "its hook annotation is Skip".to_owned()),
            Part::Hook { phases, deletion } if phases.is_empty() => self.leave_hook(entry, deletion),
            Part::Hook { phases, .. } => phases.iter().for_each(|phase| self.take_hook(entry, *phase)),
        }
    }

    /// What in the annotations has no effect.
    pub(super) fn warn_of_annotations(&mut self, Entry { manifest, key, traits }: Entry<'_>) {
        for concern in hook::concerns(&manifest.object) {
            let message = format!("{}: {}", concern.annotation, concern.message);
            let about = ResourceKey { name: self.shown_name(&manifest.object, traits).into(), ..key.clone() };
            self.warnings.push(PlanWarning { about: Some(about), message, origin: Some(manifest.origin.clone()) });
        }
    }

    fn leave_hook(&mut self, entry: Entry<'_>, deletion: &[Phase]) {
        if let Some(phase) = deletion.first() {
            let reason = format!("a {phase} hook runs only when the app is deleted");
            return self.leave(entry, *phase, NotRunCode::DeleteHook, reason);
        }
        let message = "a hook without a type that a sync knows: it is never applied".to_owned();
        let origin = Some(entry.manifest.origin.clone());
        self.warnings.push(PlanWarning { about: Some(entry.key.clone()), message: message.clone(), origin });
        self.leave(entry, Phase::Sync, NotRunCode::UnknownHook, message);
    }

    pub(super) fn leave(&mut self, entry: Entry<'_>, phase: Phase, code: NotRunCode, reason: String) {
        let object = &entry.manifest.object;
        let mut task = entry.task(phase, object.clone());
        // What has only a generated name is called by the beginning of it.
        if task.id.key.name.is_empty() {
            task.id.key.name = object.generate_name().into();
        }
        self.not_run.push(NotRun { task, reason, code });
    }

    fn take_resource(&mut self, entry: Entry<'_>) {
        let Entry { manifest, key, .. } = entry;
        if self.input.selection.is_some_and(|selection| !selection.iter().any(|selector| selector.matches(key))) {
            return self.leave(entry, Phase::Sync, NotRunCode::Selection, "not selected".to_owned());
        }
        if key.name.is_empty() {
            let message = "has no name; generateName works only for hooks, an apply of an ordinary object refuses it".to_owned();
            self.warnings.push(PlanWarning { about: Some(key.clone()), message, origin: Some(manifest.origin.clone()) });
        }
        let target = self.target(&manifest.object, key, key, Mark::None);
        let unmodified = self.input.shape.unmodified.contains(key);
        if unmodified {
            let reason = "it is as it should be (ApplyOutOfSyncOnly)".to_owned();
            self.leave(entry, Phase::Sync, NotRunCode::NotNeeded, reason);
        }
        self.tasks.push(Task { unmodified, ..entry.task(Phase::Sync, target) });
    }

    /// The destination Namespace, unless a manifest asks for it (spec R515), a PreSync hook included: the two would have one result (R613).
    /// It is nobody's: it carries no tracking id.
    fn take_new_namespace(&mut self, objects: &BTreeSet<ResourceKey>) {
        let key = ResourceKey::new("", "Namespace", "", self.input.namespace);
        let is_hook = |task: &Task| task.is_hook() && task.id.phase == Phase::PreSync && task.id.key == key;
        let is_asked_for = objects.contains(&key) || self.tasks.iter().any(is_hook);
        let prefailed = match &self.input.shape.new_namespace {
            NewNamespace::No => return,
            NewNamespace::Yes | NewNamespace::Unclear(_) if self.input.namespace.is_empty() || is_asked_for => return,
            NewNamespace::Yes => None,
            NewNamespace::Unclear(error) => Some(format!("namespace auto creation failed: {error}")),
        };
        let target = Object::new(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.input.namespace}}));
        self.tasks.push(Task {
            id: TaskId { phase: Phase::PreSync, key, role: Role::Apply },
            version: "v1".into(),
            wave: Wave(0),
            traits: Traits::of(&target),
            target: Some(target),
            origin: None,
            uid: None,
            pulled_forward: false,
            automatic: true,
            prefailed,
            unmodified: false,
        });
    }

    fn take_hook(&mut self, entry: Entry<'_>, phase: Phase) {
        let object = &entry.manifest.object;
        let key = &ResourceKey { name: self.hook_name(object, phase).into(), ..entry.key.clone() };
        let named = Entry { key, ..entry };
        let shape = self.input.shape;
        if shape.hooks == Hooks::Never {
            let reason = "the strategy `apply` runs no hooks".to_owned();
            return self.leave(named, phase, NotRunCode::Selection, reason);
        }
        if self.input.selection.is_some() && shape.hooks == Hooks::Usual {
            let reason = "hooks do not run in a selective sync".to_owned();
            return self.leave(named, phase, NotRunCode::Selection, reason);
        }
        if let Some(selector) = shape.skip_hooks.iter().find(|selector| selector.matches(phase, key)) {
            return self.leave(named, phase, NotRunCode::Skip, format!("left out by --skip-hook {selector}"));
        }
        let target = self.target(object, key, entry.key, Mark::Hook);
        self.tasks.push(named.task(phase, target));
    }

    /// Objects of the app without a manifest, except hooks and skipped ones (spec R109, R118).
    fn take_candidates(&mut self, objects: &BTreeSet<ResourceKey>) {
        let selected =
            |key: &ResourceKey| self.input.selection.is_none_or(|selection| selection.iter().any(|selector| selector.matches(key)));
        let unscoped = self.unscoped();
        let is_wanted =
            |key: &ResourceKey| objects.contains(key) || unscoped.contains(&ResourceKey { namespace: "".into(), ..key.clone() });
        let mut wanted: Vec<&Candidate> = self
            .input
            .candidates
            .iter()
            .filter(|candidate| candidate.live.traits.part == Part::Resource && !is_wanted(&candidate.key) && selected(&candidate.key))
            .collect();
        // A prune beside a Sync hook would have one result with it (spec R613); what happens to the object is the hook's affair (spec R124).
        wanted.retain(|candidate| !self.warn_of_new_hook(&candidate.key).contains(&Phase::Sync));
        self.warn_of_extraneous(&wanted);
        let all_last = self.input.shape.options.has("PruneLast=true");
        let own: Vec<(Wave, bool)> = wanted
            .iter()
            .map(|candidate| (candidate.live.traits.wave, all_last || candidate.live.traits.has_option("PruneLast=true")))
            .collect();
        let waves = prune_waves(&own, highest_sync_wave(&self.tasks));
        for (candidate, wave) in wanted.into_iter().zip(waves) {
            self.tasks.push(Task {
                id: TaskId { phase: Phase::Sync, key: candidate.key.clone(), role: Role::Prune },
                version: candidate.version.clone(),
                wave,
                traits: candidate.live.traits.clone(),
                target: None,
                origin: None,
                uid: Some(candidate.live.uid.clone()),
                pulled_forward: false,
                automatic: false,
                prefailed: None,
                unmodified: false,
            });
        }
    }

    fn warn_of_extraneous(&mut self, candidates: &[&Candidate]) {
        for candidate in candidates.iter().filter(|candidate| candidate.live.traits.extraneous) {
            let message =
                "no manifest asks for it, which is no difference of the app (IgnoreExtraneous); a sync that prunes deletes it all the same";
            self.warnings.push(PlanWarning { about: Some(candidate.key.clone()), message: message.to_owned(), origin: None });
        }
    }

    /// Returns the phases in which an ordinary object of the cluster will run as a hook, and says so.
    fn warn_of_new_hook(&mut self, key: &ResourceKey) -> Vec<Phase> {
        let phases: Vec<Phase> = self.tasks.iter().filter(|task| task.is_hook() && task.id.key == *key).map(|task| task.id.phase).collect();
        // Before the prune, the hook has taken its place or has become it.
        let is_hook_by_then = phases.iter().any(|phase| matches!(phase, Phase::PreSync | Phase::Sync));
        let fate = if is_hook_by_then { "it is not pruned" } else { "a sync that prunes deletes it" };
        if !phases.is_empty() {
            let message = format!(
                "is a hook in the manifests and an ordinary object in the cluster: {fate}, and it runs as a hook under the same name"
            );
            self.warnings.push(PlanWarning { about: Some(key.clone()), message, origin: None });
        }
        phases
    }

    /// Targets of kinds whose scope nobody could tell, without their namespace: what is live under such a name may be theirs (spec R1209).
    fn unscoped(&self) -> BTreeSet<ResourceKey> {
        let kinds = self.input.kinds;
        let is_unclear = |task: &&Task| kinds.get(&task.gvk()).is_some() && kinds.told_scope(&task.gvk()).is_none();
        self.tasks.iter().filter(is_unclear).map(|task| ResourceKey { namespace: "".into(), ..task.id.key.clone() }).collect()
    }

    fn warn_of_unmatched_selectors(&mut self) {
        for selector in self.input.selection.unwrap_or_default() {
            if !self.tasks.iter().any(|task| selector.matches(&task.id.key)) {
                let message = format!("--resource {selector} matches nothing that a selective sync can apply");
                self.warnings.push(PlanWarning { about: None, message, origin: None });
            }
        }
    }

    /// What was asked for and changes nothing.
    pub(super) fn warn_of_options(&mut self) {
        let shape = self.input.shape;
        let known = |selector: &&super::HookSelector| {
            self.not_run.iter().any(|left| left.task.is_hook() && selector.matches(left.task.id.phase, &left.task.id.key))
        };
        let idle = shape.skip_hooks.iter().filter(|selector| !known(selector));
        let mut messages: Vec<String> = idle.map(|selector| format!("--skip-hook {selector} matches no hook")).collect();
        messages.extend(shape.options.concerns());
        if shape.options.has("RespectIgnoreDifferences=true") && !shape.ignores {
            let way_out = "write them in the configuration, [[apps.NAME.ignore_differences]]";
            messages.push(format!("RespectIgnoreDifferences=true has no effect: no differences are configured to be ignored; {way_out}"));
        }
        self.warnings.extend(messages.into_iter().map(|message| PlanWarning { about: None, message, origin: None }));
    }

    pub(super) fn finish(mut self) -> Plan {
        arrange(&mut self.tasks, self.input.namespace);
        self.not_run.sort_by(|one, other| order::compare(&one.task, &other.task));
        let invalid = self.invalid();
        let index = positions(&self.tasks);
        Plan {
            kind: self.kind,
            app: self.input.app.into(),
            namespace: self.input.namespace.into(),
            revision: self.input.revision.into(),
            tasks: self.tasks,
            not_run: self.not_run,
            invalid,
            warnings: self.warnings,
            selective: self.input.selection.is_some(),
            confirm: BTreeSet::new(),
            index,
        }
    }

    /// Tasks of kinds that the cluster does not serve (spec R525). A definition anywhere in the manifests saves them.
    fn invalid(&self) -> Vec<Invalid> {
        let defined: BTreeSet<String> =
            self.tasks.iter().chain(self.not_run.iter().map(|left| &left.task)).filter_map(definition_provided).collect();
        self.tasks.iter().filter_map(|task| self.judge(task, &defined)).collect()
    }

    fn judge(&self, task: &Task, defined: &BTreeSet<String>) -> Option<Invalid> {
        match self.input.kinds.get(&task.gvk())? {
            KindFact::Known { .. } => None,
            KindFact::Failed(error) => Some(Invalid { task: task.id.clone(), message: error.clone(), summary: error.clone() }),
            KindFact::NotFound(summary) => self.judge_missing(task, defined, summary, None),
            KindFact::OtherVersion { text, served, .. } => self.judge_missing(task, defined, text, Some(served)),
        }
    }

    fn judge_missing(&self, task: &Task, defined: &BTreeSet<String>, summary: &str, served: Option<&str>) -> Option<Invalid> {
        let key = &task.id.key;
        let option = "SkipDryRunOnMissingResource=true";
        let is_excused = task.traits.has_option(option) || self.input.shape.options.has(option);
        let saved = is_excused || defined.contains(&format!("{}/{}", key.group, key.kind));
        let message = || kinds::missing(key, &task.version, served);
        (!saved).then(|| Invalid { task: task.id.clone(), message: message(), summary: summary.to_owned() })
    }
}

pub(super) fn positions(tasks: &[Task]) -> HashMap<TaskId, usize> {
    tasks.iter().enumerate().map(|(at, task)| (task.id.clone(), at)).collect()
}
