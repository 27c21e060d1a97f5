//! Ignored differences: fields that somebody else owns, with and without RespectIgnoreDifferences.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{Object, ObjectExt, SOON, Space, assert_same, changes, config_map, deployment, eventually};

const RESPECT: [&str; 2] = ["--sync-option", "RespectIgnoreDifferences=true"];

/// A configuration with one rule for the app of the tests.
fn configured(space: &Space, rule: &str) -> PathBuf {
    let text =
        format!("[apps.app]\nsource = \"unused\"\n[[apps.app.ignore_differences]]\ngroup = \"apps\"\nkind = \"Deployment\"\n{rule}\n");
    space.write_text("config", &text)
}

fn web() -> Object {
    deployment("web", "touch /tmp/ready; sleep infinity").with("/metadata/labels", json!({"kept": "yes"}))
}

fn replicas(space: &Space) -> Value {
    space.get("deployment/web").unwrap()["spec"]["replicas"].clone()
}

/// R722: replicas that another manager has set survive a sync, whichever way the rule names them; what it does not name is set right.
#[test]
fn r722_replicas_of_another_manager_survive_a_sync_that_respects_them() {
    let Some(space) = Space::open("ignore") else { return };
    let target = space.write("web", &[web()]);
    space.sync(&target).run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    for (rule, count) in [
        ("json_pointers = [\"/spec/replicas\"]", 2),
        ("jq_path_expressions = [\".spec | select(.replicas > 0) | .replicas\"]", 3),
        ("managed_fields_managers = [\"kubectl\"]", 2),
    ] {
        let config = configured(&space, rule);
        space.kubectl(&["scale", "deployment/web", &format!("--replicas={count}")]);
        space.kubectl(&["label", "deployment/web", "kept=no", "--overwrite", "--field-manager=somebody"]);
        let outcome = space.sync(&target).args(&RESPECT).arg("--config").arg(&config).run();
        outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
        assert_eq!(replicas(&space), count, "{rule}");
        assert_eq!(space.get("deployment/web").unwrap()["metadata"]["labels"]["kept"], "yes", "{rule}");
        // A second one finds nothing to do, and does not take the live value for the target's.
        let again = space.sync(&target).args(&RESPECT).arg("--config").arg(&config).run();
        assert_eq!(
            (again.results(), replicas(&space)),
            (vec!["Sync Deployment/web Synced Running: deployment.apps/web unchanged".to_owned()], json!(count))
        );
    }
    let config = configured(&space, "json_pointers = [\"/spec/replicas\"]");
    space.sync(&target).arg("--config").arg(&config).run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(replicas(&space), 1, "without the option a rule changes nothing that is sent");
}

/// R722: the server's own schema decides nothing here: a live value in a list of items lands in its item, and nothing else is kept.
#[test]
fn r722_a_live_image_stays_in_its_container() {
    let Some(space) = Space::open("ignore-image") else { return };
    let target = space.write("web", &[web()]);
    space.sync(&target).run();
    space.kubectl(&["set", "image", "deployment/web", "main=busybox:live"]);
    space.kubectl(&["set", "env", "deployment/web", "EXTRA=1"]);
    let config = configured(&space, "jqPathExpressions = [\".spec.template.spec.containers[] | select(.name == \\\"main\\\") | .image\"]");
    let changed = space.write("changed", &[web().with("/spec/template/spec/containers/0/args", json!(["new"]))]);
    let outcome = space.sync(&changed).args(&RESPECT).arg("--config").arg(&config).run();
    let container = space.get("deployment/web").unwrap()["spec"]["template"]["spec"]["containers"][0].clone();
    assert_eq!((&container["image"], &container["args"]), (&json!("busybox:live"), &json!(["new"])), "{:?}", outcome.results());
    assert_eq!(container["env"][0]["name"], "EXTRA", "a field of others that the target does not have stays, as always");
}

/// R722: a plan and a dry run send what the sync would send, and a rule that cannot be used is an error of the configuration.
#[test]
fn r722_a_plan_says_what_the_sync_would_do() {
    let Some(space) = Space::open("ignore-plan") else { return };
    let target = space.write("web", &[web()]);
    space.sync(&target).run();
    let config = configured(&space, "json_pointers = [\"/spec/replicas\"]");
    let path = config.to_str().unwrap();
    space.kubectl(&["scale", "deployment/web", "--replicas=2"]);
    space.sync(&target).args(&RESPECT).args(&["--config", path]).run();
    let planned = |arguments: &[&str]| space.plan(&target, arguments)["tasks"][0]["action"].clone();
    assert_eq!(planned(&[RESPECT[0], RESPECT[1], "--config", path]), "unchanged");
    assert_eq!(planned(&["--config", path]), "configure");
}

/// R722, R730: what is ignored is named in a diff, counts as no difference of its own, and leaves the object out of a sync of what is out of
/// sync.
#[test]
fn r730_an_object_that_differs_in_ignored_fields_alone_is_not_out_of_sync() {
    let Some(space) = Space::open("ignore-diff") else { return };
    let target = space.write("web", &[web()]);
    space.sync(&target).run();
    let config = configured(&space, "json_pointers = [\"/spec/replicas\"]");
    let path = config.to_str().unwrap();
    space.kubectl(&["scale", "deployment/web", "--replicas=2"]);
    let (_, said) = space.diff(&target, &["--config", path]);
    let object = &said["objects"][0];
    assert_eq!(object["fields"], json!([]), "{said}");
    assert_eq!(object["ignored"], json!([{"path": "spec.replicas", "rule": "apps.app.ignore_differences[0]"}]), "{said}");
    let only = ["--sync-option", "ApplyOutOfSyncOnly=true", "--config", path];
    assert_eq!(space.sync(&target).args(&only).run().not_run(), ["Deployment/web: notNeeded"]);
    assert_eq!(replicas(&space), 2);
    let (code, said) = space.diff(&target, &[]);
    assert_eq!((code, &said["objects"][0]["fields"][0]["path"]), (Some(1), &json!("spec.replicas")), "{said}");
}

/// R722: what an argocd-cm says of all comparisons and of one kind holds too, and a rule of the app about nothing is told.
#[test]
fn r722_an_argocd_cm_hides_the_rules_of_aggregated_roles_and_fields_of_a_kind() {
    let Some(space) = Space::open("ignore-roles") else { return };
    let (sum, part) = (format!("sum-{}", space.suffix), format!("part-{}", space.suffix));
    let role = |name: &str| json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name}});
    let label = json!({space.suffix.as_str(): "yes"});
    let summed = role(&sum).with("/aggregationRule", json!({"clusterRoleSelectors": [{"matchLabels": label}]})).with("/rules", json!([]));
    let rules = json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]);
    let parted = role(&part).with("/metadata/labels", label).with("/rules", rules.clone());
    [&sum, &part].iter().for_each(|name| space.removes("clusterrole", name));
    let target = space.write("roles", &[summed, parted, web()]);
    space.sync(&target).run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    eventually("the rules are gathered", SOON, || (space.get(&format!("clusterrole/{sum}"))?["rules"] == rules).then_some(()));
    space.kubectl(&["scale", "deployment/web", "--replicas=2"]);
    space.create(&json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm"}, "data": {
        "resource.compareoptions": "ignoreAggregatedRoles: true\nignoreResourceStatusField: crd\n",
        "resource.customizations.ignoreDifferences.apps_Deployment": "jsonPointers: [/spec/replicas]\n"}}));
    let (code, said) = space.diff(&target, &[]);
    assert_eq!(code, Some(1), "{said}");
    let text = format!(
        "[health]\nargocd_cm = \"{}\"\n[apps.app]\nsource = \"unused\"\n[[apps.app.ignore_differences]]\nkind = \"Deployment\"\njson_pointers = [\"/spec\"]\n",
        space.namespace
    );
    let config = space.write_text("cm", &text);
    let (code, said) = space.diff(&target, &["--config", config.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{said}");
    for words in [
        "ignoreResourceStatusField is `crd`, but a status is never sent",
        "apps.app.ignore_differences[0] is about no object of this app (kind Deployment), so it changes nothing; the app's Deployment",
    ] {
        assert!(said["warnings"].to_string().contains(words), "{words}: {said}");
    }
    let of = |kind: &str, name: &str| {
        let objects = said["objects"].as_array().unwrap();
        objects.iter().find(|object| object["kind"] == kind && object["name"] == name).unwrap()["ignored"].clone()
    };
    let cm = format!("of the ConfigMap {}/argocd-cm", space.namespace);
    let rule = format!("ignoreAggregatedRoles in the key resource.compareoptions {cm}");
    assert_eq!(of("ClusterRole", &sum), json!([{"path": "rules", "rule": rule}]));
    let rule = format!("the key resource.customizations.ignoreDifferences.apps_Deployment {cm}");
    assert_eq!(of("Deployment", "web"), json!([{"path": "spec.replicas", "rule": rule}]));
}

const ARGOCD_CM: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-cm}
data:
  resource.customizations.ignoreDifferences.apps_Deployment: |
    jsonPointers: [/spec/replicas]
    jqPathExpressions: ['.spec.template.spec.containers[] | select(.name == "main") | .image']
  resource.customizations.ignoreDifferences.ConfigMap: |
    managedFieldsManagers: [somebody]
  resource.customizations.ignoreDifferences.all: |
    jsonPointers: [/metadata/labels/kept]
  resource.customizations.health.apps_Deployment: |
    return { status = 'Healthy', message = 'as the map says' }
"#;

/// What differs and is ignored: `web spec.replicas ConfigMap key`.
fn ignored(diff: &Value) -> Vec<String> {
    let objects = diff["objects"].as_array().unwrap().iter();
    let lines = objects.flat_map(|object| {
        let fields = object["ignored"].as_array().unwrap().iter();
        fields.map(|field| {
            format!("{} {} by {}", object["name"].as_str().unwrap(), field["path"].as_str().unwrap(), field["rule"].as_str().unwrap())
        })
    });
    let mut lines: Vec<String> = lines.collect();
    lines.sort();
    lines
}

/// R722, health.md ("Override keys"): the rules of the cluster's `argocd-cm`, for one kind and for all, by pointer, jq and manager, hold in a
/// diff and in a sync that respects them, with a Lua rule beside them; who does not ask for the map has none of them.
#[test]
fn r722_rules_of_the_clusters_argocd_cm_hold_in_a_diff_and_in_a_sync_that_respects_them() {
    let Some(space) = Space::open("ignore-cm") else { return };
    space.feed(&["create", "-f", "-"], ARGOCD_CM);
    let config = space.write_text("cm-config", &format!("[health]\nargocd_cm = \"{}\"\n", space.namespace));
    let asks = ["--config", config.to_str().unwrap()];
    let settings = |value: &str| config_map("a", value).with("/metadata/labels", json!({"kept": "yes"}));
    let target = space.write("target", &[web(), settings("1"), config_map("next", "1").wave(1)]);
    space.sync(&target).run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");

    space.kubectl(&["scale", "deployment/web", "--replicas=2"]);
    space.kubectl(&["set", "image", "deployment/web", "main=ubuntu"]);
    space.kubectl(&["label", "deployment/web", "configmap/a", "kept=no", "--overwrite", "--field-manager=other"]);
    space.kubectl(&["patch", "configmap/a", "--field-manager=somebody", "--type=merge", "-p", r#"{"data":{"value":"theirs"}}"#]);
    let diff = space.diff(&target, &asks);
    let place =
        |key: &str| format!("the key resource.customizations.ignoreDifferences.{key} of the ConfigMap {}/argocd-cm", space.namespace);
    let expected = [
        format!("a data.value by {}", place("ConfigMap")),
        format!("a metadata.labels.kept by {}", place("all")),
        format!("web metadata.labels.kept by {}", place("all")),
        format!("web spec.replicas by {}", place("apps_Deployment")),
        format!("web spec.template.spec.containers[name=main].image by {}", place("apps_Deployment")),
    ];
    assert_eq!(ignored(&diff.1), expected);
    assert_same(diff);
    let (code, all) = space.diff(&target, &[]);
    assert_eq!((code, changes(&all).len(), ignored(&all)), (Some(1), 2, vec![]), "{all:#}");

    let state = || {
        let (web, map) = (space.get("deployment/web").unwrap(), space.get("configmap/a").unwrap());
        let container = &web["spec"]["template"]["spec"]["containers"][0];
        json!([
            web["spec"]["replicas"],
            container["image"],
            web["metadata"]["labels"]["kept"],
            map["data"]["value"],
            map["metadata"]["labels"]["kept"]
        ])
    };
    let changed = web().with("/spec/template/spec/containers/0/args", json!(["new"]));
    let changed = space.write("changed", &[changed, settings("2").with("/data/more", "1"), config_map("next", "2").wave(1)]);
    let outcome = space.sync(&changed).args(&RESPECT).args(&asks).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(state(), json!([2, "ubuntu", "no", "theirs", "no"]), "the live values");
    let (web, map) = (space.get("deployment/web").unwrap(), space.get("configmap/a").unwrap());
    let written = (&web["spec"]["template"]["spec"]["containers"][0]["args"], &map["data"]["more"]);
    assert_eq!(written, (&json!(["new"]), &json!("1")), "the rest is the manifest's");
    let judged = |line: &&Value| line["task"]["name"] == "web" && line["rule"] == "argocd-cm: apps/Deployment";
    assert!(outcome.events("task.changed").iter().any(judged), "{:?}", outcome.results());
    assert_same(space.diff(&changed, &[&asks[..], &RESPECT].concat()));

    space.sync(&changed).args(&asks).run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(state(), json!([1, "busybox", "yes", "2", "yes"]), "a rule alone changes nothing that is sent");
    assert_same(space.diff(&changed, &[]));
}
