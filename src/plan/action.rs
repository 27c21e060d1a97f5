//! What a sync does to one object. Knows the words alone; how they are found out is the business of whoever asks the cluster.

/// What a sync would do to one object, as the server's dry run says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Create,
    Configure,
    Unchanged,
    /// The target takes its place, whole.
    Replace,
    /// Deleted and created again, with the reason.
    Recreate(String),
    Prune,
    /// A hook: created (again) in each sync.
    Run,
    /// The server refuses, with its sentence.
    Refused(String),
    /// Could not be found out, with the reason.
    Unknown(String),
}

impl Action {
    /// Returns its word, the same on the screens, in print and in JSON.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Configure => "configure",
            Self::Unchanged => "unchanged",
            Self::Replace => "replace",
            Self::Recreate(_) => "recreate",
            Self::Prune => "prune",
            Self::Run => "run",
            Self::Refused(_) => "refused",
            Self::Unknown(_) => "unknown",
        }
    }

    /// Says of fields that are not there afterwards, although the target does not speak of them, why that is so.
    pub(crate) fn words_of_gone(&self) -> &'static str {
        match self {
            Self::Recreate(_) | Self::Replace | Self::Run => "goes with the old object",
            Self::Create | Self::Configure | Self::Unchanged | Self::Prune | Self::Refused(_) | Self::Unknown(_) => {
                "goes: the target does not have it"
            }
        }
    }
}
