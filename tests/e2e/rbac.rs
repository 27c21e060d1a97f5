//! `plan --rbac`: a user with the printed roles, and nothing else, comes to the same end as an administrator; without any one of the needed
//! permissions he does not, and is told before.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::{Object, ObjectExt};
use crate::support::{Outcome, SOON, Space, config_map, deployment, eventually, job};

/// A fresh user without rights.
struct User<'a> {
    space: &'a Space,
    kubeconfig: PathBuf,
}

impl<'a> User<'a> {
    fn of(space: &'a Space) -> Self {
        Self { space, kubeconfig: space.identity("fresh") }
    }

    /// Gives him roles, and takes away what earlier ones gave.
    fn gets(&self, rights: &Value) {
        let subject = json!([{"kind": "ServiceAccount", "name": "fresh", "namespace": self.space.namespace}]);
        let mut objects = Vec::new();
        for role in rights["roles"].as_array().unwrap() {
            objects.push(role.clone());
            objects.push(bound(role, "RoleBinding", &subject));
        }
        if !rights["clusterRole"].is_null() {
            // Tests run beside each other, and the name of the app is the same in all of them.
            let name = format!("syncwave-app-{}", self.space.suffix);
            let role = rights["clusterRole"].clone().with("/metadata/name", name.clone());
            objects.push(bound(&role, "ClusterRoleBinding", &subject));
            objects.push(role);
            self.space.removes("clusterrole", &name);
            self.space.removes("clusterrolebinding", &name);
        }
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
        self.space.feed(&["apply", "-f", "-"], &list.to_string());
    }

    /// Returns what he lacks of the needed, once the authorizer knows his roles: `patch configmaps`.
    fn lacks(&self, target: &Path, arguments: &[&str], expected: &[String]) {
        let mut last = Vec::new();
        let is_so = || {
            let (code, rights, _) = rights(self.space, target, &self.kubeconfig, arguments);
            let needed = rights["lacking"].as_array().unwrap().iter().filter(|lack| lack["needed"] == true);
            last = needed.map(|lack| format!("{} {}", lack["verb"].as_str().unwrap(), lack["resource"].as_str().unwrap())).collect();
            (last == expected && code == Some(i32::from(!expected.is_empty()))).then_some(())
        };
        eventually(&format!("he lacks {expected:?}"), SOON, is_so);
    }

    /// Waits until he has also what is not needed, without which the sync warns: it may be in another role, which comes later.
    fn lacks_nothing(&self, target: &Path, arguments: &[&str]) {
        eventually("he lacks nothing", SOON, || {
            let (code, rights, _) = rights(self.space, target, &self.kubeconfig, arguments);
            (code == Some(0) && rights["lacking"] == json!([])).then_some(())
        });
    }

    fn syncs(&self, target: &Path, arguments: &[&str]) -> Outcome {
        self.space.sync(target).args(arguments).kubeconfig(&self.kubeconfig).run()
    }
}

fn bound(role: &Value, kind: &str, subjects: &Value) -> Value {
    let reference = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": role["kind"], "name": role["metadata"]["name"]});
    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": role["metadata"], "roleRef": reference, "subjects": subjects})
}

fn rights(space: &Space, target: &Path, kubeconfig: &Path, arguments: &[&str]) -> (Option<i32>, Value, String) {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["-o", "json"]).collect();
    let (code, printed, errors) = space.rights(target, kubeconfig, &arguments);
    (code, serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}{errors}")), errors)
}

/// Returns the roles that an administrator is told, who lacks nothing; the plain form of them is what kubectl takes.
fn roles(space: &Space, target: &Path, arguments: &[&str]) -> Value {
    let (code, printed, errors) = space.rights(target, &space.kubeconfig, arguments);
    assert_eq!((code, errors.as_str()), (Some(0), ""), "an administrator lacks nothing");
    space.feed(&["apply", "--dry-run=server", "-f", "-"], &printed);
    let (code, roles, _) = rights(space, target, &space.kubeconfig, arguments);
    assert_eq!((code, &roles["lacking"], &roles["unclear"]), (Some(0), &json!([]), &Value::Null));
    roles
}

/// A fresh user with the roles that an administrator is told runs the sync: it succeeds, and nothing is said of what he may not do.
fn as_a_fresh_user(space: &Space, target: &Path, arguments: &[&str]) -> Outcome {
    let roles = roles(space, target, arguments);
    let user = User::of(space);
    user.gets(&roles);
    user.lacks_nothing(target, arguments);
    let outcome = user.syncs(target, arguments);
    let warnings: Vec<&str> = outcome.events("warning").iter().map(|line| line["message"].as_str().unwrap()).collect();
    let is_about_rights = |text: &&&str| ["forbidden", "cannot be", "may not", "polled"].iter().any(|word| text.contains(word));
    assert_eq!(warnings.iter().filter(is_about_rights).collect::<Vec<_>>(), Vec::<&&str>::new());
    outcome
}

fn ordinary(number: usize) -> Vec<Object> {
    vec![
        job(&format!("pre-{number}"), "echo one; sleep 1; echo two").hook("PreSync").policy("HookSucceeded"),
        config_map(&format!("map-{number}"), "1"),
        deployment(&format!("web-{number}"), "touch /tmp/ready; exec sleep 600"),
        job("post", "echo three").generated().hook("PostSync"),
    ]
}

#[test]
fn with_the_printed_roles_an_ordinary_sync_succeeds_and_the_next_one_too() {
    let Some(space) = Space::open("rbac-plain") else { return };
    let target = space.write("plain", &ordinary(0));
    let outcome = as_a_fresh_user(&space, &target, &[]);
    outcome.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    assert_eq!(outcome.log("pre-0"), [(1, "one"), (1, "two")]);
    assert_eq!(outcome.log("post"), [(1, "three")]);
    let is_left = || space.names("jobs").iter().all(|name| name.starts_with("post-"));
    eventually("the policy counts", SOON, || is_left().then_some(()));
    let again = space.sync(&target).kubeconfig(&space.state().with_file_name("kubeconfig-fresh.yaml")).run();
    again.assert_end(0, "Succeeded", "successfully synced (no more tasks)");
    space.assert_no_finalizer();
}

#[test]
fn with_the_printed_roles_what_no_manifest_asks_for_is_pruned() {
    let Some(space) = Space::open("rbac-prune") else { return };
    space.sync(&space.write("app", &[config_map("stays", "1"), config_map("goes", "1")])).run().assert_end(
        0,
        "Succeeded",
        "successfully synced (all tasks run)",
    );
    let target = space.write("app", &[config_map("stays", "2")]);
    let outcome = as_a_fresh_user(&space, &target, &["--prune"]);
    assert_eq!(outcome.code, Some(0));
    assert!(outcome.results().iter().any(|result| result == "Sync ConfigMap/goes Pruned Succeeded: pruned"), "{:?}", outcome.results());
    // The last group is not waited for, its deletions neither (R626).
    eventually("only what has a manifest is left", SOON, || (space.names("configmaps") == ["stays"]).then_some(()));
}

#[test]
fn with_the_printed_roles_objects_are_replaced_and_by_force_created_again() {
    let Some(space) = Space::open("rbac-force") else { return };
    space.create(&config_map("replaced", "1"));
    space.create(&job("forced", "echo old"));
    let replace = |object: Object| object.annotated("argocd.argoproj.io/sync-options", "Replace=true");
    let force = |object: Object| object.annotated("argocd.argoproj.io/sync-options", "Force=true");
    let target = space.write("app", &[replace(config_map("replaced", "2")), force(job("forced", "echo new"))]);
    let before = space.uid("job/forced");
    let outcome = as_a_fresh_user(&space, &target, &[]);
    assert_eq!(outcome.code, Some(0), "{:?}", outcome.results());
    assert!(outcome.results().iter().any(|result| result.ends_with(": configmap/replaced replaced")), "{:?}", outcome.results());
    assert_ne!(space.uid("job/forced"), before);
}

#[test]
fn r515_with_the_printed_roles_the_destination_is_created_and_filled() {
    let Some(space) = Space::open("rbac-create") else { return };
    let new = format!("e2e-rbac-new-{}", space.suffix);
    space.removes("namespace", &new);
    let target = space.write("app", &[config_map("a", "1")]);
    let arguments = ["--sync-option", "CreateNamespace=true", "-n", new.as_str()];
    let roles = roles(&space, &target, &arguments);
    assert_eq!(roles["roles"], json!([]), "no Role can be in a Namespace that is not there");
    let user = User::of(&space);
    user.gets(&roles);
    user.lacks_nothing(&target, &arguments);
    let outcome = space.sync(&target).namespace(&new).args(&arguments[..2]).kubeconfig(&user.kubeconfig).run();
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    assert_eq!(outcome.events("warning"), Vec::<&Value>::new());
}

#[test]
fn r525_with_the_printed_roles_a_definition_and_its_resource_come_in_one_sync() {
    let Some(space) = Space::open("rbac-crd") else { return };
    let group = format!("rbac-{}.example.com", space.suffix);
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": format!("gizmos.{group}")},
        "spec": {"group": group, "scope": "Namespaced", "names": {"plural": "gizmos", "singular": "gizmo", "kind": "Gizmo"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}]},
    });
    space.removes("customresourcedefinition", &format!("gizmos.{group}"));
    let gizmo = json!({"apiVersion": format!("{group}/v1"), "kind": "Gizmo", "metadata": {"name": "g"}});
    let outcome = as_a_fresh_user(&space, &space.write("app", &[definition, gizmo]), &[]);
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
}

/// The rights that a role hands on are checked when it is written.
#[test]
fn with_the_printed_roles_roles_and_bindings_are_written_although_they_hand_on_rights() {
    let Some(space) = Space::open("rbac-roles") else { return };
    let api = "rbac.authorization.k8s.io";
    let role = json!({"apiVersion": format!("{api}/v1"), "kind": "Role", "metadata": {"name": "reader"},
        "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]});
    let binding = |name: &str, kind: &str, role: &str| {
        json!({"apiVersion": format!("{api}/v1"), "kind": "RoleBinding", "metadata": {"name": name},
            "roleRef": {"apiGroup": api, "kind": kind, "name": role},
            "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": space.namespace}]})
    };
    let target = space.write("app", &[role, binding("own", "Role", "reader"), binding("view", "ClusterRole", "view")]);
    let roles = roles(&space, &target, &[]);
    let user = User::of(&space);
    user.gets(&without(&without(&roles, "escalate", "roles"), "bind", "clusterroles"));
    let lacks = ["bind clusterroles", "escalate roles"].map(str::to_owned);
    user.lacks(&target, &[], &lacks);
    let refused = user.syncs(&target, &[]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.results().iter().any(|result| result.contains("is attempting to grant RBAC permissions not currently held")));
    user.gets(&roles);
    user.lacks(&target, &[], &[]);
    user.syncs(&target, &[]).assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    // Whoever holds the rights that are handed on needs no right to hand them on.
    let change = json!({"apiVersion": format!("{api}/v1"), "kind": "Role", "metadata": {"name": "reader"},
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]});
    let changed = space.write("changed", &[change]);
    let holder = json!([{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]);
    let mut rights = without(&self::roles(&space, &changed, &[]), "escalate", "roles");
    rights["roles"][0]["rules"].as_array_mut().unwrap().extend(holder.as_array().unwrap().clone());
    user.gets(&rights);
    user.lacks(&changed, &[], &[]);
    assert_eq!(user.syncs(&changed, &[]).code, Some(0));
}

#[test]
fn a_selective_sync_needs_only_what_it_selects() {
    let Some(space) = Space::open("rbac-one") else { return };
    let target = space.write("app", &[config_map("one", "1"), config_map("two", "1"), job("pre", "true").hook("PreSync")]);
    let arguments = ["--resource", "ConfigMap:one"];
    let outcome = as_a_fresh_user(&space, &target, &arguments);
    assert_eq!((outcome.code, space.names("configmaps")), (Some(0), vec!["one".to_owned()]));
    let roles = roles(&space, &target, &arguments);
    let needed: Vec<&Value> = roles["rules"].as_array().unwrap().iter().filter(|rule| rule["needed"] == true).collect();
    assert!(needed.iter().all(|rule| rule["resource"] == "configmaps" && rule["names"] != json!(["two"])), "{needed:?}");
}

#[test]
fn r205_r209_with_the_printed_roles_old_and_failed_hooks_are_deleted() {
    let Some(space) = Space::open("rbac-policies") else { return };
    space.sync(&space.write("app", &[job("again", "echo one").hook("PreSync")])).run().assert_end(
        0,
        "Succeeded",
        "successfully synced (no more tasks)",
    );
    let before = space.uid("job/again");
    let target =
        space.write("app", &[job("again", "echo two").hook("PreSync"), job("bad", "exit 1").hook("PostSync").policy("HookFailed")]);
    let outcome = as_a_fresh_user(&space, &target, &[]);
    assert_eq!(outcome.code, Some(1), "the hook fails: {:?}", outcome.results());
    assert_ne!(space.uid("job/again"), before);
    // Its deletion has been accepted; the garbage collector may take a moment on a busy machine.
    eventually("the failed hook is deleted", SOON, || (space.names("jobs") == ["again"]).then_some(()));
}

/// Returns the roles with the needed rules alone.
fn needed_alone(rights: &Value) -> Value {
    let mut rights = rights.clone();
    let role = |namespace: &str, name: &Value| {
        let rules = rights["rules"].as_array().unwrap().iter().filter(|rule| rule["needed"] == true && rule["namespace"] == namespace);
        let rules: Vec<Value> = rules
            .map(|rule| {
                let mut plain = json!({"apiGroups": [rule["group"]], "resources": [rule["resource"]], "verbs": rule["verbs"]});
                if rule["names"] != json!([]) {
                    plain["resourceNames"] = rule["names"].clone();
                }
                plain
            })
            .collect();
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": name, "namespace": namespace}, "rules": rules})
    };
    let roles: Vec<Value> = rights["roles"]
        .as_array()
        .unwrap()
        .iter()
        .map(|known| role(known["metadata"]["namespace"].as_str().unwrap(), &known["metadata"]["name"]))
        .collect();
    rights["roles"] = roles.into();
    rights
}

/// Returns the roles without one verb on one resource.
fn without(rights: &Value, verb: &str, resource: &str) -> Value {
    let mut rights = rights.clone();
    for role in rights["roles"].as_array_mut().unwrap() {
        let rules = role["rules"].as_array_mut().unwrap();
        for rule in rules.iter_mut().filter(|rule| rule["resources"] == json!([resource])) {
            rule["verbs"].as_array_mut().unwrap().retain(|known| known != verb);
        }
        rules.retain(|rule| rule["verbs"] != json!([]));
    }
    rights
}

/// What is printed as needed is enough, and no verb of it can be left out.
#[test]
fn what_is_needed_is_enough_and_nothing_of_it_can_be_left_out() {
    let Some(space) = Space::open("rbac-least") else { return };
    let user = User::of(&space);
    let objects = |number: usize| {
        vec![job(&format!("pre-{number}"), "echo one").hook("PreSync").policy("HookSucceeded"), config_map(&format!("map-{number}"), "1")]
    };
    let target = |number: usize| space.write(&format!("app-{number}"), &objects(number));
    let least = needed_alone(&roles(&space, &target(0), &[]));
    user.gets(&least);
    user.lacks(&target(0), &[], &[]);
    let outcome = user.syncs(&target(0), &[]);
    outcome.assert_end(0, "Succeeded", "successfully synced (all tasks run)");
    let said: Vec<String> = outcome.events("warning").iter().map(|line| line["message"].to_string()).collect();
    assert!(
        said.iter().any(|text| text.contains("pods")) && said.iter().any(|text| text.contains("watch")),
        "it says that it polls: {said:?}"
    );
    let cases = [
        ("patch", "configmaps"),
        ("create", "configmaps"),
        ("get", "configmaps"),
        ("patch", "jobs"),
        ("create", "jobs"),
        ("delete", "jobs"),
        // Last, because a hook that nobody sees keeps its finalizer.
        ("get", "jobs"),
    ];
    for (number, (verb, resource)) in (1..).zip(cases) {
        let target = target(number);
        let least = needed_alone(&roles(&space, &target, &[]));
        user.gets(&without(&least, verb, resource));
        user.lacks(&target, &[], &[format!("{verb} {resource}")]);
        let outcome = user.syncs(&target, &["--timeout", "20s"]);
        let warnings = outcome.events("warning").into_iter().map(|line| line["message"].as_str().unwrap().to_owned());
        let said: Vec<String> = warnings.chain(outcome.results()).collect();
        let is_told = said.iter().any(|text| text.contains(&format!("cannot {verb} resource \"{resource}\"")));
        assert!(is_told, "{verb} {resource}: exit {:?}, {said:#?}", outcome.code);
        // A hook that has succeeded and stays, and an object without health that nobody sees, make no sync fail.
        assert!(outcome.code != Some(0) || ["get", "delete"].contains(&verb), "{verb} {resource}: {said:#?}");
        // What one round has left is not the next one's business.
        std::fs::remove_dir_all(space.state()).unwrap();
    }
}

/// The sentence that names the permission, where it is for, and what for.
#[test]
fn what_lacks_is_said_in_a_sentence_each() {
    let Some(space) = Space::open("rbac-lack") else { return };
    let kubeconfig = space.account(&["get", "list", "watch", "create"]);
    let target = space.write("app", &[config_map("plain", "1")]);
    let mut said = String::new();
    eventually("he lacks one verb", SOON, || {
        let (code, printed, errors) = space.rights(&target, &kubeconfig, &[]);
        said = errors;
        (code == Some(1) && printed.contains("kind: Role") && said.lines().count() == 1).then_some(())
    });
    let sentence = format!("you lack: patch configmaps plain in {} (needed: applies ConfigMap plain (Sync wave 0))\n", space.namespace);
    assert_eq!(said, sentence);
}
