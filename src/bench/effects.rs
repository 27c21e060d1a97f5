//! The effects of a large plan: what is said of changed objects and their readers, and what belongs to objects that go.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::live;
use crate::cluster::{Listed, Resource};
use crate::engine::children::Place;
use crate::engine::children::family::Forest;
use crate::engine::session::Action;
use crate::model::{Gvk, HealthStatus, Kinds, Live, Object, Options, Origin, ResourceKey, Task, TaskId};
use crate::plan::diff::{self, Difference, NoRules, Sides};
use crate::plan::impact::{self, Facts, Outside, Scene, Terms};
use crate::plan::{Candidate, Manifest, Plan, PlanInput, Shape};

const NAMESPACE: &str = "large";

/// A plan with both sides of its objects, and lists of what may belong to those that go.
#[derive(Debug)]
pub struct Effects {
    plan: Plan,
    actions: BTreeMap<TaskId, Action>,
    differences: BTreeMap<TaskId, Arc<Difference>>,
    facts: BTreeMap<TaskId, Facts>,
    outside: Outside,
    lists: Vec<(Place, Listed)>,
    options: Options,
}

impl Effects {
    /// Makes up `count` objects: a third each of changed ConfigMaps, of Deployments that read one of them and change too, and of Deployments
    /// that go with a ReplicaSet and three pods each. As many workloads beside the plan read the ConfigMaps too.
    pub fn of(count: usize) -> Self {
        let each = count / 3;
        let manifests: Vec<Manifest> =
            (0..each).flat_map(|number| [config(number, "new"), web(number, "app:2", 3)]).map(manifest).collect();
        let candidates: Vec<Candidate> = (0..count - 2 * each).map(candidate).collect();
        let plan = Plan::build(&PlanInput {
            app: "large",
            namespace: NAMESPACE,
            revision: "4c1d0aa97f3e52b1",
            operation: "bench",
            started_at: Timestamp::UNIX_EPOCH,
            manifests: &manifests,
            kinds: &Kinds::default(),
            candidates: &candidates,
            selection: None,
            shape: &Shape::default(),
        });
        let action = |task: &Task| if task.is_prune() { Action::Prune } else { Action::Configure };
        let actions = plan.tasks.iter().map(|task| (task.id.clone(), action(task))).collect();
        let old: Vec<(ResourceKey, Value)> =
            (0..each).flat_map(|number| [config(number, "old"), web(number, "app:1", 2)]).map(|old| (key(&old), old)).collect();
        let old: BTreeMap<ResourceKey, Value> = old.into_iter().collect();
        let changed = plan.tasks.iter().filter_map(|task| Some((task, old.get(&task.id.key)?)));
        let differences = changed.clone().map(|(task, live)| (task.id.clone(), Arc::new(difference(task, live)))).collect();
        let facts = changed.map(|(task, live)| (task.id.clone(), Facts::of(live))).collect();
        let workloads = (0..each).map(|number| Object::new(renamed(web(number, "other:1", 1), &format!("other-{number}")))).collect();
        let outside = Outside { workloads, ..Outside::default() };
        Self { plan, actions, differences, facts, outside, lists: lists(candidates.len()), options: Options::default() }
    }

    /// Says what every task does beyond its object; returns how many things are said.
    pub fn told(&self) -> usize {
        let Self { plan, actions, differences, facts, outside, options, .. } = self;
        let terms = Terms { options, prunes: true, approved: &[] };
        impact::impacts(&Scene { plan, actions, differences, facts, outside, terms }).values().map(Vec::len).sum()
    }

    /// Counts what goes with the objects that go; returns how many objects that are.
    pub fn counted(&self) -> u64 {
        let mut forest = Forest::default();
        for (place, listed) in &self.lists {
            forest.take(place.clone(), listed);
        }
        let gone = || self.plan.tasks.iter().filter(|task| task.is_prune());
        let roots = gone().map(|task| (&task.id.key, task.uid.as_deref().unwrap_or_default()));
        forest.families(roots).iter().flatten().map(impact::Family::total).sum()
    }
}

fn manifest(value: Value) -> Manifest {
    Manifest { object: Object::new(value), origin: Origin { file: "large.yaml".into(), line: 1 } }
}

fn key(value: &Value) -> ResourceKey {
    Object::new(value.clone()).key()
}

fn difference(task: &Task, live: &Value) -> Difference {
    diff::compare(&Sides { live: Some(live), after: task.target.as_ref().map(Object::wire) }, &NoRules)
}

fn renamed(mut value: Value, name: &str) -> Value {
    value["metadata"]["name"] = name.into();
    value
}

fn config(number: usize, value: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": format!("config-{number}"), "namespace": NAMESPACE}, "data": {"key": value}})
}

fn web(number: usize, image: &str, replicas: usize) -> Value {
    let from = json!([{"configMapRef": {"name": format!("config-{number}")}}]);
    let pod = json!({"containers": [{"name": "main", "image": image, "envFrom": from}]});
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": format!("web-{number}"), "namespace": NAMESPACE},
        "spec": {"replicas": replicas, "template": {"spec": pod}}})
}

fn candidate(number: usize) -> Candidate {
    let key = ResourceKey::new("apps", "Deployment", NAMESPACE, &format!("old-{number}"));
    let live = Live { uid: format!("old-{number}").into(), ..*live(1, HealthStatus::Healthy) };
    Candidate { key, version: "v1".into(), live }
}

/// A ReplicaSet and three pods of each Deployment that goes.
fn lists(count: usize) -> Vec<(Place, Listed)> {
    let child =
        |name: String, owner: String| Object::new(json!({"metadata": {"name": name, "uid": name, "ownerReferences": [{"uid": owner}]}}));
    let sets = (0..count).map(|number| child(format!("set-{number}"), format!("old-{number}"))).collect();
    let pods = (0..count * 3).map(|number| child(format!("pod-{number}"), format!("set-{}", number / 3))).collect();
    let place = |version: &str, kind: &str, plural: &str| {
        (Resource { gvk: Gvk::new(version, kind), ..Resource::core(kind, plural) }, NAMESPACE.into())
    };
    [(place("v1", "Pod", "pods"), pods), (place("apps/v1", "ReplicaSet", "replicasets"), sets)]
        .map(|(place, objects)| (place, Listed { objects, is_whole: true }))
        .into()
}
