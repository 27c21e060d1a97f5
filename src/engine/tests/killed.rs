//! A program that is killed in the middle, and the next sync of the same app.

use std::time::Duration;

use super::stage::Stage;
use crate::engine::session::{Answer, Ask};
use crate::model::{OperationPhase, TaskState};
use crate::operation::{Event, Request};
use crate::sim::Outcome;

const SLOW: &str = "pods:\n  - match: {owner: Job/slow*}\n    runs: {after: 1h}\n  - match: {owner: Job/*}\n    runs: {after: 2s}\n";

fn job(name: &str, annotations: &str) -> String {
    let spec = "{template: {spec: {restartPolicy: Never, containers: [{name: main, image: x}]}}}";
    format!("apiVersion: batch/v1\nkind: Job\nmetadata: {{{name}, annotations: {{{annotations}}}}}\nspec: {spec}\n---\n")
}

fn config(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n---\n")
}

const PRE: &str = "argocd.argoproj.io/hook: PreSync";
const POST: &str = "argocd.argoproj.io/hook: PostSync";

fn runs(event: &Event, name: &str) -> bool {
    matches!(event, Event::PodObserved { pod } if pod.owner.name.starts_with(name))
}

/// On another machine nobody can know whether the operation still runs, so its hooks are named and left alone.
#[tokio::test(start_paused = true)]
async fn r1502_hooks_of_an_operation_that_is_not_known_here_are_named() {
    let mut stage = Stage::new(SLOW, &job("name: slow", PRE));
    stage.start(Request::default()).await;
    stage.until(|event| runs(event, "slow")).await;
    std::fs::remove_dir_all(stage.folder.path().join("state")).unwrap();
    stage.restart("web-8").await;
    stage.write(&job("name: new", PRE));
    let operation = stage.sync(Request::default()).await;
    assert_eq!(operation.phase(), OperationPhase::Succeeded, "{:#?}", stage.tail());
    assert_eq!(stage.locked(), ["slow"], "it may be running elsewhere");
    let note = "hooks of operations that are not known here: Job shop/slow; if nothing runs them any more, delete them, and take the finalizer \
                syncwave.dev/hook-finalizer off";
    assert!(stage.told().contains(&note), "{:?}", stage.told());
    stage.close().await;
}

/// R1502: what still runs is deleted and what has ended loses its finalizer, before the first write of the new operation.
#[tokio::test(start_paused = true)]
async fn r903_r905_r1502_the_next_sync_ends_the_hooks_of_one_that_was_killed_in_presync() {
    let hooks = format!("{}{}", job("name: done", PRE), job("name: slow", PRE));
    let mut stage = Stage::new(SLOW, &format!("{hooks}{}", config("a")));
    stage.start(Request::default()).await;
    stage.until(|event| matches!(event, Event::LiveObserved { key, live } if &*key.name == "done" && matches!(&live.assessment, crate::model::Assessment::Known(health) if health.status == crate::model::HealthStatus::Healthy))).await;
    stage.restart("web-8").await;
    assert_eq!(stage.locked(), ["done", "slow"]);
    stage.write(&config("a"));
    let operation = stage.sync(Request::default()).await;
    assert_eq!(operation.phase(), OperationPhase::Succeeded, "{:#?}", stage.tail());
    let told = stage.told();
    let [sentence] = &told[..] else { panic!("{told:?}") };
    assert!(
        sentence.starts_with("the operation web-7-1 from 2026-03-01 09:00 UTC was not ended; 2 of its hooks were cleaned up: "),
        "{sentence}"
    );
    let first_write = stage.position(|event| matches!(event, Event::StepStarted { .. })).unwrap();
    assert!(stage.position(|event| matches!(event, Event::Warned { .. })).unwrap() < first_write);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!((stage.locked(), stage.jobs()), (vec![], vec!["done".to_owned()]), "the one that had ended stays, as after a terminate");
    stage.sync(Request::default()).await;
    assert_eq!(stage.told().len(), 1, "it is told once");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn r303_r1502_generated_hooks_of_a_killed_operation_are_found_by_their_names() {
    let hooks = format!("{}{}", job("generateName: pre-", PRE), job("generateName: slow-", POST));
    let mut stage = Stage::new(SLOW, &format!("{hooks}{}", config("a")));
    stage.start(Request::default()).await;
    stage.until(|event| runs(event, "slow-")).await;
    stage.restart("web-8").await;
    let left = stage.locked();
    assert_eq!(left.len(), 1, "{left:?}");
    stage.write(&format!("{}{}", job("generateName: pre-", PRE), config("a")));
    let operation = stage.sync(Request::default()).await;
    assert_eq!(operation.phase(), OperationPhase::Succeeded, "{:#?}", stage.tail());
    let expected = format!("1 of its hooks was cleaned up: Job shop/{}", left[0]);
    assert!(stage.told()[0].ends_with(&expected), "{:?}", stage.told());
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(stage.locked().is_empty() && !stage.jobs().contains(&left[0]), "{:?}", stage.jobs());
    stage.close().await;
}

/// The hook runs again, and the object that the dead operation has left never counts for this one.
#[tokio::test(start_paused = true)]
async fn a_hook_that_was_killed_in_the_middle_runs_again_whatever_its_policy() {
    for policy in ["BeforeHookCreation", "HookSucceeded"] {
        let hook = job("name: pre", &format!("{PRE}, argocd.argoproj.io/hook-delete-policy: {policy}"));
        let mut stage = Stage::new(SLOW, &format!("{hook}{}", config("a")));
        stage.start(Request::default()).await;
        stage.until(|event| runs(event, "pre")).await;
        stage.restart("web-8").await;
        let first = stage.sim.store().get("batch", "jobs", "shop", "pre").unwrap()["metadata"]["uid"].clone();
        let operation = stage.sync(Request::default()).await;
        assert_eq!(operation.phase(), OperationPhase::Succeeded, "{policy}: {:#?}", stage.tail());
        let progress = operation.progress(&operation.results()[0].task).unwrap().applied.clone().unwrap();
        assert_ne!(&*progress.uid, first.as_str().unwrap(), "{policy}");
        assert!(stage.locked().is_empty());
        stage.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn r1528_a_dry_run_only_says_what_a_killed_operation_has_left() {
    let mut stage = Stage::new(SLOW, &job("name: slow", PRE));
    stage.start(Request::default()).await;
    stage.until(|event| runs(event, "slow")).await;
    stage.restart("web-8").await;
    for _ in 0..2 {
        stage.records.clear();
        stage.sync(Request { dry_run: true, ..Request::default() }).await;
        assert!(stage.told()[0].ends_with("1 of its hooks would be cleaned up: Job shop/slow"), "{:?}", stage.told());
        assert_eq!(stage.locked(), ["slow"]);
    }
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_cleaned_up_is_named_and_tried_again_and_holds_nothing_up() {
    let mut stage = Stage::new(SLOW, &job("name: slow", PRE));
    stage.start(Request::default()).await;
    stage.until(|event| runs(event, "slow")).await;
    stage.restart("web-8").await;
    stage.write(&config("a"));
    let message = "admission webhook \"deny.example.com\" denied the request: no".to_owned();
    stage.fault("patch", "jobs", Outcome::Status { code: 403, reason: "Forbidden", message });
    assert_eq!(stage.sync(Request::default()).await.phase(), OperationPhase::Succeeded);
    let expected = "Job shop/slow, a hook of the operation web-7-1, could not be cleaned up: failed to update resource: admission webhook \"deny.example.com\" denied the request: no";
    assert!(stage.told().contains(&expected), "{:?}", stage.told());
    stage.sim.faults().clear();
    stage.records.clear();
    assert_eq!(stage.sync(Request::default()).await.phase(), OperationPhase::Succeeded);
    assert!(stage.told()[0].ends_with("1 of its hooks was cleaned up: Job shop/slow"), "{:?}", stage.told());
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_while_leftovers_are_cleaned_up_does_not_hold_the_operation() {
    let mut stage = Stage::new(SLOW, &job("name: slow", PRE));
    stage.start(Request::default()).await;
    stage.until(|event| runs(event, "slow")).await;
    stage.restart("web-8").await;
    stage.write(&config("a"));
    stage.fault("get", "jobs", Outcome::Latency(Duration::from_secs(3_000)));
    let began = stage.opening.clock.now();
    assert_eq!(stage.sync(Request::default()).await.phase(), OperationPhase::Succeeded);
    let took = stage.opening.clock.now().duration_since(began);
    assert!(took.as_secs() < 30, "{took:?}");
    assert!(stage.told().iter().any(|text| text.ends_with("did not do it within 10 s")), "{:?}", stage.told());
    stage.close().await;
}

/// An object of the same name that the dead operation did not make is none of its leftovers.
#[tokio::test(start_paused = true)]
async fn an_object_without_the_label_of_the_dead_operation_is_left_alone() {
    let mut stage = Stage::new(SLOW, &job("name: slow", PRE));
    stage.start(Request::default()).await;
    stage.until(|event| runs(event, "slow")).await;
    stage.restart("web-8").await;
    stage.write(&config("a"));
    let file = stage.folder.path().join("state/inventory/embedded/shop/web~open.json");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("web-7-1", "web-6-1")).unwrap();
    assert_eq!(stage.sync(Request::default()).await.phase(), OperationPhase::Succeeded);
    assert!(stage.told()[0].ends_with("nothing is left of its hooks"), "{:?}", stage.told());
    assert_eq!(stage.locked(), ["slow"]);
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn two_syncs_of_one_app_at_once_are_refused_until_the_first_has_ended() {
    let mut stage = Stage::new(SLOW, &job("name: slow", PRE));
    stage.start(Request::default()).await;
    stage.until(|event| runs(event, "slow")).await;
    let mut other = stage.another("web-8");
    other.asks.send(Ask::Sync { request: Request::default() }).await.unwrap();
    let Some(Answer::Refused { reason }) = other.answers.recv().await else { panic!("it was not refused") };
    assert!(
        reason.starts_with("the app `web` is being synced to namespace shop of the context `embedded` already, by process "),
        "{reason}"
    );
    assert!(reason.contains("(operation web-7-1, since 2026-03-01 09:00 UTC)"), "{reason}");
    stage.ask(Ask::Terminate { by: "ann".into() }).await;
    stage.until(|event| matches!(event, Event::OperationFinished { .. })).await;
    assert_eq!(stage.operation.as_ref().unwrap().results()[0].state, TaskState::Failed);
    other.asks.send(Ask::Sync { request: Request::default() }).await.unwrap();
    assert!(matches!(other.answers.recv().await, Some(Answer::Started { .. })));
    drop(other);
    stage.tasks.abort_all();
}

/// A request whose answer never came may still reach the server after the end.
#[tokio::test(start_paused = true)]
async fn r1502_a_hook_whose_creation_got_no_answer_is_looked_for_by_the_next_sync() {
    let mut stage = Stage::new(SLOW, &format!("{}{}", job("name: pre", PRE), config("a")));
    let message = "the server was unable to return a response in the time allotted".to_owned();
    stage.fault("patch", "jobs", Outcome::Status { code: 504, reason: "Timeout", message });
    assert_eq!(stage.sync(Request::default()).await.phase(), OperationPhase::Failed);
    assert!(stage.jobs().is_empty());
    let metadata = serde_json::json!({"name": "pre", "namespace": "shop", "labels": {"syncwave.dev/operation": "web-7-1"},
        "finalizers": ["syncwave.dev/hook-finalizer"]});
    let template = serde_json::json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "x"}]}});
    let late = serde_json::json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": template}});
    stage.sim.store().create("syncwave", late).unwrap();
    stage.sim.faults().clear();
    stage.write(&config("a"));
    stage.records.clear();
    assert_eq!(stage.sync(Request::default()).await.phase(), OperationPhase::Succeeded);
    assert!(stage.told()[0].ends_with("has left hooks behind; 1 of its hooks was cleaned up: Job shop/pre"), "{:?}", stage.told());
    assert!(stage.locked().is_empty());
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_was_refused_is_on_the_list_until_the_next_sync_and_no_longer() {
    let mut stage = Stage::new(SLOW, &format!("{}{}", job("name: pre", PRE), config("a")));
    let file = stage.folder.path().join("state/inventory/embedded/shop/web~open.json");
    let message = "Job.batch \"pre\" is invalid".to_owned();
    stage.fault("patch", "jobs", Outcome::Status { code: 422, reason: "Invalid", message });
    for _ in 0..3 {
        assert_eq!(stage.sync(Request::default()).await.phase(), OperationPhase::Failed);
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(text.matches("\"operation\"").count(), 1, "{text}");
    }
    stage.sim.faults().clear();
    stage.records.clear();
    assert_eq!(stage.sync(Request::default()).await.phase(), OperationPhase::Succeeded);
    assert!(stage.told().is_empty() && !file.exists(), "{:?}", stage.told());
    stage.close().await;
}
