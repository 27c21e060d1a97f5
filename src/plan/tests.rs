//! Plans from manifests.

mod matrix;

use serde_json::{Value, json};

use super::*;
use crate::model::{Gvk, KindFact, Phase, Role, Scope, annotation};

fn manifest(value: Value, line: usize) -> Manifest {
    Manifest { object: Object::new(value), origin: Origin { file: "app.yaml".into(), line } }
}

fn object(api_version: &str, kind: &str, name: &str, annotations: &[(&str, &str)]) -> Value {
    let annotations: serde_json::Map<String, Value> = annotations.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
    json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "annotations": annotations}})
}

fn wave(number: &str) -> (&'static str, &str) {
    (annotation::SYNC_WAVE, number)
}

struct Given {
    manifests: Vec<Manifest>,
    kinds: Kinds,
    candidates: Vec<Candidate>,
    selection: Option<Vec<Selector>>,
    shape: Shape,
    revision: &'static str,
}

fn given(objects: impl IntoIterator<Item = Value>) -> Given {
    let manifests = objects.into_iter().enumerate().map(|(at, value)| manifest(value, at + 1)).collect();
    let (kinds, candidates, shape) = (Kinds::default(), Vec::new(), Shape::default());
    Given { manifests, kinds, candidates, selection: None, shape, revision: "foobarbaz" }
}

impl Given {
    fn plan(&self) -> Plan {
        Plan::build(&PlanInput {
            app: "shop",
            namespace: "prod",
            revision: self.revision,
            operation: "op-1",
            started_at: Timestamp::from_second(1_700_000_000).unwrap(),
            manifests: &self.manifests,
            kinds: &self.kinds,
            candidates: &self.candidates,
            selection: self.selection.as_deref(),
            shape: &self.shape,
        })
    }

    /// Tasks as `PreSync -1 Job/a`.
    fn order(&self) -> Vec<String> {
        self.plan().tasks.iter().map(|task| format!("{} {} {}", task.id.phase, task.wave, task.id.key.short())).collect()
    }
}

fn crd(name: &str, group: &str, kind: &str, annotations: &[(&str, &str)]) -> Value {
    let mut value = object("apiextensions.k8s.io/v1", "CustomResourceDefinition", name, annotations);
    value["spec"] = json!({"group": group, "names": {"kind": kind}});
    value
}

#[test]
fn r502_tasks_are_ordered_by_phase_wave_kind_and_name() {
    let hook = |phase| (annotation::HOOK, phase);
    let given = given([
        object("apps/v1", "Deployment", "web", &[]),
        object("v1", "Service", "web", &[]),
        object("v1", "ConfigMap", "b", &[]),
        object("v1", "ConfigMap", "a", &[]),
        object("example.com/v1", "Widget", "w", &[]),
        object("v1", "Secret", "late", &[wave("1")]),
        object("batch/v1", "Job", "post", &[hook("PostSync")]),
        object("batch/v1", "Job", "pre", &[hook("PreSync"), wave("2")]),
        object("batch/v1", "Job", "alert", &[hook("SyncFail")]),
    ]);
    assert_eq!(
        given.order(),
        [
            "PreSync 2 Job/pre",
            "Sync 0 ConfigMap/a",
            "Sync 0 ConfigMap/b",
            "Sync 0 Service/web",
            "Sync 0 Deployment/web",
            "Sync 0 Widget/w",
            "Sync 1 Secret/late",
            "PostSync 0 Job/post",
            "SyncFail 0 Job/alert"
        ]
    );
}

#[test]
fn r511_a_namespace_moves_before_its_first_content_also_into_presync() {
    let mut content = object("v1", "ConfigMap", "c", &[wave("1")]);
    content["metadata"]["namespace"] = json!("extra");
    let other = object("v1", "ConfigMap", "first", &[]);
    let case = given([object("v1", "Namespace", "extra", &[wave("3")]), content.clone(), other]);
    assert_eq!(case.order(), ["Sync 0 ConfigMap/first", "Sync 1 Namespace/extra", "Sync 1 ConfigMap/c"]);
    assert!(case.plan().tasks[1].pulled_forward);
    content["metadata"]["annotations"] = json!({annotation::HOOK: "PreSync", annotation::SYNC_WAVE: "-4"});
    let case = given([object("v1", "Namespace", "extra", &[wave("3")]), content]);
    assert_eq!(case.order(), ["PreSync -4 Namespace/extra", "PreSync -4 ConfigMap/c"]);
}

#[test]
fn r512_a_definition_moves_before_its_first_resource() {
    let case = given([
        crd("widgets.example.com", "example.com", "Widget", &[wave("3")]),
        object("example.com/v1", "Widget", "w", &[wave("1")]),
        object("v1", "ConfigMap", "c", &[]),
    ]);
    assert_eq!(case.order(), ["Sync 0 ConfigMap/c", "Sync 1 CustomResourceDefinition/widgets.example.com", "Sync 1 Widget/w"]);
}

#[test]
fn r511_cluster_scoped_targets_need_the_destination_namespace_too() {
    let case = given([object("v1", "Namespace", "prod", &[wave("5")]), object("rbac.authorization.k8s.io/v1", "ClusterRole", "r", &[])]);
    assert_eq!(case.order(), ["Sync 0 Namespace/prod", "Sync 0 ClusterRole/r"]);
}

#[test]
fn r525_a_missing_kind_makes_the_plan_invalid_unless_its_definition_comes_along() {
    let mut case = given([object("none.example.com/v1", "Gadget", "g", &[]), object("v1", "ConfigMap", "c", &[])]);
    let summary =
        "failed to discover server resources for group version none.example.com/v1: the server could not find the requested resource";
    case.kinds.insert(&Gvk::new("none.example.com/v1", "Gadget"), KindFact::NotFound(summary.to_owned()));
    case.kinds.insert(&Gvk::new("v1", "ConfigMap"), KindFact::Known { plural: "configmaps".into(), scope: Scope::Namespaced });
    let plan = case.plan();
    assert_eq!(plan.invalid.len(), 1);
    assert_eq!(plan.invalid[0].summary, summary);
    assert_eq!(
        plan.invalid[0].message,
        "The Kubernetes API could not find none.example.com/Gadget for requested resource prod/g. Make sure the \"Gadget\" CRD is installed on the destination cluster."
    );
    let other = KindFact::OtherVersion { text: summary.to_owned(), served: "v2".into(), scope: Scope::Namespaced };
    case.kinds.insert(&Gvk::new("none.example.com/v1", "Gadget"), other);
    let invalid = &case.plan().invalid[0];
    assert_eq!(
        (invalid.summary.as_str(), invalid.message.as_str()),
        (
            summary,
            "The Kubernetes API could not find version \"v1\" of none.example.com/Gadget for requested resource prod/g. Version \"v2\" of none.example.com/Gadget is installed on the destination cluster."
        )
    );
    case.manifests.push(manifest(crd("gadgets.none.example.com", "none.example.com", "Gadget", &[]), 9));
    assert!(case.plan().invalid.is_empty());
}

#[test]
fn r214_a_hook_is_sent_with_name_namespace_finalizer_label_and_tracking_id() {
    let mut hook = object("batch/v1", "Job", "", &[(annotation::HOOK, "PreSync")]);
    hook["metadata"] = json!({"generateName": "mig-", "annotations": {annotation::HOOK: "PreSync"}, "finalizers": ["example.com/own"]});
    let plan = given([hook]).plan();
    let sent = plan.tasks[0].target.as_ref().unwrap().wire()["metadata"].clone();
    assert_eq!(
        sent,
        json!({
            "generateName": "mig-", "name": "mig-foobarb-presync-1700000000", "namespace": "prod",
            "annotations": {annotation::HOOK: "PreSync", annotation::TRACKING_ID: "shop:batch/Job:prod/"},
            "labels": {annotation::OPERATION_LABEL: "op-1"},
            "finalizers": ["example.com/own", annotation::HOOK_FINALIZER],
        })
    );
}

#[test]
fn decision_5_an_ordinary_object_gets_nothing_that_changes_with_each_sync() {
    let plan = given([object("v1", "ConfigMap", "c", &[])]).plan();
    let sent = plan.tasks[0].target.as_ref().unwrap().wire()["metadata"].clone();
    assert_eq!(sent, json!({"name": "c", "namespace": "prod", "annotations": {annotation::TRACKING_ID: "shop:/ConfigMap:prod/c"}}));
}

#[test]
fn r312_a_cluster_scoped_object_is_sent_without_namespace() {
    let mut role = object("rbac.authorization.k8s.io/v1", "ClusterRole", "r", &[]);
    role["metadata"]["namespace"] = json!("wrong");
    let plan = given([role]).plan();
    assert_eq!(plan.tasks[0].target.as_ref().unwrap().namespace(), "");
    assert_eq!(&*plan.tasks[0].id.key.namespace, "");
}

#[test]
fn of_two_manifests_with_one_identity_the_later_one_counts_and_it_is_said() {
    let mut first = object("v1", "ConfigMap", "c", &[]);
    first["data"] = json!({"k": "old"});
    let mut second = first.clone();
    second["data"] = json!({"k": "new"});
    let plan = given([first, second]).plan();
    assert_eq!(plan.tasks.len(), 1);
    assert_eq!(plan.tasks[0].target.as_ref().unwrap().wire()["data"]["k"], "new");
    assert!(plan.warnings[0].message.contains("app.yaml:1"), "{:?}", plan.warnings);
}

fn candidate(kind: &str, name: &str, annotations: &[(&str, &str)]) -> Candidate {
    let object = Object::new(object("v1", kind, name, annotations));
    let live = Live::still(name, &object);
    Candidate { key: ResourceKey::new("", kind, "prod", name), version: "v1".into(), live }
}

#[test]
fn r118_hooks_and_skipped_objects_are_never_pruned_and_wanted_ones_are_no_candidates() {
    let mut case = given([object("v1", "ConfigMap", "kept", &[])]);
    case.candidates = vec![
        candidate("ConfigMap", "kept", &[]),
        candidate("ConfigMap", "old", &[]),
        candidate("ConfigMap", "old-hook", &[(annotation::HOOK, "PreSync")]),
        candidate("ConfigMap", "off", &[(annotation::HOOK, "Skip")]),
    ];
    let prunes: Vec<String> = case.plan().tasks.iter().filter(|task| task.id.role == Role::Prune).map(|task| task.id.key.short()).collect();
    assert_eq!(prunes, ["ConfigMap/old"]);
}

#[test]
fn r1214_an_extraneous_object_is_no_difference_but_pruned_all_the_same_and_that_is_said() {
    let mut case = given([object("v1", "ConfigMap", "kept", &[(annotation::COMPARE_OPTIONS, "ServerSideDiff=false")])]);
    case.candidates =
        vec![candidate("ConfigMap", "old", &[(annotation::COMPARE_OPTIONS, "IgnoreExtraneous")]), candidate("ConfigMap", "x", &[])];
    let plan = case.plan();
    assert_eq!(plan.tasks.iter().filter(|task| task.id.role == Role::Prune).count(), 2);
    let said: Vec<String> =
        plan.warnings.iter().map(|warning| format!("{}: {}", warning.about.as_ref().unwrap().short(), warning.message)).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].starts_with("ConfigMap/kept: ") && said[0].contains("`ServerSideDiff=false` has no effect"), "{said:?}");
    assert!(said[1].starts_with("ConfigMap/old: ") && said[1].ends_with("a sync that prunes deletes it all the same"), "{said:?}");
}

#[test]
fn r722_respecting_ignored_differences_without_any_is_named() {
    let mut case = given([object("v1", "ConfigMap", "a", &[])]);
    case.shape.options = crate::model::Options::new(["RespectIgnoreDifferences=true".to_owned()]);
    let said = |case: &Given| case.plan().warnings.iter().map(|warning| warning.message.clone()).collect::<Vec<_>>();
    assert!(said(&case)[0].contains("[[apps.NAME.ignore_differences]]"), "{:?}", said(&case));
    case.shape.ignores = true;
    assert_eq!(said(&case), [""; 0]);
}

#[test]
fn an_object_with_a_new_skip_annotation_is_neither_applied_nor_pruned() {
    let mut case = given([object("v1", "ConfigMap", "off", &[(annotation::HOOK, "Skip")])]);
    case.candidates = vec![candidate("ConfigMap", "off", &[])];
    assert!(case.plan().tasks.is_empty());
}

#[test]
fn r122_one_manifest_with_two_phases_is_two_tasks() {
    let plan = given([object("batch/v1", "Job", "both", &[(annotation::HOOK, "PostSync,PreSync,PreSync")])]).plan();
    assert_eq!(plan.tasks.iter().map(|task| task.id.phase).collect::<Vec<_>>(), [Phase::PreSync, Phase::PostSync]);
    assert_eq!(plan.position(&plan.tasks[1].id), Some(1));
}

#[test]
fn a_plan_does_not_depend_on_the_order_of_the_files() {
    let objects = [
        object("v1", "ConfigMap", "a", &[]),
        object("v1", "Namespace", "prod", &[wave("2")]),
        object("batch/v1", "Job", "j", &[(annotation::HOOK, "PreSync")]),
        object("apps/v1", "Deployment", "a", &[wave("1")]),
    ];
    let forwards = given(objects.clone()).order();
    let backwards = given(objects.into_iter().rev()).order();
    assert_eq!(forwards, backwards);
}

#[test]
fn what_has_a_generated_name_is_named_in_warnings_and_where_it_does_not_run() {
    let generated = |prefix: &str, phase: &str, policy: &str| {
        let mut value = object("batch/v1", "Job", "", &[(annotation::HOOK, phase), (annotation::HOOK_DELETE_POLICY, policy)]);
        value["metadata"]["generateName"] = json!(prefix);
        value
    };
    let mut given = given([generated("load-", "PreSync", "OnSuccess"), generated("old-", "Skip", "HookFailed")]);
    let names = |plan: &Plan| plan.not_run.iter().map(|left| left.task.id.key.name.to_string()).collect::<Vec<_>>();
    let plan = given.plan();
    let about: Vec<_> = plan.warnings.iter().filter_map(|warning| warning.about.as_ref()).map(|key| key.name.to_string()).collect();
    assert_eq!(
        (about.as_slice(), names(&plan).as_slice()),
        (["load-foobarb-presync-1700000000".to_owned()].as_slice(), ["old-".to_owned()].as_slice())
    );
    given.selection = Some(vec![Selector::parse("ConfigMap:a").unwrap()]);
    assert_eq!(names(&given.plan()), ["load-foobarb-presync-1700000000", "old-"]);
}

fn generated(prefix: &str, phases: &str) -> Value {
    let mut value = object("batch/v1", "Job", "", &[(annotation::HOOK, phases)]);
    value["metadata"]["generateName"] = json!(prefix);
    value
}

#[test]
fn t185_r1210_r303_hooks_with_one_generated_name_are_no_duplicates() {
    let mut case = given([generated("m-", "PreSync,PostSync"), generated("m-", "PreSync"), generated("m-", "PreSync")]);
    let plan = case.plan();
    let places: Vec<(String, usize)> =
        plan.tasks.iter().map(|task| (task.id.key.name.to_string(), task.origin.as_ref().unwrap().line)).collect();
    let expected = [
        ("m-foobarb-presync-1700000000", 1),
        ("m-foobarb-presync-1700000000-2", 2),
        ("m-foobarb-presync-1700000000-3", 3),
        ("m-foobarb-postsync-1700000000", 1),
    ];
    assert_eq!(places, expected.map(|(name, line)| (name.to_owned(), line)));
    for (at, task) in plan.tasks.iter().enumerate() {
        assert_eq!(plan.position(&task.id), Some(at));
        assert_eq!(task.target.as_ref().unwrap().name(), &*task.id.key.name);
    }
    assert_eq!(plan, case.plan(), "the same each time");
    case.selection = Some(vec![Selector::parse("ConfigMap:a").unwrap()]);
    let left: std::collections::BTreeSet<TaskId> = case.plan().not_run.iter().map(|left| left.task.id.clone()).collect();
    assert_eq!(left.len(), 4);
}
