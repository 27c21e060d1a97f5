//! A rule, from its texts to something that can be matched and run. Which fields of an object it selects is found in `plan::ignore`.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::{JqPath, JsonPointer};
use crate::model::{Glob, ResourceKey};

/// A rule as it was written. Names of fields are those of the configuration; Argo CD's are the same in camelCase.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RuleText {
    /// API group; empty: the core group.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) group: String,
    pub(crate) kind: String,
    /// Empty: any.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) name: String,
    /// Empty: any.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) namespace: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) json_pointers: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) jq_path_expressions: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) managed_fields_managers: Vec<String>,
}

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RuleFault {
    /// Name of the field, in the configuration's spelling; empty: the rule as a whole.
    pub(crate) field: &'static str,
    pub(crate) why: String,
}

impl fmt::Display for RuleFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() { f.write_str(&self.why) } else { write!(f, "`{}`: {}", self.field, self.why) }
    }
}

/// A rule that can be used.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct IgnoreRule {
    /// Where it is written, for people: `apps.shop.ignore_differences[0]`.
    pub(crate) origin: Arc<str>,
    is_kept: bool,
    text: RuleText,
    group: Names,
    kind: Names,
    pub(crate) pointers: Vec<JsonPointer>,
    pub(crate) expressions: Vec<JqPath>,
}

/// Names that a rule is about. Most rules name one, and many rules meet many objects, so a pattern is the last resort.
#[derive(Clone, Debug, PartialEq)]
enum Names {
    /// Empty: the core group.
    One(String),
    All,
    Pattern(Glob),
}

impl Names {
    fn read(text: &str) -> Result<Self, String> {
        match text {
            "*" => Ok(Self::All),
            _ if text.contains(['*', '?', '[', '{', '\\']) => Glob::parse(text).map(Self::Pattern),
            _ => Ok(Self::One(text.to_owned())),
        }
    }

    fn has(&self, name: &str) -> bool {
        match self {
            Self::One(own) => own == name,
            Self::All => true,
            Self::Pattern(pattern) => pattern.matches(name),
        }
    }
}

impl RuleText {
    /// Makes the rule that is written at `origin`.
    ///
    /// # Errors
    /// Something in it cannot be read; then there is no rule at all.
    pub(crate) fn read(self, origin: &str) -> Result<IgnoreRule, RuleFault> {
        let fault = |field, why| RuleFault { field, why };
        if self.kind.is_empty() {
            return Err(fault("kind", "a rule needs a kind; write `*` for every kind".to_owned()));
        }
        let kind = Names::read(&self.kind).map_err(|why| fault("kind", why))?;
        let group = Names::read(&self.group).map_err(|why| fault("group", why))?;
        let pointers = each(&self.json_pointers, JsonPointer::parse).map_err(|why| fault("json_pointers", why))?;
        let expressions = each(&self.jq_path_expressions, JqPath::parse).map_err(|why| fault("jq_path_expressions", why))?;
        if self.managed_fields_managers.iter().any(String::is_empty) {
            return Err(fault("managed_fields_managers", "a manager has a name, for example kube-controller-manager".to_owned()));
        }
        if pointers.is_empty() && expressions.is_empty() && self.managed_fields_managers.is_empty() {
            let why = "the rule ignores nothing; write json_pointers, jq_path_expressions or managed_fields_managers";
            return Err(fault("", why.to_owned()));
        }
        Ok(IgnoreRule { origin: origin.into(), is_kept: true, text: self, group, kind, pointers, expressions })
    }
}

/// As it was written.
impl Serialize for IgnoreRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(serializer)
    }
}

fn each<T>(texts: &[String], read: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    texts.iter().map(|text| read(text).map_err(|why| format!("`{}`: {why}", shown(text)))).collect()
}

fn shown(text: &str) -> String {
    let start: String = text.chars().take(60).collect();
    if start.len() < text.len() { format!("{start}…") } else { start }
}

impl IgnoreRule {
    /// Returns whether it is about an object: group and kind are patterns, name and namespace exact.
    pub(crate) fn matches(&self, key: &ResourceKey) -> bool {
        let is_same = |wanted: &str, own: &str| wanted.is_empty() || wanted == own;
        is_same(&self.text.name, &key.name)
            && is_same(&self.text.namespace, &key.namespace)
            && self.kind.has(&key.kind)
            && self.group.has(&key.group)
    }

    /// Returns the managers whose fields are ignored.
    pub(crate) fn managers(&self) -> &[String] {
        &self.text.managed_fields_managers
    }

    /// Makes it a rule about comparisons alone.
    pub(crate) fn only_compared(self) -> Self {
        Self { is_kept: false, ..self }
    }

    /// Returns whether it is about what is sent too, with the sync option RespectIgnoreDifferences=true.
    pub(crate) fn is_kept(&self) -> bool {
        self.is_kept
    }

    /// Returns the rule as it was written.
    pub(crate) fn text(&self) -> &RuleText {
        &self.text
    }
}
