//! Facts of live objects that a comparison does not show: what the server and controllers say of them, and what belongs to them.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::{list, text};
use crate::model::annotation;

/// More nodes are a mistake, as every other number that Kubernetes counts with has 32 bits.
const MOST_NODES: u64 = u32::MAX as u64;

/// What is known of a live object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) uid: String,
    /// Items of its sync-options annotation: some count on the live object too (spec R727).
    pub(crate) options: Vec<String>,
    /// Finalizers that make its deletion wait for somebody; Kubernetes' own are served by Kubernetes.
    pub(crate) finalizers: Vec<String>,
    /// On how many nodes a DaemonSet's pods are to run.
    pub(crate) scheduled: Option<u64>,
    /// Where a Service is reached from outside.
    pub(crate) addresses: Vec<String>,
    /// What belongs to it; `None`: it was not looked for.
    pub(crate) family: Option<Family>,
    /// What becomes of the volume of a claim.
    pub(crate) volume: Option<Volume>,
}

pub(super) static NONE: Facts = Facts {
    uid: String::new(),
    options: Vec::new(),
    finalizers: Vec::new(),
    scheduled: None,
    addresses: Vec::new(),
    family: None,
    volume: None,
};

impl Facts {
    /// Reads them from an object as the server has it.
    pub(crate) fn of(live: &Value) -> Self {
        let own = |value: &Value| Some(value.as_str()?.to_owned());
        let options = live.pointer("/metadata/annotations").and_then(|all| all.get(annotation::SYNC_OPTIONS)?.as_str());
        let foreign = list(live, "/metadata/finalizers").filter_map(own).filter(|name| !is_served(name)).collect();
        let address = |entry: &Value| Some(["ip", "hostname"].into_iter().find_map(|field| entry.get(field)?.as_str())?.to_owned());
        Self {
            uid: text(live, "/metadata/uid").to_owned(),
            options: options.map(annotation::list).unwrap_or_default().into_iter().map(str::to_owned).collect(),
            finalizers: foreign,
            scheduled: live.pointer("/status/desiredNumberScheduled").and_then(Value::as_u64).filter(|nodes| *nodes <= MOST_NODES),
            addresses: list(live, "/status/loadBalancer/ingress").filter_map(address).collect(),
            family: None,
            volume: None,
        }
    }
}

/// Returns whether Kubernetes itself, or this program, takes a finalizer away.
fn is_served(name: &str) -> bool {
    let is_of_collector = matches!(name, "foregroundDeletion" | "orphan" | "kubernetes");
    is_of_collector || annotation::is_hook_finalizer(name) || name.starts_with("kubernetes.io/") || name.contains(".kubernetes.io/")
}

/// What belongs to an object by owner references, whatever the distance, or is in a Namespace, or is of a defined kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Family {
    /// How many there are, by kind.
    pub(crate) counts: BTreeMap<String, u64>,
    /// Whether there may be more than were counted.
    pub(crate) more: bool,
    /// Claims that a StatefulSet has made and that stay.
    pub(crate) claims: u64,
    /// Why some could not be counted.
    pub(crate) unclear: Option<String>,
}

impl Family {
    /// Returns how many there are, as far as they are known.
    pub(crate) fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Returns whether nothing belongs to the object, and that is certain.
    pub(crate) fn is_empty(&self) -> bool {
        self.total() == 0 && !self.more && self.unclear.is_none()
    }
}

/// `2 ReplicaSets and 6 Pods`, pods at the end: what depends on what.
impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut kinds: Vec<(&String, &u64)> = self.counts.iter().filter(|(_, count)| **count > 0).collect();
        kinds.sort_by_key(|(kind, _)| (*kind == "Pod", (*kind).clone()));
        let words: Vec<String> = kinds.into_iter().map(|(kind, count)| counted(*count, kind)).collect();
        if self.more {
            f.write_str("at least ")?;
        }
        f.write_str(&joined(&words))
    }
}

/// What becomes of the volume of a claim that goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Volume {
    /// It goes with its data, by its reclaim policy.
    Deleted(String),
    /// It stays with its data.
    Retained(String),
    /// Could not be found out, with the reason.
    Unclear(String),
}

/// Returns `1 Pod`, `2 Pods`, `3 Ingresses`, `2 NetworkPolicies`.
pub(super) fn counted(count: u64, kind: &str) -> String {
    if count == 1 {
        return format!("1 {kind}");
    }
    let is_sibilant = ["s", "x", "ch"].iter().any(|end| kind.ends_with(end)) && !kind.ends_with("Endpoints");
    match kind.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{count} {stem}ies"),
        _ if is_sibilant => format!("{count} {kind}es"),
        _ if kind.ends_with("Endpoints") => format!("{count} {kind}"),
        _ => format!("{count} {kind}s"),
    }
}

/// Returns `a`, `a and b`, `a, b and c`.
pub(super) fn joined(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
