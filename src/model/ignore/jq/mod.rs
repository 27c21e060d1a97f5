//! Path expressions of jq, as Argo CD's `jqPathExpressions` have them: which fields `del(EXPRESSION)` would take out of an object. `jaq` reads
//! and runs them; what is our own is that they end: what may not is refused when they are read, and the rest is counted. Pure.

mod allow;
mod calls;
mod formats;
mod functions;
mod library;
mod meter;
mod patterns;
mod place;
mod run;
mod scope;
#[cfg(test)]
mod tests;
mod text;
mod values;

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::Place;
use run::Program;

/// An expression that can be run.
#[derive(Clone)]
pub(crate) struct JqPath {
    text: String,
    program: Arc<Program>,
}

/// Why an expression selects nothing in an object. Holds no text of the object, which may be a Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It took more steps than it may.
    Budget,
    /// It calls itself, or puts values into values, without end.
    Depth,
    /// It ends in a value that it has computed, not in a field.
    NoPath,
    /// jq's own errors, for example a field of a number. An object without the field is the usual reason, so it is not told.
    Error(&'static str),
}

impl Fault {
    /// Returns the sentence to be told; `None` if the expression just does not fit the object.
    pub(crate) fn told(&self) -> Option<&'static str> {
        match self {
            Self::Budget => Some("takes more than a million steps, so it ignores nothing here; write it simpler"),
            Self::Depth => Some("calls itself or puts values into values too deep, so it ignores nothing here; write it simpler"),
            Self::NoPath => {
                Some("computes a value instead of selecting fields, so it ignores nothing here; write a path, for example .spec.replicas")
            }
            Self::Error(_) => None,
        }
    }
}

/// Steps that one expression may take in one object. Argo CD allows one second; this is less, and the same on every machine.
pub(crate) const STEPS: u64 = 1_000_000;

impl JqPath {
    /// Reads an expression.
    ///
    /// # Errors
    /// It is no jq, or does what selecting fields does not need; a fragment that says which.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let program = Arc::new(run::compile(text)?);
        Ok(Self { text: text.to_owned(), program })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the fields that it selects, which need not exist. It takes at most `fuel` steps, and leaves there what is left of them.
    ///
    /// # Errors
    /// Then it selects nothing at all, as in Argo CD.
    pub(crate) fn places(&self, document: &Value, fuel: &mut u64) -> Result<Vec<Place>, Fault> {
        run::places(&self.program, document, fuel)
    }
}

impl PartialEq for JqPath {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl fmt::Debug for JqPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JqPath({:?})", self.text)
    }
}
