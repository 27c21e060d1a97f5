//! The words for health. The rules that assign them live in `crate::health`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Health of one object, from best to worst (spec R412).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum HealthStatus {
    Healthy,
    Suspended,
    Progressing,
    Missing,
    Degraded,
    Unknown,
}

impl HealthStatus {
    /// Returns the word as Argo CD and the JSON contract spell it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "Healthy",
            Self::Suspended => "Suspended",
            Self::Progressing => "Progressing",
            Self::Missing => "Missing",
            Self::Degraded => "Degraded",
            Self::Unknown => "Unknown",
        }
    }
}

impl fmt::Display for HealthStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How kinds without a rule are judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum UnknownKinds {
    /// By the evidence in their status, where there is some.
    #[default]
    Conditions,
    /// Not at all, as in Argo CD: they are done as soon as they exist.
    None,
}

/// A verdict: status, message (may be empty) and the rule that decided, for example `apps/Deployment` or `deletion`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Health {
    pub(crate) status: HealthStatus,
    pub(crate) message: String,
    pub(crate) rule: String,
}

/// What the rules say of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Assessment {
    /// The kind has no notion of health; it counts as done at once (spec R410, R615).
    NoRule,
    /// A rule decided.
    Known(Health),
    /// The rule could not decide, with the reason (spec R410: `failed to get resource health: …`).
    Error(String),
}

impl Assessment {
    /// Returns the status, if there is a rule; what it could not decide is unknown.
    pub(crate) fn status(&self) -> Option<HealthStatus> {
        match self {
            Self::NoRule => None,
            Self::Known(health) => Some(health.status),
            Self::Error(_) => Some(HealthStatus::Unknown),
        }
    }

    /// Returns the rule that decided, empty if none did.
    pub(crate) fn rule(&self) -> &str {
        match self {
            Self::NoRule | Self::Error(_) => "",
            Self::Known(health) => &health.rule,
        }
    }

    /// Returns the message, empty if there is none.
    pub(crate) fn message(&self) -> &str {
        match self {
            Self::NoRule => "",
            Self::Known(health) => &health.message,
            Self::Error(error) => error,
        }
    }
}
