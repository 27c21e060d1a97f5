//! Whole operations against the embedded cluster: what is done, told and kept.

use std::time::Duration;

use super::stage::{LONG, Stage};
use crate::engine::session::{Action, Answer, Ask, FailureKind};
use crate::model::{ContainerState, HealthStatus, OperationPhase, ResourceKey, ResultCode, TaskState};
use crate::operation::{Event, Request, Step, StepOutcome};
use crate::sim::{Match, Outcome, Rule};

fn job(name: &str, annotations: &str) -> String {
    format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}, annotations: {{{annotations}}}}}\nspec:\n  backoffLimit: 2\n  template: {{spec: {{restartPolicy: Never, \
         initContainers: [{{name: wait, image: x}}], containers: [{{name: main, image: x}}]}}}}\n---\n"
    )
}

fn config(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{k: v}}\n---\n")
}

const PRESYNC: &str = "argocd.argoproj.io/hook: PreSync";
const PODS: &str = r#"
pods:
  - match: {owner: Job/*, container: wait}
    runs: {after: 1s, logs: [{at: 100ms, line: "waiting for the database"}]}
  - match: {owner: Job/*}
    runs: {after: 3s, logs: [{at: 500ms, line: "one"}, {at: 1s, line: "two"}, {at: 2900ms, line: "three"}]}
"#;

#[tokio::test(start_paused = true)]
async fn a_sync_runs_its_hook_keeps_its_log_and_applies_the_rest() {
    let mut stage = Stage::new(PODS, &format!("{}{}", job("migrate", PRESYNC), config("a")));
    let operation = stage.sync(Request::default()).await;
    assert_eq!(
        (operation.phase(), operation.message()),
        (OperationPhase::Succeeded, "successfully synced (all tasks run)"),
        "{:#?}",
        stage.tail()
    );
    assert_eq!(
        stage.results(),
        [
            ("Job/migrate".to_owned(), ResultCode::Synced, TaskState::Succeeded, "Reached expected number of succeeded pods".to_owned()),
            ("ConfigMap/a".to_owned(), ResultCode::Synced, TaskState::Running, "configmap/a created".to_owned()),
        ]
    );
    assert_eq!(stage.texts(), ["waiting for the database", "one", "two", "three"]);
    assert_eq!(operation.id().as_ref(), "web-7-1");
    let seqs: Vec<u64> = stage.records.iter().map(|record| record.seq).collect();
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>(), "facts are counted without gaps");
    let open = stage.position(|event| matches!(event, Event::WatchesOpened { .. })).unwrap();
    let write = stage.position(|event| matches!(event, Event::StepStarted { step: Step::Apply, .. })).unwrap();
    assert!(open < write, "watches are open before the first write");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn all_attempts_of_a_hook_and_all_its_containers_are_kept() {
    let pods = r#"
pods:
  - match: {owner: Job/migrate, container: main}
    runs:
      - {after: 2s, exit: 1, logs: [{at: 1s, line: "first try"}]}
      - {after: 2s, exit: 0, logs: [{at: 1s, line: "second try"}]}
  - match: {owner: Job/migrate}
    runs: {after: 1s, logs: [{at: 100ms, line: "init"}]}
"#;
    let mut stage = Stage::new(pods, &job("migrate", PRESYNC));
    let operation = stage.sync(Request::default()).await;
    assert_eq!(operation.phase(), OperationPhase::Succeeded, "{:#?}", stage.tail());
    assert_eq!(stage.texts(), ["init", "first try", "init", "second try"]);
    let attempts: Vec<u32> = stage.lines.iter().map(|line| line.pod_attempt).collect();
    assert_eq!(attempts, [1, 1, 2, 2]);
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_log_stream_that_is_cut_neither_loses_nor_repeats_a_line() {
    let pods = r#"
pods:
  - match: {owner: Job/migrate, container: main}
    runs: {after: 60s, logs: [{every: 200ms, count: 200, line: "line {{n}}"}]}
"#;
    let mut stage = Stage::new(pods, &job("migrate", PRESYNC));
    stage.fault("get", "pods/log", Outcome::CutStream { after: 700 });
    let operation = stage.sync(Request::default()).await;
    assert_eq!(operation.phase(), OperationPhase::Succeeded, "{:#?}", stage.tail());
    let expected = std::iter::once("wait done".to_owned()).chain((1..=200).map(|number| format!("line {number}")));
    assert_eq!(stage.texts(), expected.collect::<Vec<_>>());
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_terminate_while_a_pod_sleeps_ends_the_operation_and_the_hook() {
    let pods = "pods:\n  - match: {owner: Job/*, container: main}\n    runs: {after: 1h, logs: [{at: 1s, line: asleep}]}\n";
    let mut stage = Stage::new(pods, &format!("{}{}", job("migrate", PRESYNC), config("a")));
    stage.start(Request::default()).await;
    let running = |event: &Event| matches!(event, Event::PodObserved { pod } if pod.containers.iter().any(|container| &*container.name == "main" && matches!(container.state, ContainerState::Running { .. })));
    stage.until(running).await;
    stage.ask(Ask::Terminate { by: "ann".into() }).await;
    stage.until(|event| matches!(event, Event::OperationFinished { .. })).await;
    let operation = stage.operation.clone().unwrap();
    assert_eq!((operation.phase(), operation.message()), (OperationPhase::Failed, "Operation terminated"));
    assert_eq!(stage.results(), [("Job/migrate".to_owned(), ResultCode::Synced, TaskState::Failed, "Terminated".to_owned())]);
    stage.until(|event| matches!(event, Event::LiveGone { .. })).await;
    assert!(stage.sim.store().get("batch", "jobs", "shop", "migrate").is_none());
    stage.ask(Ask::Terminate { by: "ann".into() }).await;
    assert!(matches!(stage.answer().await, Answer::Refused { reason } if reason == "no operation is running"));
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn decision_4_a_kind_that_may_not_be_watched_is_polled_and_named() {
    let mut stage = Stage::new(PODS, &job("migrate", PRESYNC));
    stage.fault("watch", "jobs", Outcome::Forbidden);
    let operation = stage.sync(Request::default()).await;
    assert_eq!((operation.phase(), operation.polled()), (OperationPhase::Succeeded, &["Job".to_owned()][..]), "{:#?}", stage.tail());
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn r208_a_hook_goes_by_its_policy_after_success_and_its_log_is_whole_before() {
    let policy = "argocd.argoproj.io/hook: PreSync, argocd.argoproj.io/hook-delete-policy: HookSucceeded";
    let mut stage = Stage::new(PODS, &format!("{}{}", job("migrate", policy), config("a")));
    let operation = stage.sync(Request::default()).await;
    assert_eq!(operation.phase(), OperationPhase::Succeeded, "{:#?}", stage.tail());
    assert_eq!(stage.texts().len(), 4);
    let closed = stage.records.iter().rposition(|record| matches!(record.event, Event::LogClosed { .. })).unwrap();
    let deleted = stage.position(|event| matches!(event, Event::StepFinished { step: Step::DeleteHook { .. }, .. })).unwrap();
    assert!(closed < deleted);
    if stage.sim.store().get("batch", "jobs", "shop", "migrate").is_some() {
        stage.until(|event| matches!(event, Event::LiveGone { .. })).await;
    }
    assert!(stage.sim.store().get("batch", "jobs", "shop", "migrate").is_none());
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_second_sync_deletes_the_old_hook_and_leaves_the_rest_unchanged() {
    let mut stage = Stage::new(PODS, &format!("{}{}", job("migrate", PRESYNC), config("a")));
    stage.sync(Request::default()).await;
    let first = stage.sim.store().get("batch", "jobs", "shop", "migrate").unwrap()["metadata"]["uid"].clone();
    stage.lines.clear();
    let operation = stage.sync(Request::default()).await;
    assert_eq!((operation.phase(), operation.id().as_ref()), (OperationPhase::Succeeded, "web-7-2"), "{:#?}", stage.tail());
    assert_ne!(stage.sim.store().get("batch", "jobs", "shop", "migrate").unwrap()["metadata"]["uid"], first);
    assert_eq!(stage.results()[1].3, "configmap/a unchanged");
    assert_eq!(stage.texts(), ["waiting for the database", "one", "two", "three"], "only of this operation's pods");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_thousand_config_maps_are_applied() {
    let manifests: String = (0..1_000).map(|number| config(&format!("c-{number:04}"))).collect();
    let mut stage = Stage::new("", &manifests);
    let operation = stage.sync(Request::default()).await;
    assert_eq!(operation.phase(), OperationPhase::Succeeded, "{:#?}", stage.tail());
    let stored = stage.sim.store().list("", "configmaps", Some("shop"));
    assert_eq!(stored.iter().filter(|object| object["data"]["k"] == "v").count(), 1_000);
    let operation = stage.sync(Request::default()).await;
    assert!(operation.results().iter().all(|result| result.message.ends_with(" unchanged")));
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn decision_23_a_busy_server_is_waited_for_visibly() {
    let mut stage = Stage::new("", &format!("{}{}", config("a"), config("b")));
    let when = Match { verbs: vec!["patch".into()], resource: Some("configmaps".into()), nth: Some(1..=3), ..Match::default() };
    stage.sim.faults().add(Rule { when, then: Outcome::Overload { retry_after: 2 } });
    let operation = stage.sync(Request::default()).await;
    assert_eq!(operation.phase(), OperationPhase::Succeeded, "{:#?}", stage.tail());
    assert!(
        operation.warnings().iter().any(|(task, text)| task.is_some() && text.ends_with("; trying again")),
        "{:?}",
        operation.warnings()
    );
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_forbidden_object_is_its_tasks_failure_in_the_servers_words() {
    let mut stage = Stage::new("", &config("a"));
    stage.fault("patch", "configmaps", Outcome::Forbidden);
    let operation = stage.sync(Request::default()).await;
    assert_eq!(operation.phase(), OperationPhase::Failed);
    let (_, code, _, message) = &stage.results()[0];
    assert!(*code == ResultCode::SyncFailed && message.contains("is forbidden"), "{message}");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn decision_24_what_lost_its_manifest_is_pruned_with_and_without_an_inventory() {
    for keeps_inventory in [true, false] {
        let mut stage = Stage::new("", &format!("{}{}", config("a"), config("b")));
        stage.sync(Request::default()).await;
        stage.write(&config("a"));
        if !keeps_inventory {
            std::fs::remove_dir_all(stage.folder.path().join("state")).unwrap();
        }
        stage.sync(Request::default()).await;
        assert_eq!(stage.results()[0].2, TaskState::Succeeded);
        assert_eq!(stage.results()[0].3, "ignored (requires pruning)");
        stage.sync(Request { prune: true, ..Request::default() }).await;
        assert_eq!(stage.results()[0].3, "pruned", "{:?} {keeps_inventory}", stage.results());
        if stage.sim.store().get("", "configmaps", "shop", "b").is_some() {
            stage.until(|event| matches!(event, Event::LiveGone { .. })).await;
        }
        assert!(stage.sim.store().get("", "configmaps", "shop", "b").is_none());
        let operation = stage.sync(Request { prune: true, ..Request::default() }).await;
        assert_eq!(operation.results().len(), 1, "what is gone is no candidate any more");
        stage.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn without_an_inventory_nothing_outside_of_the_destination_namespace_is_pruned() {
    let role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: NAME}\nrules: []\n---\n";
    let namespaced = |name: &str| config(name).replace("metadata: {", "metadata: {namespace: other, ");
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n---\n";
    let kept = format!("{namespace}{}{}{}", role.replace("NAME", "reader"), namespaced("a"), config("a"));
    let mut stage = Stage::new("", &format!("{kept}{}{}{}", role.replace("NAME", "writer"), namespaced("b"), config("b")));
    stage.sync(Request::default()).await;
    stage.write(&kept);
    std::fs::remove_dir_all(stage.folder.path().join("state")).unwrap();
    let operation = stage.sync(Request { prune: true, ..Request::default() }).await;
    assert_eq!(operation.phase(), OperationPhase::Succeeded, "{:#?}", stage.tail());
    let pruned: Vec<ResourceKey> = operation.plan().tasks.iter().filter(|task| task.is_prune()).map(|task| task.id.key.clone()).collect();
    assert_eq!(pruned, [ResourceKey::new("", "ConfigMap", "shop", "b")]);
    assert!(stage.sim.store().get("rbac.authorization.k8s.io", "clusterroles", "", "writer").is_some());
    assert!(stage.sim.store().get("", "configmaps", "other", "b").is_some());
    let told = operation.warnings().iter().find(|(_, text)| text.starts_with("not pruned, because")).map(|(_, text)| text.as_str());
    assert!(told.is_some_and(|text| text.contains("ConfigMap other/b, ClusterRole writer")), "{:?}", operation.warnings());
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_definition_and_its_resource_arrive_in_one_sync() {
    let definition = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget, listKind: WidgetList}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
---
apiVersion: example.com/v1
kind: Widget
metadata: {name: w}
spec: {size: 1}
";
    let mut stage = Stage::new("", definition);
    let operation = stage.sync(Request::default()).await;
    assert_eq!(operation.phase(), OperationPhase::Succeeded, "{:#?}", stage.tail());
    let messages: Vec<String> = stage.results().into_iter().map(|result| result.3).collect();
    assert_eq!(messages, ["customresourcedefinition.apiextensions.k8s.io/widgets.example.com created", "widget.example.com/w created"]);
    assert!(operation.live(&ResourceKey::new("example.com", "Widget", "shop", "w")).is_some());
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn r525_a_kind_that_nobody_serves_makes_the_operation_invalid() {
    let mut stage = Stage::new("", "apiVersion: none.example.com/v1\nkind: Gadget\nmetadata: {name: g}\n");
    let operation = stage.sync(Request::default()).await;
    assert_eq!(operation.phase(), OperationPhase::Failed);
    let message = "one or more synchronization tasks are not valid: failed to discover server resources for group version none.example.com/v1: the server could not find the requested resource";
    assert_eq!(operation.message(), message);
    let text = "The Kubernetes API could not find none.example.com/Gadget for requested resource shop/g. Make sure the \"Gadget\" CRD is installed on the destination cluster.";
    assert_eq!(stage.results(), [("Gadget/g".to_owned(), ResultCode::SyncFailed, TaskState::Pending, text.to_owned())]);
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_plan_says_what_each_task_would_change_and_writes_nothing() {
    let mut stage = Stage::new(PODS, &format!("{}{}{}", job("migrate", PRESYNC), config("a"), config("b")));
    stage.sync(Request::default()).await;
    let changed = config("a").replace("k: v", "k: changed");
    stage.write(&format!("{}{changed}{}", job("migrate", PRESYNC), config("c")));
    let before = stage.sim.store().get("", "configmaps", "shop", "a").unwrap();
    stage.ask(Ask::Plan { request: Request::default() }).await;
    let Answer::Planned(planned) = stage.answer().await else { panic!("no plan") };
    let actions: Vec<(String, &Action)> = planned.actions.iter().map(|(id, action)| (id.key.short(), action)).collect();
    let expected =
        [("Job/migrate", Action::Run), ("ConfigMap/a", Action::Configure), ("ConfigMap/b", Action::Prune), ("ConfigMap/c", Action::Create)];
    assert_eq!(actions, expected.each_ref().map(|(name, action)| ((*name).to_owned(), action)));
    assert_eq!((&*planned.place.namespace, &*planned.place.revision, planned.place.protected), ("shop", "4c1d0aa97f3e52b1", false));
    assert_eq!(stage.sim.store().get("", "configmaps", "shop", "a").unwrap(), before);
    assert!(stage.sim.store().get("", "configmaps", "shop", "c").is_none());
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn the_live_object_is_shown_as_yaml_without_secret_values() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: hunter2}\n";
    let mut stage = Stage::new("", secret);
    stage.sync(Request::default()).await;
    stage.ask(Ask::Object { key: ResourceKey::new("", "Secret", "shop", "s") }).await;
    let Answer::Object { yaml: Ok(yaml), .. } = stage.answer().await else { panic!("no object") };
    assert!(
        yaml.contains("password: ") && !yaml.contains("hunter2") && !yaml.contains("aHVudGVyMg") && !yaml.contains("managedFields"),
        "{yaml}"
    );
    stage.ask(Ask::Object { key: ResourceKey::new("apps", "Deployment", "shop", "x") }).await;
    assert!(matches!(stage.answer().await, Answer::Object { yaml: Err(text), .. } if text == "Deployment shop/x does not exist"));
    stage.close().await;
}

const WEB: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: \"web:1\"}]}
";

#[tokio::test(start_paused = true)]
async fn decision_10_what_settles_after_the_end_is_told_and_logs_of_pods_can_be_followed() {
    let pods = "pods:\n  - match: {labels: {app: web}}\n    ready: {after: 20s}\n    logs: [{at: 1s, line: listening}]\n";
    let mut stage = Stage::new(pods, WEB);
    let operation = stage.sync(Request::default()).await;
    assert_eq!((operation.phase(), operation.settling().len()), (OperationPhase::Succeeded, 1));
    let key = ResourceKey::new("apps", "Deployment", "shop", "web");
    stage.ask(Ask::Follow { key: key.clone() }).await;
    stage.until(|event| matches!(event, Event::LiveObserved { live, .. } if live.assessment.status() == Some(HealthStatus::Healthy))).await;
    assert!(stage.operation.as_ref().unwrap().settling().is_empty());
    assert_eq!(stage.texts(), ["listening"]);
    assert_eq!(stage.lines[0].task.key, key);
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn only_one_operation_runs_and_a_read_only_session_runs_none() {
    let mut stage = Stage::new(PODS, &job("migrate", PRESYNC));
    stage.start(Request::default()).await;
    stage.ask(Ask::Sync { request: Request::default() }).await;
    let Answer::Refused { reason } = stage.answer().await else { panic!("two operations") };
    assert_eq!(reason, "the operation web-7-1 is still running; wait for its end, or terminate it");
    stage.close().await;
    let mut stage = Stage::with("", &config("a"), |opening| opening.read_only = Some("--read-only is set".into()));
    for ask in [Ask::Sync { request: Request::default() }, Ask::Terminate { by: "ann".into() }] {
        stage.ask(ask).await;
        assert!(matches!(stage.answer().await, Answer::Refused { reason } if reason == "nothing may be changed here: --read-only is set"));
    }
    stage.ask(Ask::Plan { request: Request::default() }).await;
    assert!(matches!(stage.answer().await, Answer::Planned(_)));
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_running_operation_comes_to_its_end_although_nobody_listens_any_more() {
    let stage = {
        let mut stage = Stage::new(PODS, &format!("{}{}", job("migrate", PRESYNC), config("a")));
        stage.start(Request::default()).await;
        stage
    };
    let store = stage.sim.store().clone();
    let Stage { session, mut tasks, sim, folder, .. } = stage;
    drop(session);
    tokio::time::timeout(LONG, async { while tasks.join_next().await.is_some() {} }).await.unwrap();
    assert!(store.get("", "configmaps", "shop", "a").is_some());
    drop((sim, folder));
}

#[tokio::test(start_paused = true)]
async fn manifests_that_cannot_be_read_are_a_usage_error_and_nothing_is_written() {
    let mut stage = Stage::new("", "a: [");
    stage.ask(Ask::Sync { request: Request::default() }).await;
    let Answer::Failed { kind, report } = stage.answer().await else { panic!("it began") };
    assert!(kind == FailureKind::Usage && report.contains("app.yaml"), "{report}");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn the_same_story_makes_the_same_facts() {
    let mut traces = Vec::new();
    for _ in 0..2 {
        let mut stage = Stage::new(PODS, &format!("{}{}{WEB}", job("migrate", PRESYNC), config("a")));
        stage.sync(Request::default()).await;
        // The first fact names the manifest's file.
        traces.push(
            stage.records.iter().skip(1).map(|record| format!("{} {} {:?}", record.seq, record.at, record.event)).collect::<Vec<_>>(),
        );
        stage.close().await;
    }
    let difference = traces[0].iter().zip(&traces[1]).find(|(one, other)| one != other);
    assert_eq!(difference, None);
    assert_eq!(traces[0].len(), traces[1].len());
}

#[tokio::test(start_paused = true)]
async fn a_step_outcome_names_the_live_object_that_the_server_returned() {
    let mut stage = Stage::new("", &config("a"));
    stage.sync(Request::default()).await;
    let is_done = |event: &Event| matches!(event, Event::StepFinished { outcome: StepOutcome::Done { live: Some(live), .. }, .. } if live.resource_version > 0);
    assert!(stage.position(is_done).is_some());
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_sync_that_is_still_being_prepared_can_be_stopped_and_another_one_started() {
    let mut stage = Stage::new("", &config("a"));
    let when = Match { verbs: vec!["list".into()], resource: Some("configmaps".into()), nth: Some(1..=1), ..Match::default() };
    stage.sim.faults().add(Rule { when, then: Outcome::Latency(Duration::from_secs(20)) });
    stage.ask(Ask::Sync { request: Request::default() }).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    stage.ask(Ask::Sync { request: Request::default() }).await;
    assert!(matches!(stage.answer().await, Answer::Refused { reason } if reason.starts_with("an operation is being prepared already")));
    stage.ask(Ask::Terminate { by: "ann".into() }).await;
    assert!(matches!(stage.answer().await, Answer::Refused { reason } if reason.ends_with("nothing has been changed")));
    assert_eq!(stage.sync(Request::default()).await.phase(), OperationPhase::Succeeded);
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn logs_that_may_not_be_read_are_told_and_hold_nothing_up() {
    let policy = "argocd.argoproj.io/hook: PreSync, argocd.argoproj.io/hook-delete-policy: HookSucceeded";
    let mut stage = Stage::new(PODS, &job("migrate", policy));
    stage.fault("get", "pods/log", Outcome::Forbidden);
    let operation = stage.sync(Request::default()).await;
    assert_eq!(operation.phase(), OperationPhase::Succeeded, "{:#?}", stage.tail());
    let told = |container: &str| {
        let is_it = |text: &str| {
            text.starts_with("the log of pod shop/migrate-") && text.contains(&format!("(container {container}) cannot be read: pods"))
        };
        operation.warnings().iter().filter(|(task, text)| task.is_some() && is_it(text)).count()
    };
    assert_eq!((told("wait"), told("main")), (1, 1), "{:?}", operation.warnings());
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_log_that_is_cut_while_the_server_is_away_goes_on_when_it_is_back() {
    let pods = "pods:\n  - match: {owner: Job/*, container: main}\n    runs: {after: 100s, logs: [{every: 1s, count: 99, line: \"line {{n}}\"}]}\n";
    let mut stage = Stage::new(pods, &job("migrate", PRESYNC));
    let at = |text: &str| Some(text.parse().unwrap());
    let when = Match { from: at("2026-03-01T09:00:30Z"), until: at("2026-03-01T09:01:10Z"), ..Match::default() };
    // About 17 lines: a cut falls into those 40 s.
    stage.fault("get", "pods/log", Outcome::CutStream { after: 700 });
    let message = "the server is currently unable to handle the request".to_owned();
    stage.sim.faults().add(Rule { when, then: Outcome::Status { code: 503, reason: "ServiceUnavailable", message } });
    let operation = stage.sync(Request::default()).await;
    assert_eq!(operation.phase(), OperationPhase::Succeeded, "{:#?}", stage.tail());
    let expected = std::iter::once("wait done".to_owned()).chain((1..=99).map(|number| format!("line {number}")));
    assert_eq!(stage.texts(), expected.collect::<Vec<_>>());
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_terminate_stops_applies_that_wait_for_their_turn() {
    let manifests: String = (0..100).map(|number| config(&format!("c-{number:02}"))).collect();
    let mut stage = Stage::new("", &manifests);
    stage.fault("patch", "configmaps", Outcome::Latency(Duration::from_secs(5)));
    stage.start(Request::default()).await;
    stage.until(|event| matches!(event, Event::StepStarted { step: Step::Apply, .. })).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    stage.ask(Ask::Terminate { by: "ann".into() }).await;
    stage.until(|event| matches!(event, Event::OperationFinished { .. })).await;
    let stored = stage.sim.store().list("", "configmaps", Some("shop"));
    assert!(stored.iter().filter(|object| object["data"]["k"] == "v").count() < 40, "{}", stored.len());
    let operation = stage.operation.as_ref().unwrap();
    assert!(stage.position(|event| matches!(event, Event::StepFinished { outcome: StepOutcome::Unsent, .. })).is_some());
    let applied = operation.results().len();
    assert!(
        applied < 40 && operation.not_run().len() == 100 - applied,
        "R904: what was not sent has no result, and is said not to have run"
    );
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn the_log_of_a_pod_that_came_and_went_between_two_looks_is_kept() {
    let pods = "pods:\n  - match: {owner: Job/*}\n    runs: {after: 300ms, logs: [{at: 100ms, line: quick}]}\n";
    let mut stage = Stage::new(pods, &job("migrate", PRESYNC));
    stage.fault("watch", "pods", Outcome::Forbidden);
    // The first poll takes longer than the hook.
    let when = Match { verbs: vec!["list".into()], resource: Some("pods".into()), nth: Some(2..=2), ..Match::default() };
    stage.sim.faults().add(Rule { when, then: Outcome::Latency(Duration::from_secs(20)) });
    let operation = stage.sync(Request::default()).await;
    assert_eq!((operation.phase(), operation.polled()), (OperationPhase::Succeeded, &["Pod".to_owned()][..]), "{:#?}", stage.tail());
    assert!(stage.position(|event| matches!(event, Event::PodObserved { .. })).is_none(), "nobody saw the pod");
    assert_eq!(stage.texts(), ["quick", "quick"]);
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn pods_that_cannot_be_listed_are_told_before_the_end() {
    let mut stage = Stage::new(PODS, &job("migrate", PRESYNC));
    stage.fault("list", "pods", Outcome::Forbidden);
    let operation = stage.sync(Request::default()).await;
    assert_eq!(operation.phase(), OperationPhase::Succeeded, "{:#?}", stage.tail());
    let told = |start: &str| operation.warnings().iter().any(|(_, text)| text.starts_with(start));
    assert!(
        told("pods in shop cannot be listed, so neither the pods of hooks nor their logs can be shown: "),
        "{:?}",
        operation.warnings()
    );
    assert!(
        told("the pods of Job shop/migrate cannot be listed at the end, so lines of its log may be missing: "),
        "{:?}",
        operation.warnings()
    );
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn r210_a_leftover_that_goes_brings_no_logs_of_an_earlier_operation() {
    let pods = r#"
pods:
  - match: {owner: Job/bad}
    runs: {after: 1s, exit: 1, logs: [{at: 500ms, line: "bad"}]}
  - match: {owner: Job/report}
    runs: {after: 1s, logs: [{at: 500ms, line: "report"}]}
"#;
    let report = job("report", "argocd.argoproj.io/hook: PostSync, argocd.argoproj.io/hook-delete-policy: HookFailed");
    let mut stage = Stage::new(pods, &report);
    stage.sync(Request::default()).await;
    assert_eq!(stage.texts(), ["report", "report"]);
    let seen = stage.records.len();
    stage.lines.clear();
    stage.write(&format!("{report}{}", job("bad", PRESYNC).replace("backoffLimit: 2", "backoffLimit: 0")));
    let operation = stage.sync(Request::default()).await;
    assert_eq!(operation.phase(), OperationPhase::Failed, "{:#?}", stage.tail());
    let facts = &stage.records[seen..];
    let deleted =
        |event: &Event| matches!(event, Event::StepStarted { task, step: Step::DeleteHook { .. } } if &*task.key.name == "report");
    assert!(facts.iter().any(|record| deleted(&record.event)), "the leftover goes");
    let opened = |event: &Event| matches!(event, Event::LogOpened { task, .. } if &*task.key.name == "report");
    assert!(!facts.iter().any(|record| opened(&record.event)));
    assert_eq!(stage.texts(), ["bad"]);
    stage.close().await;
}
