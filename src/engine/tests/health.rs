//! By which rules a sync judges: scripts of the configuration and of the cluster, evidence of a kind without a rule, and none.

use serde_json::{Value, json};

use super::stage::Stage;
use crate::clock::Clock;
use crate::engine::rules::{RuleSources, of_config};
use crate::engine::session::{Ask, Opening};
use crate::model::{OperationPhase, ResultCode, TaskState, UnknownKinds};
use crate::operation::{Event, Operation, Request};

/// A hook of a kind without a rule, and a ConfigMap behind it. The status stands in the manifest, because nobody else writes it here.
fn manifests(annotation: &str, status: &Value) -> String {
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "widgets.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced", "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]}});
    let annotations = if annotation.is_empty() { json!({}) } else { json!({"argocd.argoproj.io/hook": annotation}) };
    let widget =
        json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w", "annotations": annotations}, "status": status});
    let behind = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "behind", "annotations": {"argocd.argoproj.io/sync-wave": "1"}}});
    format!("{definition}\n---\n{widget}\n---\n{behind}\n")
}

fn condition(kind: &str, status: &str) -> Value {
    json!({"conditions": [{"type": kind, "status": status, "message": format!("{kind} is {status}")}]})
}

/// A rule of Widgets, as the configuration has it.
fn rule(source: &str) -> impl FnOnce(&mut Opening) {
    let rules = [("example.com/Widget".to_owned(), source.to_owned())].into();
    move |opening| opening.rules = RuleSources::new(of_config(&rules, str::to_owned, opening.clock).unwrap(), None)
}

fn change_widget(stage: &Stage, change: impl FnOnce(&mut Value)) {
    stage.sim.store().update("somebody", "example.com", "widgets", "shop", "w", change).unwrap();
}

async fn until_widget_runs(stage: &mut Stage) {
    stage.until(|event| matches!(event, Event::Waiting { on, .. } if on.len() == 1 && *on[0].key.kind == *"Widget")).await;
}

fn of_widget(stage: &Stage) -> (ResultCode, TaskState, String) {
    let results = stage.results();
    results.into_iter().find(|(name, ..)| name == "Widget/w").map(|(_, code, state, message)| (code, state, message)).unwrap()
}

async fn finish(stage: &mut Stage) -> OperationPhase {
    stage.until(|event| matches!(event, Event::OperationFinished { .. })).await;
    stage.operation.as_ref().unwrap().phase()
}

#[tokio::test(start_paused = true)]
async fn r410_a_hook_without_a_rule_is_judged_by_the_evidence_in_its_status() {
    let mut stage = Stage::new("", &manifests("Sync", &condition("Ready", "False")));
    stage.start(Request::default()).await;
    until_widget_runs(&mut stage).await;
    assert_eq!(of_widget(&stage).1, TaskState::Running);
    change_widget(&stage, |widget| widget["status"] = condition("Ready", "True"));
    assert_eq!(finish(&mut stage).await, OperationPhase::Succeeded);
    assert_eq!(of_widget(&stage), (ResultCode::Synced, TaskState::Succeeded, "Ready is True".to_owned()));
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn r410_a_stalled_hook_fails_and_a_stalled_resource_too() {
    for annotation in ["Sync", ""] {
        let mut stage = Stage::new("", &manifests(annotation, &condition("Ready", "False")));
        stage.start(Request::default()).await;
        until_widget_runs(&mut stage).await;
        change_widget(&stage, |widget| widget["status"] = condition("Stalled", "True"));
        assert_eq!(finish(&mut stage).await, OperationPhase::Failed);
        assert_eq!(of_widget(&stage), (ResultCode::Synced, TaskState::Failed, "Stalled is True".to_owned()));
        stage.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn r411_without_evidence_or_with_strict_compatibility_a_hook_is_done_as_soon_as_it_exists() {
    let strict = |opening: &mut Opening| opening.rules = RuleSources::default().of_unknown_kinds(UnknownKinds::None);
    let nothing = |_: &mut Opening| {};
    let stages = [
        Stage::with("", &manifests("Sync", &condition("Ready", "False")), strict),
        Stage::with("", &manifests("Sync", &json!({"phase": "Waiting"})), nothing),
        Stage::with("", &manifests("Sync", &json!({"conditions": "none"})), nothing),
    ];
    for mut stage in stages {
        let operation = stage.sync(Request::default()).await;
        assert_eq!(operation.phase(), OperationPhase::Succeeded);
        assert_eq!(of_widget(&stage), (ResultCode::Synced, TaskState::Succeeded, "w created".to_owned()));
        stage.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn r411_a_script_judges_hooks_and_resources_of_a_sync() {
    let up = "if obj.status.phase == 'Up' then return { status = 'Healthy', message = 'is up' } end\n\
              return { status = 'Progressing', message = 'is ' .. obj.status.phase }";
    for annotation in ["Sync", ""] {
        let mut stage = Stage::with("", &manifests(annotation, &json!({"phase": "Down"})), rule(up));
        stage.start(Request::default()).await;
        until_widget_runs(&mut stage).await;
        let said = stage.operation.as_ref().unwrap().verdict(stage.opening.clock.now()).text;
        assert!(said.ends_with("for Widget/w: is Down (rule: config: example.com/Widget)"), "{said}");
        change_widget(&stage, |widget| widget["status"]["phase"] = "Up".into());
        assert_eq!(finish(&mut stage).await, OperationPhase::Succeeded);
        assert_eq!(of_widget(&stage), (ResultCode::Synced, TaskState::Succeeded, "is up".to_owned()));
        stage.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn r411_a_rule_of_the_clusters_argocd_cm_holds_and_one_that_cannot_be_read_is_told() {
    let with_cm = |opening: &mut Opening| opening.rules = RuleSources::default().with_argocd_cm(Some("shop".to_owned()));
    let mut stage = Stage::with("", &manifests("", &json!({"phase": "Down"})), with_cm);
    let data = json!({"resource.customizations.health.example.com_Widget": "return { status = 'Degraded', message = 'by the cluster' }",
        "resource.customizations.healt.example.com_Widget": "typo"});
    let config_map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm", "namespace": "shop"}, "data": data});
    stage.sim.store().create("somebody", config_map).unwrap();
    stage.start(Request::default()).await;
    assert_eq!(finish(&mut stage).await, OperationPhase::Failed);
    assert_eq!(of_widget(&stage), (ResultCode::Synced, TaskState::Failed, "by the cluster".to_owned()));
    let typo = "there is no customization of the type healt (key resource.customizations.healt.example.com_Widget of the ConfigMap shop/argocd-cm)";
    assert!(stage.told().iter().any(|text| text.starts_with(typo)), "{:?}", stage.told());
    stage.close().await;
}

/// Spec R410, R615: a hook ends with an error, a resource is waited for and says why.
#[tokio::test(start_paused = true)]
async fn r410_a_script_that_fails_is_the_error_of_its_object_and_never_health() {
    for (source, problem) in [
        ("return obj.status.none.field", "the health rule config: example.com/Widget failed at line 1: attempt to index nil with 'field'"),
        ("while true do end", "the health rule config: example.com/Widget failed at line 1: it did not end within 1"),
        ("local function f(", "the health rule config: example.com/Widget failed at line 1: "),
    ] {
        let mut stage = Stage::with("", &manifests("Sync", &json!({"phase": "Up"})), rule(source));
        stage.start(Request::default()).await;
        assert_eq!(finish(&mut stage).await, OperationPhase::Failed);
        let (code, state, message) = of_widget(&stage);
        assert_eq!((code, state), (ResultCode::Synced, TaskState::Error));
        assert!(message.starts_with(&format!("failed to get resource health: {problem}")), "{message}");
        stage.close().await;

        let mut stage = Stage::with("", &manifests("", &json!({"phase": "Up"})), rule(source));
        stage.start(Request::default()).await;
        until_widget_runs(&mut stage).await;
        let said = stage.operation.as_ref().unwrap().verdict(stage.opening.clock.now()).text;
        assert!(said.contains(problem), "{said}");
        stage.ask(Ask::Terminate { by: "ann".to_owned() }).await;
        assert_eq!(finish(&mut stage).await, OperationPhase::Failed);
        stage.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_is_folded_again_from_its_records_shows_the_same_rule() {
    let mut stage = Stage::with("", &manifests("", &json!({"phase": "Up"})), rule("return { status = 'Progressing', message = 'never' }"));
    stage.start(Request::default()).await;
    until_widget_runs(&mut stage).await;
    let operation = stage.operation.clone().unwrap();
    let mut again = Operation::start(&stage.records[0]).unwrap();
    stage.records[1..].iter().for_each(|record| again.apply(record));
    let now = stage.opening.clock.now();
    assert_eq!(again.verdict(now), operation.verdict(now));
    assert!(again.verdict(now).text.contains("(rule: config: example.com/Widget)"));
    stage.ask(Ask::Terminate { by: "ann".to_owned() }).await;
    finish(&mut stage).await;
    stage.close().await;
}

#[tokio::test]
async fn limits_measure_the_time_of_the_machine_and_tell_the_time_of_the_clock() {
    let limits = crate::engine::rules::limits(Clock::starting_at("2026-03-01T09:00:00Z".parse().unwrap(), 1.0));
    assert_eq!((limits.now)() / 60, 29_539_260);
    assert!((limits.stopwatch)() < limits.deadline);
}
