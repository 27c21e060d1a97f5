//! Turns the server's JSON into what the rest of the program knows of pods, Events and the parts of live objects. Judges nothing; see
//! `super::judge`.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::apply::Spot;
use super::wire::{CallError, Resource, with_query};
use super::{Cluster, Reporter};
use crate::model::{Container, ContainerState, Gvk, Object, ResourceKey, Unscheduled};

/// Returns the finalizers of an object.
pub(super) fn finalizers(value: &Value) -> Vec<String> {
    list(&value["metadata"]["finalizers"]).filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

/// Names an object that another object or an Event points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) group: Arc<str>,
    pub(super) kind: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) uid: Arc<str>,
}

/// A pod as the server says it, without the object of the plan that it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pod {
    pub(super) namespace: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) uid: Arc<str>,
    pub(super) controller: Option<Reference>,
    pub(super) phase: String,
    pub(super) created: Option<Timestamp>,
    pub(super) deleting: bool,
    pub(super) unscheduled: Option<Unscheduled>,
    pub(super) containers: Vec<Container>,
}

/// A pod of a hook that is about to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HookPod {
    pub(crate) namespace: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) uid: Arc<str>,
    /// Containers that have run and are over, so that their logs are whole.
    pub(crate) ended_containers: Vec<Arc<str>>,
    /// Uid of the object that controls it, empty if none does.
    pub(crate) controller: Arc<str>,
}

impl Cluster {
    /// Returns the pods that an object controls, or that it is, oldest first.
    ///
    /// # Errors
    /// Why they cannot be listed.
    pub(crate) async fn pods_of(&self, key: &ResourceKey, uid: &str) -> Result<Vec<HookPod>, CallError> {
        let pods = Resource::core("Pod", "pods");
        let reporter = Reporter::default();
        if (&*key.group, &*key.kind) == ("", "Pod") {
            let spot = Spot { resource: &pods, namespace: &key.namespace, name: &key.name };
            let own = self.get(spot, &reporter).await?.map(|object| pod(object.wire())).filter(|pod| *pod.uid == *uid);
            return Ok(own.into_iter().map(hook_pod).collect());
        }
        // The Job controller labels its pods; of other kinds every pod of the namespace has to be looked at.
        let label = format!("controller-uid={uid}");
        let selector = if *key.kind == *"Job" { label.as_str() } else { "" };
        let mut found = self.pods_in(&key.namespace, selector).await?;
        found.retain(|pod| *pod.controller == *uid);
        Ok(found)
    }

    /// Returns the pods of a namespace that a selector (empty: any) chooses, oldest first.
    ///
    /// # Errors
    /// Why they cannot be listed.
    pub(crate) async fn pods_in(&self, namespace: &str, selector: &str) -> Result<Vec<HookPod>, CallError> {
        let query = [("labelSelector", selector)];
        let query: &[(&str, &str)] = if selector.is_empty() { &[] } else { &query };
        let listed = self.wire.get(&with_query(&Resource::core("Pod", "pods").collection(namespace), query)).await?;
        let mut found: Vec<Pod> = list(&listed["items"]).map(pod).collect();
        found.sort_by(|one, other| (one.created, &one.name).cmp(&(other.created, &other.name)));
        Ok(found.into_iter().map(hook_pod).collect())
    }
}

fn hook_pod(pod: Pod) -> HookPod {
    let is_over = |container: &&Container| matches!(container.state, ContainerState::Terminated { .. });
    let ended_containers = pod.containers.iter().filter(is_over).map(|container| container.name.clone()).collect();
    let controller = pod.controller.map(|owner| owner.uid).unwrap_or_default();
    HookPod { namespace: pod.namespace, name: pod.name, uid: pod.uid, ended_containers, controller }
}

pub(super) fn pod(value: &Value) -> Pod {
    let metadata = &value["metadata"];
    Pod {
        namespace: text(&metadata["namespace"]).into(),
        name: text(&metadata["name"]).into(),
        uid: text(&metadata["uid"]).into(),
        controller: controller(value),
        phase: text(&value["status"]["phase"]).to_owned(),
        created: time(&metadata["creationTimestamp"]),
        deleting: metadata["deletionTimestamp"].is_string(),
        unscheduled: unscheduled(value),
        containers: containers(value),
    }
}

fn unscheduled(pod: &Value) -> Option<Unscheduled> {
    let mut conditions = list(&pod["status"]["conditions"]);
    let condition = conditions.find(|condition| condition["type"] == "PodScheduled" && condition["status"] == "False")?;
    Some(Unscheduled { reason: text(&condition["reason"]).to_owned(), message: text(&condition["message"]).to_owned() })
}

/// Returns the owner that controls an object.
pub(super) fn controller(value: &Value) -> Option<Reference> {
    let owner = list(&value["metadata"]["ownerReferences"]).find(|owner| owner["controller"] == true)?;
    let gvk = Gvk::new(text(&owner["apiVersion"]), text(&owner["kind"]));
    Some(Reference { group: gvk.group, kind: gvk.kind, name: text(&owner["name"]).into(), uid: text(&owner["uid"]).into() })
}

fn containers(pod: &Value) -> Vec<Container> {
    let of = |specs: &str, statuses: &str, init: bool| -> Vec<Container> {
        let status = |name: &str| list(&pod["status"][statuses]).find(|status| status["name"] == name);
        list(&pod["spec"][specs])
            .filter_map(|spec| spec["name"].as_str())
            .map(|name| container(name, init, status(name).unwrap_or(&Value::Null)))
            .collect()
    };
    let mut all = of("initContainers", "initContainerStatuses", true);
    all.extend(of("containers", "containerStatuses", false));
    all
}

fn container(name: &str, init: bool, status: &Value) -> Container {
    Container {
        name: name.into(),
        init,
        state: container_state(&status["state"]),
        ready: status["ready"].as_bool().unwrap_or_default(),
        restarts: status["restartCount"].as_u64().and_then(|count| u32::try_from(count).ok()).unwrap_or_default(),
    }
}

fn container_state(state: &Value) -> ContainerState {
    if let Some(running) = state.get("running") {
        return ContainerState::Running { since: time(&running["startedAt"]) };
    }
    if let Some(ended) = state.get("terminated") {
        return ContainerState::Terminated {
            exit_code: ended["exitCode"].as_i64().and_then(|code| i32::try_from(code).ok()).unwrap_or_default(),
            reason: text(&ended["reason"]).to_owned(),
            at: time(&ended["finishedAt"]),
        };
    }
    let waiting = &state["waiting"];
    ContainerState::Waiting { reason: text(&waiting["reason"]).to_owned(), message: text(&waiting["message"]).to_owned() }
}

/// An Event of the cluster, without the object of the plan that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ClusterEvent {
    pub(super) namespace: Arc<str>,
    pub(super) about: Reference,
    pub(super) warning: bool,
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) count: u32,
    pub(super) at: Option<Timestamp>,
}

pub(super) fn event(value: &Value) -> ClusterEvent {
    let about = &value["involvedObject"];
    let gvk = Gvk::new(text(&about["apiVersion"]), text(&about["kind"]));
    let count = [&value["series"]["count"], &value["count"]].into_iter().filter_map(Value::as_u64).max().unwrap_or(1);
    let times = [
        &value["series"]["lastObservedTime"],
        &value["lastTimestamp"],
        &value["eventTime"],
        &value["firstTimestamp"],
        &value["metadata"]["creationTimestamp"],
    ];
    ClusterEvent {
        namespace: text(&about["namespace"]).into(),
        about: Reference { group: gvk.group, kind: gvk.kind, name: text(&about["name"]).into(), uid: text(&about["uid"]).into() },
        warning: value["type"] == "Warning",
        reason: text(&value["reason"]).to_owned(),
        message: text(&value["message"]).to_owned(),
        count: u32::try_from(count).unwrap_or(u32::MAX),
        at: times.into_iter().filter_map(time).max(),
    }
}

/// Returns an item of a list as an object. Items of typed lists name neither kind nor version.
pub(super) fn completed(mut item: Value, gvk: &Gvk) -> Object {
    if let Some(fields) = item.as_object_mut() {
        fields.entry("apiVersion").or_insert_with(|| gvk.api_version().into());
        fields.entry("kind").or_insert_with(|| gvk.kind.to_string().into());
    }
    Object::new(item)
}

/// Reads a time stamp.
pub(super) fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// Returns a string, empty if it is none.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Returns the items of a list, none if it is none.
pub(super) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_lists_its_containers_init_first_with_their_states() {
        let seen = pod(&json!({
            "metadata": {"name": "p", "namespace": "shop", "uid": "u", "ownerReferences": [
                {"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "x"},
                {"apiVersion": "batch/v1", "kind": "Job", "name": "migrate", "uid": "j", "controller": true}]},
            "spec": {"initContainers": [{"name": "wait"}], "containers": [{"name": "main"}, {"name": "late"}]},
            "status": {"phase": "Running",
                "initContainerStatuses": [{"name": "wait", "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}, "restartCount": 2}],
                "containerStatuses": [{"name": "main", "ready": true, "state": {"running": {"startedAt": "2026-03-01T09:00:05Z"}}}]}
        }));
        assert_eq!(seen.controller.as_ref().map(|owner| (&*owner.group, &*owner.kind, &*owner.uid)), Some(("batch", "Job", "j")));
        let names: Vec<(&str, bool, u32)> = seen.containers.iter().map(|one| (&*one.name, one.init, one.restarts)).collect();
        assert_eq!(names, [("wait", true, 2), ("main", false, 0), ("late", false, 0)]);
        assert_eq!(seen.containers[0].state, ContainerState::Terminated { exit_code: 137, reason: "OOMKilled".into(), at: None });
        assert!(seen.containers[1].has_log() && !seen.containers[2].has_log());
    }

    #[test]
    fn an_event_counts_and_dates_itself_by_its_newest_field() {
        let seen = event(&json!({
            "metadata": {"creationTimestamp": "2026-03-01T09:00:00Z"}, "type": "Warning", "reason": "BackOff", "message": "m", "count": 3,
            "lastTimestamp": "2026-03-01T09:00:09Z", "eventTime": null,
            "involvedObject": {"kind": "Pod", "apiVersion": "v1", "namespace": "shop", "name": "p", "uid": "u"}}));
        assert_eq!((seen.count, seen.warning), (3, true));
        assert_eq!(seen.at, Some("2026-03-01T09:00:09Z".parse().unwrap()));
    }
}
