//! Names that something in the plan may provide although no manifest of that name is there: custom resources whose controllers make
//! Secrets and ConfigMaps, annotations that ask for a certificate, StatefulSets with their claims, and Jobs that make them by themselves. Guesses generously, because it only ever silences.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{group, starts_pods};
use crate::model::{Object, Task};
use crate::plan::references::{containers, items, pod_spec};

/// What the tasks of a plan mention.
#[derive(Debug, Default)]
pub(super) struct Hearsay<'a> {
    /// Every text in a custom resource: an ExternalSecret's `target.name`, a Certificate's `secretName`, and whatever else there is; and
    /// every text in what an annotation gives a certificate: the `tls` of an Ingress, the `certificateRefs` of a Gateway.
    texts: BTreeSet<&'a str>,
    /// Names of custom resources: a database `orders` is given a Secret `orders-app`.
    names: Vec<&'a str>,
    /// Commands, arguments and values of what runs once, with its task: `--secret-name=admission`.
    commands: Vec<(&'a Task, &'a str)>,
    /// What the names of a StatefulSet's claims begin with: `data-db-`, and a number follows.
    claims: Vec<String>,
}

impl<'a> Hearsay<'a> {
    pub(super) fn of(tasks: &'a [Task]) -> Self {
        let mut hearsay = Self::default();
        for task in tasks {
            let Some(target) = &task.target else { continue };
            let key = &task.id.key;
            hearsay.texts.extend(CERTIFICATES_OF_SERVICES.into_iter().filter_map(|name| target.annotation(name)));
            if wants_certificate(target)
                && let Some(spec) = target.wire().get("spec")
            {
                collect(spec, &mut |text| _ = hearsay.texts.insert(text));
            }
            if is_custom(&key.group) {
                hearsay.names.push(&key.name);
                collect(target.wire(), &mut |text| _ = hearsay.texts.insert(text));
            } else if &*key.kind == "StatefulSet" {
                let templates =
                    items(target.wire().pointer("/spec/volumeClaimTemplates")).map(|(_, template)| &template["metadata"]["name"]);
                hearsay.claims.extend(templates.filter_map(Value::as_str).map(|name| format!("{name}-{}-", key.name)));
            } else if ["Job", "Pod", "CronJob"].contains(&&*key.kind)
                && let Some((path, spec)) = pod_spec(target)
            {
                containers(&path, spec).for_each(|(_, container)| hearsay.take_commands(task, container));
            }
        }
        hearsay
    }

    fn take_commands(&mut self, task: &'a Task, container: &'a Value) {
        let lists = ["command", "args"].into_iter().filter_map(|field| container.get(field));
        let values = items(container.get("env")).filter_map(|(_, variable)| variable.get("value"));
        lists.chain(values).for_each(|value| collect(value, &mut |text| self.commands.push((task, text))));
    }

    /// Returns whether something in the plan may provide an object of this name. A Job that needs it cannot make it, nor can a later one.
    pub(super) fn mentions(&self, name: &str, needy: &Task) -> bool {
        let may_make = |task: &Task| task.id.key != needy.id.key && (!starts_pods(needy) || group(task) <= group(needy));
        let is_number = |rest: &str| !rest.is_empty() && rest.bytes().all(|letter| letter.is_ascii_digit());
        self.texts.contains(name)
            || self.claims.iter().any(|claim| name.strip_prefix(claim.as_str()).is_some_and(is_number))
            || self.names.iter().any(|part| has_part(name, part, |letter| letter == '-' || letter == '.'))
            || self.commands.iter().any(|(task, command)| may_make(task) && has_part(command, name, is_between_words))
    }
}

/// Annotations of a Service that name the Secret which OpenShift makes for it.
const CERTIFICATES_OF_SERVICES: [&str; 2] =
    ["service.beta.openshift.io/serving-cert-secret-name", "service.alpha.openshift.io/serving-cert-secret-name"];

/// Returns whether an annotation asks cert-manager, or what came before it, for the certificates that the object names.
fn wants_certificate(object: &Object) -> bool {
    let names = ["cert-manager.io/cluster-issuer", "cert-manager.io/issuer", "kubernetes.io/tls-acme"];
    names.into_iter().any(|name| object.annotation(name).is_some_and(|value| !value.is_empty() && value != "false"))
}

/// Kubernetes' own groups have no dot, or end in `.k8s.io`; those of its sister projects end in `x-k8s.io`.
fn is_custom(group: &str) -> bool {
    group.contains('.') && !group.ends_with(".k8s.io")
}

/// Returns whether a text has a part that stands for itself, because of what is before and after it.
fn has_part(whole: &str, part: &str, separates: impl Fn(char) -> bool) -> bool {
    let is_edge = |letter: Option<char>| letter.is_none_or(&separates);
    !part.is_empty()
        && whole
            .match_indices(part)
            .any(|(at, _)| is_edge(whole[..at].chars().next_back()) && is_edge(whole[at + part.len()..].chars().next()))
}

fn is_between_words(letter: char) -> bool {
    !letter.is_alphanumeric() && letter != '-' && letter != '.'
}

fn collect<'a>(value: &'a Value, take: &mut impl FnMut(&'a str)) {
    match value {
        Value::String(text) => take(text),
        Value::Array(list) => list.iter().for_each(|item| collect(item, take)),
        Value::Object(map) => map.values().for_each(|item| collect(item, take)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
