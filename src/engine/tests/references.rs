//! What a plan's objects need, asked of the embedded cluster: only what the plan does not provide in time, and never the contents.

use std::time::Duration;

use serde_json::json;

use super::stage::Stage;
use crate::engine::session::{Answer, Ask, Planned};
use crate::operation::{Event, Request};
use crate::sim::Outcome;

const PODS: &str = "pods:\n  - match: {owner: Job/*}\n    runs: {after: 1s}\n";

fn job(name: &str, hook: &str) -> String {
    format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}, annotations: {{argocd.argoproj.io/hook: {hook}}}}}\nspec:\n  backoffLimit: 0\n  \
         template: {{spec: {{restartPolicy: Never, containers: [{{name: main, image: x, envFrom: [{{secretRef: {{name: db}}}}]}}]}}}}\n---\n"
    )
}

fn secret(hook: &str) -> String {
    let annotation = if hook.is_empty() { String::new() } else { format!(", annotations: {{argocd.argoproj.io/hook: {hook}}}") };
    format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: db{annotation}}}\nstringData: {{password: hunter2}}\n---\n")
}

fn config() -> &'static str {
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n"
}

impl Stage {
    async fn planned(&mut self, ask: Ask) -> Planned {
        self.ask(ask).await;
        match self.answer().await {
            Answer::Planned(planned) => Planned::clone(&planned),
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn plan(&mut self) -> Planned {
        self.planned(Ask::Plan { request: Request::default() }).await
    }

    fn make(&self, kind: &str, name: &str) {
        let object = json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "shop"}});
        self.sim.store().create("somebody", object).unwrap();
    }
}

fn warnings(planned: &Planned) -> Vec<&str> {
    planned.plan.warnings.iter().map(|warning| warning.message.as_str()).collect()
}

const LATE: &str = "needs Secret shop/db, which comes only in phase Sync";

#[tokio::test(start_paused = true)]
async fn a13_a_secret_that_comes_after_its_hook_is_told_with_file_and_line_until_it_is_there() {
    let mut stage = Stage::new(PODS, &format!("{}{}{}", config(), secret(""), job("migrate", "PreSync")));
    let planned = stage.plan().await;
    let [warning] = &planned.plan.warnings[..] else { panic!("{:?}", planned.plan.warnings) };
    assert!(
        warning.message.starts_with(LATE) && warning.message.ends_with(" (spec.template.spec.containers[0].envFrom[0].secretRef)"),
        "{}",
        warning.message
    );
    assert_eq!(warning.about.as_ref().unwrap().to_string(), "Job shop/migrate");
    assert_eq!(warning.origin.as_ref().map(|origin| origin.line), Some(10));
    stage.make("Secret", "db");
    assert_eq!(warnings(&stage.plan().await), [""; 0], "it runs with the one that is there");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn what_the_plan_provides_is_not_asked_for() {
    for manifests in [
        format!("{}{}{}", config(), secret("PreSync"), job("migrate", "PreSync")),
        format!("{}{}{}", config(), secret(""), job("migrate", "PostSync")),
    ] {
        let mut stage = Stage::new(PODS, &manifests);
        for resource in ["secrets", "namespaces"] {
            stage.fault("get", resource, Outcome::Status { code: 403, reason: "Forbidden", message: "it was asked".into() });
        }
        let planned = stage.plan().await;
        // That a hook cannot be looked at is no question about a reference.
        let asked: Vec<&String> = planned.notes.iter().filter(|note| !note.starts_with("Secret shop/db: whether ")).collect();
        assert_eq!((warnings(&planned), asked), (vec![], vec![]));
        stage.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_read_is_one_note_and_no_warning() {
    let mut stage = Stage::new(PODS, &format!("{}{}{}", config(), job("one", "PreSync"), job("two", "PostSync")));
    stage.fault("get", "secrets", Outcome::Status { code: 403, reason: "Forbidden", message: "not yours".into() });
    let planned = stage.plan().await;
    assert_eq!(warnings(&planned), [""; 0]);
    assert_eq!(
        planned.notes,
        ["it cannot be told whether what the plan needs beside its own objects is there (Secret shop/db): not yours"]
    );
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_busy_server_is_not_asked_again_and_a_sync_begins_all_the_same() {
    let mut stage = Stage::new(PODS, &format!("{}{}", config(), job("late", "PostSync")));
    stage.fault("get", "secrets", Outcome::Status { code: 503, reason: "ServiceUnavailable", message: "later".into() });
    let before = stage.opening.clock.now();
    stage.start(Request::default()).await;
    let took = stage.opening.clock.now().duration_since(before);
    assert!(took < jiff::SignedDuration::from_millis(250), "{took:?}");
    // The hook waits for its Secret for ever; the process takes no leave.
    stage.tasks.shutdown().await;
}

/// A sync that needs nothing else begins as soon as one that has everything, and hardly later if there is no answer.
#[tokio::test(start_paused = true)]
async fn a_sync_does_not_wait_for_an_advice() {
    let mut times = Vec::new();
    for (secrets, others) in [(0, 0), (20_000, 0), (0, 700), (600, 700)] {
        let mut stage = Stage::new(PODS, &format!("{}{}", config(), job("late", "PostSync")));
        stage.fault("get", "secrets", Outcome::Latency(Duration::from_millis(secrets)));
        stage.fault("list", "configmaps", Outcome::Latency(Duration::from_millis(others)));
        let before = stage.opening.clock.now();
        stage.start(Request::default()).await;
        times.push(stage.opening.clock.now().duration_since(before).as_millis());
        stage.take(|event| matches!(event, Event::WatchesOpened { .. })).await;
        let is_unclear = |text: &&str| text.ends_with("(Secret shop/db): no answer in time");
        assert_eq!(stage.told().iter().any(is_unclear), secrets > 1_000, "{:?}", stage.told());
        stage.tasks.shutdown().await;
    }
    assert!(times[1] <= times[0] + 250, "{times:?}");
    assert!(times[3] <= times[2] + 20, "beside the search: {times:?}");
}

#[tokio::test(start_paused = true)]
async fn hooks_of_a_deletion_are_told_what_is_gone_by_then() {
    let mut stage = Stage::new(PODS, &format!("{}{}", secret(""), job("bye", "PostDelete")));
    stage.sync(Request::default()).await;
    let planned = stage.planned(Ask::PlanDeletion { request: Request::default() }).await;
    let [message] = warnings(&planned)[..] else { panic!("{:?}", warnings(&planned)) };
    assert!(message.contains("which is deleted with the app before the hook runs"), "{message}");
    stage.close().await;
}
