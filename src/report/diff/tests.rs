//! What people and programs read of a diff.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::tests::place;
use super::*;
use crate::model::{Kinds, Object, Origin, Phase, TaskId};
use crate::plan::diff::{NoRules, Sides, compare};
use crate::plan::{Manifest, Plan, PlanInput, Shape};

fn manifest(kind: &str, name: &str, annotations: &Value) -> Manifest {
    let api_version = if kind == "Deployment" { "apps/v1" } else { "v1" };
    Manifest {
        object: Object::new(json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "annotations": annotations}})),
        origin: Origin { file: "app.yaml".into(), line: 1 },
    }
}

fn plan(names: &[(&str, &str)]) -> Plan {
    let hook = json!({"argocd.argoproj.io/hook": "PreSync"});
    let manifests: Vec<Manifest> =
        names.iter().map(|(kind, name)| manifest(kind, name, if name.starts_with("hook") { &hook } else { &Value::Null })).collect();
    Plan::build(&PlanInput {
        app: "shop",
        namespace: "shop",
        revision: "4c1d0aa",
        operation: "op-1",
        started_at: "2026-03-01T09:00:00Z".parse().unwrap(),
        manifests: &manifests,
        kinds: &Kinds::default(),
        candidates: &[],
        selection: None,
        shape: &Shape::default(),
    })
}

fn planned(names: &[(&str, &str)]) -> Planned {
    let plan = Arc::new(plan(names));
    let actions = plan.tasks.iter().map(|task| (task.id.clone(), if task.is_hook() { Action::Run } else { Action::Unchanged })).collect();
    Planned { actions, ..Planned::new(place(), plan, Vec::new()) }
}

fn id(planned: &Planned, name: &str) -> TaskId {
    planned.plan.tasks.iter().find(|task| *task.id.key.name == *name).unwrap().id.clone()
}

fn set(planned: &mut Planned, name: &str, action: Action, live: Option<&Value>, after: Option<&Value>) {
    let id = id(planned, name);
    planned.actions.insert(id.clone(), action);
    planned.differences.insert(id, Arc::new(compare(&Sides { live, after }, &NoRules)));
}

fn entry(manager: &str, operation: &str, fields: &Value) -> Value {
    json!({"manager": manager, "operation": operation, "time": "2026-03-01T08:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": fields})
}

fn web(image: &str, replicas: u64, owners: &Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "managedFields": owners}, "spec": {
        "replicas": replicas, "paused": false,
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "main", "image": image, "env": [{"name": "A", "value": "1"}]}]}}}})
}

/// One object of each sort.
fn shop() -> Planned {
    let names = [
        ("ConfigMap", "same"),
        ("Secret", "keys"),
        ("ConfigMap", "new"),
        ("ConfigMap", "odd"),
        ("Deployment", "web"),
        ("ConfigMap", "hook"),
        ("ConfigMap", "hook-gone"),
        ("ConfigMap", "old"),
    ];
    let mut planned = planned(&names);
    let image =
        json!({"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"main\"}": {".": {}, "f:image": {}, "f:name": {}}}}}}});
    let replicas = json!({"f:spec": {"f:replicas": {}}});
    let before = web("web:1", 3, &json!([entry("kubectl-edit", "Update", &image), entry("hpa", "Update", &replicas)]));
    let after = web("web:2", 3, &json!([entry("syncwave", "Apply", &image), entry("hpa", "Update", &replicas)]));
    set(&mut planned, "web", Action::Configure, Some(&before), Some(&after));
    let secret = |value: &str| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "data": {"password": value, "user": "YW5u"}});
    set(&mut planned, "keys", Action::Configure, Some(&secret("aHVudGVyMg==")), Some(&secret("aHVudGVyMw==")));
    let config = |name: &str, value: &str| {
        let ours = entry("syncwave", "Apply", &json!({"f:data": {"f:k": {}}}));
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "managedFields": [ours]}, "data": {"k": value}})
    };
    set(&mut planned, "new", Action::Create, None, Some(&config("new", "\u{1b}[31mred")));
    set(&mut planned, "same", Action::Unchanged, Some(&config("same", "v")), Some(&config("same", "v")));
    set(&mut planned, "odd", Action::Refused("data: field is immutable".into()), Some(&config("odd", "1")), Some(&config("odd", "2")));
    let odd = id(&planned, "odd");
    planned.approximate.insert(odd, "data: field is immutable".into());
    set(&mut planned, "hook", Action::Run, Some(&config("hook", "1")), Some(&config("hook", "2")));
    set(&mut planned, "old", Action::Prune, Some(&config("old", "1")), None);
    planned.notes.push("app.yaml:3: the key `a` stands twice".into());
    planned
}

fn printed(planned: &Planned, prunes: Prunes) -> String {
    let mut out = Vec::new();
    plain(&mut out, &Style::default(), planned, prunes).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_diff_is_printed_object_by_object_with_its_owners_and_a_verdict() {
    insta::assert_snapshot!(printed(&shop(), Prunes::Off));
}

#[test]
fn a_diff_as_json_is_one_object_without_secrets() {
    let mut out = Vec::new();
    json(&mut out, &shop()).unwrap();
    assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 1);
    insta::assert_json_snapshot!(serde_json::from_slice::<Value>(&out).unwrap());
}

#[test]
fn neither_form_shows_the_value_of_a_secret_or_steers_a_terminal() {
    let mut out = Vec::new();
    json(&mut out, &shop()).unwrap();
    for text in [printed(&shop(), Prunes::On), String::from_utf8(out).unwrap()] {
        assert!(!["aHVudGVy", "hunter", "YW5u"].iter().any(|value| text.contains(value)), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}

#[test]
fn colours_come_with_a_terminal_alone_and_signs_always() {
    let mut out = Vec::new();
    plain(&mut out, &Style { colour: true, ascii: false }, &shop(), Prunes::On).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("\u{1b}[32m  + ") && text.contains("\u{1b}[31m  - "), "{text}");
}

#[test]
fn what_is_the_same_is_only_counted_and_hooks_decide_nothing() {
    let mut planned = planned(&[("ConfigMap", "a"), ("ConfigMap", "b"), ("ConfigMap", "hook")]);
    assert!(!has_differences(&planned));
    let text = printed(&planned, Prunes::On);
    assert!(text.ends_with("\nno differences: 2 objects as the manifests say; 1 hook\n") && !text.contains("ConfigMap/a"), "{text}");
    let same = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "1"}});
    let mut other = same.clone();
    other["data"]["k"] = json!("2");
    set(&mut planned, "hook", Action::Run, Some(&same), Some(&other));
    assert!(!has_differences(&planned));
    set(&mut planned, "b", Action::Replace, Some(&same), Some(&same));
    assert!(!has_differences(&planned), "what takes its place is the same");
    for action in [Action::Create, Action::Recreate("x".into()), Action::Prune, Action::Refused("x".into()), Action::Unknown("x".into())] {
        set(&mut planned, "a", action, Some(&same), Some(&same));
        assert!(has_differences(&planned));
    }
    set(&mut planned, "a", Action::Configure, Some(&same), Some(&other));
    assert!(has_differences(&planned));
    let tasks: BTreeMap<&str, Phase> = planned.plan.tasks.iter().map(|task| (&*task.id.key.name, task.id.phase)).collect();
    assert_eq!(tasks["hook"], Phase::PreSync);
}

#[test]
fn r1214_an_extraneous_object_is_shown_and_no_difference() {
    let mut planned = planned(&[("ConfigMap", "old")]);
    set(&mut planned, "old", Action::Prune, Some(&json!({"kind": "ConfigMap", "data": {"k": "v"}})), None);
    assert!(has_differences(&planned));
    Arc::make_mut(&mut planned.plan).tasks[0].traits.extraneous = true;
    assert!(!has_differences(&planned));
    let text = printed(&planned, Prunes::On);
    assert!(
        text.contains("old") && text.contains("no differences: 0 objects as the manifests say; 1 object that no manifest asks for"),
        "{text}"
    );
}

#[test]
fn a_reader_that_goes_away_ends_the_printing_and_nothing_else() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    assert_eq!(plain(&mut Closed, &Style::default(), &shop(), Prunes::On).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    assert_eq!(json(&mut Closed, &shop()).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
}

#[test]
fn what_happens_beyond_an_object_is_printed_once() {
    let mut planned = shop();
    let takes = Impact::Takes { manager: "hpa".to_owned(), fields: vec!["spec.replicas".to_owned()] };
    let effects = vec![takes, Impact::OnlyIgnored, Impact::NoRestart, Impact::OnlyMetadata];
    planned.effects.insert(id(&planned, "web"), effects);
    let mut out = Vec::new();
    plain(&mut out, &Style::default(), &planned, Prunes::On).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("  · no pod restarts\n  · only metadata changes\n"), "{text}");
    // The notes of a diff say these with the times.
    assert!(!text.contains("takes spec.replicas from hpa") && !text.contains("only ignored fields"), "{text}");
}
