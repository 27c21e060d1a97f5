//! Rules of differences that are ignored (spec R722): for which objects, and which fields. Reads them once, so that a rule that is there can
//! be used as a whole; what is done with them is `plan::ignore`'s. Pure.

mod customized;
mod jq;
mod pointer;
mod rule;

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

pub(crate) use customized::read_customized;
pub(crate) use jq::{Fault, JqPath, STEPS};
pub(crate) use pointer::JsonPointer;
pub(crate) use rule::{IgnoreRule, RuleText};

/// One step into a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Step {
    Key(Arc<str>),
    /// Index of an item, from 0.
    Index(usize),
}

impl Step {
    /// Returns what is there.
    pub(crate) fn of<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        match self {
            Self::Key(key) => value.as_object()?.get(&**key),
            Self::Index(at) => value.as_array()?.get(*at),
        }
    }
}

/// Where a field is in one object, from the root on.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place(pub(crate) Vec<Step>);

impl Place {
    /// Returns what is there.
    pub(crate) fn of<'v>(&self, document: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(document, |value, step| step.of(value))
    }
}

/// `spec.containers[0].image`; keys that are no plain words stand in brackets and quotes.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) if is_plain(key) => write!(f, "{}{key}", if at == 0 { "" } else { "." })?,
                Step::Key(key) => write!(f, "[{}]", Value::from(&**key))?,
            }
        }
        Ok(())
    }
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|letter| letter.is_ascii_alphanumeric() || b"-_$".contains(&letter))
}
