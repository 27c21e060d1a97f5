//! The recordings of a real Argo CD (tests/golden), played on the embedded cluster: the same phase, message, results and leftovers.
//! `tests/golden/compare.py` asks the same of a real cluster, and more: order of creation, incarnations, other namespaces.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::stage::Stage;
use crate::engine::session::Ask;
use crate::model::Options;
use crate::operation::{Event, Operation, Request, Retry};
use crate::plan::{Hooks, Selector};

/// What cannot be the same here, and why.
const NOT_HERE: &[(&str, &str)] = &[
    ("dry-pass-fails", "refused before the operation (decision 19)"),
    ("yaml-bool-names", "refused before the operation (decision 19)"),
    ("dry-run-fails", "the decoder's sentence is kubectl's (decision 6)"),
    ("kind-order", "the reconcile text of a Role is kubectl's (R709)"),
    ("vanish-hook", "ours gives up (R1504)"),
];

/// What the embedded cluster has to be told, because it does not follow from a manifest there.
const STORIES: &[(&str, &str)] = &[
    ("degraded-before-postsync", "pods: [{match: {owner: Deployment/web}, ready: {never: true}}]"),
    ("degraded-deployment", "pods: [{match: {owner: Deployment/web}, ready: {never: true}}]"),
    ("image-pull", "pods: [{match: {name: p}, pull: [{error: ErrImagePull}]}]"),
    ("service-lb-pending", "cluster: {loadBalancer: {never: true}}"),
];

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn read(scenario: &str, name: &str) -> Option<String> {
    std::fs::read_to_string(golden().join(scenario).join(name)).ok()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// A message without what differs between two runs: namespaces, temporary files, generated names, uids, times of day; and
/// without the Go value of a refused field, which the embedded cluster writes as JSON.
fn norm(message: &str, namespace: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut message =
        message.replace(namespace, "NS").replace("error when patching \"FILE\": ", "").replace("error when replacing \"FILE\": ", "");
    if let (Some(from), Some(to)) = (message.find("Invalid value: {"), message.rfind("}: field is immutable")) {
        message.replace_range(from..=to, "Invalid value: {}");
    }
    if let (Some(from), Some(to)) = (message.find(" from \""), message.find(": no matches for kind")) {
        message.replace_range(from..to, "");
    }
    for word in message.split(' ') {
        let is_time = words.last().is_some_and(|last| last == "at") && word.contains(':');
        words.push(if is_time { "TIME".to_owned() } else { generated(word) });
    }
    words.join(" ").trim().to_owned()
}

/// `migrate-b665c85-presync-1795223919` as `migrate-REV-presync-T`.
fn generated(name: &str) -> String {
    let parts: Vec<&str> = name.split('-').collect();
    let phases = ["presync", "sync", "postsync", "syncfail"];
    let at = parts.windows(3).position(|part| {
        part[0].len() == 7
            && phases.contains(&part[1])
            && part[2].len() >= 10
            && part[2].starts_with(|letter: char| letter.is_ascii_digit())
    });
    let Some(at) = at else { return name.to_owned() };
    let tail: String = parts[at + 2].chars().skip_while(char::is_ascii_digit).collect();
    [&parts[..at], &["REV", parts[at + 1], &format!("T{tail}")]].concat().join("-")
}

fn request(step: &Value) -> Request {
    let list = |name: &str| step[name].as_array().cloned().unwrap_or_default();
    let selection: Vec<Selector> = list("resources")
        .iter()
        .map(|item| Selector::parse(&format!("{}:{}:{}", text(item, "group"), text(item, "kind"), text(item, "name"))).unwrap())
        .collect();
    let backoff = &step["retry"]["backoff"];
    let duration = |name: &str, default: u64| {
        let seconds = text(backoff, name).trim_end_matches(['s', 'm']).parse::<u64>().unwrap_or(default);
        Duration::from_secs(if text(backoff, name).ends_with('m') { seconds * 60 } else { seconds })
    };
    let retry = step["retry"].as_object().map(|retry| Retry {
        limit: retry["limit"].as_u64().and_then(|limit| u32::try_from(limit).ok()),
        duration: duration("duration", 1),
        factor: backoff["factor"].as_u64().and_then(|factor| u32::try_from(factor).ok()).unwrap_or(1),
        max_duration: duration("maxDuration", 180),
    });
    Request {
        prune: step["prune"] == true,
        dry_run: step["dryRun"] == true,
        force: step["force"] == true,
        options: Options::new(list("options").iter().filter_map(Value::as_str).map(str::to_owned)),
        hooks: if text(step, "strategy") == "apply" { Hooks::Never } else { Hooks::Usual },
        selection: (!selection.is_empty()).then_some(selection),
        retry: retry.unwrap_or_default(),
        ..Request::default()
    }
}

/// Results as lines: `Sync Job/a Synced Running: message`.
fn recorded_results(operation: &Value, namespace: &str) -> Vec<String> {
    let line = |result: &Value| {
        format!(
            "{} {}/{} {} {}: {}",
            text(result, "syncPhase"),
            text(result, "kind"),
            generated(&text(result, "name").replace(namespace, "NS")),
            text(result, "status"),
            text(result, "hookPhase"),
            norm(text(result, "message"), namespace)
        )
    };
    operation["results"].as_array().into_iter().flatten().map(line).collect()
}

fn our_results(operation: &Operation, namespace: &str) -> Vec<String> {
    let line = |result: &crate::operation::TaskResult| {
        let key = &result.task.key;
        format!(
            "{} {}/{} {} {}: {}",
            result.task.phase,
            key.kind,
            generated(&key.name.replace(namespace, "NS")),
            result.code.as_str(),
            result.state.as_str(),
            norm(&result.message, namespace)
        )
    };
    operation.results().iter().map(line).collect()
}

/// Kinds that the recordings list as left behind, with group and plural.
const LEFT: [(&str, &str, &str); 8] = [
    ("ConfigMap", "", "configmaps"),
    ("Secret", "", "secrets"),
    ("Service", "", "services"),
    ("Pod", "", "pods"),
    ("ServiceAccount", "", "serviceaccounts"),
    ("ResourceQuota", "", "resourcequotas"),
    ("Deployment", "apps", "deployments"),
    ("Job", "batch", "jobs"),
];

fn our_left(stage: &Stage, namespace: &str) -> Vec<String> {
    let mut left = Vec::new();
    for (kind, group, plural) in LEFT {
        for object in stage.sim.store().list(group, plural, Some(namespace)) {
            let name = text(&object["metadata"], "name").to_owned();
            let is_owned = object["metadata"]["ownerReferences"].as_array().is_some_and(|owners| !owners.is_empty());
            if !is_owned && !["kube-root-ca.crt", "default"].contains(&name.as_str()) {
                left.push(format!("{kind}/{}", generated(&name)));
            }
        }
    }
    left.sort();
    left
}

fn recorded_left(step: &Value) -> Vec<String> {
    let kinds = LEFT.map(|(kind, _, _)| kind);
    let objects = step["left"].as_array().into_iter().flatten().filter(|object| kinds.contains(&text(object, "kind")));
    let mut left: Vec<String> = objects.map(|object| format!("{}/{}", text(object, "kind"), generated(text(object, "name")))).collect();
    left.sort();
    left
}

/// One line for each difference between what Argo CD did in a step and what we did.
fn differences(stage: &Stage, scenario: &str, namespace: &str, recorded: &Value, ours: &Operation, chance: &str) -> Vec<String> {
    let theirs = format!("g-{scenario}");
    let mut found = Vec::new();
    let mut compare = |what: &str, one: String, other: String| {
        if one != other {
            found.push(format!("{what}: Argo CD {one}, ours {other}"));
        }
    };
    let operation = &recorded["operation"];
    compare("phase", text(operation, "phase").to_owned(), ours.phase().as_str().to_owned());
    let (mut one, mut other) = (recorded_results(operation, &theirs), our_results(ours, namespace));
    let phases =
        |lines: &[String]| lines.iter().map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect::<Vec<_>>().join(" ");
    compare("order of results", phases(&one), phases(&other));
    if chance.is_empty() {
        compare("message", norm(text(operation, "message"), &theirs), norm(ours.message(), namespace));
        one.sort();
        other.sort();
        compare("results", format!("{one:#?}"), format!("{other:#?}"));
        compare("left", recorded_left(recorded).join(" "), our_left(stage, namespace).join(" "));
    }
    found
}

/// Plays all steps; `None` if the recording holds a step that is no sync.
async fn play(scenario: &str) -> Option<Vec<String>> {
    let plan: Value = serde_yaml::from_str(&read(scenario, "steps.yaml").unwrap()).unwrap();
    let argocd: Value = serde_json::from_str(&read(scenario, "argocd.json").unwrap()).unwrap();
    let steps = plan["steps"].as_array().unwrap();
    if steps.iter().any(|step| step.get("delete").is_some()) {
        return None;
    }
    let namespace = if scenario.starts_with("namespace-missing") { "elsewhere" } else { "shop" };
    let story = STORIES.iter().find(|(name, _)| *name == scenario).map_or("", |(_, story)| *story);
    let mut stage = Stage::with(story, &read(scenario, "v1.yaml").unwrap(), |opening| opening.namespace = Some(namespace.into()));
    let (mut found, mut runs) = (Vec::new(), false);
    for (at, (step, recorded)) in steps.iter().zip(argocd["steps"].as_array().unwrap()).enumerate() {
        let mut is_over = false;
        if let Some(version) = step["source"].as_str() {
            stage.write(&read(scenario, &format!("{version}.yaml")).unwrap());
        } else if let Some(sync) = step.get("sync") {
            stage.start(request(sync)).await;
            is_over = wait(&mut stage, &step["until"]).await;
            runs = !is_over;
        } else if step.get("terminate").is_some() && runs {
            stage.ask(Ask::Terminate { by: "olga".to_owned() }).await;
            is_over = wait(&mut stage, &Value::Null).await;
            runs = false;
        } else if let Some(object) = step.get("unstick") {
            let (group, _) = text(object, "api").split_once('/').unwrap();
            let changed = stage.sim.store().update("olga", group, text(object, "plural"), namespace, text(object, "name"), |object| {
                object["metadata"].as_object_mut().unwrap().remove("finalizers");
            });
            assert!(changed.is_ok(), "{scenario}: {changed:?}");
        }
        if is_over && recorded["operation"].is_object() {
            tokio::time::sleep(Duration::from_secs(5)).await;
            let operation = stage.operation.clone().unwrap();
            let told = differences(&stage, scenario, namespace, recorded, &operation, text(&plan, "chance"));
            found.extend(told.into_iter().map(|line| format!("{scenario}, step {}: {line}", at + 1)));
        }
    }
    stage.close().await;
    Some(found)
}

/// Waits for the end of the operation, or as long as the step was watched; says whether it ended.
async fn wait(stage: &mut Stage, until: &Value) -> bool {
    let is_end = |event: &Event| matches!(event, Event::OperationFinished { .. });
    match until["after"].as_u64() {
        Some(seconds) => tokio::time::timeout(Duration::from_secs(seconds), stage.take(is_end)).await.is_ok(),
        None => {
            stage.until(is_end).await;
            true
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_recording_ends_on_the_embedded_cluster_as_it_did_on_argo_cd() {
    let mut scenarios: Vec<String> =
        std::fs::read_dir(golden()).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    scenarios.retain(|name| golden().join(name).join("steps.yaml").exists() && NOT_HERE.iter().all(|(other, _)| other != name));
    scenarios.sort();
    let (mut found, mut played) = (Vec::new(), 0);
    for scenario in &scenarios {
        if let Some(differences) = play(scenario).await {
            played += 1;
            found.extend(differences);
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(played >= 100, "only {played} recordings were played");
}

#[test]
fn names_and_messages_lose_what_no_two_runs_have_in_common() {
    assert_eq!(generated("migrate-b665c85-presync-1795223919"), "migrate-REV-presync-T");
    assert_eq!(generated("pre-sync"), "pre-sync");
    assert_eq!(norm("failed. Retrying attempt #1 at 1:21AM.", "shop"), "failed. Retrying attempt #1 at TIME");
    assert_eq!(norm("in shop: error when patching \"FILE\": no", "shop"), "in NS: no");
}
