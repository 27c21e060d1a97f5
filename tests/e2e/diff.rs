//! What is different, as the server's dry run says: defaults, owners, admission, missing rights; and that a look writes nothing.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{ObjectExt, SOON, Space, config_map, deployment, eventually, job, secret, story};

/// Returns the changes of a diff, `ConfigMap/a configure data.value`, without what is as the manifests say and without hooks.
fn changes(diff: &Value) -> Vec<String> {
    let objects = diff["objects"].as_array().unwrap().iter();
    let objects = objects.filter(|object| object["hook"] == false && object["change"] != "unchanged");
    let line = |object: &Value| {
        let paths: Vec<&str> = object["fields"].as_array().unwrap().iter().map(|field| field["path"].as_str().unwrap()).collect();
        let reason = if paths.is_empty() { object["reason"].as_str().unwrap_or_default().to_owned() } else { paths.join(", ") };
        format!("{}/{} {} {reason}", object["kind"].as_str().unwrap(), object["name"].as_str().unwrap(), object["change"].as_str().unwrap())
    };
    objects.map(line).collect()
}

fn object<'a>(diff: &'a Value, name: &str) -> &'a Value {
    diff["objects"].as_array().unwrap().iter().find(|object| object["name"] == name).unwrap_or_else(|| panic!("no {name} in {diff}"))
}

#[track_caller]
fn assert_same((code, diff): (Option<i32>, Value)) {
    assert_eq!((changes(&diff), code), (vec![], Some(0)), "{diff:#}");
}

/// Kinds that the server fills in, written as sparsely as it lets one.
const SPARSE: &str = r#"
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, creationTimestamp: null, annotations: null}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  strategy: {}
  template:
    metadata: {labels: {app: web}, creationTimestamp: null}
    spec:
      containers:
        - name: main
          image: busybox
          ports: [{containerPort: 80}]
          resources: {limits: {cpu: 1000m, memory: 1024Mi}, requests: {cpu: 0.5}}
          livenessProbe: {tcpSocket: {port: 80}}
status: {}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec: {schedule: '0 0 * * *', suspend: true, jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox}]}}}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 0
  serviceName: db
  selector: {matchLabels: {app: db}}
  template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, image: busybox}]}}
  volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1024Mi}}}}]
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: disk}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1024Mi}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec: {rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web}
spec: {podSelector: {}, ingress: [{ports: [{port: 80}]}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: r}
rules: []
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: r}
roleRef: {kind: Role, name: r, apiGroup: rbac.authorization.k8s.io}
subjects: [{kind: ServiceAccount, name: default}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: worker}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {k: v, legacy: null}
---
apiVersion: v1
kind: Secret
metadata: {name: s}
stringData: {password: hunter2}
"#;

/// Issue of every diff: fields that the server fills in, quantities in other words, nulls, `stringData`. A second look is empty, and no
/// look writes anything.
#[test]
fn a_diff_right_after_a_sync_is_empty_for_every_kind() {
    let Some(space) = Space::open("diff-same") else { return };
    let load = serde_json::to_string(&job("load", "true")).unwrap();
    let target = space.write_text("sparse", &format!("{SPARSE}---\n{load}\n"));
    let (code, first) = space.diff(&target, &[]);
    let created =
        first["objects"].as_array().unwrap().iter().filter(|object| object["change"] == "create" && object["approximate"].is_null());
    assert_eq!((code, created.count()), (Some(1), 15), "{first:#}");
    assert!(!first.to_string().contains("hunter2") && !first.to_string().contains("aHVudGVyMg"));
    assert!(space.names("configmaps").is_empty(), "nothing was created");
    // Neither the budget nor the claim gets healthy here, and nobody waits for it in a single wave.
    let outcome = space.sync(&target).run();
    assert_eq!(outcome.code, Some(0), "{}", outcome.errors);
    eventually("the Job is over", SOON, || space.get("job/load").filter(|job| job["status"]["succeeded"] == 1));
    let kinds = "services,deployments,cronjobs,statefulsets,pvc,ingresses,networkpolicies,pdb,roles,rolebindings,configmaps,secrets,jobs";
    let versions = || {
        let list: Value = serde_json::from_str(&space.kubectl(&["get", kinds, "-o", "json"])).unwrap();
        let version = |item: &Value| (item["metadata"]["uid"].to_string(), item["metadata"]["generation"].clone(), item["spec"].clone());
        list["items"].as_array().unwrap().iter().map(version).collect::<Vec<_>>()
    };
    let before = versions();
    assert_same(space.diff(&target, &[]));
    let (code, changed) =
        space.diff(&space.write_text("changed", &SPARSE.replace("k: v", "k: w").replace("replicas: 0", "replicas: 1")), &[]);
    let expected =
        ["ConfigMap/settings configure data.k", "Deployment/web configure spec.replicas", "StatefulSet/db configure spec.replicas"];
    let mut found = changes(&changed);
    found.retain(|line| !line.starts_with("Job/load prune"));
    found.sort();
    assert_eq!((code, &found[..]), (Some(1), &expected.map(str::to_owned)[..]), "{changed:#}");
    assert_eq!(versions(), before, "a look writes nothing");
}

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
    let path = |name: &str, path: &str| {
        let fields = object(&diff, name)["fields"].as_array().unwrap();
        fields.iter().find(|field| field["path"] == path).cloned().unwrap_or_else(|| panic!("no {path} in {diff:#}"))
    };
    assert_eq!((code, &path("a", "data.legacy")["after"]), (Some(1), &Value::Null));
    let surge = path("web", "spec.strategy.rollingUpdate.maxSurge");
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
    let (code, diff) = space.diff(&space.write("third", &[hook("echo thrice"), config_map("a", "1"), secret("s", "k")]), &[]);
    assert_eq!((code, changes(&diff)), (Some(0), vec![]), "only a hook differs");
}

/// A second diff right after a sync is empty for the shipped stories, whose pods are busybox here.
#[test]
fn a_diff_after_a_shipped_story_is_empty() {
    for name in ["web-shop", "blue-green", "notify", "presync-fail", "flaky", "endless"] {
        let Some(space) = Space::open(&format!("diff-{name}")) else { return };
        let target = space.write_text("story", &story(name, &[]));
        // Images of the stories run nothing here; what hooks are for has no part in a diff.
        let outcome = space.sync(&target).args(&["--strategy", "apply", "--timeout", "60s"]).run();
        assert!(outcome.code.is_some(), "{name}");
        let (_, diff) = eventually("everything is applied", Duration::from_secs(60), || {
            let (code, diff) = space.diff(&target, &[]);
            let is_applied =
                diff["objects"].as_array().unwrap().iter().all(|object| object["hook"] == true || object["change"] != "create");
            is_applied.then_some((code, diff))
        });
        assert_eq!(changes(&diff), [""; 0], "{name}: {diff:#}");
    }
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
