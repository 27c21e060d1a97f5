//! The words of the field, parsed once at the edge into types that cannot be wrong. Knows no clock, no I/O and
//! no other folder of the crate.
#![deny(clippy::wildcard_enum_match_arm)]

pub(crate) mod annotation;
mod compare_option;
pub(crate) mod field_path;
pub(crate) mod glob;
pub(crate) mod grant;
mod hang;
pub(crate) mod health;
pub(crate) mod hook;
pub(crate) mod ignore;
pub(crate) mod key;
pub(crate) mod kinds;
pub(crate) mod live;
pub(crate) mod managed;
pub(crate) mod mode;
pub(crate) mod object;
pub(crate) mod option;
pub(crate) mod phase;
pub(crate) mod secret;
pub(crate) mod status;
pub(crate) mod task;
pub(crate) mod tracking;
pub(crate) mod window;

pub(crate) use field_path::{FieldPath, Segment};
pub(crate) use glob::Glob;
pub(crate) use grant::Grant;
pub(crate) use hang::{Hang, Unscheduled};
pub(crate) use health::{Assessment, Health, HealthStatus, UnknownKinds};
pub(crate) use hook::{DeletePolicy, Part, Traits};
pub(crate) use ignore::{IgnoreRule, RuleText};
pub(crate) use key::{Gvk, ResourceKey};
pub(crate) use kinds::{Definition, KindFact, Kinds, Scope};
pub(crate) use live::{Container, ContainerState, Live, Occurrence, PodView};
pub(crate) use mode::{Mode, Verb};
pub(crate) use object::{Object, Origin};
pub(crate) use option::{Options, Propagation};
pub(crate) use phase::{Phase, Wave};
pub(crate) use status::{OperationPhase, ResultCode, TaskState};
pub(crate) use task::{Role, Task, TaskId};
pub(crate) use tracking::Tracking;
pub(crate) use window::{Attempt, Destination, Window, WindowKind, Windows};
