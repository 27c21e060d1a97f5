//! What an object is given once, when it is made or soon after: its node, its token's volume, its addresses, its volume. A dry run makes
//! them up anew or has none, and they say nothing of what a target asks for. Owns which fields these are; must not ask the server.

use serde_json::Value;

use super::beside::rename;

/// How the server calls the volume of a pod's token, before five letters by chance.
const TOKEN: &str = "kube-api-access-";

/// Gives a new object what the old one was given, wherever the target leaves it to the server.
pub(super) fn keep(new: &mut Value, old: &Value, target: &Value) {
    match (new["apiVersion"].as_str(), new["kind"].as_str()) {
        (Some("v1"), Some("Pod")) => {
            keep_fields(new, old, target, &["nodeName"]);
            if let (Some(name), Some(known)) = (token(new), token(old)) {
                rename(new, &name, &known);
            }
        }
        (Some("v1"), Some("PersistentVolumeClaim")) => keep_fields(new, old, target, &["volumeName"]),
        (Some("v1"), Some("Service")) => {
            keep_fields(new, old, target, &["clusterIP", "clusterIPs", "healthCheckNodePort"]);
            keep_node_ports(new, old, target);
        }
        _ => {}
    }
}

fn keep_fields(new: &mut Value, old: &Value, target: &Value, names: &[&str]) {
    let is_asked_for = |name: &str| target["spec"].get(name).is_some_and(|value| !value.is_null());
    let Some(spec) = new.get_mut("spec").and_then(Value::as_object_mut) else { return };
    for name in names.iter().filter(|name| !is_asked_for(name)) {
        // Nodes and volumes come later; a Service that was made without an address has none to keep, and a headless one has none to lose.
        let is_later = ["nodeName", "volumeName"].contains(name);
        let is_kept = |known: &Value| is_later || spec.get(*name).is_some_and(|made| is_none(made) == is_none(known));
        if let Some(known) = old["spec"].get(name).filter(|known| is_kept(known)) {
            spec.insert((*name).to_owned(), known.clone());
        }
    }
}

fn is_none(address: &Value) -> bool {
    address == "None" || address.as_array().is_some_and(|all| all.iter().any(|one| one == "None"))
}

fn keep_node_ports(new: &mut Value, old: &Value, target: &Value) {
    let ports = |object: &Value| object.pointer("/spec/ports").and_then(Value::as_array).cloned().unwrap_or_default();
    let (known, wanted) = (ports(old), ports(target));
    let protocol = |port: &Value| port["protocol"].as_str().unwrap_or("TCP").to_owned();
    for made in new.pointer_mut("/spec/ports").and_then(Value::as_array_mut).into_iter().flatten() {
        let is_same = |port: &&Value| port["port"] == made["port"] && protocol(port) == protocol(made);
        let is_asked_for = wanted.iter().find(is_same).is_some_and(|port| port["nodePort"].is_number());
        let number = known.iter().find(is_same).map(|port| port["nodePort"].clone()).filter(Value::is_number);
        if let (false, true, Some(number)) = (is_asked_for, made["nodePort"].is_number(), number) {
            made["nodePort"] = number;
        }
    }
}

fn token(pod: &Value) -> Option<String> {
    let volumes = pod.pointer("/spec/volumes").and_then(Value::as_array)?;
    volumes.iter().filter_map(|volume| volume["name"].as_str()).find(|name| name.starts_with(TOKEN)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kept(kind: &str, new: &Value, old: &Value, target: &Value) -> Value {
        let mut made = json!({"apiVersion": "v1", "kind": kind, "spec": new});
        keep(&mut made, &json!({"spec": old}), &json!({"spec": target}));
        made["spec"].take()
    }

    #[test]
    fn a_pod_keeps_its_node_and_the_name_of_its_tokens_volume_and_a_claim_its_volume() {
        let pod = |token: &str| json!({"volumes": [{"name": token}], "containers": [{"name": "c", "volumeMounts": [{"name": token}]}]});
        let mut old = pod("kube-api-access-aaaaa");
        old["nodeName"] = json!("one");
        assert_eq!(kept("Pod", &pod("kube-api-access-bbbbb"), &old, &json!({})), old);
        let asked = json!({"nodeName": "two"});
        assert_eq!(kept("Pod", &asked, &old, &asked)["nodeName"], "two", "a target that asks for a node gets it");
        assert_eq!(kept("Pod", &json!({}), &json!({}), &json!({})), json!({}));
        let bound = json!({"volumeName": "pv"});
        assert_eq!(kept("PersistentVolumeClaim", &json!({}), &bound, &json!({})), bound, "what becomes of the volume is an effect");
    }

    #[test]
    fn a_service_keeps_addresses_and_node_ports_that_it_does_not_ask_for() {
        let service = |address: &str, port: u64| json!({"clusterIP": address, "clusterIPs": [address], "ports": [{"port": 80, "nodePort": port}, {"port": 81, "protocol": "UDP", "nodePort": port + 1}]});
        let (old, new) = (service("10.0.0.1", 30001), service("10.0.0.2", 30005));
        assert_eq!(kept("Service", &new, &old, &json!({"ports": [{"port": 80}]})), old);
        let asked = json!({"clusterIP": "10.0.0.2", "clusterIPs": ["10.0.0.2"], "ports": [{"port": 80, "nodePort": 30005}]});
        let found = kept("Service", &new, &old, &asked);
        assert_eq!(
            (&found["clusterIP"], &found["ports"][0]["nodePort"], &found["ports"][1]["nodePort"]),
            (&json!("10.0.0.2"), &json!(30005), &json!(30002))
        );
        let headless = service("None", 1);
        assert_eq!(kept("Service", &new, &headless, &json!({}))["clusterIP"], "10.0.0.2", "another kind of Service has another address");
        assert_eq!(kept("ConfigMap", &new, &old, &json!({})), new);
    }

    #[test]
    fn half_written_objects_are_left_as_they_are() {
        for odd in [json!(null), json!([]), json!({"ports": {}, "volumes": 1}), json!({"ports": [1, null], "volumes": [null, {"name": 1}]})]
        {
            for kind in ["Pod", "Service"] {
                assert_eq!(kept(kind, &odd, &odd, &odd), odd);
            }
        }
    }
}
