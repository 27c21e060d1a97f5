//! Phases and waves. The words alone; what runs in them is decided in `plan` and `operation`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A phase of an operation. `PreDelete`, `Delete` and `PostDelete` are those of the deletion of an app, in order, never of a sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Phase {
    PreSync,
    Sync,
    PostSync,
    SyncFail,
    PreDelete,
    /// The objects of the app go (spec R1107).
    Delete,
    PostDelete,
}

impl Phase {
    /// The phases of a sync, in order (spec R401).
    pub(crate) const OF_SYNC: [Self; 4] = [Self::PreSync, Self::Sync, Self::PostSync, Self::SyncFail];

    /// The phases that have hooks.
    pub(crate) const OF_HOOKS: [Self; 6] = [Self::PreSync, Self::Sync, Self::PostSync, Self::SyncFail, Self::PreDelete, Self::PostDelete];

    /// Returns the word as annotations and the JSON contract spell it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::PreSync => "PreSync",
            Self::Sync => "Sync",
            Self::PostSync => "PostSync",
            Self::SyncFail => "SyncFail",
            Self::PreDelete => "PreDelete",
            Self::Delete => "Delete",
            Self::PostDelete => "PostDelete",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Position of a task within its phase. Lower waves finish before higher ones start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Wave(pub(crate) i64);

impl fmt::Display for Wave {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
