//! Jobs: traces T01, T02, T03 and story A5.

use super::*;
use crate::sim::{DeleteOptions, Propagation};

fn job(name: &str, spec: &str, command: &str) -> String {
    format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}}}\nspec:\n  {spec}\n  template:\n    spec:\n      restartPolicy: Never\n      containers:\n      - {{name: main, image: busybox, command: [sh, -c, \"{command}\"]}}\n"
    )
}

fn status(job: &Value) -> String {
    let uncounted = |side: &str| list(job, &format!("/status/uncountedTerminatedPods/{side}")).len();
    format!(
        "active {} ready {} uncounted {}+{} succeeded {} failed {} [{}]",
        number(job, "active"),
        number(job, "ready"),
        uncounted("succeeded"),
        uncounted("failed"),
        number(job, "succeeded"),
        number(job, "failed"),
        conditions(job)
    )
}

#[tokio::test(start_paused = true)]
async fn trace_1_complete_is_never_the_first_condition_of_a_job() {
    let lab = Lab::new("");
    lab.apply(&job("migrate", "backoffLimit: 1", "sleep 1"));
    lab.wait(10.0).await;
    assert_eq!(
        lab.trace("jobs", status),
        [
            "active 0 ready 0 uncounted 0+0 succeeded 0 failed 0 []",
            "active 1 ready 0 uncounted 0+0 succeeded 0 failed 0 []",
            "active 1 ready 1 uncounted 0+0 succeeded 0 failed 0 []",
            "active 0 ready 0 uncounted 1+0 succeeded 0 failed 0 [SuccessCriteriaMet/CompletionsReached]",
            "active 0 ready 0 uncounted 0+0 succeeded 1 failed 0 [SuccessCriteriaMet/CompletionsReached]",
            "active 0 ready 0 uncounted 0+0 succeeded 1 failed 0 [SuccessCriteriaMet/CompletionsReached Complete/CompletionsReached]",
        ]
    );
    let pod = &lab.pods()[0];
    assert!(!fields::has_finalizer(pod, "batch.kubernetes.io/job-tracking"));
    assert_eq!(text(pod, "/status/phase"), "Succeeded");
    let name = fields::name(pod);
    let events = lab.events();
    let expected = [
        format!("SuccessfulCreate: Created pod: {name}"),
        format!("Scheduled: Successfully assigned default/{name} to node-1"),
        "Pulling: Pulling image \"busybox\"".to_owned(),
        "Pulled: Successfully pulled image \"busybox\" in 300ms (300ms including waiting). Image size: 48237112 bytes.".to_owned(),
        "Created: Created container: main".to_owned(),
        "Started: Started container main".to_owned(),
        "Completed: Job completed".to_owned(),
    ];
    assert_eq!(events, expected);
}

#[tokio::test(start_paused = true)]
async fn trace_2_a_job_that_always_fails_reaches_its_limit_after_the_back_off() {
    let lab = Lab::new("");
    lab.apply(&job("migrate", "backoffLimit: 1", "echo no; exit 1"));
    lab.wait(30.0).await;
    assert_eq!(
        lab.trace("jobs", status),
        [
            "active 0 ready 0 uncounted 0+0 succeeded 0 failed 0 []",
            "active 1 ready 0 uncounted 0+0 succeeded 0 failed 0 []",
            "active 0 ready 0 uncounted 0+1 succeeded 0 failed 0 []",
            "active 0 ready 0 uncounted 0+0 succeeded 0 failed 1 []",
            "active 1 ready 0 uncounted 0+0 succeeded 0 failed 1 []",
            "active 0 ready 0 uncounted 0+1 succeeded 0 failed 1 [FailureTarget/BackoffLimitExceeded]",
            "active 0 ready 0 uncounted 0+0 succeeded 0 failed 2 [FailureTarget/BackoffLimitExceeded]",
            "active 0 ready 0 uncounted 0+0 succeeded 0 failed 2 [FailureTarget/BackoffLimitExceeded Failed/BackoffLimitExceeded]",
        ]
    );
    assert_eq!(lab.events().last().unwrap(), "BackoffLimitExceeded: Job has reached the specified backoff limit");
    let mut born: Vec<i64> = lab.pods().iter().map(|pod| lab.seconds(pod, "/metadata/creationTimestamp")).collect();
    born.sort_unstable();
    assert_eq!(born, [0, 10], "ten seconds from the whole-second finishedAt");
}

#[tokio::test(start_paused = true)]
async fn trace_3_a_job_over_its_deadline_fails_when_its_pods_are_gone_and_its_time_to_live_removes_it() {
    let lab = Lab::new("");
    lab.apply(&job("slow", "activeDeadlineSeconds: 3\n  ttlSecondsAfterFinished: 3", "sleep infinity"));
    lab.wait(5.0).await;
    let job = lab.get("batch", "jobs", "slow");
    assert_eq!(conditions(&job), "FailureTarget/DeadlineExceeded Failed/DeadlineExceeded");
    let events = lab.events();
    assert!(events.contains(&"DeadlineExceeded: Job was active longer than specified deadline".to_owned()), "{events:?}");
    assert!(events.iter().any(|event| event.starts_with("SuccessfulDelete: Deleted pod: slow-")), "{events:?}");
    lab.wait(5.0).await;
    let deleting = |job: &Value| format!("gen {} deleting {}", fields::generation(job), fields::is_deleting(job));
    assert_eq!(lab.trace("jobs", deleting), ["gen 1 deleting false", "gen 2 deleting true", "gone"]);
    assert_eq!(lab.pods().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a5_three_attempts_ten_and_twenty_seconds_apart() {
    let lab = Lab::new(
        "pods:
  - match: {owner: Job/flaky}
    runs:
      - {after: 1s, exit: 1, logs: [{at: 100ms, line: first}]}
      - {after: 1s, exit: 1, logs: [{at: 100ms, line: second}]}
      - {after: 1s, exit: 0, logs: [{at: 100ms, line: third}]}
",
    );
    lab.apply(&job("flaky", "backoffLimit: 2", "never looked at"));
    lab.wait(60.0).await;
    let mut pods: Vec<_> = lab
        .pods()
        .iter()
        .map(|pod| (lab.seconds(pod, "/metadata/creationTimestamp"), text(pod, "/status/phase").to_owned(), lab.log(pod, "main").join(",")))
        .collect();
    pods.sort();
    let expected = [(0, "Failed", "first"), (11, "Failed", "second"), (32, "Succeeded", "third")];
    assert_eq!(pods, expected.map(|(at, phase, log)| (at, phase.to_owned(), log.to_owned())));
    assert_eq!(conditions(&lab.get("batch", "jobs", "flaky")), "SuccessCriteriaMet/CompletionsReached Complete/CompletionsReached");
}

#[tokio::test(start_paused = true)]
async fn parallel_pods_of_a_job_run_together_until_its_completions_are_reached() {
    let lab = Lab::new("");
    lab.apply(&job("load", "parallelism: 2\n  completions: 3", "sleep 2"));
    lab.wait(2.0).await;
    assert_eq!(number(&lab.get("batch", "jobs", "load"), "active"), 2);
    lab.wait(10.0).await;
    assert_eq!(number(&lab.get("batch", "jobs", "load"), "succeeded"), 3);
    assert_eq!(lab.pods().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_suspended_job_has_no_pods_until_it_is_resumed() {
    let lab = Lab::new("");
    lab.apply(&job("later", "suspend: true", "sleep 1"));
    lab.wait(5.0).await;
    assert_eq!((lab.pods().len(), conditions(&lab.get("batch", "jobs", "later"))), (0, "Suspended/JobSuspended".to_owned()));
    lab.store.update("test", "batch", "jobs", "default", "later", |job| job["spec"]["suspend"] = false.into()).unwrap();
    lab.wait(0.5).await;
    assert_eq!(conditions(&lab.get("batch", "jobs", "later")), "Suspended=False/JobResumed");
    lab.wait(10.0).await;
    assert_eq!(
        conditions(&lab.get("batch", "jobs", "later")),
        "Suspended=False/JobResumed SuccessCriteriaMet/CompletionsReached Complete/CompletionsReached"
    );
    let events: Vec<_> = lab.events().into_iter().filter(|event| event.contains("Job ")).collect();
    assert_eq!(events, ["Suspended: Job suspended", "Resumed: Job resumed", "Completed: Job completed"]);
}

#[tokio::test(start_paused = true)]
async fn a_job_deleted_in_the_background_takes_its_pod_along_in_spite_of_the_tracking_finalizer() {
    let lab = Lab::new("");
    lab.apply(&job("endless", "backoffLimit: 1", "sleep infinity"));
    lab.wait(3.0).await;
    assert_eq!(lab.pods().len(), 1);
    let background = DeleteOptions { propagation: Some(Propagation::Background), ..DeleteOptions::default() };
    lab.store.delete("batch", "jobs", "default", "endless", &background).unwrap();
    lab.wait(3.0).await;
    assert_eq!(lab.pods().len(), 0);
    assert!(lab.store.get("batch", "jobs", "default", "endless").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_pod_of_a_job_that_somebody_deletes_counts_as_failed_and_is_replaced() {
    let lab = Lab::new("");
    lab.apply(&job("robust", "backoffLimit: 3", "sleep 5"));
    lab.wait(2.0).await;
    let name = fields::name(&lab.pods()[0]).to_owned();
    lab.store.delete("", "pods", "default", &name, &DeleteOptions::default()).unwrap();
    lab.wait(30.0).await;
    let job = lab.get("batch", "jobs", "robust");
    assert_eq!((number(&job, "failed"), number(&job, "succeeded")), (1, 1));
    assert_eq!(lab.pods().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn restarts_of_containers_count_against_the_limit_with_on_failure() {
    let lab = Lab::new("");
    lab.apply(&job("again", "backoffLimit: 1", "sleep 1; exit 3").replace("Never", "OnFailure"));
    lab.wait(60.0).await;
    assert_eq!(conditions(&lab.get("batch", "jobs", "again")), "FailureTarget/BackoffLimitExceeded Failed/BackoffLimitExceeded");
}
