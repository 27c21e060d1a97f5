//! Permissions become rules: one for each resource, weight and set of names, with the verbs that belong together. Adds no permission and
//! leaves none out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Access, Need, Reason};

/// Verbs in the order in which people write them.
const ORDER: [&str; 8] = ["get", "list", "watch", "create", "update", "patch", "delete", "escalate"];

/// A rule of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) group: Arc<str>,
    /// With its subresource: `pods/log`.
    pub(crate) resource: String,
    pub(crate) verbs: Vec<Arc<str>>,
    /// Empty: objects of any name.
    pub(crate) names: Vec<Arc<str>>,
    pub(crate) need: Need,
    /// In order and without repeats.
    pub(crate) reasons: BTreeSet<Reason>,
}

/// What is known of one verb on objects of one name.
struct Weighed {
    need: Need,
    reasons: BTreeSet<Reason>,
}

type Verbs = BTreeMap<Arc<str>, Weighed>;
/// Names, or verbs, that belong together, and what for.
type Together = (Vec<Arc<str>>, BTreeSet<Reason>);

pub(super) fn rules<'a>(accesses: impl Iterator<Item = &'a Access>) -> Vec<Rule> {
    let mut resources: BTreeMap<(Arc<str>, String), BTreeMap<Arc<str>, Verbs>> = BTreeMap::new();
    for access in accesses {
        let grant = &access.grant;
        let names = resources.entry((grant.group.clone(), grant.path())).or_default();
        add(names.entry(grant.name.clone()).or_default(), access);
    }
    let mut rules: Vec<Rule> = resources.into_iter().flat_map(|((group, resource), names)| of_resource(&group, &resource, names)).collect();
    // Stable: within a weight they stay in the order of their resources.
    rules.sort_by_key(|rule| rule.need);
    rules
}

/// What is needed for one thing and helpful for another one is needed, for the first.
fn add(verbs: &mut Verbs, access: &Access) {
    let reasons = || BTreeSet::from([access.reason.clone()]);
    match verbs.get_mut(&access.grant.verb) {
        Some(known) if known.need == access.need => _ = known.reasons.insert(access.reason.clone()),
        Some(known) if known.need < access.need => {}
        Some(known) => *known = Weighed { need: access.need, reasons: reasons() },
        None => drop(verbs.insert(access.grant.verb.clone(), Weighed { need: access.need, reasons: reasons() })),
    }
}

fn of_resource(group: &Arc<str>, resource: &str, mut names: BTreeMap<Arc<str>, Verbs>) -> Vec<Rule> {
    let any = names.remove("").unwrap_or_default();
    // What every name may is not repeated for one, unless that one needs it more.
    for verbs in names.values_mut() {
        verbs.retain(|verb, weighed| any.get(verb).is_none_or(|all| all.need > weighed.need));
    }
    let mut grouped: BTreeMap<(Need, Vec<Arc<str>>), Together> = BTreeMap::new();
    let mut found = Vec::new();
    let rule = |need, verbs, names, reasons| Rule { group: group.clone(), resource: resource.to_owned(), verbs, names, need, reasons };
    for (need, (verbs, reasons)) in by_need(any) {
        found.push(rule(need, verbs, Vec::new(), reasons));
    }
    for (name, verbs) in names {
        for (need, (verbs, reasons)) in by_need(verbs) {
            let (alike, all) = grouped.entry((need, verbs)).or_default();
            alike.push(name.clone());
            all.extend(reasons);
        }
    }
    found.extend(grouped.into_iter().map(|((need, verbs), (names, reasons))| rule(need, verbs, names, reasons)));
    found
}

fn by_need(verbs: Verbs) -> BTreeMap<Need, Together> {
    let mut split: BTreeMap<Need, Together> = BTreeMap::new();
    for (verb, weighed) in verbs {
        let (verbs, reasons) = split.entry(weighed.need).or_default();
        verbs.push(verb);
        reasons.extend(weighed.reasons);
    }
    for (verbs, _) in split.values_mut() {
        verbs.sort_by_key(|verb| ORDER.iter().position(|known| *known == &**verb).unwrap_or(ORDER.len()));
    }
    split
}
