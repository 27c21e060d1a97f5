//! What a plan says of pods and children, and what then happens to them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Object, ObjectExt, SOON, Space, config_map, deployment, eventually};

const READY: &str = "touch /tmp/ready; exec sleep 600";

fn web(replicas: u64, script: &str) -> Object {
    deployment("web", script).with("/spec/replicas", replicas)
}

/// The sentences of the task of an object.
fn effects(plan: &Value, name: &str) -> Vec<String> {
    let task = plan["tasks"].as_array().unwrap().iter().find(|task| task["name"] == name);
    let effects = task.unwrap_or_else(|| panic!("no {name} in {plan}"))["effects"].as_array().unwrap();
    effects.iter().map(|effect| effect["text"].as_str().unwrap().to_owned()).collect()
}

/// The uids of the pods that stay.
fn pods(space: &Space) -> BTreeSet<String> {
    let jsonpath = r#"jsonpath={range .items[*]}{.metadata.uid}:{.metadata.deletionTimestamp}{"\n"}{end}"#;
    let all = space.kubectl(&["get", "pods", "-o", jsonpath]);
    all.lines().filter_map(|line| line.strip_suffix(':')).map(str::to_owned).collect()
}

/// Waits until the pods are those of the last manifest: what the status says counts only of the generation that it has seen.
fn settled(space: &Space, count: usize) -> BTreeSet<String> {
    eventually("the pods are those that are asked for", SOON, || {
        let web = space.get("deployment/web")?;
        let is_so = |field: &str| web["status"][field] == count;
        let is_seen = web["status"]["observedGeneration"] == web["metadata"]["generation"];
        let now = pods(space);
        (is_seen && ["updatedReplicas", "readyReplicas", "replicas"].into_iter().all(is_so) && now.len() == count).then_some(now)
    })
}

const SUCCEEDED: [&str; 2] = ["Succeeded", "successfully synced (all tasks run)"];

fn sync(space: &Space, name: &str, objects: &[Object], arguments: &[&str]) {
    let target = space.write(name, objects);
    space.sync(&target).args(arguments).run().assert_end(0, SUCCEEDED[0], SUCCEEDED[1]);
}

#[test]
fn as_many_pods_roll_as_the_plan_says_and_none_when_it_says_none() {
    let Some(space) = Space::open("effects-roll") else { return };
    sync(&space, "one", &[web(3, READY)], &[]);
    let first = settled(&space, 3);

    let labelled = [web(3, READY).with("/metadata/labels", json!({"team": "a"}))];
    let plan = space.plan(&space.write("labelled", &labelled), &[]);
    assert_eq!(effects(&plan, "web"), ["only metadata changes"]);
    sync(&space, "labelled", &labelled, &[]);
    assert_eq!(settled(&space, 3), first);

    let more = [labelled[0].clone().with("/spec/replicas", 4)];
    assert_eq!(effects(&space.plan(&space.write("more", &more), &[]), "web"), ["scales from 3 to 4 pods"]);
    sync(&space, "more", &more, &[]);
    let second = settled(&space, 4);
    assert!(second.is_superset(&first), "{first:?} {second:?}");

    let other = [web(3, "touch /tmp/ready; exec sleep 601")];
    let plan = space.plan(&space.write("other", &other), &[]);
    let rolls = "pod template changed: rolls 3 pods (+1 surge, 0 down)";
    assert_eq!(effects(&plan, "web"), [rolls, "scales from 4 to 3 pods"]);
    assert_eq!(plan["summary"], "1 object changes, 3 pods roll");
    sync(&space, "other", &other, &[]);
    assert!(settled(&space, 3).is_disjoint(&second), "all of them are new");
}

#[test]
fn a_prune_takes_as_many_children_along_as_the_plan_says() {
    let Some(space) = Space::open("effects-prune") else { return };
    sync(&space, "one", &[config_map("keep", "1"), web(2, READY)], &[]);
    settled(&space, 2);
    sync(&space, "two", &[config_map("keep", "1"), web(2, "touch /tmp/ready; exec sleep 601")], &[]);
    settled(&space, 2);
    assert_eq!(space.names("replicasets").len(), 2);

    let kept = space.write("three", &[config_map("keep", "1")]);
    let said = effects(&space.plan(&kept, &[]), "web");
    assert_eq!(said, ["stays: prune is off, --prune deletes it", "with --prune: deletes it with 2 ReplicaSets and 2 Pods"]);
    let plan = space.plan(&kept, &["--prune"]);
    assert_eq!(effects(&plan, "web"), ["deletes it with 2 ReplicaSets and 2 Pods"]);
    assert_eq!(plan["summary"], "1 object is deleted with 4 children");
    let orphan = space.plan(&kept, &["--prune", "--sync-option", "PrunePropagationPolicy=orphan"]);
    assert_eq!(effects(&orphan, "web"), ["leaves 2 ReplicaSets and 2 Pods behind (PrunePropagationPolicy=orphan)"]);

    sync(&space, "three", &[config_map("keep", "1")], &["--prune", "--sync-option", "PrunePropagationPolicy=orphan"]);
    // The last group is not waited for, its deletions neither (R626).
    eventually("the Deployment is gone", SOON, || space.names("deployments").is_empty().then_some(()));
    assert_eq!((space.names("replicasets").len(), pods(&space).len()), (2, 2));
}

#[test]
fn a_prune_leaves_nothing_of_what_the_plan_counts() {
    let Some(space) = Space::open("effects-gone") else { return };
    sync(&space, "one", &[config_map("keep", "1"), web(2, READY)], &[]);
    settled(&space, 2);
    let kept = space.write("two", &[config_map("keep", "1")]);
    assert_eq!(effects(&space.plan(&kept, &["--prune"]), "web"), ["deletes it with 1 ReplicaSet and 2 Pods"]);
    sync(&space, "two", &[config_map("keep", "1")], &["--prune"]);
    eventually("everything is gone", SOON, || (space.names("replicasets").is_empty() && space.names("pods").is_empty()).then_some(()));
}

#[test]
fn what_cannot_be_changed_is_found_before_the_sync_and_the_way_out_is_one() {
    let Some(space) = Space::open("effects-stuck") else { return };
    sync(&space, "one", &[web(1, READY)], &[]);
    let old = settled(&space, 1);
    let labels = json!({"app": "web", "part": "new"});
    let changed =
        || [web(1, READY).with("/spec/selector/matchLabels", labels.clone()).with("/spec/template/metadata/labels", labels.clone())];
    let target = space.write("two", &changed());
    let output = space.plan_output(&target, &[]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    let way_out = "spec.selector cannot be changed; `--force`, or the annotation argocd.argoproj.io/sync-options: Force=true on it, \
                   deletes it and creates it again with 1 ReplicaSet and 1 Pod";
    assert!(said.contains("refused") && said.contains(way_out), "{said}");
    let plan = space.plan(&target, &["--force"]);
    assert_eq!(effects(&plan, "web"), ["deletes it and creates it again (spec.selector cannot be changed) with 1 ReplicaSet and 1 Pod"]);
    assert_eq!(plan["tasks"][0]["action"], "recreate");
    sync(&space, "two", &changed(), &["--force"]);
    assert!(settled(&space, 1).is_disjoint(&old));
}

#[test]
fn a_changed_map_is_kept_by_those_who_have_it_in_their_environment() {
    let Some(space) = Space::open("effects-map") else { return };
    let user =
        |script: &str| web(1, script).with("/spec/template/spec/containers/0/envFrom", json!([{"configMapRef": {"name": "settings"}}]));
    let script = "touch /tmp/ready; exec sleep 600";
    sync(&space, "one", &[config_map("settings", "1"), user(script)], &[]);
    let old = settled(&space, 1);
    let target = space.write("two", &[config_map("settings", "2"), user(script)]);
    let kept = "Deployment/web has it in its environment: its pods keep the old value until they restart";
    assert_eq!(effects(&space.plan(&target, &[]), "settings"), [kept]);
    sync(&space, "two", &[config_map("settings", "2"), user(script)], &[]);
    assert_eq!(settled(&space, 1), old);
    let value = || space.kubectl(&["exec", "deploy/web", "--", "sh", "-c", "echo $value"]);
    assert_eq!(value().trim(), "1");

    let both = [config_map("settings", "3"), user("touch /tmp/ready; exec sleep 601")];
    let once = "Deployment/web rolls later in this sync (Sync wave 0): its pods roll once, with the new value";
    assert_eq!(effects(&space.plan(&space.write("three", &both), &[]), "settings"), [once]);
    sync(&space, "three", &both, &[]);
    settled(&space, 1);
    assert_eq!(value().trim(), "3");
}

/// A claim and its volume, which is bound by hand: there are no storage classes here. Returns the volume's name.
fn bound_claim(space: &Space, policy: &str) -> (Object, String) {
    let claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "disk"},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "", "resources": {"requests": {"storage": "1Gi"}}},
    });
    let name = format!("disk-{}", space.suffix);
    space.removes("persistentvolume", &name);
    space.create(&json!({
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce", "ReadWriteMany"], "capacity": {"storage": "1Gi"}, "persistentVolumeReclaimPolicy": policy,
            "claimRef": {"namespace": space.namespace, "name": "disk"}, "hostPath": {"path": format!("/tmp/syncwave-{name}")},
        },
    }));
    sync(space, "claim", &[config_map("keep", "1"), claim.clone()], &[]);
    eventually("the claim is bound", SOON, || (space.get("pvc/disk")?["status"]["phase"] == "Bound").then_some(()));
    (claim, name)
}

/// R713: a claim cannot become another one; the plan says so before the sync, by force it is made anew, and its volume stays with its data
/// or goes, as the plan has said.
#[test]
fn r713_a_claim_that_is_made_anew_leaves_its_volume_as_the_plan_says() {
    let Some(space) = Space::open("effects-claim") else { return };
    let (claim, volume) = bound_claim(&space, "Retain");
    let before = space.uid("pvc/disk");
    let changed = || [config_map("keep", "1"), claim.clone().with("/spec/accessModes", json!(["ReadWriteMany"]))];
    let target = space.write("changed", &changed());
    let output = space.plan_output(&target, &[]);
    let said = String::from_utf8(output.stdout).unwrap();
    let way_out = "spec.accessModes cannot be changed; `--force`, or the annotation argocd.argoproj.io/sync-options: Force=true on it, \
                   deletes it and creates it again";
    assert!(output.status.code() == Some(1) && said.contains(way_out), "{said}");
    let refused = space.sync(&target).run();
    assert_eq!((refused.code, space.uid("pvc/disk")), (Some(1), before.clone()), "{:?}", refused.results());

    let plan = space.plan(&target, &["--force"]);
    let stays = format!("PersistentVolume {volume} stays with its data (reclaim policy Retain)");
    let said = effects(&plan, "disk");
    assert_eq!(said[..2], ["deletes it and creates it again (spec.accessModes cannot be changed)".to_owned(), stays], "{said:?}");
    sync(&space, "changed", &changed(), &["--force"]);
    let live = space.get("pvc/disk").unwrap();
    assert_eq!(live["spec"]["accessModes"], json!(["ReadWriteMany"]));
    assert_ne!(space.uid("pvc/disk"), before);
    eventually("the volume is released", SOON, || (space.get(&format!("pv/{volume}"))?["status"]["phase"] == "Released").then_some(()));
}

/// What a prune of a claim takes along: the volume, if that is its policy.
#[test]
fn a_pruned_claim_takes_its_volume_along_when_the_plan_says_so() {
    let Some(space) = Space::open("effects-volume") else { return };
    let (_, volume) = bound_claim(&space, "Delete");
    let kept = space.write("kept", &[config_map("keep", "1")]);
    let said = effects(&space.plan(&kept, &["--prune"]), "disk");
    assert_eq!(said, [format!("PersistentVolume {volume} goes with its data (reclaim policy Delete)")]);
    sync(&space, "kept", &[config_map("keep", "1")], &["--prune"]);
    eventually("the volume is gone", SOON, || space.get(&format!("pv/{volume}")).is_none().then_some(()));
}

/// An address for a Service that nobody has: of those that are kept for whoever asks for one, so that no other test is given it meanwhile.
fn free_address(space: &Space) -> String {
    let first = space.kubectl(&["-n", "default", "get", "service", "kubernetes", "-o", "jsonpath={.spec.clusterIP}"]);
    let (network, _) = first.rsplit_once('.').unwrap();
    let addresses = (16..250).map(|last| format!("{network}.{last}"));
    let taken = space.kubectl(&["get", "services", "--all-namespaces", "-o", "jsonpath={.items[*].spec.clusterIP}"]);
    addresses.into_iter().find(|one| !taken.split(' ').any(|other| other == one)).unwrap()
}

/// R713: what says of itself that it cannot be changed, and a Service that wants another address.
#[test]
fn r713_immutable_maps_and_addresses_are_found_before_the_sync_and_made_anew_by_force() {
    let Some(space) = Space::open("effects-fixed") else { return };
    let fixed = |value: &str| config_map("fixed", value).with("/immutable", true);
    let service = |address: &str| {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
            "spec": {"clusterIP": address, "selector": {"app": "web"}, "ports": [{"port": 80}]}})
    };
    sync(&space, "one", &[fixed("1"), service("None")], &[]);
    let before = [space.uid("configmap/fixed"), space.uid("service/web")];
    let wanted = free_address(&space);
    let target = [fixed("2"), service(&wanted)];
    let file = space.write("two", &target);
    let output = space.plan_output(&file, &[]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    for field in ["data", "spec.clusterIPs[0]"] {
        assert!(said.contains(&format!("{field} cannot be changed")), "{field}: {said}");
    }
    let plan = space.plan(&file, &["--force"]);
    for (name, field) in [("fixed", "data"), ("web", "spec.clusterIPs[0]")] {
        let task = plan["tasks"].as_array().unwrap().iter().find(|task| task["name"] == name).unwrap();
        assert_eq!(task["action"], "recreate", "{task:#}");
        assert!(effects(&plan, name)[0].starts_with(&format!("deletes it and creates it again ({field} cannot be changed)")), "{task:#}");
    }
    assert_eq!([space.uid("configmap/fixed"), space.uid("service/web")], before, "a look writes nothing");
    sync(&space, "two", &target, &["--force"]);
    assert_eq!(space.get("configmap/fixed").unwrap()["data"]["value"], "2");
    assert_eq!(space.get("service/web").unwrap()["spec"]["clusterIP"], *wanted);
    assert!(space.uid("configmap/fixed") != before[0] && space.uid("service/web") != before[1]);
}
