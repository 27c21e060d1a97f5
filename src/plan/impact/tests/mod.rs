//! Impacts of every kind, as sentences.

mod config;
mod pods;
mod removal;
mod things;

use serde_json::{Value, json};

use super::*;
use crate::model::{Kinds, Live, Object, Origin};
use crate::plan::diff::{self, IgnoreFields, NoRules, Sides};
use crate::plan::{Candidate, Deletion, Kind, Manifest, PlanInput, Shape};

/// A plan in which everything that is tested can be set.
struct Stage {
    manifests: Vec<Manifest>,
    candidates: Vec<Candidate>,
    kind: Kind,
    actions: BTreeMap<String, Action>,
    live: BTreeMap<String, Value>,
    facts: BTreeMap<String, Facts>,
    options: Options,
    prunes: bool,
    approved: Vec<ResourceKey>,
    outside: Outside,
}

impl Stage {
    fn new() -> Self {
        let (manifests, candidates, approved) = (Vec::new(), Vec::new(), Vec::new());
        let (actions, live, facts) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self {
            manifests,
            candidates,
            kind: Kind::Sync,
            actions,
            live,
            facts,
            options: Options::default(),
            prunes: true,
            approved,
            outside: Outside::default(),
        }
    }

    /// One object that is changed from `before` to `after`.
    fn changed(before: &Value, after: &Value) -> Self {
        Self::new().with(before, after, Action::Configure)
    }

    fn with(mut self, before: &Value, after: &Value, action: Action) -> Self {
        let object = Object::new(after.clone());
        let name = object.key().short();
        self.manifests.push(Manifest { object, origin: Origin { file: "app.yaml".into(), line: 1 } });
        self.facts.insert(name.clone(), Facts::of(before));
        self.live.insert(name.clone(), before.clone());
        self.actions.insert(name, action);
        self
    }

    /// One object that no manifest asks for any more.
    fn pruned(live: &Value) -> Self {
        let mut stage = Self::new();
        let object = Object::new(live.clone());
        let live = Live::still("u", &object);
        let (key, version) = (ResourceKey { namespace: "prod".into(), ..object.key() }, object.gvk().version);
        stage.facts.insert(key.short(), Facts::of(object.wire()));
        stage.candidates.push(Candidate { key, version, live });
        stage
    }

    fn family(mut self, counts: &[(&str, u64)]) -> Self {
        let counts = counts.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect();
        if let Some(facts) = self.facts.values_mut().next() {
            facts.family = Some(Family { counts, ..facts.family.take().unwrap_or_default() });
        }
        self
    }

    fn family_is(mut self, change: impl Fn(&mut Family)) -> Self {
        self.facts.values_mut().for_each(|facts| change(facts.family.get_or_insert_default()));
        self
    }

    fn facts(mut self, change: impl Fn(&mut Facts)) -> Self {
        self.facts.values_mut().for_each(change);
        self
    }

    fn options(mut self, options: &[&str]) -> Self {
        self.options = Options::new(options.iter().map(|option| (*option).to_owned()));
        self
    }

    fn plan(&self) -> Plan {
        let input = PlanInput {
            app: "shop",
            namespace: "prod",
            revision: "r",
            operation: "op",
            started_at: jiff::Timestamp::UNIX_EPOCH,
            manifests: &self.manifests,
            kinds: &Kinds::default(),
            candidates: &self.candidates,
            selection: None,
            shape: &Shape { options: self.options.clone(), ..Shape::default() },
        };
        match self.kind {
            Kind::Sync => Plan::build(&input),
            Kind::Delete => Plan::of_deletion(&input, &Deletion::default()),
        }
    }

    fn play<T>(&self, ignore: &dyn IgnoreFields, run: impl FnOnce(&Scene<'_>) -> T) -> T {
        let plan = self.plan();
        let (mut actions, mut differences, mut facts) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for task in &plan.tasks {
            let name = task.id.key.short();
            let action = if task.is_prune() { Action::Prune } else { self.actions.get(&name).cloned().unwrap_or(Action::Unchanged) };
            let live = self.live.get(&name);
            let after = task.target.as_ref().map(|target| {
                target.with(|value| {
                    // The live object has it too.
                    if let Some(metadata) = value["metadata"].as_object_mut() {
                        metadata.remove("annotations");
                        metadata.remove("namespace");
                    }
                    let own = self.manifests.iter().find(|manifest| manifest.object.key().short() == name);
                    let annotations = own.map(|manifest| manifest.object.wire()["metadata"]["annotations"].clone()).unwrap_or_default();
                    value["metadata"]["annotations"] = annotations;
                })
            });
            let difference = diff::compare(&Sides { live, after: after.as_ref().map(Object::wire) }, ignore);
            differences.insert(task.id.clone(), Arc::new(difference));
            facts.extend(self.facts.get(&name).map(|own| (task.id.clone(), own.clone())));
            actions.insert(task.id.clone(), action);
        }
        let terms = Terms { options: &self.options, prunes: self.prunes, approved: &self.approved };
        run(&Scene { plan: &plan, actions: &actions, differences: &differences, facts: &facts, outside: &self.outside, terms })
    }

    /// Sentences of all tasks, in order.
    fn told(&self) -> Vec<String> {
        self.play(&NoRules, |scene| impacts(scene).into_values().flatten().map(|impact| impact.to_string()).collect())
    }

    fn tally(&self) -> String {
        self.play(&NoRules, |scene| Tally::of(scene.actions, &impacts(scene), None).to_string())
    }
}

/// An object of a kind, for example of `apps/v1/Deployment`.
fn object(kind: &str, fields: Value) -> Value {
    let (api_version, kind) = kind.rsplit_once('/').unwrap_or(("v1", kind));
    let mut object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "web"}});
    object.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    object
}

fn with(object: &Value, pointer: &str, value: Value) -> Value {
    let mut object = object.clone();
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    object.pointer_mut(parent).unwrap_or_else(|| panic!("{parent} is not there"))[field] = value;
    object
}

#[test]
fn nothing_is_said_of_what_does_not_change_or_comes_anew() {
    let map = object("ConfigMap", json!({"data": {"a": "1"}}));
    for action in [Action::Unchanged, Action::Create, Action::Run, Action::Unknown("no answer".to_owned())] {
        assert_eq!(Stage::new().with(&map, &map, action.clone()).told(), [""; 0], "{action:?}");
    }
}

#[test]
fn a_change_of_metadata_alone_is_told_as_one() {
    let before = object("apps/v1/Deployment", json!({"spec": {"replicas": 2, "template": {}}}));
    let after = with(&before, "/metadata/labels", json!({"a": "b"}));
    assert_eq!(Stage::changed(&before, &after).told(), ["only metadata changes"]);
    let both = with(&after, "/spec/replicas", json!(3));
    assert_eq!(Stage::changed(&before, &both).told(), ["scales from 2 to 3 pods"]);
}

#[test]
fn fields_that_are_taken_from_others_are_named() {
    let owned = |manager: &str, operation: &str, fields: Value| json!({"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields});
    let keys =
        |names: &[&str]| json!({"f:data": names.iter().map(|name| (format!("f:{name}"), json!({}))).collect::<serde_json::Map<_, _>>()});
    let before = object("ConfigMap", json!({"data": {"a": "1", "b": "1", "c": "1", "d": "1", "e": "1"}}));
    let all = ["a", "b", "c", "d", "e"];
    for (names, expected) in [
        (&["a"][..], "takes data.a from kubectl-edit"),
        (&["a", "b"], "takes data.a and data.b from kubectl-edit"),
        (&all, "takes data.a, data.b, data.c and 2 more from kubectl-edit"),
    ] {
        let live = with(&before, "/metadata/managedFields", json!([owned("kubectl-edit", "Update", keys(names))]));
        let mut after = before.clone();
        for name in names {
            after["data"][*name] = json!("2");
        }
        let stage = Stage::changed(&live, &with(&after, "/metadata/managedFields", json!([owned("syncwave", "Apply", keys(&all))])));
        assert_eq!(stage.told(), [expected]);
    }
}

#[test]
fn an_impact_is_printed_with_its_kind_its_sentence_and_its_numbers() {
    let family = Family { counts: [("Pod".to_owned(), 2)].into(), ..Family::default() };
    for (impact, expected) in [
        (Impact::OnlyMetadata, json!({"kind": "onlyMetadata", "text": "only metadata changes"})),
        (Impact::Deletes { family, is_off: false }, json!({"kind": "deletes", "text": "deletes it with 2 Pods", "children": 2})),
    ] {
        assert_eq!(serde_json::to_value(&impact).unwrap(), expected);
    }
}

#[test]
fn half_written_objects_are_no_reason_to_panic() {
    let kinds = [
        "apps/v1/Deployment",
        "apps/v1/StatefulSet",
        "apps/v1/DaemonSet",
        "apps/v1/ReplicaSet",
        "argoproj.io/v1alpha1/Rollout",
        "batch/v1/Job",
        "batch/v1/CronJob",
        "Pod",
        "Service",
        "ConfigMap",
        "Secret",
        "PersistentVolumeClaim",
        "networking.k8s.io/v1/Ingress",
        "rbac.authorization.k8s.io/v1/Role",
        "rbac.authorization.k8s.io/v1/RoleBinding",
        "apiextensions.k8s.io/v1/CustomResourceDefinition",
        "autoscaling/v2/HorizontalPodAutoscaler",
    ];
    let wrong = [json!(null), json!(true), json!(-1), json!("x"), json!([]), json!([null, 1, {"a": []}]), json!({}), json!(u64::MAX)];
    let fields = ["spec", "data", "rules", "subjects", "status"];
    for kind in kinds {
        for value in &wrong {
            let with_all = |value: &Value| object(kind, fields.iter().map(|field| ((*field).to_owned(), value.clone())).collect());
            let deep = json!({"replicas": value, "paused": value, "suspend": value, "template": value, "jobTemplate": value, "ports": value,
                "selector": value, "type": value, "rules": value, "versions": value, "strategy": {"rollingUpdate": {"maxSurge": value}},
                "updateStrategy": {"type": value, "rollingUpdate": {"partition": value, "maxUnavailable": value}}, "containers": value,
                "ordinals": {"start": value}, "minReplicas": value, "maxReplicas": value});
            for (before, after) in
                [(with_all(&json!({})), with_all(value)), (with_all(value), with_all(&deep)), (with_all(&deep), with_all(value))]
            {
                let stage = Stage::changed(&before, &after);
                stage.told();
                stage.tally();
            }
        }
    }
}
