//! How one object is written, against the embedded cluster: what the options of an operation and of annotations come to.

use serde_json::{Value, json};

use super::stage::Stage;
use crate::engine::session::{Answer, Ask};
use crate::model::{OperationPhase, Options};
use crate::operation::{Event, Limits, Request, Step, StepOutcome};
use crate::sim::Outcome;

const PODS: &str = "pods:\n  - match: {owner: Job/*}\n    runs: {after: 1s}\n";

fn config(data: &str, options: &str) -> String {
    let annotation =
        if options.is_empty() { String::new() } else { format!(", annotations: {{argocd.argoproj.io/sync-options: '{options}'}}") };
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a{annotation}}}\ndata: {data}\n---\n")
}

fn web(label: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec: {{replicas: 1, selector: {{matchLabels: {{app: {label}}}}}, \
         template: {{metadata: {{labels: {{app: {label}}}}}, spec: {{containers: [{{name: main, image: x}}]}}}}}}\n---\n"
    )
}

fn request(options: &[&str]) -> Request {
    Request { options: Options::new(options.iter().map(|option| (*option).to_owned())), ..Request::default() }
}

fn live(stage: &Stage, group: &str, plural: &str, name: &str) -> Value {
    Value::clone(&*stage.sim.store().get(group, plural, "shop", name).unwrap())
}

async fn said(stage: &mut Stage, request: Request) -> String {
    let operation = stage.sync(request).await;
    assert_eq!(operation.phase(), OperationPhase::Succeeded, "{:#?}", stage.tail());
    stage.results().into_iter().map(|(_, _, _, message)| message).collect::<Vec<_>>().join(", ")
}

#[tokio::test(start_paused = true)]
async fn t79_r711_an_operation_replaces_with_its_option() {
    let mut stage = Stage::new(PODS, &config("{k: '1'}", ""));
    assert_eq!(said(&mut stage, request(&["Replace=true"])).await, "configmap/a created");
    let before = live(&stage, "", "configmaps", "a");
    stage.write(&config("{other: '1'}", ""));
    assert_eq!(said(&mut stage, request(&["Replace=true"])).await, "configmap/a replaced");
    let after = live(&stage, "", "configmaps", "a");
    assert_eq!((&after["data"], &after["metadata"]["uid"]), (&json!({"other": "1"}), &before["metadata"]["uid"]));
    stage.write(&config("{last: '1'}", ""));
    assert_eq!(said(&mut stage, Request::default()).await, "configmap/a configured");
    assert_eq!(live(&stage, "", "configmaps", "a")["data"], json!({"last": "1"}), "what was written whole is still ours to remove");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn r713_force_of_an_operation_makes_another_object_of_what_cannot_be_changed() {
    let mut stage = Stage::new(PODS, &web("one"));
    assert_eq!(said(&mut stage, Request::default()).await, "deployment.apps/web created");
    let before = live(&stage, "apps", "deployments", "web");
    stage.write(&web("two"));
    let refused = stage.sync(Request::default()).await;
    assert_eq!(refused.phase(), OperationPhase::Failed);
    assert_eq!(live(&stage, "apps", "deployments", "web")["metadata"]["uid"], before["metadata"]["uid"]);
    assert_eq!(said(&mut stage, Request { force: true, ..Request::default() }).await, "deployment.apps/web configured");
    let after = live(&stage, "apps", "deployments", "web");
    assert_ne!(after["metadata"]["uid"], before["metadata"]["uid"]);
    assert_eq!(after["spec"]["selector"], json!({"matchLabels": {"app": "two"}}));
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn t80_r713_r714_server_side_of_an_operation_is_a_word_and_force_does_nothing_beside_it() {
    let mut stage = Stage::new(PODS, &config("{k: '1'}", ""));
    for _ in 0..2 {
        assert_eq!(said(&mut stage, request(&["ServerSideApply=true"])).await, "configmap/a serverside-applied");
    }
    let both = Request { force: true, ..request(&["ServerSideApply=true"]) };
    stage.write(&config("{k: '2'}", ""));
    let before = live(&stage, "", "configmaps", "a")["metadata"]["uid"].clone();
    stage.records.clear();
    assert_eq!(said(&mut stage, both.clone()).await, "configmap/a serverside-applied");
    assert_eq!(live(&stage, "", "configmaps", "a")["metadata"]["uid"], before);
    let told = |event: &Event| matches!(event, Event::Warned { task: Some(_), text } if text.starts_with("force has no effect beside"));
    assert_eq!(stage.records.iter().filter(|record| told(&record.event)).count(), 1);
    stage.write(&config("{k: '3'}", ""));
    stage.ask(Ask::Plan { request: both.clone() }).await;
    let Answer::Planned(planned) = stage.answer().await else { panic!("no plan") };
    let is_told =
        |planned: &crate::engine::session::Planned| planned.notes.iter().any(|note| note.starts_with("force has no effect beside"));
    assert!(is_told(&planned), "{:?}", planned.notes);
    let hook = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: h, annotations: {argocd.argoproj.io/hook: PreSync, argocd.argoproj.io/sync-options: 'ServerSideApply=true,Force=true'}}\n";
    stage.write(hook);
    stage.ask(Ask::Plan { request: Request::default() }).await;
    let Answer::Planned(planned) = stage.answer().await else { panic!("no plan") };
    assert!(is_told(&planned), "{:?}", planned.notes);
    stage.write(&config("{k: '1'}", "ServerSideApply=false"));
    assert_eq!(said(&mut stage, both).await, "configmap/a configured");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn t46_r707_an_operation_does_not_validate_with_its_option() {
    let wrong = format!("{}---\n", config("{k: '1'}", "").trim_end_matches("---\n").trim_end().to_owned() + "\ndataz: 1\n");
    let mut stage = Stage::new(PODS, &wrong);
    assert_eq!(stage.sync(Request::default()).await.phase(), OperationPhase::Failed);
    assert_eq!(said(&mut stage, request(&["Validate=false"])).await, "configmap/a created");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn t88_r715_fields_that_kubectl_apply_left_behind_go_when_the_manifest_lacks_them() {
    let mut stage = Stage::new(PODS, &config("{k: '1'}", ""));
    let theirs = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "1", "legacy": "old"}});
    let path = "/api/v1/namespaces/shop/configmaps?fieldManager=kubectl-client-side-apply";
    let request = http::Request::post(path).header("Content-Type", "application/json").body(theirs.to_string().into_bytes()).unwrap();
    stage.sim.client().request::<Value>(request).await.unwrap();
    let kept = stage.sync(self::request(&["ClientSideApplyMigration=false"])).await;
    assert_eq!(kept.phase(), OperationPhase::Succeeded);
    assert_eq!(live(&stage, "", "configmaps", "a")["data"], json!({"k": "1", "legacy": "old"}));
    assert_eq!(said(&mut stage, Request::default()).await, "configmap/a configured");
    let after = live(&stage, "", "configmaps", "a");
    assert_eq!(after["data"], json!({"k": "1"}));
    let owners: Vec<_> = after["metadata"]["managedFields"].as_array().unwrap().iter().map(|entry| &entry["manager"]).collect();
    assert_eq!(owners, ["syncwave"]);
    assert_eq!(said(&mut stage, Request::default()).await, "configmap/a unchanged");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn t78_r719_prunes_spread_as_the_operation_says() {
    for (option, is_left) in [("PrunePropagationPolicy=orphan", true), ("PrunePropagationPolicy=background", false)] {
        let mut stage = Stage::new(PODS, &format!("{}{}", web("one"), config("{k: '1'}", "")));
        assert_eq!(said(&mut stage, Request::default()).await, "configmap/a created, deployment.apps/web created");
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        stage.write(&config("{k: '1'}", ""));
        assert_eq!(said(&mut stage, Request { prune: true, ..request(&[option]) }).await, "pruned, configmap/a unchanged");
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        assert_eq!(!stage.sim.store().list("apps", "replicasets", Some("shop")).is_empty(), is_left, "{option}");
        stage.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn t113_r307_an_object_without_a_name_is_another_one_in_each_sync_that_replaces() {
    let unnamed = config("{k: '1'}", "").replace("name: a", "generateName: a-");
    let other = config("{k: '1'}", "").replace("name: a", "name: later, annotations: {argocd.argoproj.io/sync-wave: '1'}");
    let mut stage = Stage::new(PODS, &format!("{unnamed}{other}"));
    let refused = stage.sync(Request::default()).await;
    assert_eq!((refused.phase(), refused.message()), (OperationPhase::Failed, "one or more objects failed to apply (dry run)"));
    for _ in 0..2 {
        let text = said(&mut stage, request(&["Replace=true"])).await;
        assert!(text.starts_with("configmap/a-"), "{text}");
    }
    let named = |object: &std::sync::Arc<Value>| object["metadata"]["name"].as_str().unwrap().starts_with("a-");
    assert_eq!(stage.sim.store().list("", "configmaps", Some("shop")).iter().filter(|object| named(object)).count(), 2);
    stage.close().await;
}

/// The plan takes three seconds here.
#[tokio::test(start_paused = true)]
async fn r302_a_generated_name_has_the_second_at_which_the_operation_started_however_long_its_plan_takes() {
    let hook = "generateName: pre-, annotations: {argocd.argoproj.io/hook: PreSync}";
    let mut stage = Stage::new("", &config("{k: '1'}", "").replace("name: a", hook));
    stage.fault("list", "configmaps", Outcome::Latency(std::time::Duration::from_secs(3)));
    let asked = stage.opening.clock.now();
    // Limits begin when it runs, which takes three seconds more.
    let limits = Limits { operation: Some(std::time::Duration::from_secs(4)), ..Limits::default() };
    let operation = stage.sync(Request { limits, ..Request::default() }).await;
    assert_eq!((operation.phase(), operation.started_at()), (OperationPhase::Succeeded, asked));
    let name = format!("pre-4c1d0aa-presync-{}", asked.as_second());
    assert!(operation.finished_at().unwrap().as_second() > asked.as_second() + 4);
    assert_eq!(*operation.results()[0].task.key.name, *name);
    assert!(stage.sim.store().get("", "configmaps", "shop", &name).is_some());
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn r729_hooks_obey_the_options_of_their_annotation() {
    let hook = |name: &str, options: &str| {
        let annotations = format!(
            "annotations: {{argocd.argoproj.io/hook: PreSync, argocd.argoproj.io/hook-delete-policy: HookFailed, argocd.argoproj.io/sync-options: '{options}'}}"
        );
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, {annotations}}}\ndata: {{k: '1'}}\n---\n")
    };
    let manifests = [hook("a", "Replace=true"), hook("b", "ServerSideApply=true"), hook("c", "Replace=true,Force=true")].concat();
    let mut stage = Stage::new(PODS, &manifests);
    let uids = |stage: &Stage| ["a", "b", "c"].map(|name| live(stage, "", "configmaps", name)["metadata"]["uid"].clone());
    assert_eq!(applied(&mut stage).await, ["configmap/a created", "configmap/b serverside-applied", "configmap/c created"]);
    let before = uids(&stage);
    assert_eq!(
        applied(&mut stage).await,
        ["configmap \"c\" deleted from shop namespace\nconfigmap/c replaced", "configmap/a replaced", "configmap/b serverside-applied"]
    );
    let after = uids(&stage);
    assert_eq!(((&after[0], &after[1]), after[2] == before[2]), ((&before[0], &before[1]), false));
    stage.close().await;
}

/// Syncs; returns what each apply said, which the result of a hook without health does not keep.
async fn applied(stage: &mut Stage) -> Vec<String> {
    stage.records.clear();
    assert_eq!(stage.sync(Request::default()).await.phase(), OperationPhase::Succeeded, "{:#?}", stage.tail());
    let message = |event: &Event| match event {
        Event::StepFinished { step: Step::Apply, outcome: StepOutcome::Done { message, .. }, .. } => Some(message.clone()),
        _ => None,
    };
    let mut messages: Vec<String> = stage.records.iter().filter_map(|record| message(&record.event)).collect();
    messages.sort();
    messages
}
