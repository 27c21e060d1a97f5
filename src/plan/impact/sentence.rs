//! What a task does beyond its object, as data: how heavy it is, and how it stands in JSON. The sentences are those of `words`.

use serde::ser::{Serialize, SerializeStruct as _, Serializer};

use super::facts::{Family, Volume};
use crate::model::{Phase, ResourceKey, Wave};

/// What a task does beyond its own object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Impact {
    /// Pods are replaced. `pods`: the new ones; `None`: nobody has counted.
    Rolls {
        cause: Cause,
        pods: Option<u64>,
        how: Roll,
    },
    /// The pod template changes and no pod is replaced.
    RollsNothing {
        cause: Cause,
        why: NoRoll,
    },
    /// The number of pods changes. `again`: the autoscaler of the plan that changes it back.
    Scales {
        from: u64,
        to: u64,
        again: Option<String>,
    },
    /// Something that has pods changes, and they do not notice.
    NoRestart,
    /// Containers of a Pod are restarted where they are.
    Restarts {
        containers: Vec<String>,
    },
    /// `spec.paused` or `spec.suspend`.
    Halts(Halt),
    /// Labels, annotations, finalizers.
    OnlyMetadata,
    /// Nothing but fields that a rule hides, which are written all the same.
    OnlyIgnored,
    Takes {
        manager: String,
        fields: Vec<String>,
    },
    /// `fields`: those that cannot be changed, as far as the server has named them.
    Recreates {
        fields: Vec<String>,
        family: Option<Family>,
    },
    /// `switch`: prune is off, and this is what it would do.
    Deletes {
        family: Family,
        is_off: bool,
    },
    /// What belongs to the object stays.
    Orphans {
        family: Family,
        is_off: bool,
    },
    /// What is in a Namespace, or of a defined kind, goes too.
    Empties {
        what: Whole,
        family: Family,
    },
    Loses(Volume),
    KeepsClaims(u64),
    Stays(Stay),
    /// Nothing is deleted before a person has said yes.
    AsksFirst {
        option: String,
    },
    Last,
    /// The deletion ends when these are taken away.
    WaitsFor {
        finalizers: Vec<String>,
    },
    /// A ConfigMap or Secret that others use.
    Feeds {
        user: ResourceKey,
        how: Use,
        turn: Turn,
    },
    /// Workloads that are no part of the plan use it.
    FeedsOthers {
        names: Vec<String>,
        /// Whether there may be more of them.
        more: bool,
    },
    Gone {
        what: Thing,
        names: Vec<String>,
    },
    New {
        what: Thing,
        names: Vec<String>,
    },
    Turns {
        what: Setting,
        from: String,
        to: String,
    },
    /// The server refuses to change these.
    Immutable {
        fields: Vec<String>,
        way_out: WayOut,
        family: Option<Family>,
    },
}

/// What changes in a pod template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Nothing but images of containers.
    Image,
    Template,
}

/// How pods are replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Roll {
    /// So many more, and so many fewer, than asked for at any time.
    Rolling {
        surge: u64,
        down: u64,
    },
    AllAtOnce,
    /// In a manner that depends on their number, which is not known.
    Unsaid,
    /// The highest number first, down to this one.
    Ordered {
        at_once: u64,
        from: u64,
    },
    /// An Argo Rollout's steps.
    Canary {
        steps: usize,
    },
    BlueGreen {
        by_hand: bool,
    },
}

/// Why a new template replaces no pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoRoll {
    Paused,
    OnDelete,
    /// There is none.
    NoPods,
    /// All are below the partition.
    Partition(u64),
    /// Only pods that come later get it.
    NewPods,
    /// Only Jobs that come later get it.
    NewJobs,
}

/// What is halted or goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    RollsPaused,
    RollsResumed,
    JobSuspended,
    JobResumed,
    RunsSuspended,
    RunsResumed,
}

/// Something that goes with all that is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whole {
    Namespace,
    Definition,
}

/// Why an object is not deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stay {
    PruneIsOff,
    /// Because of this option or annotation.
    Option(String),
}

/// How a workload uses a ConfigMap or a Secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Use {
    Mount,
    /// By `subPath`, which is never renewed.
    SubPath,
    Environment,
    /// By pods that do not run yet.
    NextRun,
}

/// Whether the user's pods roll in the same sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Never,
    After { phase: Phase, wave: Wave },
    Before { phase: Phase, wave: Wave },
}

/// What comes or goes by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Thing {
    Port,
    Address,
    Host,
    Right,
    Subject,
    Version,
}

/// What has another value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    ServiceType,
    Selector,
    IngressClass,
    StoredVersion,
    Size,
    Bounds,
}

/// What would make a refused change possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WayOut {
    Force,
    /// A server-side apply that was asked for cannot be forced (spec R713).
    ReplaceAndForce,
}

/// How much a person should care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    Quiet,
    /// Something restarts, moves or is not as one would expect.
    Notable,
    /// Something goes that does not come back by itself.
    Grave,
}

impl Impact {
    /// Returns the word of the JSON contract.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Rolls { .. } => "rolls",
            Self::RollsNothing { .. } => "rollsNothing",
            Self::Scales { .. } => "scales",
            Self::NoRestart => "noRestart",
            Self::Restarts { .. } => "restarts",
            Self::Halts(_) => "halts",
            Self::OnlyMetadata => "onlyMetadata",
            Self::OnlyIgnored => "onlyIgnored",
            Self::Takes { .. } => "takes",
            Self::Recreates { .. } => "recreates",
            Self::Deletes { .. } => "deletes",
            Self::Orphans { .. } => "orphans",
            Self::Empties { .. } => "empties",
            Self::Loses(_) => "volume",
            Self::KeepsClaims(_) => "keepsClaims",
            Self::Stays(_) => "stays",
            Self::AsksFirst { .. } => "asksFirst",
            Self::Last => "last",
            Self::WaitsFor { .. } => "waitsFor",
            Self::Feeds { .. } => "feeds",
            Self::FeedsOthers { .. } => "feedsOthers",
            Self::Gone { .. } => "gone",
            Self::New { .. } => "new",
            Self::Turns { .. } => "turns",
            Self::Immutable { .. } => "immutable",
        }
    }

    /// Returns how many new pods take the place of others, if that is known.
    pub(crate) fn rolled(&self) -> Option<u64> {
        let Self::Rolls { pods, .. } = self else { return None };
        *pods
    }

    /// Returns what belongs to the object and goes, or stays, with it.
    pub(crate) fn family(&self) -> Option<&Family> {
        let (Self::Deletes { family, .. } | Self::Orphans { family, .. } | Self::Empties { family, .. }) = self else {
            let (Self::Recreates { family, .. } | Self::Immutable { family, .. }) = self else { return None };
            return family.as_ref();
        };
        Some(family)
    }

    /// Returns how much a person should care.
    pub(crate) fn weight(&self) -> Weight {
        match self {
            Self::Recreates { .. } | Self::Empties { .. } | Self::Immutable { .. } | Self::Deletes { is_off: false, .. } => Weight::Grave,
            Self::Loses(Volume::Deleted(_) | Volume::Unclear(_)) => Weight::Grave,
            Self::NoRestart | Self::OnlyMetadata | Self::Last | Self::KeepsClaims(_) | Self::Stays(_) => Weight::Quiet,
            Self::Deletes { is_off: true, .. } | Self::Orphans { is_off: true, .. } | Self::Loses(Volume::Retained(_)) => Weight::Quiet,
            Self::RollsNothing { why: NoRoll::NoPods | NoRoll::NewJobs, .. } => Weight::Quiet,
            Self::Feeds { turn: Turn::After { .. }, .. } | Self::Feeds { how: Use::Mount | Use::NextRun, .. } => Weight::Quiet,
            Self::Rolls { .. }
            | Self::RollsNothing { .. }
            | Self::Scales { .. }
            | Self::Restarts { .. }
            | Self::Halts(_)
            | Self::OnlyIgnored
            | Self::Takes { .. }
            | Self::Orphans { .. }
            | Self::AsksFirst { .. }
            | Self::WaitsFor { .. }
            | Self::Feeds { .. }
            | Self::FeedsOthers { .. }
            | Self::Gone { .. }
            | Self::New { .. }
            | Self::Turns { .. } => Weight::Notable,
        }
    }
}

impl Serialize for Impact {
    /// `{"kind","text"}`, with `pods` where pods roll, and `children` where something goes or stays with the object.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Impact", 4)?;
        fields.serialize_field("kind", self.kind())?;
        fields.serialize_field("text", &self.to_string())?;
        if let Some(pods) = self.rolled() {
            fields.serialize_field("pods", &pods)?;
        }
        if let Some(family) = self.family() {
            fields.serialize_field("children", &family.total())?;
        }
        fields.end()
    }
}
