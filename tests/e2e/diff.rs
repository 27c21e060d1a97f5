//! What is different, as the server's dry run says: defaults, owners, admission, missing rights; and that a look writes nothing.

use serde_json::{Value, json};

use crate::support::{ObjectExt, SOON, Space, assert_same, changes, config_map, deployment, eventually, field, job, object, secret};

fn definition(space: &Space, schema: &Value) -> (Value, String) {
    let group = format!("diff{}.example.com", space.suffix);
    let name = format!("widgets.{group}");
    space.removes("customresourcedefinition", &name);
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": name}, "spec": {
        "group": group, "scope": "Namespaced", "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
        "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}]}});
    (definition, group)
}

/// Custom resources: with a schema that has defaults and a list with keys, and one that knows nothing of its fields.
#[test]
fn custom_resources_with_and_without_a_schema_are_the_same_after_a_sync() {
    let item = json!({"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "size": {"type": "integer", "default": 3}}});
    let items = json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items": item});
    let spec = json!({"type": "object", "properties": {"mode": {"type": "string", "default": "fast"}, "items": items, "off": {"type": "string", "nullable": true}}});
    for (name, schema) in [
        ("diff-typed", json!({"type": "object", "properties": {"spec": spec}})),
        ("diff-untyped", json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})),
    ] {
        let Some(space) = Space::open(name) else { return };
        let (definition, group) = definition(&space, &schema);
        let widget = |size: u64| {
            json!({"apiVersion": format!("{group}/v1"), "kind": "Widget", "metadata": {"name": "w"},
                "spec": {"items": [{"name": "a"}, {"name": "b", "size": size}], "off": null}})
        };
        let target = space.write("custom", &[definition.clone(), widget(1)]);
        let (_, first) = space.diff(&target, &[]);
        assert!(object(&first, "w")["approximate"].as_str().unwrap().contains("which comes with this sync"), "{first:#}");
        space.sync(&target).run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");
        assert_same(space.diff(&target, &[]));
        let (code, changed) = space.diff(&space.write("changed", &[definition, widget(2)]), &[]);
        assert_eq!((code, changes(&changed).len()), (Some(1), 1), "{changed:#}");
        assert!(changes(&changed)[0].starts_with("Widget/w configure spec.items"), "{changed:#}");
    }
}

/// R715: what `kubectl apply` left behind goes with the sync, and the diff says so before.
#[test]
fn r715_what_kubectl_applied_is_foreseen_to_be_taken_over() {
    let Some(space) = Space::open("diff-applied") else { return };
    let web = || deployment("web", "sleep 600").with("/spec/replicas", 0);
    let theirs = config_map("a", "1").with("/data/legacy", "x");
    let strategy = web().with("/spec/strategy", json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 2, "maxUnavailable": 0}}));
    let file = space.write("theirs", &[theirs, strategy]);
    space.kubectl(&["apply", "-f", file.to_str().unwrap()]);
    let target = space.write("ours", &[config_map("a", "1"), web()]);
    let (code, diff) = space.diff(&target, &[]);
    assert_eq!((code, &field(&diff, "a", "data.legacy")["after"]), (Some(1), &Value::Null));
    let surge = field(&diff, "web", "spec.strategy.rollingUpdate.maxSurge");
    assert_eq!((&surge["before"], &surge["after"]), (&json!(2), &json!("25%")), "the server's own default comes back: {surge}");
    assert!(object(&diff, "web")["approximate"].is_null());
    space.sync(&target).run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(space.get("deployment/web").unwrap()["spec"]["strategy"]["rollingUpdate"]["maxSurge"], "25%", "as foreseen");
    assert!(space.get("configmap/a").unwrap()["data"].get("legacy").is_none());
    assert_same(space.diff(&target, &[]));
}

/// Decision 6: fields that somebody edited are taken back, and the diff says from whom; what somebody added stays, and is no difference.
#[test]
fn decision_6_what_somebody_edited_is_taken_and_what_they_added_stays() {
    let Some(space) = Space::open("diff-edited") else { return };
    let target = space.write("ours", &[config_map("a", "1"), config_map("b", "1")]);
    space.sync(&target).run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    let edit =
        |name: &str, patch: &str| space.kubectl(&["patch", "configmap", name, "--field-manager=kubectl-edit", "--type=merge", "-p", patch]);
    edit("a", r#"{"data":{"value":"edited"}}"#);
    edit("b", r#"{"data":{"extra":"x"}}"#);
    let (code, diff) = space.diff(&target, &[]);
    assert_eq!((code, changes(&diff)), (Some(1), vec!["ConfigMap/a configure data.value".to_owned()]));
    let field = &object(&diff, "a")["fields"][0];
    assert_eq!(
        (&field["before"], &field["after"], &field["cause"], &field["manager"]),
        (&json!("edited"), &json!("1"), &json!("taken"), &json!("kubectl-edit"))
    );
    let left = &object(&diff, "b")["leftBehind"][0];
    assert_eq!((&left["manager"], &left["fields"]), (&json!("kubectl-edit"), &json!(["data.extra"])));
    let printed = String::from_utf8(space.diff_output(&target, &[]).stdout).unwrap();
    for line in [
        "~ ConfigMap/a  ",
        "  +1 -1",
        "  -   value: edited",
        "  +   value: \"1\"",
        "takes data.value from the field manager `kubectl-edit`",
    ] {
        assert!(printed.contains(line), "{line} is not in\n{printed}");
    }
    space.sync(&target).run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_same(space.diff(&target, &[]));
}

/// What admission changes is no difference once it is there, and is told apart from what the manifest says.
#[test]
fn what_a_mutating_policy_adds_is_told_as_filled_in_and_is_the_same_after_the_sync() {
    let Some(space) = Space::open("diff-admission") else { return };
    let name = format!("stamp-{}", space.suffix);
    let policy = |kind: &str, spec: Value| json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec});
    let rules = json!([{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}]);
    let mutation = json!({"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": "Object{metadata: Object.metadata{labels: {\"stamped\": \"yes\"}}}"}});
    let here = json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": space.namespace}}});
    for (kind, spec) in [
        (
            "MutatingAdmissionPolicy",
            json!({"failurePolicy": "Fail", "reinvocationPolicy": "Never", "matchConstraints": {"resourceRules": rules}, "mutations": [mutation]}),
        ),
        ("MutatingAdmissionPolicyBinding", json!({"policyName": name, "matchResources": here})),
    ] {
        space.removes(kind, &name);
        space.create(&policy(kind, spec));
    }
    eventually("the policy is in force", SOON, || {
        let made = space.kubectl(&["create", "configmap", "probe", "--dry-run=server", "-o", "json"]);
        made.contains("stamped").then_some(())
    });
    let target = space.write("ours", &[config_map("a", "1")]);
    space.sync(&target).run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(space.get("configmap/a").unwrap()["metadata"]["labels"]["stamped"], "yes");
    assert_same(space.diff(&target, &[]));
    space.kubectl(&["delete", "MutatingAdmissionPolicyBinding", &name]);
    eventually("the policy is not in force", SOON, || {
        (!space.kubectl(&["create", "configmap", "probe", "--dry-run=server", "-o", "json"]).contains("stamped")).then_some(())
    });
    space.kubectl(&["label", "configmap", "a", "stamped-"]);
    space.create(&policy("MutatingAdmissionPolicyBinding", json!({"policyName": name, "matchResources": here})));
    let field = eventually("the label is foreseen", SOON, || {
        let (_, diff) = space.diff(&target, &[]);
        object(&diff, "a")["fields"].as_array().unwrap().first().cloned()
    });
    assert_eq!(
        (&field["path"], &field["cause"], &field["after"]),
        (&json!("metadata.labels"), &json!("defaulted"), &json!({"stamped": "yes"})),
        "{field}"
    );
}

/// A webhook that nobody answers for: what changes is not known, and that is said, soon.
#[test]
fn a_webhook_that_does_not_answer_is_unknown_with_its_sentence() {
    let Some(space) = Space::open("diff-webhook") else { return };
    let target = space.write("ours", &[config_map("a", "1")]);
    space.sync(&target).run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    let name = format!("nobody-{}", space.suffix);
    space.removes("validatingwebhookconfiguration", &name);
    space.create(&json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": name}, "webhooks": [{
        "name": "nobody.example.com", "sideEffects": "None", "admissionReviewVersions": ["v1"], "timeoutSeconds": 1,
        "clientConfig": {"url": "https://127.0.0.1:1/"},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["configmaps"]}],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": space.namespace}}}]}));
    let changed = space.write("changed", &[config_map("a", "2")]);
    let unknown = eventually("the webhook is asked", SOON, || {
        let (code, diff) = space.diff(&changed, &[]);
        let object = object(&diff, "a").clone();
        (object["change"] == "unknown").then_some((code, object))
    });
    assert!(unknown.0 == Some(1) && unknown.1["reason"].as_str().unwrap().contains("failed calling webhook"), "{unknown:?}");
}

/// diff.md: a dry run needs the permission of a real write. Without it the comparison is made here, and said to be approximate.
#[test]
fn without_permission_to_patch_the_diff_is_approximate_and_says_so() {
    let Some(space) = Space::open("diff-viewer") else { return };
    let web = |replicas: u64| deployment("web", "sleep 600").with("/spec/replicas", replicas);
    space.sync(&space.write("ours", &[config_map("a", "1"), web(0)])).run().assert_end(
        0,
        "Succeeded",
        "successfully synced (all tasks run)",
    );
    let kubeconfig = space.account(&["get", "list", "watch"]);
    let viewer = ["--kubeconfig", kubeconfig.to_str().unwrap()];
    let (code, diff) = space.diff(&space.write("changed", &[config_map("a", "2"), web(0), config_map("new", "1")]), &viewer);
    assert_eq!(code, Some(1));
    let a = object(&diff, "a");
    assert!(a["approximate"].as_str().unwrap().contains("cannot patch"), "{a}");
    assert_eq!(
        (&a["fields"][0]["path"], &a["fields"][0]["after"], &object(&diff, "web")["fields"]),
        (&json!("data.value"), &json!("2"), &json!([]))
    );
    let printed = String::from_utf8(space.diff_output(&space.write("changed", &[config_map("a", "2")]), &viewer).stdout).unwrap();
    assert!(printed.contains("approximate"), "{printed}");
}

/// What cannot be changed is refused with its fields; by force it is made anew, which the diff compares, too.
#[test]
fn r713_what_cannot_be_changed_is_refused_or_recreated() {
    let Some(space) = Space::open("diff-immutable") else { return };
    let load = |script: &str| space.write("load", &[job("load", script)]);
    space.sync(&load("true")).run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    let (code, refused) = space.diff(&load("false"), &[]);
    let command = "Job/load refused spec.template.spec.containers[name=main].command";
    assert_eq!(code, Some(1));
    assert!(
        changes(&refused)[0].starts_with(command) && object(&refused, "load")["reason"].as_str().unwrap().contains("immutable"),
        "{refused:#}"
    );
    let (code, recreated) = space.diff(&load("false"), &["--force"]);
    assert_eq!((code, &object(&recreated, "load")["approximate"]), (Some(1), &Value::Null), "{recreated:#}");
    assert!(changes(&recreated)[0].starts_with(&command.replace("refused", "recreate")), "{recreated:#}");
    assert_eq!(object(&recreated, "load")["fields"].as_array().unwrap().len(), 1, "nothing but the command: {recreated:#}");
    let settings = config_map("c", "1");
    space.sync(&space.write("settings", std::slice::from_ref(&settings))).run();
    let (_, replaced) = space.diff(&space.write("settings", &[settings.with("/data/value", "2")]), &["--replace"]);
    assert_eq!(
        (&object(&replaced, "c")["change"], &object(&replaced, "c")["fields"][0]["path"]),
        (&json!("replace"), &json!("data.value"))
    );
}

/// What is pruned, and hooks: compared with what the last run left.
#[test]
fn prunes_and_hooks_are_in_a_diff_and_hooks_are_no_difference() {
    let Some(space) = Space::open("diff-hooks") else { return };
    let hook = |script: &str| job("migrate", script).hook("PreSync");
    space.sync(&space.write("first", &[hook("true"), config_map("a", "1"), config_map("b", "1"), secret("s", "k")])).run();
    let target = space.write("second", &[hook("echo again"), config_map("a", "1"), secret("s", "k")]);
    let (code, diff) = space.diff(&target, &[]);
    assert_eq!((code, &object(&diff, "b")["change"]), (Some(1), &json!("prune")));
    assert_eq!(object(&diff, "b")["fields"][0]["after"], Value::Null);
    let migrate = object(&diff, "migrate");
    let paths: Vec<&str> = migrate["fields"].as_array().unwrap().iter().map(|field| field["path"].as_str().unwrap()).collect();
    assert_eq!((&migrate["change"], &paths[..]), (&json!("run"), &["spec.template.spec.containers[name=main].command"][..]), "{migrate:#}");
    space.sync(&target).args(&["--prune"]).run();
    // The last group is not waited for, its deletions neither (R626).
    eventually("what is pruned is gone", SOON, || space.get("configmap/b").is_none().then_some(()));
    let (code, diff) = space.diff(&space.write("third", &[hook("echo thrice"), config_map("a", "1"), secret("s", "k")]), &[]);
    assert_eq!((code, changes(&diff)), (Some(0), vec![]), "only a hook differs");
}

/// cli.md: usage is exit 2, an API server that cannot be reached exit 4, and a reader that goes away is no error.
#[test]
fn exit_codes_of_a_diff() {
    let Some(space) = Space::open("diff-exit") else { return };
    let target = space.write("ours", &[config_map("a", "1")]);
    assert_eq!(space.diff_output(&target, &["--frobnicate"]).status.code(), Some(2));
    assert_eq!(space.diff_output(&space.write_text("broken", "a: ["), &[]).status.code(), Some(2));
    let nowhere = space.write_text("kubeconfig", "{apiVersion: v1, kind: Config, current-context: x, clusters: [{name: x, cluster: {server: 'https://127.0.0.1:1'}}], contexts: [{name: x, context: {cluster: x, user: x}}], users: [{name: x, user: {token: x}}]}");
    assert_eq!(space.diff_output(&target, &["--kubeconfig", nowhere.to_str().unwrap()]).status.code(), Some(4));
    assert_eq!(space.diff_output(&target, &[]).status.code(), Some(1));
}
