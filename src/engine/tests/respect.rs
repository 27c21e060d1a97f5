//! `RespectIgnoreDifferences=true` (spec R722): what a sync, a dry run and a plan make of ignored fields that somebody else has changed.

use serde_json::{Value, json};

use super::stage::Stage;
use crate::engine::rules::RuleSources;
use crate::engine::session::{Action, Answer, Ask, Opening};
use crate::model::{Options, RuleText};
use crate::operation::{Event, Request};
use crate::plan::ignore::IgnoreRules;

const WEB: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: app, image: app:1}, {name: log, image: log:1}]}
";

fn request(respect: bool, pointers: &[&str], expressions: &[&str]) -> Request {
    let list = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect();
    let text = RuleText {
        group: "apps".to_owned(),
        kind: "Deployment".to_owned(),
        json_pointers: list(pointers),
        jq_path_expressions: list(expressions),
        ..RuleText::default()
    };
    let options = respect.then(|| "RespectIgnoreDifferences=true".to_owned());
    let rules = IgnoreRules::new([text.read("apps.web.ignore_differences[0]").unwrap()]);
    Request { options: Options::new(options), ignore: rules, ..Request::default() }
}

/// Somebody scales it and takes another image.
fn change(stage: &Stage) {
    let changed = |web: &mut Value| {
        web["spec"]["replicas"] = json!(4);
        web["spec"]["template"]["spec"]["containers"][1]["image"] = json!("log:9");
    };
    stage.sim.store().update("somebody", "apps", "deployments", "shop", "web", changed).unwrap();
}

fn live(stage: &Stage) -> (Value, Value) {
    let web = stage.sim.store().list("apps", "deployments", Some("shop")).remove(0);
    (web["spec"]["replicas"].clone(), web["spec"]["template"]["spec"]["containers"].clone())
}

async fn action(stage: &mut Stage, request: Request) -> Action {
    stage.ask(Ask::Plan { request }).await;
    match stage.answer().await {
        Answer::Planned(planned) => planned.actions.values().next().unwrap().clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn r722_ignored_fields_keep_their_live_values_and_others_are_set_right() {
    let mut stage = Stage::new("", WEB);
    stage.sync(request(true, &["/spec/replicas"], &[])).await;
    assert_eq!(live(&stage).0, 1, "without a live object the target is applied as it is");
    change(&stage);
    stage.sync(request(true, &["/spec/replicas"], &[])).await;
    let images = |log: &str| json!([{"name": "app", "image": "app:1"}, {"name": "log", "image": log}]);
    assert_eq!(short(live(&stage)), (json!(4), images("log:1")));
    stage.sync(request(true, &["/spec/replicas"], &[".spec.template.spec.containers[].image"])).await;
    change(&stage);
    stage.sync(request(true, &["/spec/replicas"], &[".spec.template.spec.containers[].image"])).await;
    assert_eq!(short(live(&stage)), (json!(4), images("log:9")));
    stage.sync(request(false, &["/spec/replicas"], &[".spec.template.spec.containers[].image"])).await;
    assert_eq!(short(live(&stage)), (json!(1), images("log:1")), "without the option a rule only hides the difference");
    stage.close().await;
}

/// Names and images alone: the rest is defaults.
fn short((replicas, containers): (Value, Value)) -> (Value, Value) {
    let short = |container: &Value| json!({"name": container["name"], "image": container["image"]});
    (replicas, containers.as_array().unwrap().iter().map(short).collect())
}

#[tokio::test(start_paused = true)]
async fn r722_a_plan_and_a_dry_run_send_what_the_sync_would_send() {
    let mut stage = Stage::new("", WEB);
    stage.sync(request(true, &["/spec/replicas"], &[])).await;
    stage.sim.store().update("somebody", "apps", "deployments", "shop", "web", |web| web["spec"]["replicas"] = json!(4)).unwrap();
    assert_eq!(action(&mut stage, request(true, &["/spec/replicas"], &[])).await, Action::Configure, "the field becomes ours");
    stage.sync(request(true, &["/spec/replicas"], &[])).await;
    assert_eq!(action(&mut stage, request(true, &["/spec/replicas"], &[])).await, Action::Unchanged);
    assert_eq!(action(&mut stage, request(false, &["/spec/replicas"], &[])).await, Action::Configure);
    for (respect, word) in [(true, "unchanged"), (false, "configured")] {
        stage.sync(Request { dry_run: true, ..request(respect, &["/spec/replicas"], &[]) }).await;
        let message = stage.results()[0].3.clone();
        assert!(message.ends_with(&format!("{word} (dry run)")), "{message}");
    }
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_not_sent_again_depends_on_the_rules() {
    let mut stage = Stage::new("", WEB);
    stage.sync(request(true, &["/spec/replicas"], &[])).await;
    change(&stage);
    stage.sync(request(true, &["/spec/replicas"], &[])).await;
    assert_eq!(live(&stage).0, 4);
    stage.sync(request(true, &["/spec/paused"], &[])).await;
    assert_eq!(live(&stage).0, 1, "a seal of another body does not hold");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_cannot_be_applied_is_told_on_its_task_and_the_target_is_sent_as_it_is() {
    let mut stage = Stage::new("", WEB);
    stage.sync(Request::default()).await;
    change(&stage);
    stage.sync(request(true, &["/spec/replicas"], &["keys"])).await;
    assert_eq!(live(&stage).0, 1);
    let is_told = |event: &Event| matches!(event, Event::Warned { task: Some(_), text } if text.starts_with("apps.web.ignore_differences[0]: the expression `keys` computes"));
    assert!(stage.position(is_told).is_some(), "{:#?}", stage.tail());
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn r722_rules_of_the_clusters_argocd_cm_count_too_and_one_that_cannot_be_read_is_told() {
    let with_cm = |opening: &mut Opening| opening.rules = RuleSources::default().with_argocd_cm(Some("shop".to_owned()));
    let mut stage = Stage::with("", WEB, with_cm);
    let data = json!({
        "resource.customizations": "apps/Deployment:\n  ignoreDifferences: 'jsonPointers: [/spec/template]'\n",
        "resource.customizations.ignoreDifferences.apps_Deployment": "jsonPointers: [/spec/replicas]",
        "resource.customizations.ignoreDifferences.all": "jqPathExpressions: ['.spec = 1']",
    });
    let config_map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm", "namespace": "shop"}, "data": data});
    stage.sim.store().create("somebody", config_map).unwrap();
    let respect = || Request { options: Options::new(["RespectIgnoreDifferences=true".to_owned()]), ..Request::default() };
    stage.sync(respect()).await;
    change(&stage);
    stage.sync(respect()).await;
    let (replicas, containers) = short(live(&stage));
    assert_eq!((replicas, &containers[1]["image"]), (json!(4), &json!("log:1")), "a key for one kind beats the older map");
    let told = "the ignored differences of */* cannot be used (the key resource.customizations.ignoreDifferences.all of the ConfigMap shop/argocd-cm)";
    assert!(stage.told().iter().any(|text| text.starts_with(told)), "{:?}", stage.told());
    assert!(!stage.told().iter().any(|text| text.contains("has no effect: no differences")), "{:?}", stage.told());
    assert_eq!(action(&mut stage, respect()).await, Action::Unchanged);
    stage.close().await;
}

/// Results' messages, and what did not run.
async fn out_of_sync_only(stage: &mut Stage, pointers: &[&str]) -> Vec<String> {
    let wish = request(false, pointers, &[]);
    stage.sync(Request { options: Options::new(["ApplyOutOfSyncOnly=true".to_owned()]), ..wish }).await;
    stage.results().into_iter().map(|(_, _, _, message)| message).collect()
}

#[tokio::test(start_paused = true)]
async fn r730_what_differs_only_in_ignored_fields_is_not_out_of_sync() {
    let mut stage = Stage::new("", WEB);
    stage.sync(Request::default()).await;
    stage.sim.store().update("somebody", "apps", "deployments", "shop", "web", |web| web["spec"]["replicas"] = json!(4)).unwrap();
    assert_eq!(out_of_sync_only(&mut stage, &["/spec/replicas"]).await, [""; 0]);
    assert_eq!(live(&stage).0, 4, "nothing is sent");
    change(&stage);
    assert_eq!(out_of_sync_only(&mut stage, &["/spec/replicas"]).await, ["deployment.apps/web configured"]);
    assert_eq!(live(&stage).0, 1, "another difference makes it out of sync, and without the other option the whole target is sent");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_preview_names_what_is_ignored_and_what_cannot_be() {
    let mut stage = Stage::new("", WEB);
    stage.sync(Request::default()).await;
    change(&stage);
    stage.ask(Ask::Plan { request: request(false, &["/spec/replicas"], &[".spec.template.spec.containers[].image"]) }).await;
    let Answer::Planned(planned) = stage.answer().await else { panic!("no plan") };
    let difference = planned.differences.values().next().unwrap();
    let ignored: Vec<String> = difference.ignored.iter().map(|ignored| ignored.path.to_string()).collect();
    assert!(difference.is_empty(), "{difference:?}");
    assert_eq!(ignored, ["spec.replicas", "spec.template.spec.containers[name=log].image"]);
    stage.ask(Ask::Plan { request: request(false, &["/spec/replicas"], &["keys"]) }).await;
    let Answer::Planned(planned) = stage.answer().await else { panic!("no plan") };
    assert!(planned.notes.iter().any(|note| note.contains("the expression `keys` computes")), "{:?}", planned.notes);
    assert_eq!(planned.differences.values().next().unwrap().ignored, [], "the rule is left out as a whole");
    stage.close().await;
}

async fn notes(stage: &mut Stage, request: Request) -> Vec<String> {
    stage.ask(Ask::Diff { request }).await;
    match stage.answer().await {
        Answer::Compared(Ok(planned)) => planned.notes.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_is_about_no_object_of_the_app_is_told_in_previews_with_what_is_probably_meant() {
    let mut stage = Stage::new("", WEB);
    let rule = |group: &str, kind: &str, name: &str| {
        let pointers = vec!["/spec/replicas".to_owned()];
        let text = RuleText { group: group.into(), kind: kind.into(), name: name.into(), json_pointers: pointers, ..RuleText::default() };
        Request { ignore: IgnoreRules::new([text.read("apps.web.ignore_differences[0]").unwrap()]), ..Request::default() }
    };
    let about = |what: &str, way_out: &str| {
        format!("apps.web.ignore_differences[0] is about no object of this app ({what}), so it changes nothing; {way_out}")
    };
    let meant = "the app's Deployment shop/web has kind = \"Deployment\" and group = \"apps\"";
    for (request, expected) in [
        (rule("apps", "Deployment", ""), None),
        (rule("*", "*", ""), None),
        (rule("", "Deployment", ""), Some(about("kind Deployment", meant))),
        (rule("apps", "deployment", ""), Some(about("group apps, kind deployment", meant))),
        (rule("apps", "Deploymnet", ""), Some(about("group apps, kind Deploymnet", "correct it, or take it out"))),
        (rule("apps", "Deployment", "wbe"), Some(about("group apps, kind Deployment, name wbe", "correct it, or take it out"))),
    ] {
        assert_eq!(notes(&mut stage, request).await, expected.into_iter().collect::<Vec<_>>());
    }
    let selection = vec![crate::plan::Selector::parse("apps:Deployment:other").unwrap()];
    let part = Request { selection: Some(selection), ..rule("apps", "StatefulSet", "") };
    assert!(!notes(&mut stage, part).await.iter().any(|note| note.contains("is about no object")), "a part of the app says nothing");
    stage.close().await;
}

const ROLE: &str = "apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: gathered}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {to: gathered}}]}
rules: []
";

#[tokio::test(start_paused = true)]
async fn r722_rules_of_aggregated_roles_are_not_compared_if_the_argocd_cm_says_so_and_sent_as_they_are() {
    let with_cm = |opening: &mut Opening| opening.rules = RuleSources::default().with_argocd_cm(Some("shop".to_owned()));
    let mut stage = Stage::with("", ROLE, with_cm);
    let options = "ignoreAggregatedRoles: true\nignoreResourceStatusField: crd\n";
    let config_map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm", "namespace": "shop"},
        "data": {"resource.compareoptions": options}});
    stage.sim.store().create("somebody", config_map).unwrap();
    let respect = || Request { options: Options::new(["RespectIgnoreDifferences=true".to_owned()]), ..Request::default() };
    stage.sync(respect()).await;
    let group = "rbac.authorization.k8s.io";
    let gather = |stage: &Stage| {
        let rule = json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]);
        stage.sim.store().update("somebody", group, "clusterroles", "", "gathered", |role| role["rules"] = rule).unwrap();
    };
    gather(&stage);
    stage.ask(Ask::Diff { request: respect() }).await;
    let Answer::Compared(Ok(planned)) = stage.answer().await else { panic!("no comparison") };
    let difference = planned.differences.values().next().unwrap();
    let ignored: Vec<String> = difference.ignored.iter().map(|ignored| format!("{} by {}", ignored.path, ignored.rule)).collect();
    assert_eq!(ignored, ["rules by ignoreAggregatedRoles in the key resource.compareoptions of the ConfigMap shop/argocd-cm"]);
    assert!(
        difference.is_empty() && planned.notes.iter().any(|note| note.starts_with("ignoreResourceStatusField is `crd`, but")),
        "{planned:?}"
    );
    stage.sync(respect()).await;
    let live = stage.sim.store().list(group, "clusterroles", None).into_iter().find(|role| role["metadata"]["name"] == "gathered").unwrap();
    assert!(live["rules"].as_array().is_none_or(Vec::is_empty), "nothing of it is kept: {live}");
    stage.close().await;
}
