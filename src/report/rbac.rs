//! Prints what a plan wants to be allowed: as YAML that `kubectl apply -f -` takes, with a comment on each rule that says what it is for, or
//! as JSON; and as sentences what the current user lacks of it.
//!
//! The JSON is one object: `{"app","namespace","context","roles":[Role…],"clusterRole":ClusterRole|null,"rules":[…],"lacking":[…],
//! "unclear","unknown":[…],"notes":[…]}`. Each entry of `rules` is one rule of a role with what it is for: `namespace` (`""`: the ClusterRole),
//! `group`, `resource`, `verbs`, `names`, `needed` and `reasons`. Each entry of `lacking` has `verb`, `group`, `resource`, `subresource`,
//! `namespace`, `name` (both empty where any is meant), `reason` and `needed`; `unclear` says why that could not be asked, then `lacking` is
//! empty. `unknown` are tasks of kinds that nobody knows: no rule can be made for them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use super::escape::to_line;
use super::visible::visible;
use crate::engine::rights::Rights;
use crate::model::Grant;
use crate::plan::rbac::{Access, Need, Reason, Rule};

/// How many objects a comment names.
const NAMED: usize = 4;
const UNKNOWN: &str = "the cluster does not serve its kind, and the plan does not define it";

/// Returns whether something lacks without which the sync would not come to its end, or cannot be told.
pub(crate) fn has_objections(rights: &Rights) -> bool {
    let is_needed = |access: &Access| access.need == Need::Needed;
    rights.lacking.as_ref().is_ok_and(|lacking| lacking.iter().any(is_needed)) || !rights.wants.unknown.is_empty()
}

/// Prints the roles as YAML documents.
///
/// # Errors
/// The output is closed.
pub(crate) fn yaml<W: Write>(out: &mut W, rights: &Rights) -> io::Result<()> {
    let role = role_name(rights);
    let head =
        format!("# What a sync of {} to namespace {} of {} wants to be allowed.", rights.app, rights.place.namespace, rights.place.context);
    writeln!(out, "{}", visible(&head))?;
    writeln!(out, "# Rules marked `helpful` may be left out: without them syncwave says less, or polls.")?;
    for task in &rights.wants.unknown {
        writeln!(out, "# No rule for {}: {UNKNOWN}.", visible(task))?;
    }
    for home in rights.wants.homes() {
        let kind = if home.is_empty() { "ClusterRole" } else { "Role" };
        writeln!(out, "---")?;
        if home.is_empty() && !rights.wants.new_namespaces.is_empty() {
            let names: Vec<&str> = rights.wants.new_namespaces.iter().map(|name| &**name).collect();
            let names = names.join(", ");
            writeln!(
                out,
                "# No Role can be in a Namespace that comes with the sync ({}), so its rules stand here and hold in every",
                visible(&names)
            )?;
            writeln!(out, "# namespace. To narrow them, create the Namespace first and print the roles again.")?;
        }
        writeln!(out, "apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata:\n  name: {}", scalar(&role))?;
        if !home.is_empty() {
            writeln!(out, "  namespace: {}", scalar(&home))?;
        }
        writeln!(out, "rules:")?;
        rights.wants.rules(&home).iter().try_for_each(|rule| yaml_rule(out, rule))?;
    }
    Ok(())
}

fn yaml_rule<W: Write>(out: &mut W, rule: &Rule) -> io::Result<()> {
    let weight = if rule.need == Need::Needed { "needed" } else { "helpful" };
    for sentence in told(&rule.reasons) {
        writeln!(out, "# {weight}: {}", visible(&sentence))?;
    }
    writeln!(out, "- apiGroups: [{}]", scalar(&rule.group))?;
    writeln!(out, "  resources: [{}]", scalar(&rule.resource))?;
    if !rule.names.is_empty() {
        writeln!(out, "  resourceNames: [{}]", list(rule.names.iter().map(|name| &**name)))?;
    }
    writeln!(out, "  verbs: [{}]", list(rule.verbs.iter().map(|verb| &**verb)))
}

/// Returns one sentence for each thing that is done, with the first objects.
fn told(reasons: &BTreeSet<Reason>) -> Vec<String> {
    let mut by_deed: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for reason in reasons {
        by_deed.entry(reason.does).or_default().extend(Some(&*reason.subject).filter(|subject| !subject.is_empty()));
    }
    let sentence = |(does, subjects): (&str, Vec<&str>)| {
        let named = subjects.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        let rest = subjects.len().saturating_sub(NAMED);
        let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
        format!("{does} {named}{more}").trim_end().to_owned()
    };
    by_deed.into_iter().map(sentence).collect()
}

/// A permission that lacks, with everything that it is for.
struct Lack<'a> {
    grant: &'a Grant,
    need: Need,
    reasons: BTreeSet<Reason>,
}

/// Returns each permission that lacks once, what is needed first.
fn lacks(rights: &Rights) -> Vec<Lack<'_>> {
    let mut found: BTreeMap<&Grant, Lack<'_>> = BTreeMap::new();
    for access in rights.lacking.as_deref().unwrap_or_default() {
        let lack = found.entry(&access.grant).or_insert_with(|| Lack { grant: &access.grant, need: access.need, reasons: BTreeSet::new() });
        if access.need < lack.need {
            lack.need = access.need;
            lack.reasons.clear();
        }
        if access.need == lack.need {
            lack.reasons.insert(access.reason.clone());
        }
    }
    let mut lacks: Vec<Lack<'_>> = found.into_values().collect();
    lacks.sort_by_key(|lack| lack.need);
    lacks
}

/// Returns what the current user lacks, one sentence for each permission, what is needed first; and what else there is to know.
pub(crate) fn sentences(rights: &Rights) -> Vec<String> {
    let unknown = rights.wants.unknown.iter().map(|task| format!("no rule can be made for {task}: {UNKNOWN}"));
    let lacks = lacks(rights).into_iter().map(|Lack { grant, need, reasons }| {
        let weight = if need == Need::Needed { "needed" } else { "helpful" };
        format!("you lack: {grant} ({weight}: {})", told(&reasons).join("; "))
    });
    rights.notes.iter().cloned().chain(unknown).chain(lacks).map(|sentence| visible(&sentence).into_owned()).collect()
}

/// Returns `syncwave-APP`, without what no name of a role may have.
fn role_name(rights: &Rights) -> String {
    let app: String = rights.app.chars().map(|letter| if "/%".contains(letter) || letter.is_control() { '-' } else { letter }).collect();
    format!("syncwave-{app}")
}

fn list<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts.map(scalar).collect::<Vec<_>>().join(", ")
}

/// Returns the text as a YAML string; in quotes where it might be read as something else.
fn scalar(text: &str) -> String {
    const WORDS: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"];
    let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-./".contains(letter);
    let is_safe = text.starts_with(|letter: char| letter.is_ascii_lowercase()) && text.chars().all(is_plain) && !WORDS.contains(&text);
    if is_safe { text.to_owned() } else { quoted(text) }
}

/// JSON strings are YAML strings; what JSON lets stand and terminals obey is escaped.
fn quoted(text: &str) -> String {
    to_line(&text).ok().and_then(|line| String::from_utf8(line).ok()).map(|line| line.trim_end().to_owned()).unwrap_or_default()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RightsJson<'a> {
    app: &'a str,
    namespace: &'a str,
    context: &'a str,
    roles: Vec<Value>,
    cluster_role: Option<Value>,
    rules: Vec<RuleJson>,
    lacking: Vec<LackJson<'a>>,
    unclear: Option<&'a str>,
    unknown: &'a [String],
    notes: &'a [String],
}

#[derive(Serialize)]
struct RuleJson {
    namespace: String,
    group: String,
    resource: String,
    verbs: Vec<String>,
    names: Vec<String>,
    needed: bool,
    reasons: Vec<String>,
}

#[derive(Serialize)]
struct LackJson<'a> {
    verb: &'a str,
    group: &'a str,
    resource: &'a str,
    subresource: &'a str,
    namespace: &'a str,
    name: &'a str,
    reason: String,
    needed: bool,
}

/// Prints the roles and what lacks as one JSON object.
///
/// # Errors
/// The output is closed.
pub(crate) fn json<W: Write>(out: &mut W, rights: &Rights) -> io::Result<()> {
    let homes = rights.wants.homes();
    let roles = homes.iter().filter(|home| !home.is_empty()).map(|home| role(rights, home)).collect();
    let lacking = lacks(rights);
    let object = RightsJson {
        app: &rights.app,
        namespace: &rights.place.namespace,
        context: &rights.place.context,
        roles,
        cluster_role: homes.contains("").then(|| role(rights, "")),
        rules: homes.iter().flat_map(|home| rights.wants.rules(home).into_iter().map(|rule| rule_json(home, &rule))).collect(),
        lacking: lacking.iter().map(lack_json).collect(),
        unclear: rights.lacking.as_ref().err().map(String::as_str),
        unknown: &rights.wants.unknown,
        notes: &rights.notes,
    };
    out.write_all(&to_line(&object)?)
}

fn role(rights: &Rights, home: &str) -> Value {
    let rules: Vec<Value> = rights.wants.rules(home).iter().map(plain_rule).collect();
    let mut metadata = json!({"name": role_name(rights)});
    if !home.is_empty() {
        metadata["namespace"] = home.into();
    }
    let kind = if home.is_empty() { "ClusterRole" } else { "Role" };
    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": metadata, "rules": rules})
}

fn plain_rule(rule: &Rule) -> Value {
    let mut plain = json!({"apiGroups": [*rule.group], "resources": [rule.resource], "verbs": texts(&rule.verbs)});
    if !rule.names.is_empty() {
        plain["resourceNames"] = texts(&rule.names).into();
    }
    plain
}

fn rule_json(home: &str, rule: &Rule) -> RuleJson {
    RuleJson {
        namespace: home.to_owned(),
        group: rule.group.to_string(),
        resource: rule.resource.clone(),
        verbs: texts(&rule.verbs),
        names: texts(&rule.names),
        needed: rule.need == Need::Needed,
        reasons: rule.reasons.iter().map(ToString::to_string).collect(),
    }
}

fn lack_json<'a>(lack: &Lack<'a>) -> LackJson<'a> {
    let Grant { verb, group, resource, subresource, namespace, name } = lack.grant;
    let reason = told(&lack.reasons).join("; ");
    LackJson { verb, group, resource, subresource, namespace, name, reason, needed: lack.need == Need::Needed }
}

fn texts(parts: &[std::sync::Arc<str>]) -> Vec<String> {
    parts.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests;
