//! Which permissions the sync of a plan needs, and why: what the engine sends for its tasks, in the words of RBAC. Pure; what the cluster says of
//! kinds and live objects is handed in.
//!
//! **Needed** is the least with which the sync comes to the same end when all goes well. Every object is read by its name (`get`), because
//! that is what is left to a user who may neither list nor watch; without `list` and `watch` objects are polled. Those, pods, logs and
//! Events are **helpful**: without them syncwave says less, or says that it polls. So is what only an accident needs, for example
//! the creation of an object that is there now. Both are printed; only what is needed and lacks is an objection.
//!
//! **Names.** RBAC honours `resourceNames` where a request names its object, so `get`, `patch`, `update`, `delete`, `escalate` and `bind` are
//! restricted to the names of the plan, except where a name is made anew in each sync (`generateName`). `create`, `list` and `watch` never
//! are: a rule with names would allow none of them. A plan with other names needs other rules, which is the point of asking for
//! those of "this very plan".
//!
//! **Places.** What is in a namespace goes into a Role there. Nobody can put a Role into a Namespace that comes with the sync, so its rules
//! stand in the `ClusterRole` until it is there.
//!
//! Discovery (`/api`, `/apis`, `/version`) is open to every user that has logged in, and is not part of it.

mod escalation;
mod rules;
mod walk;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

pub(crate) use escalation::bound_role;
pub(crate) use rules::Rule;

use super::Plan;
use crate::model::{Grant, Gvk, Object, Options, ResourceKey};

/// What the cluster says of a plan, as far as permissions depend on it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scene {
    /// Resource names of the kinds that are served or defined by the plan: `deployments`.
    pub(crate) plurals: BTreeMap<Gvk, Arc<str>>,
    /// Objects of the plan, and roles that its bindings bind, as they are now.
    pub(crate) live: BTreeMap<ResourceKey, Object>,
    /// Objects that may be there: they could not be read.
    pub(crate) unread: BTreeSet<ResourceKey>,
    /// Objects that the plan needs beside its own and that are asked for.
    pub(crate) references: BTreeSet<ResourceKey>,
    /// The `argocd-cm` whose health rules and ignored differences hold.
    pub(crate) customizations: Option<ResourceKey>,
    /// Whether Argo CD's Applications are served, so that they are looked through.
    pub(crate) has_applications: bool,
}

/// What becomes of a sync without a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// It fails, or leaves undone what was asked for.
    Needed,
    /// It says less, polls, or cannot deal with an accident.
    Helpful,
}

/// Why a permission is on the list: what is done, and with what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reason {
    pub(crate) does: &'static str,
    /// A task or an object; empty where it is about a whole place.
    pub(crate) subject: Arc<str>,
}

/// `applies Deployment web (Sync wave 0)`.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.does)?;
        if self.subject.is_empty() { Ok(()) } else { write!(f, " {}", self.subject) }
    }
}

/// One permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) grant: Grant,
    /// Namespace of the Role that has it; empty: it stands in the ClusterRole.
    pub(crate) home: Arc<str>,
    pub(crate) need: Need,
    pub(crate) reason: Reason,
    /// Whoever may do all of these needs no permission of its own: the rights that a role hands on.
    pub(crate) instead: Option<Vec<Grant>>,
}

/// Everything that a sync wants to be allowed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wants {
    pub(crate) accesses: Vec<Access>,
    /// Namespaces that come with the sync, so that no Role can be there before it.
    pub(crate) new_namespaces: BTreeSet<Arc<str>>,
    /// Tasks of kinds of which nobody knows the resource name.
    pub(crate) unknown: Vec<String>,
}

impl Wants {
    /// Finds out what a plan needs.
    pub(crate) fn of(plan: &Plan, terms: &Terms<'_>, scene: &Scene) -> Self {
        walk::walk(plan, terms, scene)
    }

    /// Returns the places that have rules: namespaces of Roles, and (empty) the ClusterRole first.
    pub(crate) fn homes(&self) -> BTreeSet<Arc<str>> {
        self.accesses.iter().map(|access| access.home.clone()).collect()
    }

    /// Returns the rules of a Role or (empty) of the ClusterRole, what is needed first.
    pub(crate) fn rules(&self, home: &str) -> Vec<Rule> {
        rules::rules(self.accesses.iter().filter(|access| *access.home == *home))
    }
}

/// What of a request decides which requests are sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms<'a> {
    pub(crate) prune: bool,
    pub(crate) dry_run: bool,
    pub(crate) force: bool,
    pub(crate) options: &'a Options,
}
