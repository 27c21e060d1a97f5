//! Health of HorizontalPodAutoscaler and PodDisruptionBudget (spec R413, design page health.md). Reads the object alone.

use serde_json::Value;

use super::read::{Condition, conditions, conditions_of, text};
use super::{Verdict, degraded, healthy, progressing};

/// Where `autoscaling/v1`, which has no conditions, keeps them as JSON.
const V1_CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";

const FAILURES: [(&str, &str); 8] = [
    ("AbleToScale", "FailedGetScale"),
    ("AbleToScale", "FailedUpdateScale"),
    ("ScalingActive", "FailedGetResourceMetric"),
    ("ScalingActive", "FailedGetObjectMetric"),
    ("ScalingActive", "FailedGetPodsMetric"),
    ("ScalingActive", "FailedGetExternalMetric"),
    ("ScalingActive", "FailedComputeMetricsReplicas"),
    ("ScalingActive", "InvalidSelector"),
];

pub(super) fn horizontal_pod_autoscaler(object: &Value) -> Verdict {
    if text(object, &["apiVersion"])? != "autoscaling/v1" {
        return autoscaler(&conditions(object)?);
    }
    let noted = text(object, &["metadata", "annotations", V1_CONDITIONS])?;
    if noted.is_empty() {
        return autoscaler(&[]);
    }
    let wrong = |reason: String| format!("annotation {V1_CONDITIONS}{reason}");
    match serde_json::from_str::<Value>(noted) {
        Ok(Value::Array(items)) => autoscaler(&conditions_of(&items).map_err(wrong)?),
        Ok(Value::Null) => autoscaler(&[]),
        Ok(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => Err(wrong(" is not a list".into())),
        Err(error) => Err(wrong(format!(" is not JSON: {error}"))),
    }
}

/// A failure decides wherever it stands: without metrics the controller still writes AbleToScale=True first.
fn autoscaler(conditions: &[Condition<'_>]) -> Verdict {
    if let Some(failure) = conditions.iter().find(|condition| FAILURES.contains(&(condition.kind, condition.reason))) {
        return degraded(failure.message);
    }
    match conditions.iter().find(|condition| condition.is("AbleToScale", "True") || condition.is("ScalingLimited", "True")) {
        Some(condition) => healthy(condition.message),
        None => progressing("Waiting to Autoscale"),
    }
}

/// The last condition decides, unless one before it is False for another reason than too few pods.
pub(super) fn pod_disruption_budget(object: &Value) -> Verdict {
    let conditions = conditions(object)?;
    let broken = conditions.iter().find(|condition| condition.status == "False" && condition.reason != "InsufficientPods");
    match (broken, conditions.last()) {
        (Some(condition), _) => degraded(format!("PodDisruptionBudget has {}", condition.reason)),
        (None, Some(condition)) => healthy(format!("PodDisruptionBudget has {}", condition.reason)),
        (None, None) => progressing("Waiting for status"),
    }
}
