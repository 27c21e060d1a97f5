//! What changes for those who use a Service, an Ingress, a role, a claim or a definition.

use serde_json::{Value, json};

use super::{Stage, object};

fn told(kind: &str, before: &Value, after: &Value) -> Vec<String> {
    Stage::changed(&object(kind, before.clone()), &object(kind, after.clone())).told()
}

#[test]
fn a_service_tells_of_its_type_its_ports_and_its_pods() {
    let service = |kind: &str, app: &str, ports: &[u64]| {
        let ports: Vec<Value> = ports.iter().map(|port| json!({"port": port, "protocol": "TCP"})).collect();
        json!({"spec": {"type": kind, "selector": {"app": app}, "ports": ports}, "status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}})
    };
    let from = service("LoadBalancer", "web", &[80, 443]);
    assert_eq!(
        told("Service", &from, &service("ClusterIP", "web", &[80, 443])),
        ["type changes from LoadBalancer to ClusterIP", "gives up the address 1.2.3.4"]
    );
    assert_eq!(told("Service", &from, &service("LoadBalancer", "new", &[80, 443])), ["sends to other pods: app=new instead of app=web"]);
    assert_eq!(told("Service", &from, &service("LoadBalancer", "web", &[80, 90])), ["does not serve any more port 443", "serves port 90"]);
}

#[test]
fn an_ingress_tells_of_hosts_and_of_its_class() {
    let ingress = |class: &str, hosts: &[&str]| {
        let rules: Vec<Value> = hosts.iter().map(|host| if host.is_empty() { json!({}) } else { json!({"host": host}) }).collect();
        json!({"spec": {"ingressClassName": class, "rules": rules}})
    };
    let kind = "networking.k8s.io/v1/Ingress";
    let from = ingress("nginx", &["a.example", ""]);
    assert_eq!(
        told(kind, &from, &ingress("nginx", &["b.example", ""])),
        ["does not serve any more host a.example", "serves host b.example"]
    );
    assert_eq!(told(kind, &from, &ingress("nginx", &["a.example"])), ["does not serve any more host *"]);
    assert_eq!(told(kind, &from, &ingress("traefik", &["a.example", ""])), ["moves from ingress class nginx to traefik"]);
}

#[test]
fn a_role_tells_of_rights_that_no_other_rule_gives() {
    let rule = |groups: &[&str], things: &[&str], verbs: &[&str]| json!({"apiGroups": groups, "resources": things, "verbs": verbs});
    let role = |rules: &[Value]| json!({"rules": rules});
    let kind = "rbac.authorization.k8s.io/v1/Role";
    let reads = rule(&[""], &["secrets"], &["get", "list"]);
    for (before, after, expected) in [
        (vec![reads.clone()], vec![rule(&[""], &["secrets"], &["get"])], vec!["takes the right to list secrets"]),
        (vec![reads.clone()], vec![rule(&[""], &["*"], &["get", "list"])], vec!["gives the right to get * and list *"]),
        (vec![reads.clone()], vec![rule(&[""], &["secrets"], &["list"]), rule(&[""], &["secrets"], &["get"])], vec![]),
        (
            vec![reads.clone()],
            vec![json!({"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["a"], "verbs": ["get", "list"]})],
            vec!["takes the right to get secrets and list secrets"],
        ),
        (
            vec![rule(&["apps"], &["deployments"], &["get"])],
            vec![rule(&["apps"], &["deployments", "deployments/scale"], &["get"])],
            vec!["gives the right to get deployments/scale.apps"],
        ),
        (
            vec![json!({"nonResourceURLs": ["/healthz", "/metrics"], "verbs": ["get"]})],
            vec![json!({"nonResourceURLs": ["/health*"], "verbs": ["get"]})],
            vec!["takes the right to get /metrics", "gives the right to get /health*"],
        ),
    ] {
        assert_eq!(told(kind, &role(&before), &role(&after)), expected);
    }
    let aggregated = |verb: &str| json!({"aggregationRule": {}, "rules": [rule(&[""], &["pods"], &[verb])]});
    assert_eq!(told("rbac.authorization.k8s.io/v1/ClusterRole", &aggregated("get"), &aggregated("list")), [""; 0]);
}

#[test]
fn a_binding_tells_whose_rights_come_and_go() {
    let binding = |names: &[&str]| {
        let subject = |name: &&str| json!({"kind": "ServiceAccount", "namespace": "shop", "name": name});
        json!({"subjects": names.iter().map(subject).collect::<Vec<_>>()})
    };
    let told = told("rbac.authorization.k8s.io/v1/RoleBinding", &binding(&["a", "b"]), &binding(&["b", "c"]));
    assert_eq!(told, ["takes its rights from ServiceAccount shop/a", "gives its rights to ServiceAccount shop/c"]);
}

#[test]
fn a_definition_tells_of_versions_and_a_claim_of_its_size() {
    let definition = |versions: &[(&str, bool, bool)]| {
        let version = |(name, served, storage): &(&str, bool, bool)| json!({"name": name, "served": served, "storage": storage});
        json!({"spec": {"versions": versions.iter().map(version).collect::<Vec<_>>()}})
    };
    let told_of = |to: &[(&str, bool, bool)]| {
        told(
            "apiextensions.k8s.io/v1/CustomResourceDefinition",
            &definition(&[("v1beta1", true, true), ("v1", true, false)]),
            &definition(to),
        )
    };
    assert_eq!(told_of(&[("v1beta1", false, true), ("v1", true, false)]), ["does not serve any more version v1beta1"]);
    assert_eq!(
        told_of(&[("v1beta1", true, false), ("v1", true, true)]),
        ["new objects are stored as v1; those stored as v1beta1 stay so until they are written"]
    );
    let claim = |size: &str| json!({"spec": {"resources": {"requests": {"storage": size}}}});
    assert_eq!(told("PersistentVolumeClaim", &claim("1Gi"), &claim("2Gi")), ["asks for 2Gi instead of 1Gi"]);
}
