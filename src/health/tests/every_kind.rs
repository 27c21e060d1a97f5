//! Every rule meets the states that an object has before and while its controller writes: no status, an empty one, one of a wrong shape.

use super::super::RULES;
use super::*;

/// What a rule says of a status that is absent or null, of an empty one, and whether a text in its place is an error.
type Beginning = (&'static str, &'static str, HealthStatus, HealthStatus, Malformed);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Malformed {
    Error,
    /// Argo CD reads it without types: what is not there is waited for.
    Waits,
}

const BEGINNINGS: [Beginning; 17] = [
    ("", "Pod", Unknown, Unknown, Malformed::Error),
    ("", "Service", Progressing, Progressing, Malformed::Error),
    ("", "PersistentVolumeClaim", Unknown, Unknown, Malformed::Error),
    ("apps", "Deployment", Progressing, Progressing, Malformed::Error),
    ("apps", "StatefulSet", Progressing, Progressing, Malformed::Error),
    ("apps", "DaemonSet", Progressing, Progressing, Malformed::Error),
    ("apps", "ReplicaSet", Progressing, Progressing, Malformed::Error),
    ("batch", "Job", Progressing, Progressing, Malformed::Error),
    // It has been looked at, and its time has not come.
    ("batch", "CronJob", Progressing, Healthy, Malformed::Error),
    ("networking.k8s.io", "Ingress", Progressing, Progressing, Malformed::Waits),
    ("extensions", "Ingress", Progressing, Progressing, Malformed::Waits),
    ("autoscaling", "HorizontalPodAutoscaler", Progressing, Progressing, Malformed::Error),
    ("policy", "PodDisruptionBudget", Progressing, Progressing, Malformed::Error),
    ("apiextensions.k8s.io", "CustomResourceDefinition", Progressing, Progressing, Malformed::Error),
    ("apiregistration.k8s.io", "APIService", Progressing, Progressing, Malformed::Error),
    ("argoproj.io", "Workflow", Progressing, Progressing, Malformed::Error),
    ("argoproj.io", "Rollout", Progressing, Progressing, Malformed::Error),
];

fn of(group: &str, kind: &str, status: &Value) -> Assessment {
    let rule = RULES.iter().find(|rule| (rule.group, rule.kind) == (group, kind)).unwrap();
    let version = rule.versions.last().unwrap_or(&"v1");
    let api_version = if group.is_empty() { (*version).to_owned() } else { format!("{group}/{version}") };
    let mut object = fresh(&api_version, kind, json!({"type": "LoadBalancer", "replicas": 1}));
    if *status != json!("absent") {
        object["status"] = status.clone();
    }
    Rules::default().assess(&Object::new(object))
}

#[test]
fn r413_every_rule_has_a_word_for_an_absent_an_empty_and_a_malformed_status() {
    let listed: Vec<(&str, &str)> = BEGINNINGS.iter().map(|(group, kind, ..)| (*group, *kind)).collect();
    assert_eq!(listed, RULES.iter().map(|rule| (rule.group, rule.kind)).collect::<Vec<_>>());
    for (group, kind, absent, empty, malformed) in BEGINNINGS {
        for (status, expected) in [(json!("absent"), absent), (json!(null), absent), (json!({}), empty)] {
            let found = of(group, kind, &status);
            assert!(matches!(&found, Assessment::Known(health) if health.status == expected), "{kind}: {status}: {found:?}");
        }
        for status in [json!("ok"), json!(3), json!([]), json!(true)] {
            let found = of(group, kind, &status);
            let fits = match malformed {
                Malformed::Error => matches!(&found, Assessment::Error(error) if error.contains("status is ")),
                Malformed::Waits => found.status() == Some(Progressing),
            };
            assert!(fits, "{kind}: {status}: {found:?}");
        }
    }
}

#[test]
fn r413_conditions_of_a_wrong_shape_are_never_healthy() {
    for (group, kind, ..) in BEGINNINGS {
        for conditions in [
            json!("True"),
            json!({"Ready": "True"}),
            json!([["Available", "True"]]),
            json!([{"type": ["Available"], "status": "True"}]),
            json!([{"type": "Available", "status": true}, {"type": "Complete", "status": true}, {"type": "Established", "status": true}]),
            json!([{"type": "Available", "status": "true"}, {"type": "Established", "status": "true"}, {"type": "AbleToScale", "status": "true"}]),
        ] {
            let found = of(group, kind, &json!({"conditions": conditions}));
            // These two have other evidence, or take an absent one for health.
            let is_blind = matches!(kind, "CronJob" | "PodDisruptionBudget");
            assert!(is_blind || found.status() != Some(Healthy), "{kind}: {conditions}: {found:?}");
        }
    }
}
