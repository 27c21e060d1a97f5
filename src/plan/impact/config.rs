//! ConfigMaps and Secrets that change: which workloads of the plan use them, how, and whether their pods will see it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::sentence::{Impact, Turn, Use};
use super::{Change, Scene, list, text};
use crate::model::{Role, Segment, Task, TaskId};
use crate::plan::Action;
use crate::plan::references::{containers, pod_spec};

/// Returns what each changed ConfigMap and Secret means for the workloads of the plan; `known`: what those do by themselves.
pub(super) fn told(scene: &Scene<'_>, known: &BTreeMap<TaskId, Vec<Impact>>) -> Vec<(TaskId, Vec<Impact>)> {
    let changes: Vec<Change<'_>> = scene.plan.tasks.iter().filter_map(|task| content(scene, task)).collect();
    if changes.is_empty() {
        return Vec::new();
    }
    let users: Vec<User<'_>> = scene.plan.tasks.iter().filter_map(|task| User::of(scene, task, known)).collect();
    let of = |change: &Change<'_>| users.iter().filter_map(|user| user.feeds(scene, change)).collect::<Vec<_>>();
    changes.iter().map(|change| (change.task.id.clone(), of(change))).filter(|(_, told)| !told.is_empty()).collect()
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

    fn feeds(&self, scene: &Scene<'_>, change: &Change<'_>) -> Option<Impact> {
        let (key, of) = (&self.task.id.key, change.task);
        let how = if key.namespace == of.id.key.namespace { self.uses(change)? } else { return None };
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

    /// How it uses what changes: the way that keeps old values longest counts.
    fn uses(&self, change: &Change<'_>) -> Option<Use> {
        let source = Source { is_secret: &*change.task.id.key.kind == "Secret", name: &change.task.id.key.name, keys: keys(change) };
        let mut found = None;
        let mut mounts = Vec::new();
        for (_, container) in containers("", self.spec) {
            let env = list(container, "/env").any(|variable| source.is_read_by(variable));
            let env_from = list(container, "/envFrom").any(|from| source.is_named_in(from, "configMapRef", "secretRef", "name"));
            found = found.max((env || env_from).then_some(Use::Environment));
            mounts.extend(list(container, "/volumeMounts"));
        }
        for volume in list(self.spec, "/volumes").filter(|volume| source.is_mounted_by(volume)) {
            let own = mounts.iter().filter(|mount| text(mount, "/name") == text(volume, "/name"));
            let by_path = |mount: &&&Value| ["/subPath", "/subPathExpr"].iter().any(|field| !text(mount, field).is_empty());
            found = found.max(own.map(|mount| if by_path(&mount) { Use::SubPath } else { Use::Mount }).max());
        }
        found
    }
}

/// The object that changes, as pods name it.
struct Source<'a> {
    is_secret: bool,
    name: &'a str,
    /// Keys with other values; `None`: all of them may be.
    keys: Option<BTreeSet<&'a str>>,
}

impl Source<'_> {
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
