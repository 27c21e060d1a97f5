//! How things are reached and kept: what changes for those who use a Service, an Ingress, a claim or a defined kind. Compares what it is
//! given; asks nobody.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::sentence::{Impact, Setting, Thing};
use super::{Change, list, missing, text};

pub(super) fn impacts(change: &Change<'_>) -> Vec<Impact> {
    let key = &change.task.id.key;
    match (&*key.group, &*key.kind) {
        ("", "Service") => service(change),
        ("networking.k8s.io", "Ingress") => ingress(change),
        ("", "PersistentVolumeClaim") => {
            turned(Setting::Size, [change.before, change.after].map(|side| text(side, "/spec/resources/requests/storage")))
                .into_iter()
                .collect()
        }
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition(change),
        _ => Vec::new(),
    }
}

/// Returns that a setting changes; nothing if it was not set before or is not afterwards.
fn turned(what: Setting, [from, to]: [&str; 2]) -> Option<Impact> {
    let is_turned = from != to && !from.is_empty() && !to.is_empty();
    is_turned.then(|| Impact::Turns { what, from: from.to_owned(), to: to.to_owned() })
}

/// Returns what goes and what comes.
fn comes_and_goes(what: Thing, before: &BTreeSet<String>, after: &BTreeSet<String>) -> impl Iterator<Item = Impact> {
    let (gone, new) = (missing(before, after), missing(after, before));
    let gone = (!gone.is_empty()).then_some(Impact::Gone { what, names: gone });
    gone.into_iter().chain((!new.is_empty()).then_some(Impact::New { what, names: new }))
}

fn service(change: &Change<'_>) -> Vec<Impact> {
    let [before, after] = [change.before, change.after];
    let kind = |side| Some(text(side, "/spec/type")).filter(|word| !word.is_empty()).unwrap_or("ClusterIP");
    let mut found: Vec<Impact> = turned(Setting::ServiceType, [kind(before), kind(after)]).into_iter().collect();
    if kind(before) == "LoadBalancer" && kind(after) != "LoadBalancer" {
        found.extend(addresses(change));
    }
    let selector = |side: &Value| side.pointer("/spec/selector").and_then(Value::as_object).map(labels).unwrap_or_default();
    found.extend(turned(Setting::Selector, [&selector(before), &selector(after)]));
    found.extend(comes_and_goes(Thing::Port, &ports(before), &ports(after)));
    found
}

/// The addresses of a load balancer, which do not come back.
pub(super) fn addresses(change: &Change<'_>) -> Option<Impact> {
    let names = change.facts.addresses.clone();
    (!names.is_empty()).then_some(Impact::Gone { what: Thing::Address, names })
}

fn labels(map: &Map<String, Value>) -> String {
    map.iter().map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default())).collect::<Vec<_>>().join(",")
}

fn ports(service: &Value) -> BTreeSet<String> {
    let port = |entry: &Value| {
        let number = entry.get("port")?.as_u64()?;
        let protocol = entry.get("protocol").and_then(Value::as_str).unwrap_or("TCP");
        Some(if protocol == "TCP" { number.to_string() } else { format!("{number}/{protocol}") })
    };
    list(service, "/spec/ports").filter_map(port).collect()
}

fn ingress(change: &Change<'_>) -> Vec<Impact> {
    let sides = [change.before, change.after];
    let mut found: Vec<Impact> =
        turned(Setting::IngressClass, sides.map(|side| text(side, "/spec/ingressClassName"))).into_iter().collect();
    let [before, after] = sides.map(|side| {
        // A rule without a host is for all of them.
        let host = |rule: &Value| Some(text(rule, "/host")).filter(|host| !host.is_empty()).unwrap_or("*").to_owned();
        list(side, "/spec/rules").map(host).collect::<BTreeSet<String>>()
    });
    found.extend(comes_and_goes(Thing::Host, &before, &after));
    found
}

fn definition(change: &Change<'_>) -> Vec<Impact> {
    let versions = |side: &Value, field: &str| -> BTreeSet<String> {
        let has = |version: &&Value| version.get(field) == Some(&Value::Bool(true));
        list(side, "/spec/versions").filter(has).map(|version| text(version, "/name").to_owned()).collect()
    };
    let [before, after] = [change.before, change.after];
    let mut found: Vec<Impact> = comes_and_goes(Thing::Version, &versions(before, "served"), &versions(after, "served")).collect();
    let stored = |side| versions(side, "storage").pop_first().unwrap_or_default();
    found.extend(turned(Setting::StoredVersion, [&stored(before), &stored(after)]));
    found
}
