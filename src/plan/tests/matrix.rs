//! Chapters 16.A, 16.B, 16.C and 16.O of the test matrix, as far as a plan decides them.

use super::super::order::{kind_rank, prune_waves};
use super::*;
use crate::model::{Options, Wave};

const HOOK: &str = annotation::HOOK;

fn in_namespace(mut value: Value, namespace: &str) -> Value {
    value["metadata"]["namespace"] = json!(namespace);
    value
}

fn generated(api_version: &str, kind: &str, prefix: &str, annotations: &[(&str, &str)]) -> Value {
    let mut value = object(api_version, kind, "", annotations);
    value["metadata"].as_object_mut().unwrap().remove("name");
    value["metadata"]["generateName"] = json!(prefix);
    value
}

fn names(plan: &Plan) -> Vec<String> {
    plan.tasks.iter().map(|task| task.id.key.name.to_string()).collect()
}

fn prunes(plan: &Plan) -> Vec<String> {
    plan.tasks.iter().filter(|task| task.is_prune()).map(|task| task.id.key.short()).collect()
}

#[test]
fn t1_t2_t3_t4_r111_r112_r121_r403_tasks_of_one_object_for_each_annotation() {
    for (value, expected) in [
        (None, &["Sync 0 Pod/p"][..]),
        (Some("PreSync"), &["PreSync 0 Pod/p"]),
        (Some("Sync"), &["Sync 0 Pod/p"]),
        (Some("PostSync"), &["PostSync 0 Pod/p"]),
        (Some("SyncFail"), &["SyncFail 0 Pod/p"]),
        (Some("PostSync,PreSync,PreSync"), &["PreSync 0 Pod/p", "PostSync 0 Pod/p"]),
        (Some("PostSync,PreDelete"), &["PostSync 0 Pod/p"]),
        (Some("Skip"), &[]),
        (Some("Garbage"), &[]),
        (Some("PreDelete"), &[]),
    ] {
        let annotations: Vec<(&str, &str)> = value.map(|value| (HOOK, value)).into_iter().collect();
        assert_eq!(given([object("v1", "Pod", "p", &annotations)]).order(), expected, "{value:?}");
    }
}

#[test]
fn t14_r202_policies_of_an_ordinary_object_mean_nothing() {
    let policy = (annotation::HOOK_DELETE_POLICY, "HookSucceeded");
    let plan = given([object("v1", "Pod", "p", &[policy]), object("v1", "Pod", "q", &[policy, (HOOK, "Sync")])]).plan();
    assert!(plan.tasks[0].delete_policies().is_empty());
    assert_eq!(plan.tasks[1].delete_policies().len(), 1);
}

#[test]
fn t18_t19_t20_r301_r302_r303_r306_r307_names_of_hooks_and_of_nothing_else() {
    let case = |revision| {
        let mut given = given([
            generated("v1", "Pod", "", &[(HOOK, "PreSync,PostSync")]),
            generated("v1", "Secret", "x-", &[]),
            generated("v1", "Pod", "mig-", &[(HOOK, "SyncFail")]),
        ]);
        given.revision = revision;
        given.manifests[2].object = given.manifests[2].object.with(|value| value["metadata"]["name"] = json!("own"));
        given
    };
    let given = case("foobarbaz");
    let plan = given.plan();
    assert_eq!(names(&plan), ["foobarb-presync-1700000000", "", "foobarb-postsync-1700000000", "own"]);
    assert_eq!(names(&plan), names(&given.plan()), "the same in every pass and attempt");
    let sent = plan.tasks[3].target.as_ref().unwrap();
    assert_eq!((sent.name(), sent.generate_name()), ("own", "mig-"));
    assert_eq!(given.manifests[0].object.name(), "", "the manifest is what it was");
    assert_eq!(names(&case("foobar").plan())[0], "foobar-presync-1700000000");
}

#[test]
fn r304_without_a_revision_the_name_goes_on_with_a_dash() {
    let mut given = given([generated("v1", "Pod", "mig-", &[(HOOK, "PreSync")])]);
    given.revision = "";
    assert_eq!(names(&given.plan()), ["mig--presync-1700000000"]);
}

#[test]
fn r305_a_long_name_is_not_cut() {
    let prefix = "p".repeat(300);
    assert_eq!(names(&given([generated("v1", "Pod", &prefix, &[(HOOK, "Sync")])]).plan())[0].len(), 300 + "foobarb-sync-1700000000".len());
}

#[test]
fn t21_t23_r503_ranks_of_kinds() {
    assert_eq!((kind_rank("Namespace"), kind_rank("APIService"), kind_rank("Widget")), (0, 34, 35));
    let case = given([object("argoproj.io/v1alpha1", "Workflow", "a", &[]), object("v1", "Namespace", "z", &[])]);
    assert_eq!(case.order(), ["Sync 0 Namespace/z", "Sync 0 Workflow/a"]);
}

#[test]
fn t22_r401_r502_phase_wave_kind_and_name() {
    let case = given([
        object("v1", "Pod", "pod", &[]),
        object("v1", "Service", "service", &[]),
        object("v1", "PersistentVolume", "volume", &[]),
        object("v1", "Pod", "alert", &[(HOOK, "SyncFail")]),
        object("v1", "Pod", "late", &[wave("1")]),
        object("example.com/v1", "Widget", "b", &[]),
        object("example.com/v1", "Widget", "a", &[]),
        object("v1", "Pod", "early", &[wave("-1")]),
        object("v1", "Pod", "pre", &[(HOOK, "PreSync")]),
        object("v1", "Pod", "post", &[(HOOK, "PostSync")]),
        object("v1", "ConfigMap", "config", &[]),
    ]);
    assert_eq!(names(&case.plan()), ["pre", "early", "config", "volume", "service", "pod", "a", "b", "late", "post", "alert"]);
}

#[test]
fn t24_r510_r511_namespaces_move_to_the_hooks_that_live_in_them() {
    let job = |name, namespace| in_namespace(object("batch/v1", "Job", name, &[(HOOK, "PreSync")]), namespace);
    let case = given([
        job("j1", "ns-a"),
        job("j2", "ns-b"),
        object("v1", "Namespace", "ns-a", &[wave("1")]),
        object("v1", "Namespace", "ns-b", &[wave("2")]),
    ]);
    assert_eq!(case.order(), ["PreSync 0 Namespace/ns-a", "PreSync 0 Job/j1", "PreSync 0 Namespace/ns-b", "PreSync 0 Job/j2"]);
}

#[test]
fn t25_r509_r512_r513_a_definition_moves_to_a_hook_of_its_kind_and_stays_an_ordinary_object() {
    let case = given([
        object("argoproj.io/v1alpha1", "Workflow", "w", &[(HOOK, "PreSync")]),
        crd("workflows.argoproj.io", "argoproj.io", "Workflow", &[]),
        object("batch/v1", "Job", "a", &[(HOOK, "PreSync")]),
    ]);
    assert_eq!(case.order(), ["PreSync 0 Job/a", "PreSync 0 CustomResourceDefinition/workflows.argoproj.io", "PreSync 0 Workflow/w"]);
    assert!(!case.plan().tasks[1].is_hook());
}

fn swapped(own: &[(i64, bool)], highest: i64) -> Vec<i64> {
    let own: Vec<(Wave, bool)> = own.iter().map(|(wave, last)| (Wave(*wave), *last)).collect();
    prune_waves(&own, Wave(highest)).iter().map(|wave| wave.0).collect()
}

#[test]
fn t27_t28_r505_waves_of_prunes_are_swapped() {
    assert_eq!(swapped(&[], 0), [0; 0]);
    assert_eq!(swapped(&[(0, false), (0, false)], 0), [0, 0]);
    assert_eq!(swapped(&[(0, false), (1, false), (2, false), (3, false), (4, false)], 0), [4, 3, 2, 1, 0]);
    let mut case = given([object("v1", "ConfigMap", "kept", &[])]);
    case.candidates = ["a", "b"].map(|name| candidate("ConfigMap", name, &[])).to_vec();
    assert_eq!(case.order(), ["Sync 0 ConfigMap/a", "Sync 0 ConfigMap/b", "Sync 0 ConfigMap/kept"]);
}

#[test]
fn t31_t33_r506_prune_last_counts_from_the_highest_wave_that_is_left() {
    assert_eq!(swapped(&[(1, false), (2, true), (3, false), (4, false)], 0), [4, 5, 2, 1]);
    assert_eq!(swapped(&[(1, true), (2, true), (3, true), (4, true)], 0), [5, 5, 5, 5]);
    assert_eq!(swapped(&[(0, true), (0, true)], 0), [1, 1]);
    assert_eq!(swapped(&[(1, true), (7, true)], 2), [8, 8]);
    let mut case = given([object("v1", "ConfigMap", "p1", &[wave("2")])]);
    let last = (annotation::SYNC_OPTIONS, "PruneLast=true");
    case.candidates = vec![candidate("ConfigMap", "p2", &[wave("1"), last]), candidate("ConfigMap", "p3", &[wave("7"), last])];
    assert_eq!(case.order(), ["Sync 2 ConfigMap/p1", "Sync 8 ConfigMap/p2", "Sync 8 ConfigMap/p3"]);
}

#[test]
fn t34_t35_r312_r607_r1210_where_a_target_lives() {
    let widget = in_namespace(object("example.com/v1", "Widget", "w", &[]), "elsewhere");
    let mut case = given([object("v1", "ConfigMap", "c", &[]), widget]);
    let gvk = Gvk::new("example.com/v1", "Widget");
    case.kinds.insert(&gvk, KindFact::Known { plural: "widgets".into(), scope: Scope::Cluster });
    let live = Candidate { key: ResourceKey::new("example.com", "Widget", "", "w"), ..candidate("Widget", "w", &[]) };
    case.candidates = vec![live.clone()];
    let plan = case.plan();
    assert_eq!(&*plan.tasks[0].id.key.namespace, "prod");
    assert_eq!(case.manifests[0].object.namespace(), "", "the manifest is what it was");
    assert!(prunes(&plan).is_empty(), "the live object is the target's");
    case.kinds.insert(&gvk, KindFact::Known { plural: "widgets".into(), scope: Scope::Namespaced });
    case.candidates = vec![Candidate { key: ResourceKey::new("example.com", "Widget", "other", "w"), ..live }];
    assert_eq!(prunes(&case.plan()), ["Widget/w"], "one of another namespace is another object");
}

#[test]
fn t186_r1209_what_may_be_a_targets_own_object_is_not_pruned_when_its_scope_is_not_known() {
    let mut case = given([object("example.com/v1", "Widget", "w", &[])]);
    case.candidates = vec![Candidate { key: ResourceKey::new("example.com", "Widget", "", "w"), ..candidate("Widget", "w", &[]) }];
    assert_eq!(prunes(&case.plan()), ["Widget/w"]);
    case.kinds.insert(&Gvk::new("example.com/v1", "Widget"), KindFact::Failed("no answer".to_owned()));
    assert!(prunes(&case.plan()).is_empty());
}

#[test]
fn t37_r608_a_discovery_that_fails_makes_its_tasks_invalid() {
    let mut case = given([object("v1", "Service", "s", &[]), object("v1", "Service", "t", &[]), object("v1", "Pod", "p", &[])]);
    case.kinds.insert(&Gvk::new("v1", "Service"), KindFact::Failed("discovery failed".to_owned()));
    let plan = case.plan();
    assert_eq!(plan.invalid.len(), 2);
    assert!(
        plan.invalid.iter().all(|invalid| (invalid.summary.as_str(), invalid.message.as_str()) == ("discovery failed", "discovery failed"))
    );
}

#[test]
fn t40_t41_r525_r716_what_makes_an_unknown_kind_valid() {
    let option = (annotation::SYNC_OPTIONS, "SkipDryRunOnMissingResource=true");
    let definition = |annotations: &[(&str, &str)]| crd("widgets.example.com", "example.com", "Widget", annotations);
    let gone = KindFact::NotFound("the server could not find the requested resource".to_owned());
    let known = KindFact::Known { plural: "widgets".into(), scope: Scope::Namespaced };
    for (annotations, beside, fact, is_valid) in [
        (&[][..], None, &gone, false),
        (&[], Some(definition(&[])), &gone, true),
        (&[], None, &known, true),
        (&[option], None, &known, true),
        (&[option], None, &gone, true),
        (&[], Some(definition(&[(HOOK, "PostSync")])), &gone, true),
    ] {
        let mut case = given([object("example.com/v1", "Widget", "w", annotations)].into_iter().chain(beside));
        case.kinds.insert(&Gvk::new("example.com/v1", "Widget"), fact.clone());
        assert_eq!(case.plan().invalid.is_empty(), is_valid);
        case.shape.options = Options::new(["SkipDryRunOnMissingResource=true".to_owned()]);
        assert!(case.plan().invalid.is_empty());
    }
}

#[test]
fn t91_t185_r1210_of_one_identity_the_last_manifest_counts_and_generated_names_are_no_repeats() {
    let mut second = object("v1", "Pod", "p", &[(HOOK, "PreSync")]);
    second["spec"] = json!({"nodeName": "second"});
    let plan = given([object("v1", "Pod", "p", &[]), second]).plan();
    assert_eq!(plan.tasks.len(), 1);
    assert!(plan.tasks[0].is_hook() && plan.tasks[0].target.as_ref().unwrap().wire()["spec"]["nodeName"] == "second");
    assert!(plan.warnings.iter().any(|warning| warning.message.contains("stands twice")), "{:?}", plan.warnings);
    let generated = given([generated("v1", "Pod", "a-", &[(HOOK, "PreSync")]), generated("v1", "Pod", "b-", &[(HOOK, "PreSync")])]);
    assert_eq!(generated.plan().tasks.len(), 2);
}

#[test]
fn t128_r214_a_finalizer_that_is_there_is_not_added_again() {
    let mut hook = object("batch/v1", "Job", "h", &[(HOOK, "PreSync")]);
    hook["metadata"]["finalizers"] = json!([annotation::HOOK_FINALIZER]);
    let plan = given([hook]).plan();
    assert_eq!(plan.tasks[0].target.as_ref().unwrap().wire()["metadata"]["finalizers"], json!([annotation::HOOK_FINALIZER]));
}

#[test]
fn t197_r112_r118_a_charts_test_is_neither_created_nor_pruned() {
    let test = [(annotation::HELM_HOOK, "test")];
    let mut case = given([object("v1", "Pod", "try", &test)]);
    case.candidates = vec![candidate("Pod", "try", &test), candidate("Pod", "old-try", &test)];
    let plan = case.plan();
    assert!(plan.tasks.is_empty());
    assert_eq!(plan.not_run[0].code, NotRunCode::UnknownHook);
}

#[test]
fn r109_r110_r125_the_manifests_annotations_count_before_the_live_ones() {
    let skip = [(HOOK, "Skip")];
    let mut case = given([object("v1", "ConfigMap", "skipped", &skip), object("v1", "ConfigMap", "synced", &[])]);
    case.candidates =
        vec![candidate("ConfigMap", "skipped", &[]), candidate("ConfigMap", "synced", &skip), candidate("ConfigMap", "gone", &skip)];
    assert_eq!(case.order(), ["Sync 0 ConfigMap/synced"]);
}

#[test]
fn r119_every_object_is_read_for_itself() {
    let case = given([
        object("v1", "Pod", "argo", &[(HOOK, "PostSync"), (annotation::HELM_HOOK, "pre-install")]),
        object("v1", "Pod", "helm", &[(annotation::HELM_HOOK, "pre-install")]),
    ]);
    assert_eq!(case.order(), ["PreSync 0 Pod/helm", "PostSync 0 Pod/argo"]);
}

/// R1548: and the person is told.
#[test]
fn r124_r1548_an_ordinary_object_that_becomes_a_hook_is_a_prune_and_a_hook() {
    let mut case = given([object("v1", "ConfigMap", "c", &[(HOOK, "PostSync")])]);
    case.candidates = vec![candidate("ConfigMap", "c", &[])];
    let plan = case.plan();
    assert_eq!(
        plan.tasks.iter().map(|task| (task.id.phase, task.id.role)).collect::<Vec<_>>(),
        [(Phase::Sync, Role::Prune), (Phase::PostSync, Role::Hook)]
    );
    let said: Vec<String> =
        plan.warnings.iter().map(|warning| format!("{} {}", warning.about.as_ref().unwrap(), warning.message)).collect();
    let expected = "ConfigMap prod/c is a hook in the manifests and an ordinary object in the cluster: a sync that prunes deletes it, and it runs as a hook under the same name";
    assert_eq!(said, [expected]);
}

/// Its prune comes when the hook has taken its place, or has become it.
#[test]
fn r124_an_ordinary_object_that_becomes_a_presync_hook_is_not_said_to_be_pruned() {
    let mut case = given([object("v1", "ConfigMap", "c", &[(HOOK, "PreSync")])]);
    case.candidates = vec![candidate("ConfigMap", "c", &[])];
    let expected =
        "is a hook in the manifests and an ordinary object in the cluster: it is not pruned, and it runs as a hook under the same name";
    assert_eq!(case.plan().warnings.iter().map(|warning| warning.message.as_str()).collect::<Vec<_>>(), [expected]);
}

/// What happens to the old object is the affair of the hook, whose result it would have.
#[test]
fn r124_r613_an_ordinary_object_that_becomes_a_sync_hook_is_only_a_hook() {
    for phases in ["Sync", "PostSync,Sync"] {
        let mut case = given([object("v1", "ConfigMap", "c", &[(HOOK, phases)])]);
        case.candidates = vec![candidate("ConfigMap", "c", &[]), candidate("ConfigMap", "old", &[])];
        let plan = case.plan();
        let prunes: Vec<String> = plan.tasks.iter().filter(|task| task.is_prune()).map(|task| task.id.key.short()).collect();
        assert_eq!(prunes, ["ConfigMap/old"], "{phases}");
        let expected =
            "is a hook in the manifests and an ordinary object in the cluster: it is not pruned, and it runs as a hook under the same name";
        assert_eq!(plan.warnings.iter().map(|warning| warning.message.as_str()).collect::<Vec<_>>(), [expected]);
    }
}

#[test]
fn t181_r1202_r1206_the_tracking_id_carries_the_destination_of_what_has_none_and_definitions_have_no_id() {
    let role = object("rbac.authorization.k8s.io/v1", "ClusterRole", "r", &[]);
    let config = in_namespace(object("v1", "ConfigMap", "c", &[]), "extra");
    let plan = given([role, config, crd("widgets.example.com", "example.com", "Widget", &[])]).plan();
    let id = |name: &str| {
        let task = plan.tasks.iter().find(|task| *task.id.key.name == *name).unwrap();
        task.target.as_ref().unwrap().annotation(annotation::TRACKING_ID).map(str::to_owned)
    };
    assert_eq!(id("r").as_deref(), Some("shop:rbac.authorization.k8s.io/ClusterRole:prod/r"));
    assert_eq!(id("c").as_deref(), Some("shop:/ConfigMap:extra/c"));
    assert_eq!(id("widgets.example.com"), None);
}

#[test]
fn r1546_one_name_in_two_namespaces_has_an_order() {
    let both = |first, second| {
        let pod = |namespace| in_namespace(object("v1", "Pod", "p", &[]), namespace);
        given([pod(first), pod(second)]).plan().tasks.iter().map(|task| task.id.key.namespace.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(both("a", "b"), ["a", "b"]);
    assert_eq!(both("b", "a"), ["a", "b"]);
}

#[test]
fn r805_r806_a_selection_takes_prunes_too_and_knows_definitions_that_are_not_selected() {
    let mut case = given([
        crd("widgets.example.com", "example.com", "Widget", &[]),
        object("example.com/v1", "Widget", "w", &[]),
        object("v1", "ConfigMap", "c", &[]),
    ]);
    case.kinds.insert(&Gvk::new("example.com/v1", "Widget"), KindFact::NotFound("gone".to_owned()));
    case.candidates = vec![candidate("ConfigMap", "old", &[]), candidate("ConfigMap", "other", &[])];
    case.selection = Some(["example.com:Widget:w", ":ConfigMap:old"].map(|text| Selector::parse(text).unwrap()).to_vec());
    assert_eq!(case.order(), ["Sync 0 ConfigMap/old", "Sync 0 Widget/w"]);
    assert!(case.plan().invalid.is_empty());
}
