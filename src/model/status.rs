//! The words for outcomes. Which one is due is decided in `operation`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Result code of a task (spec R601). `None` is written as an empty string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum ResultCode {
    #[default]
    None,
    Synced,
    SyncFailed,
    Pruned,
    PruneSkipped,
}

impl ResultCode {
    /// Returns the word of the JSON contract, empty for `None`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Synced => "Synced",
            Self::SyncFailed => "SyncFailed",
            Self::Pruned => "Pruned",
            Self::PruneSkipped => "PruneSkipped",
        }
    }
}

/// State of a task; Argo CD calls it hook phase and fills it for ordinary resources too. `Pending` is written as an empty string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum TaskState {
    #[default]
    Pending,
    Running,
    Succeeded,
    Failed,
    Error,
    Terminating,
}

impl TaskState {
    /// Returns the word of the JSON contract, empty for `Pending`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Error => "Error",
            Self::Terminating => "Terminating",
        }
    }

    /// Returns whether nothing more happens to the task (spec 0.4).
    pub(crate) fn is_completed(self) -> bool {
        match self {
            Self::Succeeded | Self::Failed | Self::Error => true,
            Self::Pending | Self::Running | Self::Terminating => false,
        }
    }
}

/// Phase of the whole operation (spec R603).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum OperationPhase {
    #[default]
    Running,
    Terminating,
    Succeeded,
    Failed,
    Error,
}

impl OperationPhase {
    /// Returns the word of the JSON contract.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Running => "Running",
            Self::Terminating => "Terminating",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Error => "Error",
        }
    }
}

impl fmt::Display for OperationPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
