//! What is printed of permissions: every line of a small plan, and names that YAML reads as something else.

use std::sync::Arc;

use super::*;
use crate::engine::session::Place;
use crate::plan::rbac::Wants;

fn access(verb: &str, path: &str, at: [&str; 3], need: Need, reason: (&'static str, &str)) -> Access {
    let (resource, group) = path.split_once('.').unwrap_or((path, ""));
    let [namespace, home, name] = at.map(Arc::<str>::from);
    let [verb, group, resource, subresource] = [verb, group, resource, ""].map(Arc::<str>::from);
    let grant = Grant { verb, group, resource, subresource, namespace, name };
    Access { grant, home, need, reason: Reason { does: reason.0, subject: reason.1.into() }, instead: None }
}

fn rights(app: &str, accesses: Vec<Access>) -> Rights {
    let place = Place {
        app: app.into(),
        context: "dev".into(),
        cluster: "https://dev".into(),
        namespace: "shop".into(),
        source: "deploy/".into(),
        revision: "1".into(),
        read_only: None,
        protected: false,
    };
    let wants = Wants { accesses, ..Wants::default() };
    Rights { place, app: app.into(), wants, lacking: Ok(Vec::new()), notes: Vec::new() }
}

fn printed(rights: &Rights) -> String {
    let mut out = Vec::new();
    yaml(&mut out, rights).unwrap();
    String::from_utf8(out).unwrap()
}

fn small() -> Rights {
    let shop = ["shop", "shop", ""];
    rights(
        "web",
        vec![
            access("patch", "deployments.apps", ["shop", "shop", "web"], Need::Needed, ("applies", "Deployment web (Sync wave 0)")),
            access("watch", "deployments.apps", shop, Need::Helpful, ("follows without polling:", "Deployment web (Sync wave 0)")),
            access("get", "namespaces", ["", "", "shop"], Need::Needed, ("applies", "Namespace shop (Sync wave 0)")),
        ],
    )
}

#[test]
fn a_rule_says_what_it_is_for_and_what_may_be_left_out() {
    let expected = "\
# What a sync of web to namespace shop of dev wants to be allowed.
# Rules marked `helpful` may be left out: without them syncwave says less, or polls.
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: syncwave-web
rules:
# needed: applies Namespace shop (Sync wave 0)
- apiGroups: [\"\"]
  resources: [namespaces]
  resourceNames: [shop]
  verbs: [get]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: syncwave-web
  namespace: shop
rules:
# needed: applies Deployment web (Sync wave 0)
- apiGroups: [apps]
  resources: [deployments]
  resourceNames: [web]
  verbs: [patch]
# helpful: follows without polling: Deployment web (Sync wave 0)
- apiGroups: [apps]
  resources: [deployments]
  verbs: [watch]
";
    assert_eq!(printed(&small()), expected);
}

#[test]
fn names_that_yaml_reads_as_something_else_and_names_that_steer_a_terminal_stay_names() {
    for (name, expected) in [
        ("web", "[web]"),
        ("on", "[\"on\"]"),
        ("1e3", "[\"1e3\"]"),
        ("system:node", "[\"system:node\"]"),
        ("a\n- b: *x", "[\"a\\n- b: *x\"]"),
        ("a\u{9b}2J", "[\"a\\u009b2J\"]"),
    ] {
        let subject = format!("ConfigMap {name}");
        let text = printed(&rights("web", vec![access("get", "configmaps", ["shop", "shop", name], Need::Needed, ("applies", &subject))]));
        assert!(text.contains(&format!("  resourceNames: {expected}\n")), "{text}");
        assert!(text.lines().all(|line| line.starts_with(['#', ' ', '-']) || line.contains(':')), "a line of its own: {text}");
        assert!(!text.contains('\u{9b}'));
    }
    assert!(printed(&rights("a/b%c", vec![])).contains("a/b%c"));
    let role = printed(&rights("a/b%c", small().wants.accesses));
    assert!(role.contains("  name: syncwave-a-b-c\n"), "{role}");
}

#[test]
fn what_lacks_is_told_once_what_is_needed_first() {
    let mut rights = small();
    rights.lacking = Ok(vec![
        access("watch", "pods", ["shop", "shop", ""], Need::Helpful, ("shows the pods of hooks and workloads", "")),
        access("patch", "deployments.apps", ["shop", "shop", "web"], Need::Helpful, ("x", "")),
        access("patch", "deployments.apps", ["shop", "shop", "web"], Need::Needed, ("applies", "Deployment web (Sync wave 0)")),
    ]);
    assert_eq!(
        sentences(&rights),
        [
            "you lack: patch deployments.apps web in shop (needed: applies Deployment web (Sync wave 0))",
            "you lack: watch pods in shop (helpful: shows the pods of hooks and workloads)",
        ]
    );
    assert!(has_objections(&rights));
    rights.lacking = Ok(rights.lacking.unwrap().into_iter().take(1).collect());
    assert!(!has_objections(&rights), "what is only helpful is no objection");
}

#[test]
fn the_json_is_one_object_with_roles_that_can_be_applied() {
    let mut rights = small();
    rights.lacking = Ok(vec![access("patch", "deployments.apps", ["shop", "shop", "web"], Need::Needed, ("applies", "Deployment web"))]);
    let mut out = Vec::new();
    json(&mut out, &rights).unwrap();
    let value: Value = serde_json::from_slice(&out).unwrap();
    let rules = json!([
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["patch"], "resourceNames": ["web"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["watch"]},
    ]);
    let metadata = json!({"name": "syncwave-web", "namespace": "shop"});
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": metadata, "rules": rules});
    assert_eq!(value["roles"], json!([role]));
    assert_eq!(value["clusterRole"]["kind"], "ClusterRole");
    let lack = json!({"verb": "patch", "group": "apps", "resource": "deployments", "subresource": "", "namespace": "shop", "name": "web",
        "reason": "applies Deployment web", "needed": true});
    assert_eq!((&value["lacking"], &value["unclear"]), (&json!([lack]), &Value::Null));
    rights.lacking = Err("what the current user may do could not be asked: no".to_owned());
    let mut out = Vec::new();
    json(&mut out, &rights).unwrap();
    let value: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!((&value["lacking"], value["unclear"].as_str()), (&json!([]), Some("what the current user may do could not be asked: no")));
}
