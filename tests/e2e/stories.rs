//! The acceptance stories A1 to A6, with the manifests of `assets/demo`; only pauses, addresses and images that do not
//! exist are replaced. Each of them ends with a look that finds nothing different, or no more than what did not run.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Object, Outcome, SOON, Space, assert_same, changes, config_map, eventually, pod, secret, story};

const REVISION: &str = "0123456789abcdef";

/// Nobody measures anything here, so the real rule calls an autoscaler Degraded.
const NO_METRICS: &str = "[health.customizations]\n\"autoscaling/HorizontalPodAutoscaler\" = \"return { status = 'Healthy' }\"\n";

/// Returns texts with the generated part of their names cut out.
fn plain(texts: &[String]) -> Vec<String> {
    let cut = |text: &String| match text.split_once("0123456-") {
        Some((before, after)) => format!("{before}…{}", after.trim_start_matches(|it: char| it.is_ascii_alphanumeric() || it == '-')),
        None => text.clone(),
    };
    texts.iter().map(cut).collect()
}

/// Every word of an operation about a release that went well.
fn web_shop_went_well(outcome: &Outcome) {
    outcome.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    let mut started = plain(&outcome.started());
    started[2..4].sort();
    started[4..7].sort();
    assert_eq!(
        started,
        [
            "PreSync ConfigMap/db-config",
            "PreSync Job/migrate",
            "PreSync Job/check-quota",
            "PreSync Job/warm-cache",
            "Sync Deployment/web",
            "Sync HorizontalPodAutoscaler/web",
            "Sync Service/web",
            "PostSync Job/smoke",
            "PostSync Job/notify-ok-…",
        ]
    );
    assert_eq!(plain(&outcome.not_run()), ["Job/notify-fail-…: notNeeded"]);
    let migrate: Vec<(u64, String)> = (1..=20).map(|n| (1, format!("migrating shop on orders-db: step {n} of 20"))).collect();
    let seen: Vec<(u64, String)> = outcome.log("migrate").into_iter().map(|(pod, line)| (pod, line.to_owned())).collect();
    assert_eq!(seen, migrate);
    assert_eq!(outcome.log("notify-ok-"), [(1, "the shop was released")]);
}

/// A1. R402 R404 R502 R520, R208 R211 (HookSucceeded at the end), R310 (generated names pile up), R420 (again each time).
#[test]
fn a1_web_shop_runs_three_times_in_order_and_leaves_what_its_policies_say() {
    let Some(space) = Space::open("a1") else { return };
    let text = story("web-shop", &[("sleep 0.4", "sleep 0.05"), ("sleep 5", "sleep 2"), ("sleep 3", "sleep 1"), ("sleep 6", "sleep 1")]);
    let target = space.write_text("web-shop", &text);
    let config = space.write_text("config", NO_METRICS);
    let mut warmers = Vec::new();
    for round in 1..=3 {
        let outcome = space.sync(&target).arg("--revision").arg(REVISION).arg("--config").arg(&config).run();
        web_shop_went_well(&outcome);
        let service = if round == 1 { "service/web created" } else { "service/web unchanged" };
        assert!(outcome.results().contains(&format!("Sync Service/web Synced Succeeded: {service}")), "{:?}", outcome.results());
        // One more of the generated name each time; migrate and smoke go.
        let jobs = eventually_jobs(&space, 2 + round);
        assert_eq!(plain(&jobs[..2 + round])[..2], ["check-quota", "notify-ok-…"]);
        warmers.push(space.uid("job/warm-cache"));
        space.assert_no_finalizer();
        assert_same(space.diff(&target, &[]));
        if round == 1 {
            web_shop_order(&space);
        }
    }
    warmers.dedup();
    assert_eq!(warmers.len(), 3, "BeforeHookCreation makes a new one each time");
}

/// The API server's own record of the order.
fn web_shop_order(space: &Space) {
    let born = |api: &str, resource: &str, name: &str| space.births(api, resource, name)[0];
    let (batch, apps) = ("apis/batch/v1", "apis/apps/v1");
    let quota_or_cache = [born(batch, "jobs", "warm-cache"), born(batch, "jobs", "check-quota")];
    let available = space.history(apps, "deployments").into_iter().find(|change| change.object["status"]["availableReplicas"] == 3);
    let order = [
        born("api/v1", "configmaps", "db-config"),
        born(batch, "jobs", "migrate"),
        space.job_reached("migrate", "Complete"),
        quota_or_cache[0].min(quota_or_cache[1]),
        space.job_reached("warm-cache", "Complete").max(space.job_reached("check-quota", "Complete")),
        born("api/v1", "services", "web"),
        born(apps, "deployments", "web"),
        available.expect("three pods were available").revision(),
        born(batch, "jobs", "smoke"),
        space.job_reached("smoke", "Complete"),
        born(batch, "jobs", "notify-ok-"),
    ];
    assert!(order.is_sorted(), "not in order: {order:?}");
    assert!(
        quota_or_cache.iter().max() < Some(&space.job_reached("check-quota", "Complete")),
        "warm-cache and check-quota run at the same time"
    );
}

/// What is there before a blue-green release.
fn blue(space: &Space) {
    let role = "--clusterrole=admin";
    let account = format!("--serviceaccount={}:switcher", space.namespace);
    space.kubectl(&["create", "serviceaccount", "switcher"]);
    space.kubectl(&["create", "rolebinding", "switcher", role, &account]);
    space.kubectl(&["create", "service", "clusterip", "web", "--tcp=80:8080"]);
    space.kubectl(&["patch", "service", "web", "-p", r#"{"spec":{"selector":{"app":"web","colour":"blue"}}}"#]);
}

fn selector(space: &Space) -> Value {
    space.get("service/web").unwrap()["spec"]["selector"].clone()
}

/// A2. R109 (Skip is never written), R401 (a Sync hook is waited for).
#[test]
fn a2_blue_green_never_writes_the_skipped_deployment_and_turns_the_service_over() {
    let Some(space) = Space::open("a2") else { return };
    blue(&space);
    let target = space.write_text("blue-green", &story("blue-green", &[]));
    let outcome = space.sync(&target).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    assert_eq!(outcome.started(), ["Sync ConfigMap/web-template", "Sync Job/switch", "PostSync Job/verify"]);
    assert_eq!(outcome.not_run(), ["Deployment/web: skip", "Job/remove-green: notNeeded"]);
    assert_eq!(space.names("deployments"), ["web-green"], "only the hook made one");
    assert_eq!(selector(&space), json!({"app": "web-green"}));
    assert_eq!(eventually_jobs(&space, 1), ["switch"], "verify has HookSucceeded");
    assert_eq!(outcome.log("switch").first(), Some(&(1, "deployment.apps/web-green created")));
    assert_eq!(outcome.log("switch").last(), Some(&(1, "service/web patched")));
    space.assert_no_finalizer();
    assert_same(space.diff(&target, &[]));
}

/// A2, the switch fails after it has made green. R405 R625 (SyncFail), R210 (a SyncFail hook with HookSucceeded stays after the
/// operation that it served; [D]: the next operation that succeeds deletes it. Confirmed).
#[test]
fn a2_a_failed_switch_leaves_the_service_alone_and_its_cleaner_goes_with_the_next_success() {
    let Some(space) = Space::open("a2-fails") else { return };
    blue(&space);
    let broken = story("blue-green", &[("--image busybox", "--image e2e.invalid/no:1"), ("--timeout 60s", "--timeout 2s")]);
    let outcome = space.sync(&space.write_text("broken", &broken)).run();
    outcome.assert_end(1, "Failed", "one or more synchronization tasks completed unsuccessfully");
    assert_eq!(outcome.started(), ["Sync ConfigMap/web-template", "Sync Job/switch", "SyncFail Job/remove-green"]);
    assert_eq!(outcome.not_run(), ["Deployment/web: skip", "Job/verify: blocked"]);
    assert_eq!(space.names("deployments"), [""; 0], "SyncFail removed green");
    assert_eq!(selector(&space), json!({"app": "web", "colour": "blue"}));
    assert_eq!(space.names("jobs"), ["remove-green", "switch"]);

    let outcome = space.sync(&space.write_text("mended", &story("blue-green", &[]))).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    assert_eq!(selector(&space), json!({"app": "web-green"}));
    assert_eq!(eventually_jobs(&space, 1), ["switch"], "remove-green was left over, and has HookSucceeded");
}

/// Deletions are not waited for (R212).
fn eventually_jobs(space: &Space, count: usize) -> Vec<String> {
    eventually(&format!("{count} jobs"), SOON, || Some(space.names("jobs")).filter(|names| names.len() == count))
}

/// A server that answers everything and prints what was posted.
fn echo_server() -> Object {
    let answer = r#"#!/bin/sh
length=0
while read -r line; do
  line=${line%?}
  case $line in
    [Cc]ontent-[Ll]ength:*) length=${line#*: } ;;
    '') break ;;
  esac
done
echo "posted: $(head -c "$length")" >/proc/1/fd/1
printf 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'
"#;
    pod("echo", &format!("cat >/tmp/answer <<'END'\n{answer}END\nchmod +x /tmp/answer; exec nc -ll -p 8080 -e /tmp/answer"))
}

/// Starts the server and returns its address.
fn start_echo_server(space: &Space) -> String {
    space.create(&echo_server());
    let address = eventually("the address of the echo server", SOON, || {
        let pod = space.get("pod/echo")?;
        let listens = || space.try_kubectl(&["exec", "echo", "--", "sh", "-c", "netstat -ltn | grep -q :8080"]).is_ok();
        (pod["status"]["phase"] == "Running" && listens()).then(|| pod["status"]["podIP"].as_str().unwrap().to_owned())
    });
    format!("http://{address}:8080")
}

/// Returns what was posted, once there is as much as that.
fn posted(space: &Space, count: usize) -> Vec<String> {
    eventually(&format!("{count} posts"), SOON, || {
        let log = space.kubectl(&["logs", "echo"]);
        let mut lines: Vec<String> = log.lines().filter_map(|line| line.strip_prefix("posted: ")).map(str::to_owned).collect();
        lines.sort();
        (lines.len() >= count).then_some(lines)
    })
}

/// The story `notify` with its hooks in a namespace of the test and its chat server inside the cluster.
fn notify(space: &Space, server: &str, words: &[(&str, &str)]) -> (PathBuf, String) {
    let elsewhere = space.another_namespace("a3-argocd");
    let mail = [
        ("namespace: argocd", &*format!("namespace: {elsewhere}")),
        ("https://hooks.slack.example", server),
        ("mail.example/postfix:1.7.1", "busybox"),
        ("| mail -s 'shop was released' \"$MAIL_TO\"", "| cat"),
    ];
    let text = story("notify", &[&mail, words].concat());
    (space.write_text("notify", &text), elsewhere)
}

/// A3. R312 (a hook in another namespace), empty values, and a Secret that comes late: the pod waits with
/// CreateContainerConfigError, which is Progressing, and goes on when the Secret is there.
#[test]
fn a3_notify_waits_for_a_secret_in_another_namespace_and_goes_on_when_it_comes() {
    let Some(space) = Space::open("a3") else { return };
    let server = start_echo_server(&space);
    let (target, elsewhere) = notify(&space, &server, &[]);
    let running = space.sync(&target).arg("--revision").arg(REVISION).start();
    let error = ["-n", &elsewhere, "get", "pods", "-o", "jsonpath={.items[*].status.containerStatuses[*].state.waiting.reason}"];
    eventually("CreateContainerConfigError", Duration::from_secs(60), || {
        space.kubectl(&error).contains("CreateContainerConfigError").then_some(())
    });
    running.wait_for("only the mail is waited for", |line| {
        line["event"] == "waiting" && line["on"].as_array().unwrap().len() == 1 && line["message"].as_str().unwrap().contains("/email-")
    });
    let file = space.write("secret", &[secret("smtp-password", "password")]);
    space.kubectl(&["-n", &elsewhere, "create", "-f", file.to_str().unwrap()]);
    let outcome = running.finish();
    outcome.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    assert_eq!(outcome.log("email-"), [(1, "The release is through")]);
    assert_eq!(outcome.log("slack-notify-"), [(1, "ok")]);
    let posts = posted(&space, 2);
    assert!(posts[0].to_lowercase().starts_with("payload=%7b%22channel%22") && posts[1] == r#"{"text": "shop was released"}"#, "{posts:?}");
    let left = eventually("HookSucceeded in the other namespace", SOON, || {
        Some(space.kubectl(&["-n", &elsewhere, "get", "jobs", "-o", "name"])).filter(String::is_empty)
    });
    assert_eq!((left.as_str(), space.names("jobs").len()), ("", 0));
    for round in 2..=3 {
        let outcome = space.sync(&target).arg("--revision").arg(REVISION).run();
        outcome.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
        assert_eq!((outcome.log("email-"), posted(&space, 2 * round).len()), (vec![(1, "The release is through")], 2 * round));
        assert_same(space.diff(&target, &[]));
    }
}

/// A3, the relay never answers. R413 (a Job's deadline), R405 R625 (a PostSync failure starts SyncFail too).
#[test]
fn a3_a_mail_past_its_deadline_fails_the_sync_and_the_failure_is_posted() {
    let Some(space) = Space::open("a3-late") else { return };
    let server = start_echo_server(&space);
    let (target, _) = notify(&space, &server, &[("activeDeadlineSeconds: 120", "activeDeadlineSeconds: 3")]);
    let outcome = space.sync(&target).arg("--revision").arg(REVISION).run();
    outcome.assert_end(1, "Failed", "one or more synchronization tasks completed unsuccessfully");
    let results = outcome.results();
    let late = results.iter().find(|text| text.contains("/email-")).unwrap();
    assert!(late.ends_with("Synced Failed: Job was active longer than specified deadline"), "{late}");
    assert_eq!(outcome.log("app-slack-notification-fail-"), [(1, "ok")]);
    let posts = posted(&space, 3);
    assert!(posts.iter().any(|post| post.contains("the%20release%20failed")), "{posts:?}");
}

/// A4. R302 without a dash, R410 R413 (backoffLimit: only the Job decides), R405 R407, R210 (SyncFail hook with HookSucceeded stays),
/// then R803: the one Deployment that is wanted, without hooks.
#[test]
fn a4_presync_fail_runs_three_pods_then_syncfail_and_the_deployment_can_still_be_synced_alone() {
    let Some(space) = Space::open("a4") else { return };
    let server = start_echo_server(&space);
    let target = space.write_text("presync-fail", &story("presync-fail", &[("http://echo-server:8080", &server)]));
    let outcome = space.sync(&target).arg("--revision").arg(REVISION).run();
    outcome.assert_end(1, "Failed", "one or more synchronization tasks completed unsuccessfully");
    assert_eq!(
        plain(&outcome.results()),
        [
            "PreSync Job/presync-job… Synced Failed: Job has reached the specified backoff limit",
            "SyncFail Job/syncfail-job… Synced Succeeded: Reached expected number of succeeded pods",
        ]
    );
    assert_eq!(plain(&outcome.not_run()), ["Deployment/web: blocked", "Job/postsync-job…: blocked", "Service/web: blocked"]);
    assert_eq!(outcome.log("presync-job"), [1, 2, 3].map(|pod| (pod, "preparing, and failing")));
    assert_eq!(posted(&space, 1), [r#"payload={\\"status\\": \\"Failed\\"}"#]);
    assert_eq!(space.names("jobs").len(), 2, "the failed one and the one that told");
    assert_eq!(space.names("deployments"), [""; 0]);
    space.assert_no_finalizer();
    assert_eq!(different(&space, &target), ["Deployment/web create", "Service/web create"]);

    let outcome = space.sync(&target).args(&["--revision", REVISION, "--resource", "apps:Deployment:web"]).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(outcome.results(), ["Sync Deployment/web Synced Running: deployment.apps/web created"]);
    assert_eq!(space.names("jobs").len(), 2, "hooks do not run in a selective sync");
    assert_eq!(different(&space, &target), ["Service/web create"]);

    let words = [("http://echo-server:8080", &*server), ("exit 1", "exit 0")];
    let mended = space.write_text("mended", &story("presync-fail", &words));
    space.sync(&mended).arg("--revision").arg(REVISION).run().assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    assert_same(space.diff(&mended, &[]));
}

/// Returns what would change, `Deployment/web create`, sorted.
fn different(space: &Space, target: &Path) -> Vec<String> {
    let (_, diff) = space.diff(target, &[]);
    let mut found: Vec<String> = changes(&diff).iter().map(|line| line.splitn(3, ' ').take(2).collect::<Vec<_>>().join(" ")).collect();
    found.sort();
    found
}

/// A5. R410 R413: a Job that fails twice and passes is never shown as failed.
#[test]
fn a5_flaky_passes_at_the_third_pod_and_is_never_failed_before() {
    let Some(space) = Space::open("a5") else { return };
    let account = format!("--serviceaccount={}:default", space.namespace);
    space.kubectl(&["create", "rolebinding", "count", "--clusterrole=edit", &account]);
    space.create(&config_map("tries", "0"));
    let script = "n=$(kubectl get configmap tries -o jsonpath={.data.value}); n=$((n + 1)); \
                  kubectl patch configmap tries -p \"{\\\"data\\\":{\\\"value\\\":\\\"$n\\\"}}\" >/dev/null; echo \"try $n\"; test $n -ge 3";
    let old = r#"[sh, -c, 'echo connecting; sleep 1; test "$(date +%s)" -gt 0']"#;
    let words = [
        ("image: busybox\n          command:", "image: syncwave.test/kubectl:1\n          command:"),
        (old, &*format!("[sh, -c, '{script}']")),
    ];
    let target = space.write_text("flaky", &story("flaky", &words));
    let outcome = space.sync(&target).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    assert_eq!(outcome.log("migrate"), [(1, "try 1"), (2, "try 2"), (3, "try 3")]);
    let states: Vec<&str> = outcome
        .events("task.changed")
        .iter()
        .filter(|line| line["task"]["name"] == "migrate")
        .map(|line| line["hookPhase"].as_str().unwrap())
        .filter(|state| !state.is_empty())
        .collect();
    assert!(states.iter().all(|state| ["Running", "Succeeded"].contains(state)), "{states:?}");
    assert_eq!(space.names("pods").iter().filter(|name| name.starts_with("migrate")).count(), 3);
    assert_same(space.diff(&target, &[]));
}

/// A6. R903 R904 R905 R906 R909: SIGINT ends it properly; the hook that had succeeded stays although it has HookFailed; SyncFail
/// is not started; the next two syncs start at once, and a SIGTERM and a SIGINT end them the same way.
#[test]
fn a6_endless_is_terminated_by_a_signal_and_can_be_synced_again_at_once() {
    let Some(space) = Space::open("a6") else { return };
    let target = space.write_text("endless", &story("endless", &[]));
    let running = space.sync(&target).start();
    running.wait_for_task("backup", "Succeeded");
    running.wait_for("its log", |line| line["event"] == "log" && line["task"]["name"] == "drain-queue");
    running.wait_for("only drain-queue is waited for", |line| {
        line["event"] == "waiting" && line["message"] == "waiting for completion of hook batch/Job/drain-queue"
    });
    running.signal("INT");
    let outcome = running.finish();
    endless_was_terminated(&outcome);
    assert_eq!(eventually_jobs(&space, 1), ["backup"]);
    space.assert_no_finalizer();

    for signal in ["TERM", "INT"] {
        let running = space.sync(&target).start();
        running.wait_for_task("backup", "Succeeded");
        running.wait_for("its log", |line| line["event"] == "log" && line["task"]["name"] == "drain-queue");
        running.signal(signal);
        endless_was_terminated(&running.finish());
        space.assert_no_finalizer();
    }
    assert_eq!(different(&space, &target), ["Deployment/web create"]);

    let ends = space.write_text("ends", &story("endless", &[("sleep infinity", "sleep 1")]));
    space.sync(&ends).run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_same(space.diff(&ends, &[]));
}

fn endless_was_terminated(outcome: &Outcome) {
    outcome.assert_end(3, "Failed", "Operation terminated");
    assert_eq!(outcome.last()["terminated"], true);
    let mut results = outcome.results();
    results.sort();
    assert_eq!(
        results,
        [
            "PreSync Job/backup Synced Succeeded: Reached expected number of succeeded pods",
            "PreSync Job/drain-queue Synced Failed: Terminated",
        ]
    );
    assert_eq!(outcome.not_run(), ["Deployment/web: terminated", "Job/alert: terminated"]);
    assert_eq!(outcome.events("terminate.requested").len(), 1);
    assert_eq!(outcome.log("drain-queue"), [(1, "draining")]);
}
