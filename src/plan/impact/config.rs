//! ConfigMaps and Secrets that change: which workloads of the plan use them, how, and whether their pods will see it; and who else does.
//! Asks nobody: what is live beside the plan is handed in.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;

use super::sentence::{Impact, Turn, Use};
use super::{Change, Scene, list, text};
use crate::model::{Object, Role, Segment, Task, TaskId};
use crate::plan::Action;
use crate::plan::references::{containers, pod_spec};

/// Workloads that are live and no part of the plan.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outside {
    pub(crate) workloads: Vec<Object>,
    /// Namespaces in which there may be more.
    pub(crate) cut: BTreeSet<Arc<str>>,
}

/// Returns what each changed ConfigMap and Secret means for the workloads of the plan and beside it; `known`: what those of the plan do by
/// themselves.
pub(super) fn told(scene: &Scene<'_>, known: &BTreeMap<TaskId, Vec<Impact>>) -> Vec<(TaskId, Vec<Impact>)> {
    let changes: Vec<Change<'_>> = scene.plan.tasks.iter().filter_map(|task| content(scene, task)).collect();
    if changes.is_empty() {
        return Vec::new();
    }
    let users: Vec<User<'_>> = scene.plan.tasks.iter().filter_map(|task| User::of(scene, task, known)).collect();
    let inside = Readers::of(users.iter().map(|user| (&*user.task.id.key.namespace, user.spec)));
    let strangers: Vec<(&Object, &Value)> =
        scene.outside.workloads.iter().filter_map(|object| Some((object, pod_spec(object)?.1))).collect();
    let outside = Readers::of(strangers.iter().map(|(object, spec)| (object.namespace(), *spec)));
    let of = |change: &Change<'_>| {
        let source = Source::of(change);
        let fed = inside.of_change(change).iter().filter_map(|at| users[*at].feeds(scene, change, &source));
        let beside = outside.of_change(change).iter().map(|at| strangers[*at]).filter(|(_, spec)| uses(spec, &source).is_some());
        let mut names: Vec<String> = beside.map(|(object, _)| object.key().short()).collect();
        names.sort();
        let more = scene.outside.cut.contains(&change.task.id.key.namespace);
        let others = (!names.is_empty()).then_some(Impact::FeedsOthers { names, more });
        fed.chain(others).collect::<Vec<_>>()
    };
    changes.iter().map(|change| (change.task.id.clone(), of(change))).filter(|(_, told)| !told.is_empty()).collect()
}

/// Returns the namespaces in which somebody may read a ConfigMap or Secret whose values change.
pub(crate) fn fed_namespaces(scene: &Scene<'_>) -> BTreeSet<Arc<str>> {
    let changes = scene.plan.tasks.iter().filter_map(|task| content(scene, task));
    changes.map(|change| change.task.id.key.namespace.clone()).filter(|namespace| !namespace.is_empty()).collect()
}

/// Descriptions of pods by what they name, because most have nothing to do with most of the changes.
struct Readers<'a>(HashMap<(&'a str, Named<'a>), Vec<usize>>);

/// Whether it is a Secret, and its name.
type Named<'a> = (bool, &'a str);

impl<'a> Readers<'a> {
    fn of(specs: impl Iterator<Item = (&'a str, &'a Value)>) -> Self {
        let mut readers: HashMap<(&str, Named<'_>), Vec<usize>> = HashMap::new();
        for (at, (namespace, spec)) in specs.enumerate() {
            for named in named(spec) {
                readers.entry((namespace, named)).or_default().push(at);
            }
        }
        Self(readers)
    }

    fn of_change<'s>(&'s self, change: &'s Change<'_>) -> &'s [usize] {
        let key = &change.task.id.key;
        self.0.get(&(&*key.namespace, (&*key.kind == "Secret", &*key.name))).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Returns the ConfigMaps and Secrets that a pod's description names.
fn named(spec: &Value) -> BTreeSet<Named<'_>> {
    let mut found = BTreeSet::new();
    for (_, container) in containers("", spec) {
        let of_env = list(container, "/env").filter_map(|variable| variable.get("valueFrom"));
        found.extend(of_env.flat_map(|from| either(from, "configMapKeyRef", "secretKeyRef")));
        found.extend(list(container, "/envFrom").flat_map(|from| either(from, "configMapRef", "secretRef")));
    }
    for volume in list(spec, "/volumes") {
        found.extend(either(volume, "configMap", ""));
        found.extend(Some((true, text(volume, "/secret/secretName"))).filter(|(_, name)| !name.is_empty()));
        found.extend(list(volume, "/projected/sources").flat_map(|source| either(source, "configMap", "secret")));
    }
    found
}

/// Returns the ConfigMap and the Secret that are named in these fields.
fn either<'v>(holder: &'v Value, map: &str, secret: &str) -> impl Iterator<Item = Named<'v>> + use<'v> {
    let name = |field: &str| holder.get(field).and_then(|own| own.get("name")?.as_str());
    [(false, name(map)), (true, name(secret))].into_iter().filter_map(|(is_secret, name)| Some((is_secret, name?)))
}

/// Returns both sides of a ConfigMap or Secret whose values change.
fn content<'a>(scene: &Scene<'a>, task: &'a Task) -> Option<Change<'a>> {
    let is_one = task.id.key.group.is_empty() && matches!(&*task.id.key.kind, "ConfigMap" | "Secret");
    let is_changed = matches!(scene.actions.get(&task.id), Some(Action::Configure | Action::Replace | Action::Recreate(_)));
    let change = scene.change(task).filter(|_| is_one && is_changed)?;
    DATA.iter().any(|field| change.paths.touch(&[field])).then_some(change)
}

/// Fields with values.
const DATA: [&str; 3] = ["data", "binaryData", "stringData"];

/// A workload of the plan whose pods are there already.
struct User<'a> {
    task: &'a Task,
    spec: &'a Value,
    rolls: bool,
}

impl<'a> User<'a> {
    fn of(scene: &Scene<'_>, task: &'a Task, known: &BTreeMap<TaskId, Vec<Impact>>) -> Option<Self> {
        let is_there = match scene.actions.get(&task.id) {
            Some(Action::Configure | Action::Unchanged | Action::Replace | Action::Recreate(_)) => task.id.role == Role::Apply,
            Some(Action::Create | Action::Prune | Action::Run | Action::Refused(_) | Action::Unknown(_)) | None => false,
        };
        let (_, spec) = pod_spec(task.target.as_ref().filter(|_| is_there)?)?;
        let rolls = |impact: &Impact| matches!(impact, Impact::Rolls { .. } | Impact::Recreates { .. });
        Some(Self { task, spec, rolls: known.get(&task.id).is_some_and(|impacts| impacts.iter().any(rolls)) })
    }

    fn feeds(&self, scene: &Scene<'_>, change: &Change<'_>, source: &Source<'_>) -> Option<Impact> {
        let (key, of) = (&self.task.id.key, change.task);
        let how = uses(self.spec, source)?;
        let how = match &*key.kind {
            "CronJob" => Use::NextRun,
            // Its pods have started with what there was.
            "Job" => return None,
            _ => how,
        };
        let turn = match (self.rolls, scene.plan.position(&self.task.id) > scene.plan.position(&of.id)) {
            (false, _) => Turn::Never,
            (true, true) => Turn::After { phase: self.task.id.phase, wave: self.task.wave },
            (true, false) => Turn::Before { phase: self.task.id.phase, wave: self.task.wave },
        };
        Some(Impact::Feeds { user: key.clone(), how, turn })
    }
}

/// How pods use what changes: the way that keeps old values longest counts.
fn uses(spec: &Value, source: &Source<'_>) -> Option<Use> {
    let mut found = None;
    let mut mounts = Vec::new();
    for (_, container) in containers("", spec) {
        let env = list(container, "/env").any(|variable| source.is_read_by(variable));
        let env_from = list(container, "/envFrom").any(|from| source.is_named_in(from, "configMapRef", "secretRef", "name"));
        found = found.max((env || env_from).then_some(Use::Environment));
        mounts.extend(list(container, "/volumeMounts"));
    }
    for volume in list(spec, "/volumes").filter(|volume| source.is_mounted_by(volume)) {
        let own = mounts.iter().filter(|mount| text(mount, "/name") == text(volume, "/name"));
        let by_path = |mount: &&&Value| ["/subPath", "/subPathExpr"].iter().any(|field| !text(mount, field).is_empty());
        found = found.max(own.map(|mount| if by_path(&mount) { Use::SubPath } else { Use::Mount }).max());
    }
    found
}

/// The object that changes, as pods name it.
struct Source<'a> {
    is_secret: bool,
    name: &'a str,
    /// Keys with other values; `None`: all of them may be.
    keys: Option<BTreeSet<&'a str>>,
}

impl<'a> Source<'a> {
    fn of(change: &Change<'a>) -> Self {
        let key = &change.task.id.key;
        Self { is_secret: &*key.kind == "Secret", name: &key.name, keys: keys(change) }
    }

    fn has(&self, key: &str) -> bool {
        self.keys.as_ref().is_none_or(|keys| keys.contains(key))
    }

    fn is_named_in(&self, holder: &Value, map: &str, secret: &str, field: &str) -> bool {
        let named = holder.get(if self.is_secret { secret } else { map });
        named.and_then(|named| named.get(field)).and_then(Value::as_str) == Some(self.name)
    }

    fn is_read_by(&self, variable: &Value) -> bool {
        let Some(from) = variable.get("valueFrom") else { return false };
        let key = text(from, if self.is_secret { "/secretKeyRef/key" } else { "/configMapKeyRef/key" });
        self.is_named_in(from, "configMapKeyRef", "secretKeyRef", "name") && self.has(key)
    }

    fn is_mounted_by(&self, volume: &Value) -> bool {
        let own = self.is_named_in(volume, "configMap", "", "name") || self.is_named_in(volume, "", "secret", "secretName");
        let projected = |source: &Value| self.is_named_in(source, "configMap", "secret", "name") && self.is_chosen(source);
        (own && self.is_chosen(volume)) || list(volume, "/projected/sources").any(projected)
    }

    /// Returns whether a changed key is among those that a volume takes.
    fn is_chosen(&self, holder: &Value) -> bool {
        let pointer = if self.is_secret { "/secret/items" } else { "/configMap/items" };
        let mut items = list(holder, pointer).peekable();
        items.peek().is_none() || items.any(|item| self.has(text(item, "/key")))
    }
}

/// Returns the keys whose values change.
fn keys<'a>(change: &Change<'a>) -> Option<BTreeSet<&'a str>> {
    let changed = change.paths.all().filter(|path| path.first().and_then(Segment::name).is_some_and(|name| DATA.contains(&name)));
    changed.map(|path| path.get(1).and_then(Segment::name)).collect()
}
