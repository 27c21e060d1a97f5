//! Which objects a selective sync means (spec R801–R804, cli.md `--resource`). Reads and matches; what becomes of the others is decided in
//! `build`.

use std::fmt;

use serde::Serialize;

use crate::model::{Phase, ResourceKey};

/// One item of a selection. `None` matches anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Selector {
    /// Empty for the core group; `None` for any group.
    pub(crate) group: Option<String>,
    pub(crate) kind: String,
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
}

impl Selector {
    /// Reads `[GROUP:]KIND:[NAMESPACE/]NAME`. With two or more colons the first ends GROUP and the second KIND.
    ///
    /// # Errors
    /// A sentence that names the text and shows the right form.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` does not name a resource; write [GROUP:]KIND:[NAMESPACE/]NAME, for example apps:Deployment:web or :ConfigMap:shop/settings"
            )
        };
        let (head, rest) = text.split_once(':').ok_or_else(wrong)?;
        let (group, kind, name) = match rest.split_once(':') {
            Some((kind, name)) => (Some(head.to_owned()), kind, name),
            None => (None, head, rest),
        };
        let (namespace, name) = match name.split_once('/') {
            Some((namespace, name)) => (Some(namespace.to_owned()), name),
            None => (None, name),
        };
        if kind.is_empty() || name.is_empty() || namespace.as_deref() == Some("") {
            return Err(wrong());
        }
        Ok(Self { group, kind: kind.to_owned(), namespace, name: name.to_owned() })
    }

    /// Returns the selector of exactly this object.
    pub(crate) fn exactly(key: &ResourceKey) -> Self {
        Self {
            group: Some(key.group.to_string()),
            kind: key.kind.to_string(),
            namespace: Some(key.namespace.to_string()).filter(|namespace| !namespace.is_empty()),
            name: key.name.to_string(),
        }
    }

    /// Returns whether the object is meant (spec R802).
    pub(crate) fn matches(&self, key: &ResourceKey) -> bool {
        self.group.as_deref().is_none_or(|group| group == &*key.group)
            && self.kind == *key.kind
            && self.name == *key.name
            && self.namespace.as_deref().is_none_or(|namespace| namespace == &*key.namespace)
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(group) = &self.group {
            write!(f, "{group}:")?;
        }
        write!(f, "{}:", self.kind)?;
        if let Some(namespace) = &self.namespace {
            write!(f, "{namespace}/")?;
        }
        f.write_str(&self.name)
    }
}

/// Which hooks run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Hooks {
    /// All in a full sync, none in a selective one (spec R803).
    #[default]
    Usual,
    /// All, in a selective sync too (`--hooks`).
    Always,
    /// None (`--strategy apply`, spec R813).
    Never,
}

/// Hooks of a phase: all of them, or one by kind and name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct HookSelector {
    pub(crate) phase: Phase,
    pub(crate) object: Option<(String, String)>,
}

impl HookSelector {
    /// Reads `PHASE[:KIND/NAME]`.
    ///
    /// # Errors
    /// A sentence that names the text and shows the right form.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` does not name hooks; write PHASE[:KIND/NAME], for example PreSync or PostSync:Job/smoke-test");
        let (phase, object) = match text.split_once(':') {
            Some((phase, object)) => (phase, Some(object)),
            None => (text, None),
        };
        let phase = Phase::OF_SYNC.into_iter().find(|known| known.as_str() == phase).ok_or_else(wrong)?;
        let object = match object.map(|object| object.split_once('/')) {
            None => None,
            Some(Some((kind, name))) if !kind.is_empty() && !name.is_empty() => Some((kind.to_owned(), name.to_owned())),
            Some(_) => return Err(wrong()),
        };
        Ok(Self { phase, object })
    }

    /// Returns whether a hook in this phase is meant.
    pub(crate) fn matches(&self, phase: Phase, key: &ResourceKey) -> bool {
        self.phase == phase && self.object.as_ref().is_none_or(|(kind, name)| *kind == *key.kind && *name == *key.name)
    }
}

impl fmt::Display for HookSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.object {
            Some((kind, name)) => write!(f, "{}:{kind}/{name}", self.phase),
            None => self.phase.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r802_r811_a_resource_option_is_read_as_the_command_line_contract_says() {
        let key = |group, kind, namespace, name| ResourceKey::new(group, kind, namespace, name);
        for (text, matching, other) in [
            (":ConfigMap:b", key("", "ConfigMap", "shop", "b"), key("x", "ConfigMap", "shop", "b")),
            ("batch:Job:shop/load", key("batch", "Job", "shop", "load"), key("batch", "Job", "other", "load")),
            ("Job:load", key("batch", "Job", "shop", "load"), key("batch", "Job", "shop", "unload")),
            (":ConfigMap:a:b", key("", "ConfigMap", "shop", "a:b"), key("", "ConfigMap", "shop", "a")),
        ] {
            let selector = Selector::parse(text).unwrap();
            assert!(selector.matches(&matching) && !selector.matches(&other), "{text}");
            assert_eq!(selector.to_string(), text);
        }
        for text in ["Job", ":", "Job:", ":Job:", "Job:/x"] {
            assert!(Selector::parse(text).unwrap_err().contains("KIND"), "{text}");
        }
    }

    #[test]
    fn hooks_are_named_by_phase_and_by_kind_and_name() {
        let job = ResourceKey::new("batch", "Job", "shop", "smoke");
        let selector = HookSelector::parse("PostSync:Job/smoke").unwrap();
        assert!(selector.matches(Phase::PostSync, &job) && !selector.matches(Phase::PreSync, &job));
        assert!(HookSelector::parse("PreSync").unwrap().matches(Phase::PreSync, &job));
        assert_eq!(selector.to_string(), "PostSync:Job/smoke");
        for text in ["", "presync", "PreDelete", "PreSync:", "PreSync:Job", "PreSync:/x", "PreSync:Job/"] {
            assert!(HookSelector::parse(text).unwrap_err().contains("PHASE[:KIND/NAME]"), "{text}");
        }
    }
}
