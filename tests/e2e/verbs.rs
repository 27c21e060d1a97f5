//! How one object is written: applied, replaced, forced, and what becomes of what others left in it (topic 7 of the specification).

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Object, ObjectExt, SOON, Space, config_map, deployment, eventually, job};

const ALL_RUN: &str = "successfully synced (all tasks run)";
const OPTIONS: &str = "argocd.argoproj.io/sync-options";

fn web() -> Object {
    deployment("web", "touch /tmp/ready; exec sleep 600")
}

/// A Deployment whose selector, which cannot be changed, is another one.
fn other_web() -> Object {
    let labels = json!({"app": "web", "tier": "two"});
    web().with("/spec/selector/matchLabels", labels.clone()).with("/spec/template/metadata/labels", labels)
}

fn uid(space: &Space, what: &str) -> String {
    space.get(what).unwrap()["metadata"]["uid"].as_str().unwrap().to_owned()
}

/// Syncs, checks that it went well, and returns the messages of the results.
fn messages(space: &Space, objects: &[Object], arguments: &[&str]) -> Vec<String> {
    let outcome = space.sync(&space.write("target", objects)).args(arguments).run();
    outcome.assert_end(0, "Succeeded", ALL_RUN);
    outcome.results().iter().map(|text| text.split(": ").nth(1).unwrap().to_owned()).collect()
}

/// Who owns fields of the object itself: `manager operation`.
fn owners(live: &Value) -> Vec<String> {
    let entries = live["metadata"]["managedFields"].as_array().unwrap().iter().filter(|entry| entry["subresource"].is_null());
    let mut names: Vec<String> =
        entries.map(|entry| format!("{} {}", entry["manager"].as_str().unwrap(), entry["operation"].as_str().unwrap())).collect();
    names.sort();
    names
}

fn get_with_owners(space: &Space, what: &str) -> Value {
    serde_json::from_str(&space.kubectl(&["get", what, "-o", "json", "--show-managed-fields"])).unwrap()
}

/// R711 [K], confirmed of ours: created when it is not there, put in the place of what is there; what others added goes, the object stays
/// the same one.
#[test]
fn t79_r711_replace_leaves_nothing_but_the_target() {
    let Some(space) = Space::open("replace") else { return };
    let target = || config_map("a", "1").annotated(OPTIONS, "Replace=true");
    assert_eq!(messages(&space, &[target()], &[]), ["configmap/a created"]);
    let before = uid(&space, "configmap/a");
    space.kubectl(&["patch", "configmap/a", "--type=merge", "-p", r#"{"data":{"theirs":"1"}}"#]);
    assert_eq!(messages(&space, &[target()], &[]), ["configmap/a replaced"]);
    let live = space.get("configmap/a").unwrap();
    assert_eq!((live["data"].clone(), uid(&space, "configmap/a")), (json!({"value": "1"}), before));
    // The annotation of the live object counts as well, so the target without it is the last one that replaces.
    assert_eq!(messages(&space, &[config_map("a", "2")], &[]), ["configmap/a replaced"]);
    // Fields that we once wrote whole do not outlive an apply that leaves them out.
    assert_eq!(messages(&space, &[config_map("a", "2").with("/data", json!({"other": "2"}))], &[]), ["configmap/a configured"]);
    let live = get_with_owners(&space, "configmap/a");
    assert_eq!((live["data"].clone(), owners(&live)), (json!({"other": "2"}), vec!["syncwave Apply".to_owned()]));
}

/// R711: a Namespace and a definition are updated.
#[test]
fn t80_r711_namespaces_and_definitions_are_updated() {
    let Some(space) = Space::open("update") else { return };
    let name = space.another_namespace("updated");
    let group = format!("verbs-{}.example.com", space.suffix);
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": format!("things.{group}")},
        "spec": {
            "group": group, "scope": "Namespaced", "names": {"plural": "things", "singular": "thing", "kind": "Thing"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}],
        },
    });
    space.removes("customresourcedefinition", &format!("things.{group}"));
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"x": "1"}}});
    let objects = [namespace.annotated(OPTIONS, "Replace=true"), definition.annotated(OPTIONS, "Replace=true")];
    let before = uid(&space, &format!("namespace/{name}"));
    let created = format!("customresourcedefinition.apiextensions.k8s.io/things.{group} created");
    assert_eq!(messages(&space, &objects, &[]), [format!("Namespace/{name} updated"), created]);
    let updated = format!("CustomResourceDefinition/things.{group} updated");
    assert_eq!(messages(&space, &objects, &[]), [format!("Namespace/{name} updated"), updated]);
    assert_eq!(uid(&space, &format!("namespace/{name}")), before);
}

/// R713 [K], confirmed of ours: what cannot be changed is another object afterwards, and the message is `configured` all the same.
#[test]
fn r713_force_takes_the_place_of_what_cannot_be_changed() {
    let Some(space) = Space::open("force") else { return };
    assert_eq!(messages(&space, &[web()], &[]), ["deployment.apps/web created"]);
    let before = uid(&space, "deployment/web");
    let refused = space.sync(&space.write("refused", &[other_web()])).run();
    assert_eq!(refused.code, Some(1));
    assert!(refused.results()[0].contains("field is immutable"), "{:?}", refused.results());
    assert_eq!(uid(&space, "deployment/web"), before);
    assert_eq!(messages(&space, &[other_web().annotated(OPTIONS, "Force=true")], &[]), ["deployment.apps/web configured"]);
    let after = uid(&space, "deployment/web");
    assert_ne!(after, before);
    // Force changes nothing when there is nothing to force.
    assert_eq!(messages(&space, &[other_web().annotated(OPTIONS, "Force=true")], &[]), ["deployment.apps/web unchanged"]);
    assert_eq!(uid(&space, "deployment/web"), after);
}

/// R713 [K], corrected: an object is not given away for a manifest that no server would take. kubectl deletes it first.
#[test]
fn r713_force_does_not_delete_for_a_manifest_that_is_wrong_in_itself() {
    let Some(space) = Space::open("wrong") else { return };
    assert_eq!(messages(&space, &[web()], &[]), ["deployment.apps/web created"]);
    let before = uid(&space, "deployment/web");
    let wrong = web().with("/spec/template/spec/restartPolicy", "Never").annotated(OPTIONS, "Force=true");
    let outcome = space.sync(&space.write("wrong", &[wrong])).run();
    assert_eq!(outcome.code, Some(1));
    let refusal = "Deployment.apps \"web\" is invalid: spec.template.spec.restartPolicy: Unsupported value: \"Never\"";
    assert!(outcome.results()[0].contains(refusal), "{:?}", outcome.results());
    assert_eq!(uid(&space, "deployment/web"), before);
}

/// R713 [K], confirmed of ours: with both, the object is always another one.
#[test]
fn t82_r713_replace_and_force_delete_and_create() {
    let Some(space) = Space::open("both") else { return };
    let target = || config_map("a", "1").annotated(OPTIONS, "Replace=true,Force=true");
    assert_eq!(messages(&space, &[target()], &[]), ["configmap/a created"]);
    let before = uid(&space, "configmap/a");
    assert_eq!(
        messages(&space, &[target()], &[]),
        [format!("configmap \"a\" deleted from {} namespace\nconfigmap/a replaced", space.namespace)]
    );
    assert_ne!(uid(&space, "configmap/a"), before);
}

/// R713 [K], corrected: neither by `Replace`, and the plan says it before. kubectl deletes it first.
#[test]
fn r713_replace_by_force_does_not_delete_for_what_the_server_refuses() {
    let Some(space) = Space::open("kept") else { return };
    let target = || config_map("a", "1").annotated(OPTIONS, "Replace=true,Force=true");
    assert_eq!(messages(&space, &[target()], &[]), ["configmap/a created"]);
    let before = uid(&space, "configmap/a");
    let unknown = target().with("/dataz", json!({"x": "y"}));
    for (wrong, refusal) in [
        (target().with("/data", json!({"a b": "b"})), "ConfigMap \"a\" is invalid: data[a b]: Invalid value"),
        (unknown, "strict decoding error: unknown field \"dataz\""),
    ] {
        let file = space.write("wrong", &[wrong]);
        let output = space.plan_output(&file, &["-o", "json"]);
        let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
        let task = &plan["tasks"][0];
        assert_eq!((output.status.code(), &task["action"]), (Some(1), &json!("refused")), "{task}");
        let reason = task["reason"].as_str().unwrap();
        assert!(reason.contains(refusal) && !reason.contains("-again"), "{reason}");
        let outcome = space.sync(&file).run();
        assert_eq!(outcome.code, Some(1));
        assert!(outcome.results()[0].contains(refusal), "{:?}", outcome.results());
        assert_eq!(uid(&space, "configmap/a"), before);
    }
}

/// R713: the old pods are gone before the new Deployment comes, so the wait is real.
#[test]
fn r713_what_the_old_object_owned_is_gone_before_the_new_one_comes() {
    let Some(space) = Space::open("owned") else { return };
    assert_eq!(messages(&space, &[web()], &[]), ["deployment.apps/web created"]);
    eventually("a pod", SOON, || (!space.names("pods").is_empty()).then_some(()));
    let old: Vec<String> = space.names("pods");
    assert_eq!(messages(&space, &[other_web().annotated(OPTIONS, "Force=true")], &[]), ["deployment.apps/web configured"]);
    let left = space.names("pods");
    assert!(old.iter().all(|name| !left.contains(name)), "{old:?} {left:?}");
}

/// R714: always the same word, also when nothing changed. R713 [K, D], confirmed: with force, the sentence of kubectl and SyncFailed.
#[test]
fn t80_r713_r714_server_side_apply_says_so_and_force_does_nothing_beside_it() {
    let Some(space) = Space::open("serverside") else { return };
    let target = |options: &str| [config_map("a", "1").annotated(OPTIONS, options)];
    for _ in 0..2 {
        assert_eq!(messages(&space, &target("ServerSideApply=true"), &[]), ["configmap/a serverside-applied"]);
    }
    assert_eq!(messages(&space, &target("ServerSideApply=true,ServerSideApply=false"), &[]), ["configmap/a configured"]);
    let before = uid(&space, "configmap/a");
    let outcome = space.sync(&space.write("forced", &target("ServerSideApply=true,Force=true"))).run();
    assert_eq!(outcome.results(), ["Sync ConfigMap/a Synced Running: configmap/a serverside-applied"]);
    let warnings = outcome.events("warning");
    assert!(warnings.iter().any(|line| line["message"].as_str().unwrap().starts_with("force has no effect beside")), "{warnings:?}");
    assert_eq!(uid(&space, "configmap/a"), before);
}

/// R715 [K], corrected: in ours every apply migrates, not only one with ServerSideApply. What `kubectl apply` left behind is ours, with its
/// annotation and under no manager of its own, so that a field which the manifest does not have goes away.
#[test]
fn t88_r715_a_field_of_kubectl_apply_that_the_manifest_lacks_is_removed() {
    let Some(space) = Space::open("migrate") else { return };
    let both = config_map("a", "1").with("/data/legacy", "old");
    let theirs = space.write("theirs", &[both, web()]);
    space.kubectl(&["apply", "-f", theirs.to_str().unwrap()]);
    let before = (uid(&space, "configmap/a"), uid(&space, "deployment/web"));
    let outcome = space.sync(&space.write("ours", &[config_map("a", "1"), web()])).run();
    outcome.assert_end(0, "Succeeded", ALL_RUN);
    let live = get_with_owners(&space, "configmap/a");
    assert_eq!((live["data"].clone(), owners(&live)), (json!({"value": "1"}), vec!["syncwave Apply".to_owned()]));
    assert_eq!(live["metadata"]["annotations"].as_object().unwrap().keys().collect::<Vec<_>>(), ["syncwave.dev/tracking-id"]);
    let told = outcome.events("warning").iter().any(|line| {
        let text = line["message"].as_str().unwrap();
        text == "the fields of the client-side field manager `kubectl-client-side-apply` are ours now" && line["task"]["name"] == "a"
    });
    assert!(told, "{:?}", outcome.events("warning"));
    assert_eq!((uid(&space, "configmap/a"), uid(&space, "deployment/web")), before);
    assert_eq!(messages(&space, &[config_map("a", "1"), web()], &[]), ["configmap/a unchanged", "deployment.apps/web unchanged"]);
}

/// R715 [K], confirmed of ours: a field that somebody else owns as well stays theirs.
#[test]
fn r715_a_migration_takes_nothing_from_other_managers() {
    let Some(space) = Space::open("shared") else { return };
    let theirs = space.write("theirs", &[config_map("a", "1").with("/data/legacy", "old")]);
    space.kubectl(&["apply", "-f", theirs.to_str().unwrap()]);
    let shared = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"legacy": "old"}});
    let shared = space.write("shared", &[shared]);
    space.kubectl(&["apply", "--server-side", "--field-manager=somebody", "-f", shared.to_str().unwrap()]);
    space.sync(&space.write("ours", &[config_map("a", "1")])).run().assert_end(0, "Succeeded", ALL_RUN);
    let live = get_with_owners(&space, "configmap/a");
    assert_eq!((&live["data"]["legacy"], owners(&live)), (&json!("old"), vec!["somebody Apply".to_owned(), "syncwave Apply".to_owned()]));
}

/// R707 [K], confirmed: an unknown field is an error of the real apply, unless the target says otherwise.
#[test]
fn t46_r707_an_unknown_field_is_refused_or_left_out() {
    let Some(space) = Space::open("validate") else { return };
    let wrong = || web().with("/spec/template/spec/nonsense", "1");
    let outcome = space.sync(&space.write("strict", &[wrong()])).run();
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.results()[0].contains(".spec.template.spec.nonsense: field not declared in schema"), "{:?}", outcome.results());
    assert_eq!(messages(&space, &[wrong().annotated(OPTIONS, "Validate=false")], &[]), ["deployment.apps/web created"]);
    let replaced = wrong().annotated(OPTIONS, "Replace=true");
    assert_eq!(messages(&space, &[replaced], &[]), ["deployment.apps/web replaced"], "R707: replace always without that flag");
}

/// R701 R727: what an operation can ask for everything in it.
#[test]
fn r727_options_of_the_whole_operation_count_for_each_object() {
    let Some(space) = Space::open("options-all") else { return };
    let both = || [config_map("a", "1"), web()];
    assert_eq!(messages(&space, &both(), &["--server-side"]), ["configmap/a serverside-applied", "deployment.apps/web serverside-applied"]);
    let before = (uid(&space, "configmap/a"), uid(&space, "deployment/web"));
    assert_eq!(messages(&space, &both(), &["--replace"]), ["configmap/a replaced", "deployment.apps/web replaced"]);
    assert_eq!((uid(&space, "configmap/a"), uid(&space, "deployment/web")), before);
    let others = [config_map("a", "1"), other_web()];
    assert_eq!(messages(&space, &others, &["--force"])[1], "deployment.apps/web configured");
    assert_eq!(uid(&space, "configmap/a"), before.0);
    assert_ne!(uid(&space, "deployment/web"), before.1);
    let wrong = [config_map("a", "1"), other_web().with("/spec/template/spec/nonsense", "1")];
    assert_eq!(messages(&space, &wrong, &["--sync-option", "Validate=false"])[1], "deployment.apps/web unchanged");
}

/// R719: what a pruned object owned goes before it (the default), after it, or not at all. T78, its part [D] confirmed: of foreground and
/// background, background counts.
#[test]
fn t78_r719_a_prune_spreads_as_the_operation_says() {
    let Some(space) = Space::open("spread") else { return };
    for (options, first) in [
        (&[][..], "child"),
        (&["foreground"], "child"),
        (&["background"], "parent"),
        (&["foreground", "background"], "parent"),
        (&["orphan"], "only the parent"),
    ] {
        assert_eq!(messages(&space, &[config_map("a", "1"), web()], &[])[1], "deployment.apps/web created");
        let child = eventually("a ReplicaSet", SOON, || space.names("replicasets").pop());
        let child = format!("replicaset/{child}");
        // It cannot go before the test says so: whoever waits for it stays.
        space.kubectl(&["patch", &child, "--type=merge", "-p", r#"{"metadata":{"finalizers":["example.com/held"]}}"#]);
        let options: Vec<String> = options.iter().map(|option| format!("--sync-option=PrunePropagationPolicy={option}")).collect();
        let arguments: Vec<&str> = std::iter::once("--prune").chain(options.iter().map(String::as_str)).collect();
        assert_eq!(messages(&space, &[config_map("a", "1")], &arguments), ["pruned", "configmap/a unchanged"], "{arguments:?}");
        assert_eq!(who_goes_first(&space, &child), first, "{arguments:?}");
        space.kubectl(&["patch", &child, "--type=merge", "-p", r#"{"metadata":{"finalizers":null}}"#]);
        if first == "only the parent" {
            assert_eq!(space.get(&child).unwrap()["metadata"].get("ownerReferences"), None);
        } else {
            eventually("both are gone", SOON, || {
                (space.names("replicasets").is_empty() && space.names("deployments").is_empty()).then_some(())
            });
        }
    }
}

/// Says what is about to go after a prune of the Deployment, while its ReplicaSet is held.
fn who_goes_first(space: &Space, child: &str) -> &'static str {
    eventually("somebody goes", SOON, || {
        let (parent, child) = (space.get("deployment/web"), space.get(child).expect("it is held"));
        let is_leaving = !child["metadata"]["deletionTimestamp"].is_null();
        match parent {
            Some(parent) if is_leaving => {
                assert_eq!(parent["metadata"]["finalizers"], json!(["foregroundDeletion"]));
                Some("child")
            }
            None if is_leaving => Some("parent"),
            None if child["metadata"]["ownerReferences"].is_null() => Some("only the parent"),
            Some(_) | None => None,
        }
    })
}

/// R307 [D], confirmed (T113 for apply): an object without a name is another one in each sync that replaces.
#[test]
fn t113_r307_an_object_without_a_name_is_created_anew_by_replace() {
    let Some(space) = Space::open("unnamed") else { return };
    let target = || [config_map("a", "1").generated()];
    let refused = space.sync(&space.write("plain", &target())).run();
    refused.assert_end(1, "Failed", "one or more objects failed to apply (dry run)");
    for count in 1..=2 {
        let said = messages(&space, &target(), &["--replace"]);
        assert!(said[0].starts_with("configmap/a-") && said[0].ends_with(" created"), "{said:?}");
        assert_eq!(space.names("configmaps").len(), count);
    }
}

/// R309 R1503: a hook waits for its old object that somebody else is deleting, says what holds it, and then runs.
#[test]
fn r309_r1503_a_hook_waits_for_its_old_object_that_somebody_else_deletes() {
    let Some(space) = Space::open("leaving") else { return };
    let target = space.write("hook", &[job("pre", "true").hook("PreSync").policy("HookFailed")]);
    space.sync(&target).run().assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    let before = uid(&space, "job/pre");
    let guard =
        |names: &str| space.kubectl(&["patch", "job/pre", "--type=merge", "-p", &format!(r#"{{"metadata":{{"finalizers":{names}}}}}"#)]);
    guard(r#"["example.com/guard"]"#);
    space.kubectl(&["delete", "job/pre", "--wait=false"]);
    let running = space.sync(&target).start();
    running.wait_for("what holds it", |line| line.to_string().contains("example.com/guard"));
    guard("null");
    running.finish().assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    assert_ne!(uid(&space, "job/pre"), before);
}

/// R1312: what the server's own words do not say.
#[test]
fn r1312_a_refusal_says_what_to_do_where_the_servers_words_do_not() {
    let Some(space) = Space::open("hints") else { return };
    let old = web().with("/apiVersion", "apps/v1beta1");
    let outcome = space.sync(&space.write("old", &[old])).run();
    let said = format!(
        "The Kubernetes API could not find version \"v1beta1\" of apps/Deployment for requested resource {}/web. \
         Version \"v1\" of apps/Deployment is installed on the destination cluster.",
        space.namespace
    );
    assert!(outcome.results()[0].ends_with(&said), "{:?}", outcome.results());
    let large = config_map("large", "1").annotated("example.com/large", &"x".repeat(300_000));
    let outcome = space.sync(&space.write("large", &[large])).run();
    let text = &outcome.results()[0];
    assert!(text.contains("metadata.annotations: Too long") && text.ends_with(": Replace=true writes the object without it"), "{text}");
}

/// A rule of the cluster about Jobs of the test's namespace, effective when this returns.
fn policy(space: &Space, expression: &str, message: &str) {
    let probe = space.write("probe", &[job("probe", "true").with("/spec/suspend", true)]);
    space.kubectl(&["apply", "-f", probe.to_str().unwrap()]);
    let name = format!("jobs-{}", space.suffix);
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [{"apiGroups": ["batch"], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["jobs"]}]},
            "validations": [{"expression": expression, "message": message}],
        },
    });
    let selector = json!({"matchLabels": {"kubernetes.io/metadata.name": space.namespace}});
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"], "matchResources": {"namespaceSelector": selector}},
    });
    let file = space.write("policy", &[policy, binding]);
    space.kubectl(&["apply", "-f", file.to_str().unwrap()]);
    space.removes("validatingadmissionpolicybinding", &name);
    space.removes("validatingadmissionpolicy", &name);
    let mut count = 0;
    eventually("the policy counts", Duration::from_secs(60), || {
        count += 1;
        space.try_kubectl(&["annotate", "job/probe", "--overwrite", &format!("probe={count}")]).err()
    });
}

fn lift_policy(space: &Space) {
    let name = format!("jobs-{}", space.suffix);
    space.kubectl(&["delete", "validatingadmissionpolicybinding", &name]);
    let free = || space.try_kubectl(&["annotate", "job/probe", "--overwrite", "probe=free"]).ok();
    eventually("the policy is lifted", Duration::from_secs(60), free);
}

/// R218, #24187: removing our finalizer changes the finalizers and nothing else, so a rule about everything else does not hinder it.
#[test]
fn r218_24187_a_rule_about_all_but_finalizers_does_not_hinder_a_hook() {
    let Some(space) = Space::open("frozen") else { return };
    let same = ["labels", "annotations"].map(|field| {
        format!("has(object.metadata.{field}) == has(oldObject.metadata.{field}) && (!has(object.metadata.{field}) || object.metadata.{field} == oldObject.metadata.{field})")
    });
    let expression = format!("object.spec == oldObject.spec && {}", same.join(" && "));
    policy(&space, &expression, "Jobs are frozen");
    let outcome = space.sync(&space.write("hook", &[job("pre", "true").hook("PreSync"), config_map("a", "1")])).run();
    outcome.assert_end(0, "Succeeded", ALL_RUN);
    assert_eq!(space.get("job/pre").unwrap()["metadata"].get("finalizers"), None);
}

/// R218, #24187: a rule that refuses every change is named on the hook, and the operation ends.
#[test]
fn r218_24187_a_rule_that_refuses_the_removal_of_a_finalizer_is_named() {
    let Some(space) = Space::open("refuses") else { return };
    policy(&space, "false", "Jobs are frozen");
    let outcome = space.sync(&space.write("hook", &[job("pre", "true").hook("PreSync"), config_map("a", "1")])).run();
    assert_eq!(outcome.code, Some(1));
    let said = outcome.results().into_iter().find(|text| text.contains("Job/pre")).unwrap();
    assert!(said.starts_with("PreSync Job/pre Synced Error: Failed to remove hook finalizer: failed to update resource: "), "{said}");
    assert!(said.contains(&format!("ValidatingAdmissionPolicy 'jobs-{}'", space.suffix)) && said.contains("Jobs are frozen"), "{said}");
    lift_policy(&space);
}
