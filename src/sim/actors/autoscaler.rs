//! The status of HorizontalPodAutoscalers: first that the target can be scaled, and with the next sample that there
//! are metrics. Never scales anything.

use std::time::Duration;

use serde_json::{Value, json};

use super::queue::ObjectRef;
use super::world::{MANAGER, World};
use crate::sim::fields::{self, Condition, condition, int, text};

const NAME: &str = "horizontal-pod-autoscaler";
/// How often the metrics are sampled.
const PERIOD: Duration = Duration::from_secs(15);

/// Looks after one autoscaler; returns when to look again.
pub(super) fn reconcile(world: &mut World, place: &ObjectRef) -> Option<Duration> {
    let scaler = world.get(place)?;
    let target = &scaler["spec"]["scaleTargetRef"];
    let (kind, name) = (text(target, "/kind"), text(target, "/name"));
    let plural = match kind {
        "Deployment" => "deployments",
        "StatefulSet" => "statefulsets",
        "ReplicaSet" => "replicasets",
        _ => "",
    };
    let Some(workload) = world.store.get("apps", plural, &place.namespace, name) else {
        let problem = format!("{plural}.apps \"{name}\" not found");
        world.warning(&scaler, NAME, "FailedGetScale", &problem);
        let message = format!("the HPA controller was unable to get the target's current scale: {problem}");
        write(world, place, &[("AbleToScale", "False", "FailedGetScale", &message)], None);
        return Some(PERIOD);
    };
    let replicas = int(&workload, "/spec/replicas").unwrap_or(1);
    if condition(&scaler, "AbleToScale").is_none_or(|able| able["status"] != "True") {
        let message = "the HPA controller was able to get the target's current scale";
        write(world, place, &[("AbleToScale", "True", "SucceededGetScale", message)], Some(replicas));
    } else {
        let conditions = [
            ("AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size"),
            (
                "ScalingActive",
                "True",
                "ValidMetricFound",
                "the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)",
            ),
            ("ScalingLimited", "False", "DesiredWithinRange", "the desired count is within the acceptable range"),
        ];
        write(world, place, &conditions, Some(replicas));
    }
    Some(PERIOD)
}

fn write(world: &World, place: &ObjectRef, conditions: &[(&str, &str, &str, &str)], replicas: Option<i64>) {
    let now = world.now();
    world.update_status(MANAGER, place, |scaler| {
        for (kind, status, reason, message) in conditions.iter().copied() {
            fields::set_condition(scaler, Condition { kind, status, reason, message }, now);
        }
        if let Some(replicas) = replicas {
            scaler["status"]["currentReplicas"] = replicas.into();
            scaler["status"]["desiredReplicas"] = replicas.into();
            scaler["status"]["currentMetrics"] = Value::Null;
        }
        if replicas.is_some() && scaler["status"]["observedGeneration"].is_null() && fields::generation(scaler) > 0 {
            scaler["status"]["observedGeneration"] = json!(fields::generation(scaler));
        }
    });
}
