//! RBAC: which rights are taken or given, and to whom. A right that another rule of the same role still gives is not taken.

use std::collections::BTreeSet;

use serde_json::Value;

use super::sentence::{Impact, Thing};
use super::{Change, list, missing, text};

/// How many rights of one role are compared; a role with more has wildcards to use.
const MOST: usize = 10_000;

pub(super) fn impacts(change: &Change<'_>) -> Vec<Impact> {
    let key = &change.task.id.key;
    let [before, after] = [change.before, change.after];
    match (&*key.group, &*key.kind) {
        // The rules of an aggregated role are written by a controller.
        ("rbac.authorization.k8s.io", "Role" | "ClusterRole") if after.get("aggregationRule").is_none() => {
            told(Thing::Right, lost(&rights(before), &rights(after)), lost(&rights(after), &rights(before)))
        }
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => {
            let (before, after) = (subjects(before), subjects(after));
            told(Thing::Subject, missing(&before, &after), missing(&after, &before))
        }
        _ => Vec::new(),
    }
}

fn told(what: Thing, gone: Vec<String>, new: Vec<String>) -> Vec<Impact> {
    let gone = (!gone.is_empty()).then_some(Impact::Gone { what, names: gone });
    gone.into_iter().chain((!new.is_empty()).then_some(Impact::New { what, names: new })).collect()
}

/// One verb on one kind of thing. `name`: of one object; empty: of all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Right<'a> {
    verb: &'a str,
    group: &'a str,
    /// A resource, or a path of the server that is none.
    thing: &'a str,
    name: &'a str,
    is_path: bool,
}

impl Right<'_> {
    /// Returns whether who has this right has the other one too.
    fn covers(&self, other: &Right<'_>) -> bool {
        let is = |own: &str, wanted: &str| own == "*" || own == wanted;
        let is_thing = is(self.thing, other.thing)
            || (self.is_path && self.thing.strip_suffix('*').is_some_and(|start| other.thing.starts_with(start)))
            || self.thing.strip_prefix("*/").is_some_and(|part| other.thing.ends_with(&format!("/{part}")));
        let is_name = self.name.is_empty() || self.name == other.name;
        self.is_path == other.is_path && is(self.verb, other.verb) && is(self.group, other.group) && is_thing && is_name
    }

    /// Returns `delete secrets`, `get deployments.apps "web"`.
    fn words(&self) -> String {
        let group = if self.group.is_empty() || self.is_path { String::new() } else { format!(".{}", self.group) };
        let name = if self.name.is_empty() { String::new() } else { format!(" {:?}", self.name) };
        format!("{} {}{group}{name}", self.verb, self.thing)
    }
}

fn rights(role: &Value) -> Vec<Right<'_>> {
    let rules = list(role, "/rules")
        .flat_map(|rule| of_rule(rule, "/apiGroups", "/resources", false).chain(of_rule(rule, "", "/nonResourceURLs", true)));
    rules.take(MOST).collect()
}

fn of_rule<'a>(rule: &'a Value, groups: &str, things: &str, is_path: bool) -> impl Iterator<Item = Right<'a>> + use<'a> {
    let texts = |pointer: &str| -> Vec<&'a str> { list(rule, pointer).filter_map(Value::as_str).collect() };
    let or_one = |texts: Vec<&'a str>| if texts.is_empty() { vec![""] } else { texts };
    let groups = if is_path { vec![""] } else { texts(groups) };
    let names = if is_path { vec![""] } else { or_one(texts("/resourceNames")) };
    let (verbs, things) = (texts("/verbs"), texts(things));
    let all = groups.into_iter().flat_map(move |group| things.clone().into_iter().map(move |thing| (group, thing)));
    all.flat_map(move |(group, thing)| {
        let names = names.clone();
        verbs.clone().into_iter().flat_map(move |verb| {
            let right = move |name| Right { verb, group, thing, name, is_path };
            names.clone().into_iter().map(right)
        })
    })
}

/// Returns the rights of the first that the second does not have.
fn lost(from: &[Right<'_>], other: &[Right<'_>]) -> Vec<String> {
    let gone: BTreeSet<&Right<'_>> = from.iter().filter(|right| !other.iter().any(|kept| kept.covers(right))).collect();
    gone.into_iter().map(Right::words).collect()
}

fn subjects(binding: &Value) -> BTreeSet<String> {
    let subject = |entry: &Value| {
        let (kind, namespace, name) = (text(entry, "/kind"), text(entry, "/namespace"), text(entry, "/name"));
        if namespace.is_empty() { format!("{kind} {name}") } else { format!("{kind} {namespace}/{name}") }
    };
    list(binding, "/subjects").map(subject).collect()
}
