use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::RULES;
use super::*;

/// Words that rules look for, so that random objects reach deep into them.
const WORDS: [&str; 14] = [
    "Always",
    "Never",
    "Running",
    "Failed",
    "Complete",
    "Suspended",
    "True",
    "False",
    "Ready",
    "OnDelete",
    "RollingUpdate",
    "LoadBalancer",
    "3",
    "",
];
const KEYS: [&str; 22] = [
    "status",
    "spec",
    "conditions",
    "type",
    "message",
    "reason",
    "replicas",
    "updateStrategy",
    "rollingUpdate",
    "partition",
    "observedGeneration",
    "phase",
    "restartPolicy",
    "containerStatuses",
    "initContainerStatuses",
    "state",
    "lastState",
    "terminated",
    "waiting",
    "exitCode",
    "loadBalancer",
    "ingress",
];

fn any_json() -> impl Strategy<Value = Value> {
    let number = prop_oneof![any::<i64>().prop_map(Value::from), any::<f64>().prop_map(Value::from), Just(json!(u64::MAX))];
    let word = proptest::sample::select(&WORDS[..]).prop_map(Value::from);
    let leaf = prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), number, word];
    leaf.prop_recursive(5, 60, 6, |inner| {
        let map = proptest::collection::vec((proptest::sample::select(&KEYS[..]), inner.clone()), 0..6);
        let map = map.prop_map(|pairs| Value::Object(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>()));
        prop_oneof![proptest::collection::vec(inner, 0..4).prop_map(Value::from), map]
    })
}

proptest! {
    #[test]
    fn any_status_and_spec_get_a_verdict(spec in any_json(), status in any_json(), metadata in any_json()) {
        for rule in RULES {
            let version = rule.versions.first().unwrap_or(&"v1");
            let api_version = if rule.group.is_empty() { (*version).to_owned() } else { format!("{}/{version}", rule.group) };
            let with_name = json!({"name": "web", "generation": 1});
            for metadata in [with_name, metadata.clone()] {
                let object = Object::new(json!({"apiVersion": api_version, "kind": rule.kind, "metadata": metadata, "spec": spec, "status": status}));
                prop_assert_ne!(Rules::default().assess(&object), Assessment::NoRule);
                let _generations = observed(&object);
            }
        }
    }
}
