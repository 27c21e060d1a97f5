//! What is sent instead of a target with `RespectIgnoreDifferences=true` (spec R722): the live values of ignored fields are read and kept.
//! Owns which rules there are: those of the request, and those of the cluster's `argocd-cm`. Reads only. Without the option, without rules for the object, or without a live object the target is sent as it is.

use std::collections::BTreeSet;

use crate::cluster::apply::{Before, Spot};
use crate::cluster::{CallError, Cluster, Reporter, Snapshot};
use crate::manifest::customization::Customizations;
use crate::model::ignore::read_customized;
use crate::model::{IgnoreRule, Object, ResourceKey, Role, RuleText, Task};
use crate::operation::Request;
use crate::plan::ignore::{IgnoreRules, RulesOfObject, respected};
use crate::plan::{Kind, Plan};

/// What is to be sent, and what there is before it.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) target: Object,
    pub(super) before: Before,
    /// Rules that could not be applied, in whole sentences.
    pub(super) problems: Vec<String>,
}

/// Returns rules, and after them those of the cluster. What cannot be used goes to the notes; of two texts for the same kinds the first one
/// holds.
pub(super) fn with_those_of(own: &IgnoreRules, of_cluster: &mut Customizations) -> IgnoreRules {
    let mut rules = Vec::new();
    let mut known = BTreeSet::new();
    for found in &of_cluster.ignore_differences {
        if !known.insert(found.kinds.as_str()) {
            continue;
        }
        match read_customized(&found.kinds, &found.text, &found.place) {
            Ok(rule) => rules.extend(rule),
            Err(sentence) => of_cluster.notes.push(sentence),
        }
    }
    rules.extend(of_cluster.aggregated_roles.as_deref().and_then(aggregated_roles));
    if rules.is_empty() { own.clone() } else { own.and(rules) }
}

/// A controller gathers the rules of an aggregated ClusterRole. As in Argo CD that is said of comparisons only.
fn aggregated_roles(place: &str) -> Option<IgnoreRule> {
    let text = RuleText {
        group: "rbac.authorization.k8s.io".to_owned(),
        kind: "ClusterRole".to_owned(),
        jq_path_expressions: vec!["select(.aggregationRule != null) | .rules".to_owned()],
        ..RuleText::default()
    };
    text.read(place).ok().map(IgnoreRule::only_compared)
}

/// Returns a sentence about each of an app's own rules that is about none of its objects: a misspelt kind must not be silent. Those of the
/// cluster are written for all apps, and a selective plan does not have every object.
pub(super) fn idle(own: &IgnoreRules, plan: &Plan) -> Vec<String> {
    if plan.kind == Kind::Delete || plan.selective || own.is_empty() {
        return Vec::new();
    }
    let tasks = plan.tasks.iter().chain(plan.not_run.iter().map(|not_run| &not_run.task));
    let keys: Vec<&ResourceKey> = tasks.map(|task| &task.id.key).collect();
    let sentence = |rule: &IgnoreRule| {
        let RuleText { group, kind, name, namespace, .. } = rule.text();
        let is_wanted = |key: &&&ResourceKey| key.kind.eq_ignore_ascii_case(kind);
        let way_out = match keys.iter().find(is_wanted) {
            Some(key) if *key.kind != **kind || *key.group != **group => {
                let group = if key.group.is_empty() { "no group".to_owned() } else { format!("group = \"{}\"", key.group) };
                format!("the app's {key} has kind = \"{}\" and {group}", key.kind)
            }
            Some(_) | None => "correct it, or take it out".to_owned(),
        };
        let wanted = [("group", group), ("kind", kind), ("name", name), ("namespace", namespace)];
        let wanted: Vec<String> = wanted.iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| format!("{name} {text}")).collect();
        format!("{} is about no object of this app ({}), so it changes nothing; {way_out}", rule.origin, wanted.join(", "))
    };
    own.idle(&keys).map(sentence).collect()
}

/// Returns the rules whose fields a sync of a task keeps; none for hooks.
pub(super) fn rules(request: &Request, task: &Task) -> RulesOfObject {
    if task.id.role == Role::Apply && request.options.has("RespectIgnoreDifferences=true") {
        request.ignore.about(&task.id.key)
    } else {
        RulesOfObject::default()
    }
}

/// Reads the live object and keeps what rules select.
///
/// # Errors
/// Why it could not be read.
pub(super) async fn wanted(
    cluster: &Cluster,
    spot: Spot<'_>,
    (target, rules): (&Object, &RulesOfObject),
    reporter: &Reporter,
) -> Result<Wanted, CallError> {
    let Some(live) = cluster.get(spot, reporter).await? else {
        return Ok(Wanted { target: target.clone(), before: Before::Absent, problems: Vec::new() });
    };
    let respected = respected(target, live.wire(), rules);
    Ok(Wanted { target: respected.object, before: Before::Present(Snapshot::of(live.wire())), problems: respected.problems })
}
