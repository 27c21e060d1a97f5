//! Sync windows against the embedded cluster, whose clock starts at nine: refused at the beginning, waited for in the middle.

use std::time::Duration;

use super::stage::Stage;
use crate::engine::session::{Answer, Ask};
use crate::model::{Glob, OperationPhase, Window, WindowKind, Windows};
use crate::operation::{Event, Request, Step};

const BLOCKED: &str = "Sync operation blocked by sync window";
const MANIFESTS: &str = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate, annotations: {argocd.argoproj.io/hook: PreSync}}\n\
     spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: x}]}}}\n---\n\
     apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
const PODS: &str = "pods: [{match: {owner: Job/*}, runs: {after: 90s}}]";

fn deny(schedule: &str, minutes: u64) -> Window {
    Window::of_all(WindowKind::Deny, schedule, Duration::from_secs(minutes * 60))
}

fn with(windows: impl IntoIterator<Item = Window>) -> Request {
    Request { windows: Windows::new(windows), ..Request::default() }
}

fn is_blocked(event: &Event) -> bool {
    matches!(event, Event::Waiting { message, .. } if message == BLOCKED)
}

#[tokio::test(start_paused = true)]
async fn r1406_a_sync_in_a_closed_window_is_refused_before_anything_is_written() {
    let mut stage = Stage::new(PODS, MANIFESTS);
    let closed = || with([deny("0 8 * * *", 120)]);
    let sentence =
        "cannot sync: blocked by sync window: the deny window `0 8 * * *` for 2h is active; syncs are possible from 2026-03-01 10:00 UTC";
    stage.ask(Ask::Sync { request: closed() }).await;
    assert!(matches!(stage.answer().await, Answer::Refused { reason } if reason == sentence));
    assert!(!stage.folder.path().join("state").exists() && stage.records.is_empty());
    stage.ask(Ask::Plan { request: closed() }).await;
    let Answer::Planned(planned) = stage.answer().await else { panic!("no plan") };
    assert_eq!(planned.blocked.as_deref(), Some(sentence));
    // The refusal was no operation: another sync may be asked for at once.
    assert_eq!(stage.sync(with([])).await.phase(), OperationPhase::Succeeded);
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn r1402_only_windows_that_name_the_app_its_namespace_or_its_cluster_block_it() {
    let list = |text: &str| vec![Glob::parse(text).unwrap()];
    let none = || Window { applications: Vec::new(), ..deny("0 8 * * *", 120) };
    for (window, blocks) in [
        (Window { applications: list("we?"), ..none() }, true),
        (Window { applications: list("other"), ..none() }, false),
        (Window { namespaces: list("shop"), ..none() }, true),
        (Window { namespaces: list("default"), ..none() }, false),
        (Window { clusters: list("embed*"), ..none() }, true),
        (Window { clusters: list("in process"), ..none() }, true),
        (none(), false),
    ] {
        let mut stage = Stage::new(PODS, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n");
        stage.ask(Ask::Sync { request: with([window.clone()]) }).await;
        assert_eq!(matches!(stage.answer().await, Answer::Refused { .. }), blocks, "{window:?}");
        stage.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn t155_r1405_an_operation_stands_still_in_a_window_and_goes_on_when_it_ends() {
    // The hook takes from nine to half past nine and one; the window is from 9:01 to 9:11.
    let mut stage = Stage::new(PODS, MANIFESTS);
    let operation = stage.sync(with([deny("1 9 * * *", 10)])).await;
    assert_eq!(operation.phase(), OperationPhase::Succeeded, "{:#?}", stage.tail());
    let time = |is_meant: fn(&Event) -> bool| stage.records[stage.position(is_meant).unwrap()].at.strftime("%H:%M:%S").to_string();
    assert_eq!(time(is_blocked), "09:01:00");
    assert_eq!(time(|event| matches!(event, Event::StepStarted { step: Step::Apply, task } if *task.key.kind == *"ConfigMap")), "09:11:00");
    let warned =
        |event: &Event| matches!(event, Event::Warned { text, .. } if text.ends_with("syncs are possible from 2026-03-01 09:11 UTC"));
    assert!(stage.position(warned).is_some());
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn t138_r912_r1525_a_terminate_ends_an_operation_that_a_window_holds() {
    let mut stage = Stage::new(PODS, MANIFESTS);
    stage.start(with([deny("1 9 * * *", 600)])).await;
    stage.until(is_blocked).await;
    stage.ask(Ask::Terminate { by: "ann".into() }).await;
    stage.until(|event| matches!(event, Event::OperationFinished { .. })).await;
    let operation = stage.operation.as_ref().unwrap();
    assert_eq!((operation.phase(), operation.message(), operation.is_terminated()), (OperationPhase::Failed, "Operation terminated", true));
    let took = operation.finished_at().unwrap().duration_since(operation.started_at());
    assert!(took.as_secs() < 70, "{took:?}");
    stage.close().await;
}
