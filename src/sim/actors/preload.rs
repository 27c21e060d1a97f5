//! What is in the cluster before the story begins: nodes, storage classes, and the objects that the story names.

use std::sync::Arc;

use serde_json::{Value, json};

use super::queue::ObjectRef;
use super::world::{MANAGER, World};
use crate::sim::fields::stamp;
use crate::sim::story::Preloaded;

/// Makes everything that is there from the beginning. What the server refuses is told in the log.
pub(super) fn make(world: &World) {
    let story = Arc::clone(&world.story);
    for number in 1..=story.cluster.nodes {
        node(world, &format!("node-{number}"));
    }
    for (number, name) in story.cluster.storage_classes.iter().enumerate() {
        let mut class = json!({
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name},
            "provisioner": "syncwave.dev/volumes", "allowVolumeExpansion": true,
        });
        if number == 0 {
            class["metadata"]["annotations"] = json!({"storageclass.kubernetes.io/is-default-class": "true"});
        }
        create(world, class);
    }
    for object in &story.objects {
        match object {
            Preloaded::Object(object) => create(world, object.clone()),
            // Files are read by who loads the story; here are only those that nobody read.
            Preloaded::Files(pattern) => tracing::warn!("the files {pattern} of the story were not loaded"),
        }
    }
}

fn create(world: &World, object: Value) {
    let name = format!("{} {}", object["kind"], object["metadata"]["name"]);
    if let Err(problem) = world.create(MANAGER, object) {
        tracing::warn!("{name} of the story is refused: {problem}");
    }
}

fn node(world: &World, name: &str) {
    let version = world.story.cluster.version.clone().unwrap_or_else(|| "v1.36.0".into());
    let labels = json!({"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"});
    create(world, json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}, "spec": {}}));
    let now = stamp(world.now());
    world.update_status("kubelet", &ObjectRef::new("", "nodes", "", name), |node| {
        let room = json!({"cpu": "8", "memory": "32Gi", "pods": "110"});
        node["status"] = json!({
            "capacity": room, "allocatable": room,
            "conditions": [{
                "type": "Ready", "status": "True", "reason": "KubeletReady", "message": "kubelet is posting ready status",
                "lastHeartbeatTime": now, "lastTransitionTime": now,
            }],
            "nodeInfo": {"kubeletVersion": version, "operatingSystem": "linux", "architecture": "amd64"},
        });
    });
}
