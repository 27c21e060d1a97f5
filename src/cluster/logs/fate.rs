//! What will become of a container's log, read from its pod. Pure.

use jiff::Timestamp;
use serde_json::Value;

use super::super::live::{list, text};

/// Whether there is anything left to read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The pod, or the container in it, does not exist.
    Gone,
    Here(Run),
}

/// The present run of a container. `restarts`: how many runs there were before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Run {
    /// Has never run, and may start.
    Waiting {
        restarts: u32,
    },
    Running {
        restarts: u32,
    },
    /// Over, but will be started again.
    Resting {
        restarts: u32,
    },
    /// Over for good.
    Ended {
        restarts: u32,
    },
}

impl Run {
    pub(super) fn restarts(self) -> u32 {
        match self {
            Self::Waiting { restarts } | Self::Running { restarts } | Self::Resting { restarts } | Self::Ended { restarts } => restarts,
        }
    }
}

pub(super) fn of(pod: &Value, container: &str) -> Fate {
    let pod_is_over = ["Succeeded", "Failed"].contains(&text(&pod["status"]["phase"]));
    let init = list(&pod["spec"]["initContainers"]).find(|spec| spec["name"] == container);
    let Some(status) = status_of(pod, container) else {
        return if pod_is_over { Fate::Gone } else { Fate::Here(Run::Waiting { restarts: 0 }) };
    };
    let restarts = status["restartCount"].as_u64().and_then(|count| u32::try_from(count).ok()).unwrap_or_default();
    let state = &status["state"];
    let has_run = restarts > 0 || status["lastState"]["terminated"].is_object();
    Fate::Here(if state["running"].is_object() {
        Run::Running { restarts }
    } else if let Some(ended) = state.get("terminated") {
        let is_final = pod_is_over || pod["metadata"]["deletionTimestamp"].is_string() || !starts_again(pod, ended, init);
        if is_final { Run::Ended { restarts } } else { Run::Resting { restarts } }
    } else if pod_is_over {
        // A pod that ended without this container ever running has no log of it.
        if has_run { Run::Ended { restarts } } else { return Fate::Gone }
    } else if has_run {
        Run::Resting { restarts }
    } else {
        Run::Waiting { restarts }
    })
}

/// Returns when the present run was started, to the second: the log of the one before it is what the kubelet calls the previous one.
pub(super) fn start_of_present(pod: &Value, container: &str) -> Option<Timestamp> {
    let state = &status_of(pod, container)?["state"];
    ["running", "terminated"].iter().find_map(|name| text(&state[*name]["startedAt"]).parse().ok())
}

fn status_of<'a>(pod: &'a Value, container: &str) -> Option<&'a Value> {
    let named = |field: &str| list(&pod["status"][field]).find(|status| status["name"] == container);
    named("initContainerStatuses").or_else(|| named("containerStatuses"))
}

/// `init`: the spec of the container, if it is an init container.
fn starts_again(pod: &Value, ended: &Value, init: Option<&Value>) -> bool {
    let succeeded = ended["exitCode"] == 0;
    // A native sidecar runs as long as its pod, whatever the pod's policy.
    if init.is_some_and(|spec| spec["restartPolicy"] == "Always") {
        return true;
    }
    match text(&pod["spec"]["restartPolicy"]) {
        "Never" => false,
        "OnFailure" => !succeeded,
        // An init container that succeeded has done its work, whatever the policy.
        _ => !(init.is_some() && succeeded),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(policy: &str, phase: &str, status: &Value) -> Value {
        json!({"spec": {"restartPolicy": policy, "containers": [{"name": "c"}]}, "status": {"phase": phase, "containerStatuses": [status]}})
    }

    fn state(restarts: u32, state: &Value) -> Value {
        json!({"name": "c", "restartCount": restarts, "state": state})
    }

    #[test]
    fn a_log_ends_with_the_last_run_of_its_container() {
        let (waiting, running) = (json!({"waiting": {"reason": "ContainerCreating"}}), json!({"running": {}}));
        let ended = |code: i32| json!({"terminated": {"exitCode": code}});
        for (policy, phase, restarts, now, fate) in [
            ("Never", "Pending", 0, waiting.clone(), Run::Waiting { restarts: 0 }),
            ("Never", "Running", 0, running.clone(), Run::Running { restarts: 0 }),
            ("Never", "Running", 0, ended(1), Run::Ended { restarts: 0 }),
            ("OnFailure", "Running", 2, ended(1), Run::Resting { restarts: 2 }),
            ("OnFailure", "Running", 2, waiting, Run::Resting { restarts: 2 }),
            ("OnFailure", "Running", 2, ended(0), Run::Ended { restarts: 2 }),
            ("Always", "Running", 0, ended(0), Run::Resting { restarts: 0 }),
            ("Always", "Failed", 0, ended(0), Run::Ended { restarts: 0 }),
        ] {
            assert_eq!(of(&pod(policy, phase, &state(restarts, &now)), "c"), Fate::Here(fate), "{policy} {phase} {now}");
        }
    }

    #[test]
    fn a_native_sidecar_is_started_again_whatever_the_pods_policy_says() {
        for (policy, code) in [("Never", 1), ("Never", 0), ("OnFailure", 0), ("Always", 0)] {
            let ended = json!({"terminated": {"exitCode": code}});
            let mut pod = pod(policy, "Running", &json!({}));
            pod["spec"]["initContainers"] = json!([{"name": "setup"}, {"name": "proxy", "restartPolicy": "Always"}]);
            let status = |name: &str| json!({"name": name, "restartCount": 0, "state": ended});
            pod["status"]["initContainerStatuses"] = json!([status("setup"), status("proxy")]);
            assert_eq!(of(&pod, "proxy"), Fate::Here(Run::Resting { restarts: 0 }), "{policy} {code}");
            if policy == "Never" {
                assert_eq!(of(&pod, "setup"), Fate::Here(Run::Ended { restarts: 0 }), "{policy} {code}");
            }
        }
    }

    #[test]
    fn a_container_that_never_ran_has_no_log_once_its_pod_is_over() {
        assert_eq!(of(&pod("Never", "Failed", &state(0, &json!({"waiting": {}}))), "c"), Fate::Gone);
        assert_eq!(of(&json!({"status": {"phase": "Failed"}}), "c"), Fate::Gone);
        assert_eq!(of(&json!({}), "c"), Fate::Here(Run::Waiting { restarts: 0 }));
    }

    #[test]
    fn a_container_that_ended_in_a_pod_in_deletion_is_not_started_again() {
        let mut pod = pod("Always", "Running", &state(0, &json!({"terminated": {"exitCode": 137}})));
        pod["metadata"] = json!({"deletionTimestamp": "2026-03-01T09:00:00Z"});
        assert_eq!(of(&pod, "c"), Fate::Here(Run::Ended { restarts: 0 }));
    }
}
