//! Pods on their nodes: configuration that is missing, images, restarts, init containers, logs and ends.

use super::*;
use crate::sim::DeleteOptions;

fn pod(name: &str, policy: &str, container: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  restartPolicy: {policy}\n  containers:\n  - {{name: main, image: \"app:1\", {container}}}\n"
    )
}

fn state(pod: &Value) -> String {
    let container = &pod["status"]["containerStatuses"][0];
    let state = container["state"].as_object().and_then(|state| state.iter().next());
    let detail = state.map(|(kind, detail)| format!("{kind}/{}", text(detail, "/reason"))).unwrap_or_default();
    format!("{} {} {}", text(pod, "/status/phase"), detail.trim_end_matches('/'), if fields::holds(pod, "Ready") { "ready" } else { "-" })
}

#[tokio::test(start_paused = true)]
async fn a_pod_goes_from_pending_over_running_to_ready() {
    let lab = Lab::new("");
    lab.apply(&pod("p", "Always", ""));
    lab.wait(5.0).await;
    assert_eq!(
        lab.trace("pods", state),
        ["Pending  -", "Pending waiting/ContainerCreating -", "Running running -", "Running running ready"]
    );
}

#[tokio::test(start_paused = true)]
async fn a3_a_pod_waits_for_its_secret_and_goes_on_when_it_appears() {
    let lab = Lab::new("");
    lab.apply(&pod("mail", "Never", "env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: smtp-password, key: password}}}]"));
    lab.wait(30.0).await;
    let waiting = lab.get("", "pods", "mail");
    assert_eq!(state(&waiting), "Pending waiting/CreateContainerConfigError -");
    assert_eq!(text(&waiting, "/status/containerStatuses/0/state/waiting/message"), "secret \"smtp-password\" not found");
    assert!(lab.events().contains(&"Failed: Error: secret \"smtp-password\" not found".to_owned()));
    lab.apply("apiVersion: v1\nkind: Secret\nmetadata: {name: smtp-password}\nstringData: {user: x}\n");
    lab.wait(2.0).await;
    let message = text(&lab.get("", "pods", "mail"), "/status/containerStatuses/0/state/waiting/message").to_owned();
    assert_eq!(message, "couldn't find key password in Secret default/smtp-password");
    lab.store.update("test", "", "secrets", "default", "smtp-password", |secret| secret["data"]["password"] = "eA==".into()).unwrap();
    lab.wait(4.0).await;
    assert_eq!(state(&lab.get("", "pods", "mail")), "Succeeded terminated/Completed -");
}

#[tokio::test(start_paused = true)]
async fn a_pod_waits_for_the_secret_of_a_volume() {
    let lab = Lab::new("");
    lab.apply(&(pod("p", "Never", "command: [sleep, \"1\"]") + "  volumes: [{name: keys, secret: {secretName: keys}}]\n"));
    lab.wait(10.0).await;
    assert_eq!(state(&lab.get("", "pods", "p")), "Pending waiting/ContainerCreating -");
    assert!(lab.events().contains(&"FailedMount: MountVolume.SetUp failed for volume \"keys\" : secret \"keys\" not found".to_owned()));
    lab.apply("apiVersion: v1\nkind: Secret\nmetadata: {name: keys}\n");
    lab.wait(4.0).await;
    assert_eq!(state(&lab.get("", "pods", "p")), "Succeeded terminated/Completed -");
}

#[tokio::test(start_paused = true)]
async fn a_config_error_of_the_story_stays() {
    let lab = Lab::new("pods: [{match: {name: p}, configError: 'secret \"x\" not found'}]\n");
    lab.apply(&pod("p", "Never", ""));
    lab.wait(60.0).await;
    assert_eq!(state(&lab.get("", "pods", "p")), "Pending waiting/CreateContainerConfigError -");
}

#[tokio::test(start_paused = true)]
async fn an_image_that_cannot_be_pulled_backs_off_and_is_tried_again() {
    let lab = Lab::new(
        "pods: [{match: {image: 'app:*'}, pull: [{error: manifest unknown, after: 1s}, {error: manifest unknown}, {delay: 1s}]}]\n",
    );
    lab.apply(&pod("p", "Never", ""));
    lab.wait(60.0).await;
    assert_eq!(
        lab.trace("pods", state),
        [
            "Pending  -",
            "Pending waiting/ContainerCreating -",
            "Pending waiting/ErrImagePull -",
            "Pending waiting/ImagePullBackOff -",
            "Pending waiting/ContainerCreating -",
            "Pending waiting/ErrImagePull -",
            "Pending waiting/ImagePullBackOff -",
            "Pending waiting/ContainerCreating -",
            "Running running ready",
            "Succeeded terminated/Completed -",
        ]
    );
    let events = lab.events();
    for event in [
        "Failed: Failed to pull image \"app:1\": manifest unknown",
        "BackOff: Back-off pulling image \"app:1\"",
        "Failed: Error: ImagePullBackOff",
    ] {
        assert!(events.contains(&event.to_owned()), "{event} is missing in {events:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_crashing_container_is_restarted_at_once_and_then_after_growing_pauses() {
    let lab = Lab::new("pods: [{match: {name: p}, crash: {after: 1s, exit: 137, reason: OOMKilled}}]\n");
    lab.apply(&pod("p", "Always", ""));
    lab.wait(45.0).await;
    let crashed = lab.get("", "pods", "p");
    assert_eq!(number(&crashed, "containerStatuses/0/restartCount"), 3);
    assert_eq!(state(&crashed), "Running waiting/CrashLoopBackOff -");
    assert_eq!(text(&crashed, "/status/containerStatuses/0/lastState/terminated/reason"), "OOMKilled");
    let started: Vec<i64> = {
        let mut times: Vec<i64> = Vec::new();
        for at in lab.trace("pods", |pod| text(pod, "/status/containerStatuses/0/state/running/startedAt").to_owned()) {
            if let Ok(at) = at.parse::<Timestamp>() {
                times.push(at.duration_since(lab.start).as_secs());
            }
        }
        times
    };
    assert_eq!(started, [0, 1, 12, 33]);
}

#[tokio::test(start_paused = true)]
async fn init_containers_run_one_after_the_other_before_the_main_one() {
    let lab = Lab::new("");
    lab.apply(&(pod("p", "Never", "command: [sh, -c, \"echo main\"]") + "  initContainers:\n  - {name: one, image: a, command: [sh, -c, \"sleep 2; echo one\"]}\n  - {name: two, image: a, command: [sh, -c, \"sleep 1; echo two\"]}\n"));
    lab.wait(2.0).await;
    let during = lab.get("", "pods", "p");
    assert_eq!(state(&during), "Pending waiting/PodInitializing -");
    assert_eq!(text(&during, "/status/initContainerStatuses/1/state/waiting/reason"), "PodInitializing");
    lab.wait(10.0).await;
    let after = lab.get("", "pods", "p");
    assert_eq!(text(&after, "/status/phase"), "Succeeded");
    let at = |container: &str| lab.log_times(&after, container)[0];
    assert!(at("one") < at("two") && at("two") < at("main"));
}

#[tokio::test(start_paused = true)]
async fn a_failing_init_container_fails_a_pod_that_never_restarts() {
    let lab = Lab::new("");
    lab.apply(&(pod("p", "Never", "") + "  initContainers:\n  - {name: one, image: a, command: [\"false\"]}\n"));
    lab.wait(10.0).await;
    assert_eq!(text(&lab.get("", "pods", "p"), "/status/phase"), "Failed");
}

#[tokio::test(start_paused = true)]
async fn logs_are_written_at_their_times_with_their_fields_filled_in() {
    let lab = Lab::new(
        "pods:
  - match: {owner: Pod/p}
    runs:
      - after: 3s
        message: done and dusted
        logs: [{at: 200ms, line: \"connecting\"}, {every: 1s, count: 5, line: \"rows {{n}}000\"}, {at: 2500ms, raw: \"/w==\"}, {at: 9s, line: never}]
",
    );
    lab.apply(&pod("p", "Never", ""));
    lab.wait(10.0).await;
    let pod = lab.get("", "pods", "p");
    assert_eq!(lab.log(&pod, "main"), ["connecting", "rows 1000", "rows 2000", "\u{fffd}", "rows 3000"]);
    let times = lab.log_times(&pod, "main");
    let since: Vec<i64> = times.iter().map(|at| ((at - times[0]) * 10.0).round() as i64).collect();
    assert_eq!(since, [0, 8, 18, 23, 28]);
    assert_eq!(text(&pod, "/status/containerStatuses/0/state/terminated/message"), "done and dusted");
}

#[tokio::test(start_paused = true)]
async fn a_deleted_pod_ends_at_once_unless_it_ignores_the_signal() {
    let lab = Lab::new("pods: [{match: {name: deaf}, hang: true, ignoreTerm: true}]\n");
    lab.apply(&pod("polite", "Always", ""));
    lab.apply(&pod("deaf", "Always", ""));
    lab.wait(5.0).await;
    for name in ["polite", "deaf"] {
        lab.store.delete("", "pods", "default", name, &DeleteOptions::default()).unwrap();
    }
    lab.wait(1.0).await;
    assert_eq!(lab.pods().iter().map(|pod| fields::name(pod).to_owned()).collect::<Vec<_>>(), ["deaf"]);
    lab.wait(28.0).await;
    assert_eq!(lab.pods().len(), 1);
    lab.wait(2.0).await;
    assert_eq!(lab.pods().len(), 0);
    assert!(lab.events().contains(&"Killing: Stopping container main".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_sidecar_runs_beside_the_others_and_ends_with_them() {
    let lab = Lab::new("");
    lab.apply(&(pod("p", "Never", "command: [sleep, \"2\"]") + "  initContainers:\n  - {name: proxy, image: a, restartPolicy: Always}\n"));
    lab.wait(2.0).await;
    assert_eq!(
        state(&lab.get("", "pods", "p")),
        "Running running ready".replace("ready", if fields::holds(&lab.get("", "pods", "p"), "Ready") { "ready" } else { "-" })
    );
    lab.wait(10.0).await;
    assert_eq!(text(&lab.get("", "pods", "p"), "/status/phase"), "Succeeded");
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_never_becomes_ready_says_why() {
    let lab = Lab::new("pods: [{match: {name: p}, ready: {never: true, message: connection refused}}]\n");
    lab.apply(&pod("p", "Always", ""));
    lab.wait(30.0).await;
    assert_eq!(state(&lab.get("", "pods", "p")), "Running running -");
    assert!(lab.events().contains(&"Unhealthy: Readiness probe failed: connection refused".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_pod_over_its_own_deadline_fails() {
    let lab = Lab::new("");
    lab.apply(&(pod("p", "Never", "command: [sleep, infinity]") + "  activeDeadlineSeconds: 5\n"));
    lab.wait(10.0).await;
    let pod = lab.get("", "pods", "p");
    assert_eq!((text(&pod, "/status/phase"), text(&pod, "/status/reason")), ("Failed", "DeadlineExceeded"));
}

#[tokio::test(start_paused = true)]
async fn a_pod_whose_service_account_comes_later_is_created_then() {
    let lab = Lab::new("");
    lab.apply("apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec: {template: {spec: {serviceAccountName: deployer, restartPolicy: Never, containers: [{name: main, image: a}]}}}\n");
    lab.wait(5.0).await;
    assert_eq!(lab.pods().len(), 0);
    assert!(lab.events().iter().any(|event| event.starts_with("FailedCreate: Error creating: pods \"j-")), "{:?}", lab.events());
    lab.apply("apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: deployer}\n");
    lab.wait(10.0).await;
    assert_eq!(number(&lab.get("batch", "jobs", "j"), "succeeded"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_is_deleted_while_it_still_pulls_an_image_goes_when_its_deaf_container_is_killed() {
    let lab =
        Lab::new("pods: [{match: {container: main}, hang: true, ignoreTerm: true}, {match: {container: slow}, pull: {delay: 10s}}]\n");
    lab.apply(&(pod("p", "Always", "") + "  - {name: slow, image: \"slow:1\"}\n"));
    lab.wait(5.0).await;
    lab.store.delete("", "pods", "default", "p", &DeleteOptions::default()).unwrap();
    lab.wait(20.0).await;
    assert_eq!(lab.pods().len(), 1);
    lab.wait(15.0).await;
    assert_eq!(lab.pods().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_waits_for_a_volume_runs_into_its_deadline_too() {
    let lab = Lab::new("");
    lab.apply(&(pod("p", "Never", "") + "  activeDeadlineSeconds: 3\n  volumes: [{name: keys, secret: {secretName: keys}}]\n"));
    lab.wait(20.0).await;
    assert_eq!(text(&lab.get("", "pods", "p"), "/status/reason"), "DeadlineExceeded");
}
