//! Goes through a plan and notes what the engine sends for each task: `cluster::apply`, `replace`, `recreate`, `migration` and `delete` for
//! writes, `watch` for what it sees, `logs`, and in `engine` the searches before a sync begins. Sends nothing itself; `scenarios::rights`
//! finds what they send and this forgets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::deletion::effective;
use super::super::kin::{Below, READERS, below};
use super::super::references::PLURALS;
use super::escalation::{self, Handing};
use super::{Access, Need, Plan, Reason, Scene, Terms, Wants};
use crate::model::{DeletePolicy, Grant, Gvk, Mode, Object, Phase, ResourceKey, Role, Task, Traits, Verb};

const APPLICATIONS: (&str, &str) = ("argoproj.io", "applications");

pub(super) fn walk(plan: &Plan, terms: &Terms<'_>, scene: &Scene) -> Wants {
    let targets = plan.tasks.iter().filter_map(|task| Some((&task.id.key, task.target.as_ref()?))).collect();
    let mut walk = Walk { plan, terms, scene, targets, wants: Wants { new_namespaces: new_namespaces(plan, scene), ..Wants::default() } };
    plan.tasks.iter().for_each(|task| walk.task(task));
    walk.places();
    walk.searches();
    walk.wants
}

/// Namespaces that the plan makes and that are not there yet.
fn new_namespaces(plan: &Plan, scene: &Scene) -> BTreeSet<Arc<str>> {
    let made = plan.tasks.iter().filter(|task| !task.is_prune()).map(|task| &task.id.key).filter(|key| is_namespace(key));
    made.filter(|key| !scene.live.contains_key(*key) && !scene.unread.contains(*key)).map(|key| key.name.clone()).collect()
}

fn is_namespace(key: &ResourceKey) -> bool {
    key.group.is_empty() && *key.kind == *"Namespace"
}

/// A resource in one place.
#[derive(Clone, Debug)]
struct Where {
    group: Arc<str>,
    resource: Arc<str>,
    subresource: &'static str,
    namespace: Arc<str>,
    /// Empty: objects of any name.
    name: Arc<str>,
}

impl Where {
    fn core(resource: &str, namespace: &Arc<str>) -> Self {
        Self { group: "".into(), resource: resource.into(), subresource: "", namespace: namespace.clone(), name: "".into() }
    }

    /// One object. Of a Namespace the request is in the Namespace itself.
    fn object(key: &ResourceKey, plural: &Arc<str>) -> Self {
        let namespace = if is_namespace(key) { key.name.clone() } else { key.namespace.clone() };
        Self { group: key.group.clone(), resource: plural.clone(), subresource: "", namespace, name: key.name.clone() }
    }

    /// All objects of the kind beside one.
    fn all(key: &ResourceKey, plural: &Arc<str>) -> Self {
        Self { namespace: key.namespace.clone(), name: "".into(), ..Self::object(key, plural) }
    }

    fn any_name(&self) -> Self {
        Self { name: "".into(), ..self.clone() }
    }

    fn of(&self, verb: &str) -> Grant {
        Grant {
            verb: verb.into(),
            group: self.group.clone(),
            resource: self.resource.clone(),
            subresource: self.subresource.into(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        }
    }
}

struct Walk<'a> {
    plan: &'a Plan,
    terms: &'a Terms<'a>,
    scene: &'a Scene,
    targets: Vec<(&'a ResourceKey, &'a Object)>,
    wants: Wants,
}

impl Walk<'_> {
    fn task(&mut self, task: &Task) {
        let Some(plural) = self.scene.plurals.get(&task.gvk()).cloned() else {
            self.wants.unknown.push(title(task));
            return;
        };
        let key = &task.id.key;
        let mut spot = Where::object(key, &plural);
        if key.name.is_empty() || prefix(task).is_some() {
            spot = spot.any_name();
        }
        if !key.name.is_empty() {
            self.seen(task, &spot, &Where::all(key, &plural));
        }
        match task.id.role {
            Role::Prune => self.prune(task, &spot),
            Role::Apply | Role::Hook => self.write(task, &spot),
        }
    }

    /// How its state is seen: by its name, or better by a watch.
    fn seen(&mut self, task: &Task, spot: &Where, all: &Where) {
        // What is only pointed out as a candidate need not be read for the sync to succeed.
        let need = if task.is_prune() && !self.is_pruned(task) { Need::Helpful } else { Need::Needed };
        self.add(need, spot.of("get"), "sees the state of", &title(task));
        for verb in ["list", "watch"] {
            self.add(Need::Helpful, all.of(verb), "follows without polling:", &title(task));
        }
    }

    fn is_pruned(&self, task: &Task) -> bool {
        let is_kept = effective(&task.traits, self.terms.options, "Prune") == Some("false");
        self.terms.prune && !self.terms.dry_run && !is_kept && !task.traits.is_hook()
    }

    fn prune(&mut self, task: &Task, spot: &Where) {
        if self.is_pruned(task) && !self.is_leaving(task) {
            self.add(Need::Needed, spot.of("delete"), "prunes", &title(task));
            self.counts_children(task);
        }
    }

    /// Whether the object is being deleted already, so that nobody deletes it again.
    fn is_leaving(&self, task: &Task) -> bool {
        self.scene.live.get(&task.id.key).is_some_and(|live| !live.text(&["metadata", "deletionTimestamp"]).is_empty())
    }

    fn write(&mut self, task: &Task, spot: &Where) {
        let live = self.scene.live.get(&task.id.key).cloned();
        let is_there = live.is_some() || self.scene.unread.contains(&task.id.key);
        let live_options = live.as_ref().map(|live| Traits::of(live).options).unwrap_or_default();
        let mode = Mode::of(self.terms.options, self.terms.force, &task.traits.options, &live_options);
        let (what, anew) = (title(task), spot.any_name());
        // A Namespace is created in the whole cluster.
        let anew = if is_namespace(&task.id.key) { Where { namespace: "".into(), ..anew } } else { anew };
        match mode.verb {
            Verb::Apply | Verb::ServerSideApply => self.add(Need::Needed, spot.of("patch"), "applies", &what),
            Verb::Replace if is_there => self.add(Need::Needed, spot.of("update"), "replaces", &what),
            Verb::Replace => {}
        }
        let goes_first = is_there && (self.goes_first(task) || self.is_recreated(task, mode, live.as_ref()));
        if !is_there || goes_first {
            self.add(Need::Needed, anew.of("create"), "creates", &what);
        } else {
            self.add(Need::Helpful, anew.of("create"), "creates again, should it be gone:", &what);
        }
        if is_there && self.is_recreated(task, mode, live.as_ref()) && !self.terms.dry_run {
            self.add(Need::Needed, spot.of("delete"), "deletes and creates again what cannot be changed:", &what);
            self.counts_children(task);
        }
        let is_content = task.id.key.group.is_empty() && matches!(&*task.id.key.kind, "ConfigMap" | "Secret");
        if live.is_some() && is_content && task.id.role == Role::Apply {
            for (version, kind, plural) in READERS {
                let place = Where { group: Gvk::new(version, kind).group, ..Where::core(plural, &task.id.key.namespace) };
                self.add(Need::Helpful, place.of("list"), "tells in a plan who else reads", &what);
            }
        }
        if task.is_hook() && !self.terms.dry_run {
            self.hook(task, spot, mode);
        }
        self.hand_on(task);
    }

    /// Whether the old object of a hook is deleted before the hook runs.
    fn goes_first(&self, task: &Task) -> bool {
        !self.terms.dry_run && task.delete_policies().contains(&DeletePolicy::BeforeHookCreation)
    }

    /// Whether the server may be asked to delete the object for the target: by force, or because a binding gets another role.
    fn is_recreated(&self, task: &Task, mode: Mode, live: Option<&Object>) -> bool {
        let key = &task.id.key;
        let is_updated = mode.verb == Verb::Replace && (key.is_definition() || *key.kind == *"Namespace");
        let role = |object: &Object| ["kind", "name"].map(|field| object.text(&["roleRef", field]).to_owned());
        let is_rebound = || match (&task.target, live) {
            (Some(target), Some(live)) => escalation::bound_role(key, target).is_some() && role(target) != role(live),
            (Some(_) | None, _) => false,
        };
        (mode.force && !is_updated) || (mode.verb == Verb::Apply && is_rebound())
    }

    fn hook(&mut self, task: &Task, spot: &Where, mode: Mode) {
        let what = title(task);
        if mode.verb == Verb::Replace || task.id.key.name.is_empty() {
            self.add(Need::Needed, spot.of("patch"), "takes the finalizer off", &what);
        }
        let (key, policies) = (&task.id.key, task.delete_policies());
        let is_there = self.scene.live.contains_key(key) || self.scene.unread.contains(key);
        if self.goes_first(task) && is_there && !self.is_leaving(task) {
            self.add(Need::Needed, spot.of("delete"), "deletes the old object of", &what);
        }
        if policies.contains(&DeletePolicy::HookSucceeded) && task.id.phase != Phase::SyncFail {
            self.add(Need::Needed, spot.of("delete"), "deletes when it has succeeded:", &what);
        }
        // A terminate ends what runs, and the next sync may find an old object.
        self.add(Need::Helpful, spot.of("delete"), "ends, if it fails, is terminated or has run before:", &what);
        if !key.may_have_pods() {
            return;
        }
        let pods = Where::core("pods", &key.namespace);
        let own = if key.group.is_empty() && *key.kind == *"Pod" { Where { name: spot.name.clone(), ..pods } } else { pods };
        self.add(Need::Helpful, own.of("get"), "keeps the log of", &what);
        self.add(Need::Helpful, Where { subresource: "log", ..own }.of("get"), "keeps the log of", &what);
    }

    fn hand_on(&mut self, task: &Task) {
        let Some(target) = &task.target else { return };
        let Some(Handing { grant, does, instead }) = escalation::handing(task, target, &self.targets, self.scene) else { return };
        self.add(Need::Needed, grant, does, &title(task));
        if let Some(access) = self.wants.accesses.last_mut() {
            access.instead = instead;
        }
    }

    /// What is watched, or may be followed, in every namespace of the plan.
    fn places(&mut self) {
        let named = self.plan.tasks.iter().filter(|task| !task.id.key.name.is_empty() && !task.id.key.namespace.is_empty());
        let tasks: Vec<&Task> = named.collect();
        let namespaces: BTreeSet<&Arc<str>> = tasks.iter().map(|task| &task.id.key.namespace).collect();
        for namespace in namespaces {
            for verb in ["list", "watch"] {
                self.add(Need::Helpful, Where::core("pods", namespace).of(verb), "shows the pods of hooks and workloads", "");
                self.add(Need::Helpful, Where::core("events", namespace).of(verb), "shows what the cluster reports about objects", "");
            }
        }
        if self.terms.dry_run {
            return;
        }
        for task in tasks.into_iter().filter(|task| task.id.role == Role::Apply && task.id.key.may_have_pods()) {
            let pods = Where::core("pods", &task.id.key.namespace);
            self.add(Need::Helpful, pods.of("get"), "shows on request the log of", &title(task));
            self.add(Need::Helpful, Where { subresource: "log", ..pods }.of("get"), "shows on request the log of", &title(task));
        }
    }

    /// What a plan lists to say what goes with an object. Secrets are left out: who may list them may read them all, which is too much for
    /// a number. So is what is in a Namespace, which is every kind.
    fn counts_children(&mut self, task: &Task) {
        let key = &task.id.key;
        let below = below(key);
        let usual = below.usual().into_iter().map(|usual| (usual.gvk.group, Arc::from(usual.plural), usual.is_namespaced));
        let mut kinds: BTreeSet<(Arc<str>, Arc<str>, bool)> = usual.collect();
        if below.is_open() {
            let own = self.plan.tasks.iter().filter_map(|own| {
                let plural = self.scene.plurals.get(&own.gvk())?.clone();
                Some((own.id.key.group.clone(), plural, !own.id.key.namespace.is_empty()))
            });
            kinds.extend(own.filter(|(_, _, is_namespaced)| *is_namespaced || below == Below::Everywhere));
        }
        let defined = self.scene.live.get(key).filter(|_| key.is_definition());
        kinds.extend(defined.map(|live| (live.text(&["spec", "group"]).into(), live.text(&["spec", "names", "plural"]).into(), false)));
        for (group, resource, _) in kinds.into_iter().filter(|(group, plural, _)| (&**group, &**plural) != ("", "secrets")) {
            let place = Where { group, resource, ..Where::core("", &key.namespace) };
            self.add(Need::Helpful, place.of("list"), "counts in a plan what goes with", &title(task));
        }
    }

    /// What is looked for before a sync begins.
    fn searches(&mut self) {
        if self.terms.options.has("CreateNamespace=true") && !self.plan.namespace.is_empty() {
            let key = ResourceKey::new("", "Namespace", "", &self.plan.namespace);
            self.add(Need::Needed, Where::object(&key, &"namespaces".into()).of("get"), "finds out whether there is", &key.to_string());
        }
        // Without it other rules judge, and the sync may come to another end.
        if let Some(key) = &self.scene.customizations {
            let spot = Where::object(key, &"configmaps".into());
            self.add(Need::Needed, spot.of("get"), "reads health rules and ignored differences in", &key.to_string());
        }
        for (gvk, plural) in self.kinds() {
            for namespace in self.namespaces(&gvk) {
                let place = Where { group: gvk.group.clone(), resource: plural.clone(), ..Where::core("", &namespace) };
                self.add(Need::Helpful, place.of("list"), "finds what to prune where no inventory is kept", "");
            }
        }
        for key in &self.scene.references {
            let Some(plural) = PLURALS.iter().find(|(kind, _)| *kind == &*key.kind) else { continue };
            let spot = Where::object(key, &plural.1.into());
            self.add(Need::Helpful, spot.of("get"), "warns if it is missing:", &key.to_string());
        }
        if self.scene.has_applications {
            let (group, resource) = APPLICATIONS;
            let place = Where { group: group.into(), ..Where::core(resource, &"".into()) };
            self.add(Need::Helpful, place.of("list"), "leaves objects of Argo CD's Applications alone", "");
        }
    }

    /// Kinds of all manifests, those that do not run included.
    fn kinds(&self) -> BTreeMap<Gvk, Arc<str>> {
        let left = self.plan.not_run.iter().map(|not_run| &not_run.task);
        let manifests = self.plan.tasks.iter().filter(|task| !task.is_prune() && !task.automatic).chain(left);
        manifests.filter_map(|task| Some((task.gvk(), self.scene.plurals.get(&task.gvk())?.clone()))).collect()
    }

    /// Namespaces of all manifests and the destination; none (empty) for a kind without namespaces.
    fn namespaces(&self, gvk: &Gvk) -> BTreeSet<Arc<str>> {
        let left = self.plan.not_run.iter().map(|not_run| &not_run.task);
        let keys =
            || self.plan.tasks.iter().filter(|task| !task.is_prune() && !task.automatic).chain(left.clone()).map(|task| &task.id.key);
        if keys().any(|key| key.group == gvk.group && key.kind == gvk.kind && key.namespace.is_empty()) {
            return BTreeSet::from(["".into()]);
        }
        let named = keys().map(|key| key.namespace.clone()).chain([self.plan.namespace.clone()]);
        named.filter(|namespace| !namespace.is_empty()).collect()
    }

    fn add(&mut self, need: Need, grant: Grant, does: &'static str, subject: &str) {
        let is_kept_above = self.wants.new_namespaces.contains(&grant.namespace) || is_cluster_wide(&grant);
        let home = if is_kept_above { "".into() } else { grant.namespace.clone() };
        let reason = Reason { does, subject: subject.into() };
        self.wants.accesses.push(Access { grant, home, need, reason, instead: None });
    }
}

/// A Namespace may be read by a Role in it; whoever changes it does so for the whole cluster.
fn is_cluster_wide(grant: &Grant) -> bool {
    grant.namespace.is_empty() || (&*grant.group, &*grant.resource) == ("", "namespaces") && &*grant.verb != "get"
}

/// Returns what the names begin with that an object gets anew in each sync.
fn prefix(task: &Task) -> Option<&str> {
    let prefix = task.target.as_ref()?.generate_name();
    (!prefix.is_empty() && (task.id.key.name.is_empty() || task.id.key.name.starts_with(prefix))).then_some(prefix)
}

/// Returns `Deployment web (Sync wave 0)`.
fn title(task: &Task) -> String {
    let key = &task.id.key;
    let name = prefix(task).map_or_else(|| key.name.to_string(), |prefix| format!("{prefix}*"));
    let place = if task.is_prune() { "prune".to_owned() } else { format!("{} wave {}", task.id.phase, task.wave) };
    format!("{} {name} ({place})", key.kind)
}
