//! One thing that a user may or may not do, in the words of Kubernetes' authorization: those of an access review and of a rule.

use std::fmt;
use std::sync::Arc;

/// A verb on a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Grant {
    pub(crate) verb: Arc<str>,
    /// Empty for the core group.
    pub(crate) group: Arc<str>,
    /// The resource as URLs spell it: `deployments`.
    pub(crate) resource: Arc<str>,
    /// `log` of `pods/log`, else empty.
    pub(crate) subresource: Arc<str>,
    /// Empty: in the whole cluster.
    pub(crate) namespace: Arc<str>,
    /// Empty: whatever it is called.
    pub(crate) name: Arc<str>,
}

impl Grant {
    /// Returns the same for objects of any name.
    pub(crate) fn of_any_name(&self) -> Self {
        Self { name: "".into(), ..self.clone() }
    }

    /// Returns the resource as rules spell it: `pods/log`.
    pub(crate) fn path(&self) -> String {
        if self.subresource.is_empty() { self.resource.to_string() } else { format!("{}/{}", self.resource, self.subresource) }
    }
}

/// `patch deployments.apps web in shop`; without a namespace `create namespaces in the whole cluster`.
impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        if !self.subresource.is_empty() {
            write!(f, "/{}", self.subresource)?;
        }
        if !self.name.is_empty() {
            write!(f, " {}", self.name)?;
        }
        // The namespace of a Namespace is the Namespace itself.
        match (self.namespace.is_empty(), self.namespace == self.name) {
            (true, _) if self.name.is_empty() => write!(f, " in the whole cluster"),
            (true, _) | (false, true) => Ok(()),
            (false, false) => write!(f, " in {}", self.namespace),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_says_what_on_what_and_where() {
        let grant = |verb: &str, group: &str, resource: &str, subresource: &str, namespace: &str, name: &str| Grant {
            verb: verb.into(),
            group: group.into(),
            resource: resource.into(),
            subresource: subresource.into(),
            namespace: namespace.into(),
            name: name.into(),
        };
        for (grant, text) in [
            (grant("patch", "apps", "deployments", "", "shop", "web"), "patch deployments.apps web in shop"),
            (grant("get", "", "pods", "log", "shop", ""), "get pods/log in shop"),
            (grant("get", "", "namespaces", "", "shop", "shop"), "get namespaces shop"),
            (grant("list", "", "namespaces", "", "", ""), "list namespaces in the whole cluster"),
            (grant("patch", "", "nodes", "", "", "n1"), "patch nodes n1"),
        ] {
            assert_eq!(grant.to_string(), text);
        }
    }
}
