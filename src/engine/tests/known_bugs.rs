//! Public bugs of the reference by their numbers, on the embedded cluster, where requests, watches and answers go their own ways.

use std::time::Duration;

use super::stage::Stage;
use crate::engine::session::{Answer, Ask};
use crate::model::{OperationPhase, ResultCode, TaskState};
use crate::operation::{Event, Request};
use crate::sim::{DeleteOptions, Outcome};

const QUICK: &str = "pods:\n  - match: {owner: Job/slow}\n    runs: {after: 1h}\n  - match: {owner: Job/*}\n    runs: {after: 2s}\n";

fn job(name: &str, annotations: &str, ttl: &str) -> String {
    let spec = format!("{{{ttl}template: {{spec: {{restartPolicy: Never, containers: [{{name: main, image: x}}]}}}}}}");
    format!("apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}, annotations: {{{annotations}}}}}\nspec: {spec}\n---\n")
}

fn config(name: &str, wave: i64) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, annotations: {{argocd.argoproj.io/sync-wave: \"{wave}\"}}}}\n---\n")
}

const PRE: &str = "argocd.argoproj.io/hook: PreSync";

/// #21055 #6880 #18884 R1501: the finalizer holds the hook until its result has been read, then its time to live takes it.
#[tokio::test(start_paused = true)]
async fn issue_21055_r1501_a_hook_whose_time_to_live_is_zero_is_read_and_goes() {
    let mut stage = Stage::new(QUICK, &format!("{}{}", job("ttl", PRE, "ttlSecondsAfterFinished: 0, "), config("a", 0)));
    let operation = stage.sync(Request::default()).await;
    assert_eq!(operation.phase(), OperationPhase::Succeeded, "{:#?}", stage.tail());
    assert_eq!((stage.results()[0].1, stage.results()[0].2), (ResultCode::Synced, TaskState::Succeeded));
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(stage.jobs().is_empty(), "{:?}", stage.jobs());
    stage.close().await;
}

/// #8586 R1531.
#[tokio::test(start_paused = true)]
async fn issue_8586_r1531_an_ordinary_job_that_expires_does_not_fail_a_sync_of_several_groups() {
    let mut stage = Stage::new(QUICK, &format!("{}{}", job("load", "", "ttlSecondsAfterFinished: 0, "), config("next", 1)));
    let operation = stage.sync(Request::default()).await;
    assert_eq!(operation.phase(), OperationPhase::Succeeded, "{:#?}", stage.results());
    stage.close().await;
}

/// #3980 #4384 R1507: the outcome is as it is there, but nobody has to guess why the hook did not run.
#[tokio::test(start_paused = true)]
async fn issue_4384_r1507_a_hook_that_does_not_run_again_says_so_and_what_would_make_it() {
    let keep = format!("{PRE}, argocd.argoproj.io/hook-delete-policy: HookFailed");
    let mut stage = Stage::new(QUICK, &job("seed", &keep, ""));
    stage.sync(Request::default()).await;
    let said = |stage: &Stage| {
        let is_said = |event: &Event| matches!(event, Event::Warned { task: Some(_), text } if text.contains("BeforeHookCreation"));
        stage.records.iter().filter(|record| is_said(&record.event)).count()
    };
    assert_eq!(said(&stage), 0);
    stage.records.clear();
    assert_eq!(stage.sync(Request::default()).await.phase(), OperationPhase::Succeeded);
    assert_eq!(said(&stage), 1);
    stage.close().await;
}

/// #24187 R218: the sentence of the webhook that refuses, and a patch that touches nothing but the finalizer.
#[tokio::test(start_paused = true)]
async fn issue_24187_a_webhook_that_keeps_a_finalizer_is_named() {
    let mut stage = Stage::new(QUICK, &format!("{}{}", job("pre", PRE, ""), config("a", 0)));
    stage.start(Request::default()).await;
    stage.until(|event| matches!(event, Event::PodObserved { .. })).await;
    let message = "admission webhook \"deny.example.com\" denied the request: no".to_owned();
    stage.fault("patch", "jobs", Outcome::Status { code: 403, reason: "Forbidden", message });
    stage.until(|event| matches!(event, Event::OperationFinished { .. })).await;
    let expected =
        "Failed to remove hook finalizer: failed to update resource: admission webhook \"deny.example.com\" denied the request: no";
    assert_eq!((stage.results()[0].2, stage.results()[0].3.as_str()), (TaskState::Error, expected));
    // What could not be let go is remembered, and the next sync tries again.
    stage.sim.faults().clear();
    stage.write(&config("a", 0));
    stage.records.clear();
    stage.sync(Request::default()).await;
    let expected = "has left hooks behind; 1 of its hooks was cleaned up: Job shop/pre";
    assert!(stage.told()[0].ends_with(expected), "{:?}", stage.told());
    assert!(stage.locked().is_empty());
    stage.close().await;
}

/// #29464 R1502: a watch that lags behind everything that happens.
#[tokio::test(start_paused = true)]
async fn issue_29464_r1502_no_finalizer_is_left_when_the_watch_of_hooks_drops_all_the_time() {
    for after in [1, 2, 3] {
        let hooks = format!("{}{}", job("one", PRE, ""), job("two", "argocd.argoproj.io/hook: PostSync", ""));
        let mut stage = Stage::new(QUICK, &format!("{hooks}{}", config("a", 0)));
        stage.fault("watch", "jobs", Outcome::DropWatch { after });
        let operation = stage.sync(Request::default()).await;
        assert_eq!(operation.phase(), OperationPhase::Succeeded, "{after}: {:#?}", stage.tail());
        assert!(stage.locked().is_empty(), "{after}");
        stage.close().await;
    }
}

/// #17155 #18613 R914.
#[tokio::test(start_paused = true)]
async fn issue_17155_issue_18613_terminate_may_be_pressed_three_times_at_any_moment() {
    for wait in [0_u64, 1, 50, 500, 1_500, 2_500] {
        let mut stage = Stage::new(QUICK, &format!("{}{}", job("slow", PRE, ""), config("a", 0)));
        stage.start(Request::default()).await;
        tokio::time::sleep(Duration::from_millis(wait)).await;
        for _ in 0..3 {
            stage.ask(Ask::Terminate { by: "ann".into() }).await;
        }
        stage.until(|event| matches!(event, Event::OperationFinished { .. })).await;
        assert!(stage.operation.as_ref().unwrap().is_terminated(), "after {wait} ms");
        assert!(stage.session.answers.try_recv().is_err(), "after {wait} ms: nobody is told that there is no operation");
        assert!(stage.locked().is_empty(), "after {wait} ms");
        stage.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn issue_17155_terminate_while_a_sync_is_prepared_is_answered_alike_each_time() {
    let mut stage = Stage::new(QUICK, &config("a", 0));
    stage.fault("list", "configmaps", Outcome::Latency(Duration::from_secs(60)));
    stage.ask(Ask::Sync { request: Request::default() }).await;
    for _ in 0..3 {
        stage.ask(Ask::Terminate { by: "ann".into() }).await;
        let expected = "the operation was stopped before it began; nothing has been changed";
        assert!(matches!(stage.answer().await, Answer::Refused { reason } if reason == expected));
    }
    stage.close().await;
}

/// #26180 R1503: somebody deletes the old hook, and something else holds it.
#[tokio::test(start_paused = true)]
async fn issue_26180_r1503_a_hook_that_is_being_deleted_is_waited_for() {
    let hook = job("pre", &format!("{PRE}, argocd.argoproj.io/hook-delete-policy: HookFailed"), "");
    let mut stage = Stage::new(QUICK, &format!("{hook}{}", config("a", 0)));
    stage.sync(Request::default()).await;
    let hold = |names: serde_json::Value| move |object: &mut serde_json::Value| object["metadata"]["finalizers"] = names.clone();
    stage.change_job("pre", hold(serde_json::json!(["example.com/keep"])));
    stage.sim.store().delete("batch", "jobs", "shop", "pre", &DeleteOptions::default()).unwrap();
    stage.start(Request::default()).await;
    stage.until(|event| matches!(event, Event::Waiting { message, .. } if message == "waiting for deletion of hook batch/Job/pre")).await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    stage.change_job("pre", hold(serde_json::json!([])));
    stage.until(|event| matches!(event, Event::OperationFinished { .. })).await;
    assert_eq!(stage.operation.as_ref().unwrap().phase(), OperationPhase::Succeeded, "{:#?}", stage.tail());
    stage.close().await;
}
