//! Pauses that a person asks for while the operation runs.

use super::stage::Stage;
use crate::engine::session::Ask;
use crate::model::Phase;
use crate::operation::{Event, Request, Step};

const MANIFESTS: &str = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate, annotations: {argocd.argoproj.io/hook: PreSync}}\n\
     spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: x}]}}}\n---\n\
     apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
const PODS: &str = "pods: [{match: {owner: Job/*}, runs: {after: 90s}}]";

#[tokio::test(start_paused = true)]
async fn the_wish_for_a_pause_can_be_taken_back_and_that_never_ends_a_pause_that_has_come() {
    let mut stage = Stage::new(PODS, MANIFESTS);
    let by = || "ann".to_owned();
    stage.start(Request::default()).await;
    stage.until(|event| matches!(event, Event::Waiting { on, .. } if !on.is_empty())).await;
    stage.ask(Ask::Pause { by: by() }).await;
    stage.until(|event| matches!(event, Event::PauseRequested { .. })).await;
    stage.ask(Ask::DropPause { by: by() }).await;
    stage.until(|event| matches!(event, Event::Resumed { .. })).await;
    stage.ask(Ask::Pause { by: by() }).await;
    stage.until(|event| matches!(event, Event::Paused { phase: Phase::Sync, .. })).await;
    stage.ask(Ask::DropPause { by: by() }).await;
    stage.ask(Ask::Terminate { by: by() }).await;
    stage.until(|event| matches!(event, Event::OperationFinished { .. })).await;
    let resumed = stage.records.iter().filter(|record| matches!(record.event, Event::Resumed { .. })).count();
    assert_eq!(resumed, 1);
    let is_written = |event: &Event| matches!(event, Event::StepStarted { step: Step::Apply, task } if *task.key.kind == *"ConfigMap");
    assert_eq!(stage.position(is_written), None);
    stage.close().await;
}
