//! Writes the status of a pod from its containers: phase, conditions, container statuses.

use serde_json::{Map, Value, json};

use super::behaviour::Part;
use super::container::{Container, Ended, State};
use super::pod::PodRun;
use super::site::Site;
use crate::sim::actors::ObjectRef;
use crate::sim::fields::{self, fnv, is_deleting, list, stamp, text};

/// Writes the status; nothing happens if it is as before.
pub(super) fn write(run: &PodRun, site: &Site<'_>) {
    let place = ObjectRef::of("", "pods", site.pod);
    let phase = phase(run, site.pod);
    let (spec, now) = (&site.pod["spec"], site.now);
    let host = format!("192.168.1.{}", 10 + fnv(site.node.as_bytes()) % 200);
    site.world.update_status("kubelet", &place, |pod| {
        let status = &mut pod["status"];
        status["phase"] = phase.into();
        status["hostIP"] = host.as_str().into();
        status["hostIPs"] = json!([{"ip": host}]);
        status["startTime"] = stamp(run.began).into();
        if run.containers.iter().any(|container| !matches!(container.state, State::Waiting)) {
            status["podIP"] = run.ip.as_str().into();
            status["podIPs"] = json!([{"ip": run.ip}]);
        }
        if let Some((reason, message)) = run.failure {
            (status["reason"], status["message"]) = (reason.into(), message.into());
        }
        for (field, in_spec, of_main) in [("initContainerStatuses", "initContainers", false), ("containerStatuses", "containers", true)] {
            let containers = run.containers.iter().filter(|container| (container.part == Part::Main) == of_main);
            let statuses: Vec<Value> = containers.map(|container| container_status(run, container, spec, in_spec)).collect();
            if !statuses.is_empty() {
                status[field] = statuses.into();
            }
        }
        set_conditions(run, pod, phase, &stamp(now));
    });
}

fn phase(run: &PodRun, pod: &Value) -> &'static str {
    let main = || run.containers.iter().filter(|container| container.part == Part::Main);
    let succeeded = || main().all(|container| container.ended().is_some_and(|ended| ended.exit == 0));
    if run.failure.is_some() {
        return "Failed";
    }
    let is_stopped = is_deleting(pod) && !run.containers.iter().any(Container::is_running);
    if run.is_over(pod) || is_stopped && main().any(|container| container.ended().is_some()) {
        return if succeeded() { "Succeeded" } else { "Failed" };
    }
    let has_begun = |container: &Container| container.last.is_some() || matches!(container.state, State::Running(_) | State::Ended(_));
    if main().all(has_begun) { "Running" } else { "Pending" }
}

fn container_status(run: &PodRun, container: &Container, spec: &Value, list_name: &str) -> Value {
    let in_spec = list(&spec[list_name], "").iter().find(|one| one["name"] == *container.name).unwrap_or(&Value::Null);
    let image = text(in_spec, "/image");
    let has_run = container.last.is_some() || matches!(container.state, State::Running(_) | State::Ended(_));
    let id = |restarts: u32| {
        format!("containerd://{:016x}{:016x}", fnv(run.uid.as_bytes()), fnv(format!("{}{restarts}", container.name).as_bytes()))
    };
    let ended = |ended: &Ended, restarts: u32| {
        let mut terminated = json!({
            "exitCode": ended.exit, "reason": ended.reason, "startedAt": stamp(ended.started), "finishedAt": stamp(ended.finished),
            "containerID": id(restarts),
        });
        if let Some(message) = &ended.message {
            terminated["message"] = message.as_str().into();
        }
        json!({"terminated": terminated})
    };
    let state = match &container.state {
        State::Running(running) => json!({"running": {"startedAt": stamp(running.started)}}),
        State::Ended(end) => ended(end, container.restarts),
        _ => json!({"waiting": waiting(run, container)}),
    };
    let ready = container.is_ready() || container.part == Part::Init && container.ended().is_some_and(|ended| ended.exit == 0);
    json!({
        "name": container.name, "image": image, "restartCount": container.restarts, "ready": ready, "started": container.is_running(),
        "imageID": if has_run { format!("{image}@sha256:{:016x}", fnv(image.as_bytes())) } else { String::new() },
        "containerID": if has_run { id(container.restarts) } else { String::new() },
        "state": state,
        "lastState": container.last.as_ref().map_or_else(|| Value::Object(Map::new()), |last| ended(last, container.restarts.saturating_sub(1))),
    })
}

fn waiting(run: &PodRun, container: &Container) -> Value {
    match &container.state {
        State::Unpulled { reason, message, .. } => json!({"reason": reason, "message": message}),
        State::Unconfigured { message, .. } => json!({"reason": "CreateContainerConfigError", "message": message}),
        State::BackingOff { pause, .. } => {
            let pause = if pause.as_secs() % 60 == 0 { format!("{}m0s", pause.as_secs() / 60) } else { seconds(pause.as_secs()) };
            json!({"reason": "CrashLoopBackOff", "message": format!("back-off {pause} restarting failed container={}", container.name)})
        }
        State::Waiting | State::Pulling { .. } | State::Starting { .. } | State::Running(_) | State::Ended(_) => {
            let before = run.containers.iter().take_while(|one| one.name != container.name);
            let behind = before.filter(|one| one.part != Part::Main).any(|one| match one.part {
                Part::Init => one.ended().is_none_or(|ended| ended.exit != 0),
                Part::Sidecar => !one.is_running(),
                Part::Main => false,
            });
            json!({"reason": if behind { "PodInitializing" } else { "ContainerCreating" }})
        }
    }
}

fn seconds(seconds: u64) -> String {
    if seconds < 60 { format!("{seconds}s") } else { format!("{}m{}s", seconds / 60, seconds % 60) }
}

fn set_conditions(run: &PodRun, pod: &mut Value, phase: &str, now: &str) {
    let is_done = |container: &Container| match container.part {
        Part::Init => container.ended().is_some_and(|ended| ended.exit == 0),
        Part::Sidecar => container.is_running() || container.ended().is_some(),
        Part::Main => true,
    };
    let names = |matches: &dyn Fn(&Container) -> bool| -> String {
        let names: Vec<&str> =
            run.containers.iter().filter(|container| matches(container)).map(|container| container.name.as_str()).collect();
        names.join(" ")
    };
    let unready = names(&|container| container.part != Part::Init && !container.is_ready());
    let incomplete = names(&|container| !is_done(container));
    let sandbox = run.containers.iter().any(|container| !matches!(container.state, State::Waiting));
    let initialized = if incomplete.is_empty() {
        ("True", if phase == "Succeeded" { "PodCompleted" } else { "" }, String::new())
    } else {
        ("False", "ContainersNotInitialized", format!("containers with incomplete status: [{incomplete}]"))
    };
    let ready = match phase {
        "Succeeded" => ("False", "PodCompleted", String::new()),
        "Failed" => ("False", "PodFailed", String::new()),
        _ if unready.is_empty() && !run.containers.is_empty() => ("True", "", String::new()),
        _ => ("False", "ContainersNotReady", format!("containers with unready status: [{unready}]")),
    };
    set(pod, "PodReadyToStartContainers", (if sandbox { "True" } else { "False" }, "", String::new()), now);
    set(pod, "Initialized", initialized, now);
    set(pod, "Ready", ready.clone(), now);
    set(pod, "ContainersReady", ready, now);
    set(pod, "PodScheduled", ("True", "", String::new()), now);
}

fn set(pod: &mut Value, kind: &str, (status, reason, message): (&str, &str, String), now: &str) {
    let former = fields::condition(pod, kind).cloned().unwrap_or_default();
    let since = if former["status"] == status { former["lastTransitionTime"].clone() } else { now.into() };
    let mut fresh = json!({"type": kind, "status": status, "lastProbeTime": null, "lastTransitionTime": since});
    for (key, text) in [("reason", reason), ("message", message.as_str())] {
        if !text.is_empty() {
            fresh[key] = text.into();
        }
    }
    if !pod["status"]["conditions"].is_array() {
        pod["status"]["conditions"] = json!([]);
    }
    let Some(conditions) = pod["status"]["conditions"].as_array_mut() else { return };
    match conditions.iter_mut().find(|condition| condition["type"] == kind) {
        Some(condition) => *condition = fresh,
        None => conditions.push(fresh),
    }
}
