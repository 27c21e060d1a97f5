//! Health as real controllers write it.

use serde_json::json;

use crate::support::{ObjectExt, SOON, Screen, Space, config_map, deployment, eventually, job};

/// R413 R615 R625 and A1: an autoscaler without metrics is Degraded, although AbleToScale=True stands first in its conditions
/// (seen: after 15 s, both at once), and fails the operation.
#[test]
fn r413_an_autoscaler_without_metrics_is_degraded_and_fails_the_wave() {
    let Some(space) = Space::open("hpa") else { return };
    let scaler = json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"},
        "spec": {
            "minReplicas": 1, "maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}],
        },
    });
    let target =
        space.write("hpa", &[deployment("web", "touch /tmp/ready; exec sleep 600").wave(-1), scaler, config_map("next", "1").wave(1)]);
    let outcome = space.sync(&target).run();
    outcome.assert_end(1, "Failed", "one or more synchronization tasks completed unsuccessfully");
    let results = outcome.results();
    assert_eq!(results[0].split(": ").next(), Some("Sync Deployment/web Synced Succeeded"));
    assert!(
        results[1].starts_with("Sync HorizontalPodAutoscaler/web Synced Failed: the HPA was unable to compute the replica count: "),
        "{results:?}"
    );
    assert_eq!(outcome.not_run(), ["ConfigMap/next: blocked"]);
}

/// R410 R413: a hook whose image cannot be had is waited for, and is no failure. The screen says why, in the kubelet's words.
#[test]
fn r413_a_hook_whose_image_cannot_be_had_waits_and_the_screen_says_why() {
    let Some(space) = Space::open("image") else { return };
    let hook = job("pre", "true").hook("PreSync").with("/spec/template/spec/containers/0/image", "e2e.invalid/no:1");
    let target = space.write("image", &[hook, config_map("next", "1")]);
    let mut screen = Screen::open(&space, &["sync".as_ref(), target.as_os_str()]);
    let reasons = ["get", "pods", "-o", "jsonpath={.items[*].status.containerStatuses[*].state.waiting.reason}"];
    eventually("ErrImagePull", SOON, || space.kubectl(&reasons).contains("ErrImagePull").then_some(()));
    screen.shows(&["SYNCING", "for Job/pre: pod pre-", ": ErrImagePull: ", "Failed to pull image \"e2e.invalid/no:1\""]);
    assert!(space.names("configmaps").is_empty(), "it is waited for");
    screen.press("t");
    screen.shows(&["Terminate the running sync?"]);
    screen.press("y");
    screen.shows(&["TERMINATED", "nothing had been applied"]);
    screen.press("q");
    assert_eq!(screen.finish(), 3);
    space.assert_no_finalizer();
}
