//! By which rules a sync judges kinds of its own: Lua of the configuration and of the cluster, the status alone, and none. No controller
//! knows these kinds, so a test writes their status.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Object, ObjectExt, Outcome, Running, Space, config_map};

/// Makes the definition of a kind of this test alone, whose status is a part of its own; returns its group.
fn define(space: &Space) -> String {
    let group = format!("e2e-{}.example.com", space.suffix);
    let name = format!("widgets.{group}");
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    space.define(&json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": name},
        "spec": {
            "group": group, "scope": "Namespaced", "names": {"kind": "Widget", "plural": "widgets", "singular": "widget", "listKind": "WidgetList"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema, "subresources": {"status": {}}}],
        },
    }));
    group
}

fn widget(group: &str, name: &str) -> Object {
    json!({"apiVersion": format!("{group}/v1"), "kind": "Widget", "metadata": {"name": name}, "spec": {"size": 1}})
}

fn set_status(space: &Space, group: &str, name: &str, status: &Value) {
    let patch = json!({"status": status}).to_string();
    space.kubectl(&["patch", &format!("widgets.{group}"), name, "--subresource=status", "--type=merge", "-p", &patch]);
}

fn conditions(kind: &str, status: &str) -> Value {
    json!({"conditions": [{"type": kind, "status": status, "message": format!("{kind} is {status}")}]})
}

/// A widget that is there already, with a status, so that its next apply meets it.
fn existing(space: &Space, group: &str, name: &str, status: &Value) {
    let mut old = widget(group, name);
    old["spec"]["size"] = 0.into();
    space.create(&old);
    set_status(space, group, name, status);
}

/// Waits until the sync has judged a task by a rule.
fn wait_for_rule(running: &Running<'_>, name: &str, rule: &str, health: &str) {
    running.wait_for(&format!("{name} {health} by {rule}"), |line| {
        line["event"] == "task.changed" && line["task"]["name"] == name && line["rule"] == rule && line["health"] == health
    });
}

const BY_PHASE: &str = "local phase = obj.status and obj.status.phase or 'unknown'\n\
    if phase == 'Up' then return { status = 'Healthy', message = 'is up' } end\n\
    return { status = 'Progressing', message = 'is ' .. phase }\n";

fn result<'a>(outcome: &'a Outcome, what: &str) -> &'a str {
    let results = outcome.results();
    let found = results.iter().position(|text| text.contains(what)).unwrap_or_else(|| panic!("{what}: {results:?}"));
    outcome.last()["results"][found]["message"].as_str().unwrap()
}

/// R410 R411 R615: a rule of the configuration holds a hook, then a resource, until it calls them healthy.
#[test]
fn r411_a_lua_rule_of_the_configuration_judges_a_hook_and_a_resource() {
    let Some(space) = Space::open("lua-config") else { return };
    let group = define(&space);
    let config = space.write_text("rules", &format!("[health.customizations]\n\"{group}/Widget\" = '''\n{BY_PHASE}'''\n"));
    let rule = format!("config: {group}/Widget");
    let target = space.write("lua", &[widget(&group, "hook").hook("PreSync"), widget(&group, "plain"), config_map("behind", "1").wave(1)]);
    let running = space.sync(&target).arg("--config").arg(&config).start();
    wait_for_rule(&running, "hook", &rule, "Progressing");
    assert!(space.names("configmaps").is_empty());
    set_status(&space, &group, "hook", &json!({"phase": "Up"}));
    running.wait_for_task("hook", "Succeeded");
    wait_for_rule(&running, "plain", &rule, "Progressing");
    assert!(space.names("configmaps").is_empty());
    set_status(&space, &group, "plain", &json!({"phase": "Up"}));
    let outcome = running.finish();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!((result(&outcome, "Widget/hook"), result(&outcome, "Widget/plain")), ("is up", "is up"));
}

/// R411: rules of an `argocd-cm` hold, and a key that names none is told before anything begins.
#[test]
fn r411_a_lua_rule_of_the_clusters_argocd_cm_judges_and_a_wrong_key_is_told() {
    let Some(space) = Space::open("lua-cm") else { return };
    let group = define(&space);
    let map = format!("{group}/Other:\n  health.lua: return {{}}\n");
    space.create(&json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm"}, "data": {
        format!("resource.customizations.health.{group}_Widget"): BY_PHASE,
        format!("resource.customizations.useOpenLibs.{group}_Widget"): "true",
        format!("resource.customizations.healt.{group}_Widget"): "typo",
        "resource.customizations": map}}));
    let config = space.write_text("cm-config", &format!("[health]\nargocd_cm = \"{}\"\n", space.namespace));
    let target = space.write("cm", &[widget(&group, "w"), config_map("behind", "1").wave(1)]);
    let plan = space.plan(&target, &["--config", config.to_str().unwrap()]);
    assert!(plan["warnings"].to_string().contains("there is no customization of the type healt "), "{}", plan["warnings"]);
    let running = space.sync(&target).arg("--config").arg(&config).start();
    wait_for_rule(&running, "w", &format!("argocd-cm: {group}/Widget"), "Progressing");
    set_status(&space, &group, "w", &json!({"phase": "Up"}));
    running.finish().assert_end(0, "Succeeded", "successfully synced (all tasks run)");
}

/// R411: without the permission to read it, and where there is none, a sync goes on and says so.
#[test]
fn r411_an_argocd_cm_that_is_not_there_or_may_not_be_read_is_told_and_stops_nothing() {
    let Some(space) = Space::open("no-cm") else { return };
    let target = space.write("no-cm", &[config_map("a", "1")]);
    let missing = space.write_text("missing", &format!("[health]\nargocd_cm = \"{}\"\n", space.namespace));
    let outcome = space.sync(&target).arg("--config").arg(&missing).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    let said =
        |outcome: &Outcome, words: &str| outcome.events("warning").iter().any(|line| line["message"].as_str().unwrap().contains(words));
    assert!(said(&outcome, &format!("the ConfigMap {}/argocd-cm does not exist", space.namespace)));
    let limited = space.account(&["get", "list", "watch", "create", "patch", "update"]);
    let elsewhere = space.write_text("elsewhere", "[health]\nargocd_cm = \"kube-system\"\n");
    let outcome = space.sync(&target).kubeconfig(&limited).arg("--config").arg(&elsewhere).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert!(said(&outcome, "the ConfigMap kube-system/argocd-cm cannot be read"));
}

/// R411 R615: `Ready` is waited for, `Stalled` fails, and what decided is said.
#[test]
fn r411_a_kind_without_a_rule_is_judged_by_its_status() {
    let Some(space) = Space::open("evidence") else { return };
    let group = define(&space);
    existing(&space, &group, "w", &conditions("Ready", "False"));
    let target = space.write("evidence", &[widget(&group, "w"), config_map("behind", "1").wave(1)]);
    let running = space.sync(&target).start();
    wait_for_rule(&running, "w", "heuristic: condition Ready", "Progressing");
    assert!(space.names("configmaps").is_empty());
    set_status(&space, &group, "w", &conditions("Ready", "True"));
    let outcome = running.finish();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(result(&outcome, "Widget/w"), "Ready is True");

    set_status(&space, &group, "w", &conditions("Ready", "False"));
    let target = space.write("evidence", &[widget(&group, "w").with("/spec/size", 2), config_map("behind", "2").wave(1)]);
    let running = space.sync(&target).start();
    wait_for_rule(&running, "w", "heuristic: condition Ready", "Progressing");
    set_status(&space, &group, "w", &conditions("Stalled", "True"));
    let outcome = running.finish();
    outcome.assert_end(1, "Failed", "one or more synchronization tasks completed unsuccessfully");
    assert_eq!((result(&outcome, "Widget/w"), outcome.not_run()), ("Stalled is True", vec!["ConfigMap/behind: blocked".to_owned()]));
}

/// R410: a hook of such a kind is done at once when nothing speaks against it, and with strict compatibility whatever does.
#[test]
fn r411_strict_compatibility_passes_a_kind_without_a_rule_at_once() {
    let Some(space) = Space::open("strict") else { return };
    let group = define(&space);
    existing(&space, &group, "w", &conditions("Ready", "False"));
    let strict = space.write_text("strict-config", "[health]\nunknown_kinds = \"none\"\n");
    let target = space.write("strict", &[widget(&group, "hook").hook("PreSync"), widget(&group, "w"), config_map("behind", "1").wave(1)]);
    let outcome = space.sync(&target).arg("--config").arg(&strict).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(result(&outcome, "Widget/hook"), "hook created");
}

/// R411 R615: a rule without an end is stopped in its second; the resource is waited for, and a terminate ends that as always.
#[test]
fn r411_a_hostile_rule_is_an_error_in_time_and_a_terminate_still_works() {
    let Some(space) = Space::open("hostile") else { return };
    let group = define(&space);
    let config = space.write_text("hostile-config", &format!("[health.customizations]\n\"{group}/Widget\" = 'while true do end'\n"));
    let hook = space.write("hook", &[widget(&group, "hook").hook("PreSync"), config_map("behind", "1")]);
    let began = Instant::now();
    let outcome = space.sync(&hook).arg("--config").arg(&config).run();
    outcome.assert_end(1, "Failed", "one or more synchronization tasks completed unsuccessfully");
    let message = result(&outcome, "Widget/hook").to_owned();
    let rule = format!("failed to get resource health: the health rule config: {group}/Widget failed at line 1: it did not end within 1");
    assert!(message.starts_with(&rule), "{message}");
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());

    let plain = space.write("plain", &[widget(&group, "plain"), config_map("behind", "1").wave(1)]);
    let running = space.sync(&plain).arg("--config").arg(&config).start();
    running.wait_until_waiting(&format!("waiting for healthy state of {group}/Widget/plain"));
    let asked = Instant::now();
    running.signal("INT");
    let outcome = running.finish();
    assert_eq!(outcome.code, Some(3));
    assert!(asked.elapsed() < Duration::from_secs(30), "{:?}", asked.elapsed());
    assert!(space.names("configmaps").is_empty());
}

/// R411 R1109: a deletion looks at each object of its app, and a rule without an end does not take a second for each of them.
#[test]
fn r411_a_hostile_rule_of_a_kind_with_many_objects_holds_a_look_for_seconds_only() {
    let Some(space) = Space::open("hostile-many") else { return };
    let group = define(&space);
    let target = space.write("many", &(0..60).map(|at| widget(&group, &format!("w{at:02}"))).collect::<Vec<_>>());
    space.sync(&target).run().assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    // The collector learns of a new kind within half a minute; until then nothing of it goes, whoever judges it.
    space.kubectl(&["delete", &format!("widgets.{group}"), "w00", "--cascade=foreground", "--timeout=120s"]);
    let config = space.write_text("many-config", &format!("[health.customizations]\n\"{group}/Widget\" = 'while true do end'\n"));
    let began = Instant::now();
    space.delete(&target).arg("--config").arg(&config).run().assert_end(0, "Succeeded", "successfully deleted");
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}

/// R411: a rule that cannot be compiled is named before any object of its kind is there.
#[test]
fn r411_a_rule_of_the_argocd_cm_that_cannot_be_compiled_is_told_in_the_plan() {
    let Some(space) = Space::open("uncompiled") else { return };
    let key = "resource.customizations.health.example.com_Widget";
    let data = json!({key: "local a = 1\nif a then\n"});
    space.create(&json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm"}, "data": data}));
    let config = space.write_text("uncompiled", &format!("[health]\nargocd_cm = \"{}\"\n", space.namespace));
    let target = space.write("map", &[config_map("a", "1")]);
    let plan = space.plan(&target, &["--config", config.to_str().unwrap()]);
    let sentence =
        format!("the health rule of the key {key} of the ConfigMap {}/argocd-cm (its line 3) cannot be compiled: ", space.namespace);
    assert!(plan["warnings"].to_string().contains(&sentence), "{}", plan["warnings"]);
}
