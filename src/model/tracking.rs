//! The annotation that says which app an object belongs to, Argo CD's and ours in one format (spec R1202).

use std::fmt;
use std::sync::Arc;

use super::key::ResourceKey;

/// What a tracking annotation says: `app:group/Kind:namespace/name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tracking {
    pub(crate) app: Arc<str>,
    /// The object that was meant. Of a cluster-scoped one, Argo CD writes the app's destination namespace.
    pub(crate) key: ResourceKey,
}

impl Tracking {
    /// Reads the annotation's value; `None` if it is not in this form, so that the object is not tracked.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (app, rest) = text.split_once(':')?;
        let (kind, object) = rest.split_once(':')?;
        let (group, kind) = pair(kind)?;
        let (namespace, name) = pair(object)?;
        Some(Self { app: app.into(), key: ResourceKey::new(group, kind, namespace, name) })
    }

    /// Returns whether the object itself is meant: whoever copies an object copies its annotations too (spec R1207). `key`: of the live
    /// object, without a namespace if it is cluster-scoped.
    pub(crate) fn is_of(&self, key: &ResourceKey) -> bool {
        let is_place = key.namespace.is_empty() || self.key.namespace == key.namespace;
        is_place && self.key.group == key.group && self.key.kind == key.kind && self.key.name == key.name
    }
}

/// Splits at the only slash.
fn pair(text: &str) -> Option<(&str, &str)> {
    text.split_once('/').filter(|(_, rest)| !rest.contains('/'))
}

impl fmt::Display for Tracking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ResourceKey { group, kind, namespace, name } = &self.key;
        write!(f, "{}:{group}/{kind}:{namespace}/{name}", self.app)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t181_r1202_the_annotation_there_and_back_and_what_is_none() {
        for text in ["guestbook:/Service:default/ui", "team_shop:apps/Deployment:shop/web", "a:rbac.authorization.k8s.io/Role:n/system:x"] {
            assert_eq!(Tracking::parse(text).unwrap().to_string(), text);
        }
        let parsed = Tracking::parse("guestbook:/Service:default/ui").unwrap();
        assert_eq!((&*parsed.app, parsed.key), ("guestbook", ResourceKey::new("", "Service", "default", "ui")));
        for wrong in
            ["", "guestbook", "guestbook:Service:default/ui", "guestbook:/Service:ui", "guestbook:/Service", "g:a/b/c:d/e", "g:a/b:c/d/e"]
        {
            assert_eq!(Tracking::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn t183_r1207_an_annotation_that_names_another_object_was_copied() {
        let service = ResourceKey::new("", "Service", "shop", "ui");
        let is_of = |text: &str, key: &ResourceKey| Tracking::parse(text).unwrap().is_of(key);
        assert!(is_of("guestbook:/Service:shop/ui", &service));
        for other in
            ["guestbook:/Service:shop/web", "guestbook:/Service:other/ui", "guestbook:/Secret:shop/ui", "guestbook:apps/Service:shop/ui"]
        {
            assert!(!is_of(other, &service), "{other}");
        }
        assert!(
            is_of("guestbook:/Namespace:shop/prod", &ResourceKey::new("", "Namespace", "", "prod")),
            "cluster-scoped objects carry the destination"
        );
    }
}
