//! Deletions against the embedded cluster: the recordings `predelete`, `predelete-and-hooks` and `predelete-fails`, a program that is
//! killed, and what the inventory says afterwards.

use serde_json::json;

use super::stage::Stage;
use crate::engine::session::{Action, Answer, Ask, FailureKind};
use crate::model::{OperationPhase, Phase};
use crate::operation::{Event, Request, Step};
use crate::plan::Kind;
use crate::sim::{DeleteOptions, Match, Outcome, Rule};

fn job(name: &str, annotations: &str) -> String {
    format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}, annotations: {{{annotations}}}}}\nspec:\n  backoffLimit: 0\n  \
         template: {{spec: {{restartPolicy: Never, containers: [{{name: main, image: x}}]}}}}\n---\n"
    )
}

fn config(name: &str, annotations: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, annotations: {{{annotations}}}}}\n---\n")
}

const PRE: &str = "argocd.argoproj.io/hook: PreDelete";
const PODS: &str = "pods:\n  - match: {owner: Job/*}\n    runs: {after: 1s, logs: [{at: 500ms, line: saved}]}\n";
const FAILING: &str = "pods:\n  - match: {owner: Job/*}\n    runs: {after: 1s, exit: 1, logs: [{at: 500ms, line: no}]}\n";

impl Stage {
    fn is_there(&self, plural: &str, name: &str) -> bool {
        let group = if plural == "jobs" { "batch" } else { "" };
        self.sim.store().get(group, plural, "shop", name).is_some()
    }

    /// Calls that write, in order: `Apply PreDelete Job/bye`.
    fn writes(&self) -> Vec<String> {
        let call = |event: &Event| match event {
            Event::StepStarted { task, step: Step::Apply } => Some(format!("apply {} {}", task.phase, task.key.short())),
            Event::StepStarted { task, step: Step::Prune { .. } } => Some(format!("delete {}", task.key.short())),
            Event::StepStarted { task, step: Step::DeleteOldHook { .. } } => Some(format!("delete old {}", task.key.short())),
            Event::StepStarted { task, step: Step::DeleteHook { .. } } => Some(format!("clean up {}", task.key.short())),
            _ => None,
        };
        self.records.iter().filter_map(|record| call(&record.event)).collect()
    }

    fn inventory(&self) -> Option<String> {
        std::fs::read_to_string(self.folder.path().join("state/inventory/embedded/shop/web.json")).ok()
    }
}

#[tokio::test(start_paused = true)]
async fn t173_r1106_the_hook_runs_first_then_everything_goes_and_the_inventory_too() {
    let mut stage = Stage::new(PODS, &format!("{}{}", config("a", ""), job("bye", PRE)));
    stage.sync(Request::default()).await;
    assert!(stage.inventory().is_some() && !stage.is_there("jobs", "bye"));
    stage.records.clear();
    let operation = stage.delete().await;
    assert_eq!(
        (operation.phase(), operation.message(), operation.plan().kind),
        (OperationPhase::Succeeded, "successfully deleted", Kind::Delete),
        "{:#?}",
        stage.tail()
    );
    assert_eq!(stage.writes(), ["apply PreDelete Job/bye", "delete ConfigMap/a", "delete Job/bye"]);
    assert_eq!(stage.texts(), ["saved"], "the log of a hook is kept although the hook is gone");
    assert!(!stage.is_there("jobs", "bye") && !stage.is_there("configmaps", "a") && stage.inventory().is_none());
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn r1108_r1109_r1113_hooks_together_then_waves_downwards_then_the_hook_that_stays() {
    let second = format!("{PRE}, argocd.argoproj.io/sync-wave: '1'");
    let after = job("after", "argocd.argoproj.io/hook: PostDelete");
    let mut stage = Stage::new(PODS, &format!("{}{}{}{after}", config("a", ""), job("bye", PRE), job("bye2", &second)));
    stage.sync(Request::default()).await;
    stage.records.clear();
    let operation = stage.delete().await;
    assert_eq!(
        stage.writes(),
        [
            "apply PreDelete Job/bye",
            "apply PreDelete Job/bye2",
            "delete Job/bye2",
            "delete ConfigMap/a",
            "delete Job/bye",
            "apply PostDelete Job/after"
        ]
    );
    assert_eq!(operation.left_behind().len(), 1);
    assert!(stage.is_there("jobs", "after") && !stage.is_there("jobs", "bye"));
    // What an earlier deletion has left proves nothing: with nothing else there, both kinds of hooks run again.
    stage.records.clear();
    stage.delete().await;
    assert_eq!(stage.writes()[..2], ["apply PreDelete Job/bye", "apply PreDelete Job/bye2"]);
    assert_eq!(stage.writes()[4..], ["delete old Job/after", "apply PostDelete Job/after"]);
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn t176_r1111_r1116_a_failing_hook_holds_the_deletion_and_is_made_again_until_it_is_repaired() {
    let mut stage = Stage::new(FAILING, &format!("{}{}", config("a", ""), job("bye", PRE)));
    stage.sync(Request::default()).await;
    stage.records.clear();
    stage.start_deletion().await;
    let failed = |event: &Event| matches!(event, Event::RetryScheduled { .. });
    stage.until(failed).await;
    assert!(stage.is_there("jobs", "bye"), "a failed hook stays to be looked at");
    stage.until(failed).await;
    assert_eq!(stage.writes(), ["apply PreDelete Job/bye", "delete old Job/bye", "apply PreDelete Job/bye"]);
    stage.ask(Ask::Terminate { by: "ann".into() }).await;
    stage.until(|event| matches!(event, Event::OperationFinished { .. })).await;
    assert!(stage.is_there("jobs", "bye") && stage.is_there("configmaps", "a") && stage.inventory().is_some());
    stage.write(&config("a", ""));
    let operation = stage.delete().await;
    assert_eq!(operation.phase(), OperationPhase::Succeeded, "{:#?}", stage.tail());
    assert!(!stage.is_there("jobs", "bye") && !stage.is_there("configmaps", "a"));
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn r1536_a_program_that_is_killed_while_a_hook_runs_waits_for_that_very_hook_afterwards() {
    let pods = "pods:\n  - match: {owner: Job/*}\n    runs: {after: 60s, logs: [{at: 50s, line: saved}]}\n";
    let mut stage = Stage::new(pods, &format!("{}{}", config("a", ""), job("bye", PRE)));
    stage.sync(Request::default()).await;
    stage.start_deletion().await;
    stage.until(|event| matches!(event, Event::StepFinished { step: Step::Apply, .. })).await;
    let uid = |stage: &Stage| stage.sim.store().get("batch", "jobs", "shop", "bye").unwrap()["metadata"]["uid"].clone();
    let first = uid(&stage);
    stage.kill().await;
    stage.records.clear();
    stage.start_deletion().await;
    stage.until(|event| matches!(event, Event::StepFinished { step: Step::Adopt { .. }, .. })).await;
    assert_eq!(uid(&stage), first);
    stage.until(|event| matches!(event, Event::OperationFinished { .. })).await;
    assert_eq!(stage.writes(), ["delete ConfigMap/a", "delete Job/bye"]);
    assert_eq!(stage.texts(), ["saved"]);
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_program_that_is_killed_in_the_middle_of_the_objects_goes_on_without_the_hooks_that_ran() {
    let mut stage =
        Stage::new(PODS, &format!("{}{}{}", config("a", ""), config("b", "argocd.argoproj.io/sync-wave: '1'"), job("bye", PRE)));
    stage.sync(Request::default()).await;
    let hold = |finalizers: serde_json::Value| move |object: &mut serde_json::Value| object["metadata"]["finalizers"] = finalizers;
    stage.sim.store().update("ann", "", "configmaps", "shop", "b", hold(json!(["example.com/busy"]))).unwrap();
    stage.start_deletion().await;
    stage.until(|event| matches!(event, Event::Waiting { message, .. } if message == "waiting for deletion of /ConfigMap/b")).await;
    stage.kill().await;
    assert!(stage.inventory().unwrap().contains("inDeletion"));
    stage.sim.store().update("ann", "", "configmaps", "shop", "b", hold(json!([]))).unwrap();
    stage.records.clear();
    let operation = stage.delete().await;
    assert_eq!(stage.writes(), ["delete ConfigMap/a", "delete Job/bye"], "the hook did not run again beside what was left");
    assert_eq!((operation.phase(), stage.inventory()), (OperationPhase::Succeeded, None));
    // Synced anew, the app has hooks again.
    stage.sync(Request::default()).await;
    stage.records.clear();
    stage.delete().await;
    assert_eq!(stage.writes()[0], "apply PreDelete Job/bye");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn t178_r706_what_stays_is_kept_in_the_inventory_and_what_wants_a_person_waits_for_one() {
    let kept = "argocd.argoproj.io/sync-options: Delete=false";
    let asks = "argocd.argoproj.io/sync-options: Delete=confirm";
    let mut stage = Stage::new(PODS, &format!("{}{}{}", config("kept", kept), config("asks", asks), config("a", "")));
    stage.sync(Request::default()).await;
    stage.records.clear();
    stage.start_deletion().await;
    stage
        .until(|event| matches!(event, Event::Waiting { message, .. } if message == "waiting for deletion confirmation of /ConfigMap/asks"))
        .await;
    assert!(stage.writes().is_empty());
    let keys = stage.operation.as_ref().unwrap().unconfirmed();
    stage.ask(Ask::Approve { keys, by: "ann".into() }).await;
    stage.until(|event| matches!(event, Event::OperationFinished { .. })).await;
    assert_eq!(stage.writes(), ["delete ConfigMap/a", "delete ConfigMap/asks"]);
    let inventory = stage.inventory().unwrap();
    assert!(stage.is_there("configmaps", "kept") && inventory.contains("kept") && !inventory.contains("asks"), "{inventory}");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn r1109_without_an_inventory_the_tracking_id_says_what_the_app_owns_hooks_of_syncs_too() {
    let sync_hook = job("migrate", "argocd.argoproj.io/hook: PreSync");
    let mut stage = Stage::new(PODS, &format!("{}{sync_hook}", config("a", "")));
    stage.sync(Request::default()).await;
    stage
        .sim
        .store()
        .create("ann", json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs", "namespace": "shop"}}))
        .unwrap();
    std::fs::remove_dir_all(stage.folder.path().join("state")).unwrap();
    let operation = stage.delete().await;
    assert_eq!(operation.phase(), OperationPhase::Succeeded, "{:#?}", stage.tail());
    assert!(!stage.is_there("configmaps", "a") && !stage.is_there("jobs", "migrate") && stage.is_there("configmaps", "theirs"));
    stage.close().await;
}

/// A hook that a later version has dropped, and an object that nobody names any more where there is no inventory.
#[tokio::test(start_paused = true)]
async fn r1109_r1208_a_deletion_finds_objects_of_kinds_that_nobody_names_any_more() {
    let account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: migrate, annotations: {argocd.argoproj.io/hook: PreSync}}\n---\n";
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: front}\nspec: {ports: [{port: 80}]}\n---\n";
    for has_inventory in [true, false] {
        let mut stage = Stage::new(PODS, &format!("{}{account}{service}", config("a", "")));
        stage.sync(Request::default()).await;
        let dropped = if has_inventory { service } else { "" };
        stage.write(&format!("{}{dropped}", config("a", "")));
        if !has_inventory {
            std::fs::remove_dir_all(stage.folder.path().join("state")).unwrap();
        }
        stage.records.clear();
        let operation = stage.delete().await;
        assert_eq!(operation.phase(), OperationPhase::Succeeded, "{:#?}", stage.tail());
        let mut deleted = stage.writes();
        deleted.sort();
        assert_eq!(deleted, ["delete ConfigMap/a", "delete Service/front", "delete ServiceAccount/migrate"]);
        assert!(stage.told().is_empty(), "{:?}", stage.told());
        stage.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn r1109_kinds_that_nobody_names_and_nobody_may_list_are_told_of_in_one_sentence() {
    let mut stage = Stage::new(PODS, &config("a", ""));
    stage.sync(Request::default()).await;
    for plural in ["serviceaccounts", "services", "jobs"] {
        stage.fault("list", plural, Outcome::Status { code: 403, reason: "Forbidden", message: "no".into() });
    }
    stage.records.clear();
    let operation = stage.delete().await;
    assert_eq!(operation.phase(), OperationPhase::Succeeded, "{:#?}", stage.tail());
    let told = stage.told();
    let sentence = "services, serviceaccounts cannot be listed in shop, so what the app may have left of them stays: no manifest and no inventory names any";
    assert!(told.contains(&sentence), "{told:?}");
    assert!(told.contains(&"jobs in shop cannot be listed, so only those that are known by name are deleted: no"), "{told:?}");
    stage.close().await;
}

/// An operator puts another object in the place of a tracked one while a hook runs, and the hook makes one of a kind that nobody names.
#[tokio::test(start_paused = true)]
async fn r1109_what_becomes_the_apps_while_it_is_being_deleted_goes_too() {
    let tracked = |kind: &str, name: &str| {
        let annotations = json!({"syncwave.dev/tracking-id": format!("web:/{kind}:shop/{name}")});
        json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "shop", "annotations": annotations}})
    };
    let mut stage = Stage::new(PODS, &format!("{}{}", config("a", ""), job("bye", PRE)));
    stage.sync(Request::default()).await;
    stage.records.clear();
    stage.start_deletion().await;
    stage.until(|event| matches!(event, Event::StepFinished { step: Step::Apply, .. })).await;
    stage.sim.store().delete("", "configmaps", "shop", "a", &DeleteOptions::default()).unwrap();
    stage.sim.store().create("ann", tracked("ConfigMap", "a")).unwrap();
    stage.sim.store().create("ann", tracked("ServiceAccount", "late")).unwrap();
    stage.until(|event| matches!(event, Event::OperationFinished { .. })).await;
    let operation = stage.operation.clone().unwrap();
    assert_eq!(operation.phase(), OperationPhase::Succeeded, "{:#?}", stage.tail());
    let mut writes = stage.writes();
    writes.sort();
    assert_eq!(writes, ["apply PreDelete Job/bye", "delete ConfigMap/a", "delete Job/bye", "delete ServiceAccount/late"]);
    assert!(!stage.is_there("configmaps", "a") && !stage.is_there("serviceaccounts", "late") && stage.inventory().is_none());
    assert_eq!(operation.left_behind(), []);
    let looks = stage.records.iter().filter(|record| record.event == Event::SearchStarted).count();
    assert_eq!(looks, 2, "after the hook, and at the end");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn t179_r1104_r1537_a_running_sync_blocks_the_deletion_until_it_is_terminated() {
    let pods = "pods:\n  - match: {owner: Job/*}\n    runs: {after: 1h}\n";
    let mut stage = Stage::new(pods, &format!("{}{}", config("a", ""), job("migrate", "argocd.argoproj.io/hook: PreSync")));
    stage.start(Request::default()).await;
    stage.ask(Ask::Delete { request: Request::deletion() }).await;
    assert!(
        matches!(stage.answer().await, Answer::Refused { reason } if reason.contains("still running") && reason.contains("terminate it"))
    );
    stage.ask(Ask::Terminate { by: "ann".into() }).await;
    stage.until(|event| matches!(event, Event::OperationFinished { .. })).await;
    assert_eq!(stage.delete().await.phase(), OperationPhase::Succeeded);
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_plan_of_a_deletion_names_what_goes_and_writes_nothing() {
    let mut stage = Stage::new(PODS, &format!("{}{}", config("a", ""), job("bye", PRE)));
    stage.sync(Request::default()).await;
    stage.ask(Ask::PlanDeletion { request: Request::deletion() }).await;
    let Answer::Planned(planned) = stage.answer().await else { panic!("no plan") };
    let tasks: Vec<String> = planned.plan.tasks.iter().map(|task| format!("{} {}", task.id.phase, task.id.key.short())).collect();
    assert_eq!(tasks, ["PreDelete Job/bye", "Delete ConfigMap/a", "Delete Job/bye"]);
    assert!(planned.plan.tasks.iter().filter(|task| task.id.phase == Phase::Delete).all(|task| planned.actions[&task.id] == Action::Prune));
    assert!(stage.is_there("configmaps", "a"));
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn r1111_a_plan_of_a_deletion_says_which_hook_the_server_would_refuse() {
    let mut stage = Stage::new(PODS, &format!("{}{}{}", config("a", ""), job("bye", PRE), job("well", PRE)));
    stage.sync(Request::default()).await;
    stage.write(&format!("{}{}{}", config("a", ""), job("bye", PRE).replace("backoffLimit: 0", "backofLimit: 0"), job("well", PRE)));
    stage.ask(Ask::PlanDeletion { request: Request::deletion() }).await;
    let Answer::Planned(planned) = stage.answer().await else { panic!("no plan") };
    let action = |name: &str| {
        planned.plan.tasks.iter().find(|task| *task.id.key.name == *name && task.is_hook()).map(|task| &planned.actions[&task.id])
    };
    assert!(matches!(action("bye"), Some(Action::Refused(why)) if why.contains("backofLimit")), "{:?}", action("bye"));
    assert_eq!(action("well"), Some(&Action::Run));
    assert_eq!(stage.delete().await.phase(), OperationPhase::Failed);
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn r1109_a_deletion_with_an_inventory_that_cannot_be_read_deletes_nothing() {
    let mut stage = Stage::new(PODS, &config("a", ""));
    stage.sync(Request::default()).await;
    let file = stage.folder.path().join("state/inventory/embedded/shop/web.json");
    std::fs::write(&file, "{").unwrap();
    for ask in [Ask::Delete { request: Request::deletion() }, Ask::PlanDeletion { request: Request::deletion() }] {
        stage.ask(ask).await;
        let Answer::Failed { kind, report } = stage.answer().await else { panic!("it was not refused") };
        assert_eq!(kind, FailureKind::Usage);
        assert!(report.starts_with("nothing was deleted: the inventory ") && report.contains("web.json cannot be used ("), "{report}");
        assert!(report.contains("move it away"), "{report}");
    }
    assert!(stage.is_there("configmaps", "a"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(stage.delete().await.phase(), OperationPhase::Succeeded);
    assert!(!stage.is_there("configmaps", "a"), "without one it is found by its tracking id");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_sync_moves_an_inventory_that_cannot_be_read_aside_and_says_so() {
    let mut stage = Stage::new(PODS, &config("a", ""));
    stage.sync(Request::default()).await;
    let folder = stage.folder.path().join("state/inventory/embedded/shop");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
    for (text, broken) in [("{", "web.json.broken"), ("[", "web.json.broken-2")] {
        std::fs::write(folder.join("web.json"), text).unwrap();
        stage.ask(Ask::Plan { request: Request::default() }).await;
        assert!(matches!(stage.answer().await, Answer::Planned(_)));
        stage.sync(Request { dry_run: true, ..Request::default() }).await;
        assert_eq!((read("web.json").as_deref(), read(broken)), (Some(text), None), "a dry run writes nothing");
        stage.records.clear();
        assert_eq!(stage.sync(Request::default()).await.phase(), OperationPhase::Succeeded);
        assert_eq!(read(broken).as_deref(), Some(text));
        assert!(read("web.json").is_some_and(|text| text.contains("ConfigMap")));
        let told = stage.told();
        assert!(told.iter().any(|note| note.contains("web.json cannot be used (")), "{told:?}");
        assert!(told.iter().any(|note| note.contains(&format!("was moved to {}", folder.join(broken).display()))), "{told:?}");
    }
    stage.records.clear();
    stage.sync(Request::default()).await;
    assert!(stage.told().is_empty(), "{:?}", stage.told());
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn r1111_a_deletion_whose_beginning_cannot_be_written_down_says_so() {
    let mut stage = Stage::new(PODS, &format!("{}{}", config("a", ""), job("bye", PRE)));
    stage.sync(Request::default()).await;
    stage.start_deletion().await;
    stage.until(|event| matches!(event, Event::StepFinished { step: Step::Apply, .. })).await;
    let file = stage.folder.path().join("state/inventory/embedded/shop/web.json");
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    stage.until(|event| matches!(event, Event::OperationFinished { .. })).await;
    let told = stage.told();
    let is_meant = |text: &&str| text.contains("web.json cannot be written (") && text.contains("runs its PreDelete hooks again");
    assert_eq!(told.iter().filter(|text| is_meant(text)).count(), 1, "{told:?}");
    stage.close().await;
}

/// The webhook that converts a kind is down: its list is a 500, each time.
#[tokio::test(start_paused = true)]
async fn r1109_a_broken_kind_that_nobody_names_slows_no_look_and_is_told_of_once() {
    let mut times = Vec::new();
    for is_broken in [false, true] {
        let mut stage = Stage::new(PODS, &format!("{}{}", config("a", ""), job("bye", PRE)));
        stage.sync(Request::default()).await;
        if is_broken {
            let message = "conversion webhook failed".to_owned();
            stage.fault("list", "serviceaccounts", Outcome::Status { code: 500, reason: "InternalError", message });
        }
        stage.records.clear();
        let began = stage.opening.clock.now();
        stage.start_deletion().await;
        stage.until(|event| matches!(event, Event::StepFinished { step: Step::Apply, .. })).await;
        if is_broken {
            // Whoever asks a second time waits.
            stage.fault("list", "serviceaccounts", Outcome::Latency(std::time::Duration::from_secs(20)));
        }
        stage.until(|event| matches!(event, Event::OperationFinished { .. })).await;
        times.push(stage.opening.clock.now().duration_since(began).as_millis());
        let looks = stage.records.iter().filter(|record| record.event == Event::SearchStarted).count();
        let told = stage.told().iter().filter(|text| text.starts_with("serviceaccounts cannot be listed in shop, so ")).count();
        assert_eq!((looks, told), (2, usize::from(is_broken)), "{:?}", stage.told());
        stage.close().await;
    }
    assert!(times[1] - times[0] < 100, "{times:?}");
}

/// While the last wave goes, somebody makes a Secret of the inventory again, and the server cannot read Secrets any more.
#[tokio::test(start_paused = true)]
async fn r1109_what_a_later_look_cannot_read_stays_in_the_inventory_and_the_next_deletion_finds_it() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, annotations: {argocd.argoproj.io/sync-wave: '1'}}\n---\n";
    let mut stage = Stage::new(PODS, &format!("{}{secret}{}", config("a", ""), job("bye", PRE)));
    stage.sync(Request::default()).await;
    let hold = |finalizers: serde_json::Value| move |object: &mut serde_json::Value| object["metadata"]["finalizers"] = finalizers;
    stage.sim.store().update("ann", "", "configmaps", "shop", "a", hold(json!(["example.com/busy"]))).unwrap();
    for verb in ["list", "watch"] {
        stage.fault(verb, "secrets", Outcome::Forbidden);
    }
    stage.start_deletion().await;
    stage.until(|event| matches!(event, Event::Waiting { message, .. } if message == "waiting for deletion of /ConfigMap/a")).await;
    assert!(!stage.is_there("secrets", "s"));
    stage.fault("get", "secrets", Outcome::Status { code: 500, reason: "InternalError", message: "etcd is gone".into() });
    let annotations = json!({"syncwave.dev/tracking-id": "web:/Secret:shop/s"});
    let again = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "shop", "annotations": annotations}});
    stage.sim.store().create("ann", again).unwrap();
    stage.sim.store().update("ann", "", "configmaps", "shop", "a", hold(json!([]))).unwrap();
    stage.until(|event| matches!(event, Event::OperationFinished { .. })).await;
    let sentence =
        "Secret shop/s may belong to the app but cannot be read: etcd is gone; it stays, and a later deletion looks for it again";
    assert_eq!(stage.told().iter().filter(|text| **text == sentence).count(), 1, "{:?}", stage.told());
    let inventory = stage.inventory().expect("it says what is left");
    assert!(inventory.contains(r#""name": "s""#) && !inventory.contains("ConfigMap"), "{inventory}");
    assert!(inventory.contains("inDeletion"), "the hooks have run: {inventory}");
    stage.sim.faults().clear();
    stage.records.clear();
    stage.delete().await;
    assert_eq!(stage.writes(), ["delete Secret/s"], "and the hooks do not run again");
    assert_eq!((stage.is_there("secrets", "s"), stage.inventory()), (false, None));
    stage.close().await;
}

impl Stage {
    /// How many Jobs have begun to run under a name, gone ones included.
    fn runs(&self, name: &str) -> usize {
        let events = self.sim.store().list("", "events", Some("shop"));
        let of_job =
            |event: &&std::sync::Arc<serde_json::Value>| event["involvedObject"]["name"] == name && event["reason"] == "SuccessfulCreate";
        events.iter().filter(of_job).count()
    }
}

/// Its time to live takes the hook away while its creation is still without an answer: whether it has run is not known, and nothing may run
/// it again unasked.
#[tokio::test(start_paused = true)]
async fn decision_23_r214_a_hook_that_may_have_run_and_gone_ends_the_deletion_and_does_not_run_twice() {
    let bye = job("bye", PRE).replace("backoffLimit: 0", "backoffLimit: 0\n  ttlSecondsAfterFinished: 2");
    let mut stage = Stage::new(PODS, &format!("{}{bye}", config("a", "")));
    stage.sync(Request::default()).await;
    stage.fault("patch", "jobs", Outcome::LateAnswer(std::time::Duration::from_secs(60)));
    let operation = stage.delete().await;
    let sentence = "it is not known whether Job shop/bye was created and has run: the API server did not answer within 30 s; it is not sent \
        again, because it could run twice: look for what it has done, then start the operation again";
    assert_eq!(
        (operation.phase(), operation.message()),
        (OperationPhase::Failed, &*format!("error executing pre-delete hooks: shop/bye: {sentence}"))
    );
    assert_eq!((stage.runs("bye"), stage.is_there("jobs", "bye")), (1, false));
    assert!(stage.is_there("configmaps", "a") && stage.inventory().is_some(), "nothing of the app goes after that");
    // Asked again, it runs again.
    stage.sim.faults().clear();
    stage.records.clear();
    assert_eq!(stage.delete().await.phase(), OperationPhase::Succeeded);
    assert_eq!((stage.runs("bye"), stage.is_there("configmaps", "a")), (2, false));
    stage.close().await;
}

/// One that is still there counts by its end, as if its answer had come.
#[tokio::test(start_paused = true)]
async fn decision_23_a_hook_whose_answer_is_lost_while_it_runs_is_found_and_waited_for() {
    let pods = "pods:\n  - match: {owner: Job/*}\n    runs: {after: 60s, logs: [{at: 50s, line: saved}]}\n";
    let mut stage = Stage::new(pods, &format!("{}{}", config("a", ""), job("bye", PRE)));
    stage.sync(Request::default()).await;
    stage.fault("patch", "jobs", Outcome::LateAnswer(std::time::Duration::from_secs(300)));
    let operation = stage.delete().await;
    assert_eq!(operation.phase(), OperationPhase::Succeeded, "{:#?}", stage.tail());
    assert_eq!((stage.runs("bye"), stage.texts()), (1, vec!["saved".to_owned()]));
    stage.close().await;
}

/// A hook of a sync is held by its finalizer, so it is found even if it has ended long ago.
#[tokio::test(start_paused = true)]
async fn r214_r1501_a_hook_of_a_sync_whose_answer_is_lost_is_found_after_its_time_to_live() {
    let pre = job("pre", "argocd.argoproj.io/hook: PreSync").replace("backoffLimit: 0", "backoffLimit: 0\n  ttlSecondsAfterFinished: 2");
    let mut stage = Stage::new(PODS, &format!("{}{pre}", config("a", "")));
    let when = Match { verbs: vec!["patch".into()], resource: Some("jobs".into()), nth: Some(1..=1), ..Match::default() };
    stage.sim.faults().add(Rule { when, then: Outcome::LateAnswer(std::time::Duration::from_secs(60)) });
    let operation = stage.sync(Request::default()).await;
    assert_eq!(operation.phase(), OperationPhase::Succeeded, "{:#?}", stage.tail());
    assert_eq!((stage.runs("pre"), stage.is_there("jobs", "pre")), (1, false));
    stage.close().await;
}

/// An ordinary Job of the same kind, in an operation that tries again: another attempt would run it, too.
#[tokio::test(start_paused = true)]
async fn decision_23_r1003_an_operation_does_not_try_again_what_may_have_run() {
    let load = job("load", "").replace("backoffLimit: 0", "backoffLimit: 0\n  ttlSecondsAfterFinished: 2");
    let mut stage = Stage::new(PODS, &format!("{}{load}", config("a", "")));
    stage.fault("patch", "jobs", Outcome::LateAnswer(std::time::Duration::from_secs(60)));
    let retry = crate::operation::Retry { limit: Some(3), ..crate::operation::Retry::default() };
    let operation = stage.sync(Request { retry, ..Request::default() }).await;
    assert_eq!((operation.phase(), operation.attempt(), stage.runs("load")), (OperationPhase::Failed, 1, 1), "{}", operation.message());
    assert!(operation.message().contains("it is not known whether Job shop/load was created"), "{}", operation.message());
    stage.close().await;
}
