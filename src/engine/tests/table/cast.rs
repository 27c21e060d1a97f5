//! What a row of the table is on the embedded cluster: manifests, what pods do, rules of health, refusals.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::model::{Assessment, ResourceKey};
use crate::operation::tests::spec::{Fate, Spec, resource};
use crate::operation::tests::table::{Call, Refusal, Scenario};
use crate::plan::NewNamespace;
use crate::sim::{Match, Outcome, Rule};

/// Where an object says its health, if its kind has a rule of the row.
const SAYS: &str = "example.com/health";

/// Kinds whose health the row says, because the embedded cluster could not bring it about.
pub(super) fn scripted(row: &Scenario) -> BTreeMap<String, String> {
    let script = format!(
        "local said = (obj.metadata.annotations or {{}})['{SAYS}'] or 'Healthy|'
         local status, message = string.match(said, '^(%a+)|(.*)$')
         if status == 'Error' then error(message) end
         return {{ status = status, message = message }}"
    );
    let kinds: BTreeSet<String> = all(row).filter(|spec| is_scripted(spec)).map(rule_name).collect();
    kinds.into_iter().map(|kind| (kind, script.clone())).collect()
}

fn rule_name(spec: &Spec) -> String {
    let key = spec.key();
    if key.group.is_empty() { key.kind.to_string() } else { format!("{}/{}", key.group, key.kind) }
}

/// Suspended Jobs, Pods with an exit code and kinds that have pods come to their health by themselves.
fn is_scripted(spec: &Spec) -> bool {
    let has_pods = ["Job", "Pod", "Deployment"].contains(&spec.kind);
    match &spec.fate {
        Fate::Is(_, message) => spec.kind != "Pod" || !message.starts_with("container \"main\""),
        Fate::Unclear(_) => true,
        Fate::Healthy(_) | Fate::Degraded(_) | Fate::Never => !has_pods && spec.kind != "Service",
        Fate::NoRule | Fate::Refused | Fate::Vanishes(_) => false,
    }
}

/// What an object says of its health for a rule of the row.
pub(super) fn said(spec: &Spec, fate: &Fate) -> String {
    match fate.assess(spec.kind, u8::MAX) {
        Assessment::Known(health) => format!("{:?}|{}", health.status, health.message),
        Assessment::Error(error) => format!("Error|{error}"),
        Assessment::NoRule => "Healthy|".to_owned(),
    }
}

pub(super) fn all(row: &Scenario) -> impl Iterator<Item = &Spec> {
    let setup = &row.setup;
    setup.specs.iter().chain(&setup.leftovers).chain(&setup.candidates).chain(&setup.unmodified)
}

/// Every object that the row names, as `Job/a`.
pub(super) fn find(row: &Scenario, short: &str) -> Spec {
    let named = all(row).find(|spec| spec.key().short() == short).cloned();
    // One that the operation makes by itself.
    let automatic = || (short == "Namespace/shop").then(|| resource("Namespace", "shop"));
    named.or_else(automatic).unwrap_or_else(|| panic!("the row knows no {short}"))
}

pub(super) fn says(short: &str, row: &Scenario, fate: &Fate) -> impl FnOnce(&mut Value) + use<> {
    let said = said(&find(row, short), fate);
    move |object| object["metadata"]["annotations"][SAYS] = said.into()
}

pub(super) fn manifest(spec: &Spec, rules: &BTreeMap<String, String>) -> Value {
    let mut object = spec.object().wire().clone();
    if rules.contains_key(&rule_name(spec)) {
        object["metadata"]["annotations"][SAYS] = said(spec, &spec.fate).into();
    }
    let containers = json!([{"name": "main", "image": "x"}]);
    let ends = spec.annotations.keys().any(|name| name.ends_with("/hook")) || matches!(spec.fate, Fate::Is(..));
    let labels = json!({"app": spec.name});
    match spec.kind {
        "Job" => object["spec"] = json!({"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never", "containers": containers}}}),
        "Pod" => object["spec"] = json!({"restartPolicy": if ends { "Never" } else { "Always" }, "containers": containers}),
        "Deployment" => {
            let template = json!({"metadata": {"labels": labels}, "spec": {"containers": containers}});
            object["spec"] = json!({"selector": {"matchLabels": labels}, "template": template});
            if let Fate::Degraded(after) = spec.fate {
                object["spec"]["progressDeadlineSeconds"] = after.max(1).into();
            }
        }
        "Service" => {
            let kind = if spec.fate == Fate::Never { "LoadBalancer" } else { "ClusterIP" };
            object["spec"] = json!({"ports": [{"port": 80}], "selector": labels, "type": kind});
        }
        "CustomResourceDefinition" => object["spec"] = definition(spec),
        _ => {
            object.as_object_mut().unwrap().remove("spec");
        }
    }
    object
}

fn definition(spec: &Spec) -> Value {
    let plural = spec.name.split('.').next().unwrap();
    let (group, kind) = spec.defines.unwrap_or(("example.com", "Widget"));
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    json!({
        "group": group, "scope": "Namespaced",
        "names": {"kind": kind, "plural": plural, "singular": kind.to_lowercase(), "listKind": format!("{kind}List")},
        "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}],
    })
}

pub(super) fn manifests<'a>(specs: impl IntoIterator<Item = &'a Spec>, rules: &BTreeMap<String, String>) -> String {
    specs.into_iter().map(|spec| format!("---\n{}\n", manifest(spec, rules))).collect()
}

/// The story: the destination, unless somebody has to make it, and what the pods do.
pub(super) fn story(row: &Scenario) -> String {
    let is_made = row.setup.new_namespace == NewNamespace::Yes || row.setup.specs.iter().any(|spec| spec.key().short() == "Namespace/shop");
    let shop = json!([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}]);
    let mut pods: BTreeMap<String, Value> = BTreeMap::new();
    for spec in all(row).filter(|spec| ["Job", "Pod", "Deployment"].contains(&spec.kind)) {
        pods.entry(spec.key().short()).or_insert_with(|| pod_rule(row, spec));
    }
    let pods: Vec<&Value> = pods.values().collect();
    format!("cluster: {{loadBalancer: {{never: true}}}}\nobjects: {}\npods: {}\n", if is_made { json!([]) } else { shop }, json!(pods))
}

fn pod_rule(row: &Scenario, spec: &Spec) -> Value {
    let name = if spec.generated { format!("{}*", spec.name) } else { spec.name.clone() };
    let matches = if spec.kind == "Pod" { json!({"name": name}) } else { json!({"owner": format!("{}/{name}", spec.kind)}) };
    if spec.kind == "Deployment" || manifest(spec, &BTreeMap::new())["spec"]["restartPolicy"] == "Always" {
        let ready = if let Fate::Healthy(after) = spec.fate { json!({"after": format!("{after}s")}) } else { json!({"never": true}) };
        return json!({"match": matches, "ready": ready});
    }
    // What is left from earlier runs first.
    let same = |other: &&Spec| other.key() == spec.key();
    let old = row.setup.leftovers.iter().find(same).map(|old| &old.fate);
    let new = row.setup.specs.iter().find(same).into_iter().flat_map(|new| std::iter::once(&new.fate).chain(&new.later));
    let runs: Vec<Value> = old.into_iter().chain(new).map(run).collect();
    json!({"match": matches, "attempts": "perStory", "runs": runs})
}

fn run(fate: &Fate) -> Value {
    match fate {
        Fate::Healthy(after) => json!({"after": format!("{after}s")}),
        Fate::Degraded(after) => json!({"after": format!("{after}s"), "exit": 1}),
        Fate::Is(crate::model::HealthStatus::Degraded, _) => json!({"after": "0s", "exit": 1}),
        Fate::Is(crate::model::HealthStatus::Healthy, _) => json!({"after": "0s"}),
        Fate::Is(..) | Fate::Unclear(_) | Fate::Never | Fate::NoRule | Fate::Refused | Fate::Vanishes(_) => json!({"hang": true}),
    }
}

pub(super) fn plural(key: &ResourceKey) -> String {
    let kind = key.kind.to_lowercase();
    kind.strip_suffix('y').map_or_else(|| format!("{kind}s"), |start| format!("{start}ies"))
}

/// The rule of the embedded cluster for a refusal. An apply and the removal of a finalizer are both patches, the apply the first one of what
/// this operation makes.
pub(super) fn fault(row: &Scenario, refusal: &Refusal, is_from_the_start: bool) -> Rule {
    let spec = find(row, refusal.short);
    let is_held = row.setup.held.iter().any(|(short, _)| *short == refusal.short);
    let is_after_apply = refusal.call == Call::Unlock && is_from_the_start && !is_held;
    let verb = if refusal.call == Call::Delete { "delete" } else { "patch" };
    let when = Match {
        verbs: vec![verb.to_owned()],
        resource: Some(plural(&spec.key())),
        name: Some(spec.name.clone()),
        nth: is_after_apply.then_some(2..=u32::MAX),
        ..Match::default()
    };
    let then = match refusal.error {
        Some(error) => Outcome::Status { code: 403, reason: "Forbidden", message: error.to_owned() },
        None => Outcome::Status { code: 404, reason: "NotFound", message: format!("{} not found", spec.name) },
    };
    Rule { when, then }
}

/// Refusals of objects whose fate is to be refused.
pub(super) fn refused(row: &Scenario) -> impl Iterator<Item = Rule> {
    let refused = all(row).filter(|spec| spec.fate == Fate::Refused);
    refused.map(|spec| {
        let then = Outcome::Status { code: 403, reason: "Forbidden", message: format!("{} refused", spec.name) };
        let when =
            Match { verbs: vec!["patch".into()], resource: Some(plural(&spec.key())), name: Some(spec.name.clone()), ..Match::default() };
        Rule { when, then }
    })
}
