//! The words of the field, parsed once at the edge into types that cannot be wrong. Knows no clock, no I/O and
//! no other folder of the crate.
#![deny(clippy::wildcard_enum_match_arm)]

pub(crate) mod annotation;
pub(crate) mod health;
pub(crate) mod key;
pub(crate) mod object;
pub(crate) mod phase;
pub(crate) mod status;

pub(crate) use health::{Assessment, Health, HealthStatus};
pub(crate) use key::{Gvk, ResourceKey};
pub(crate) use object::{MASK, Object, Origin};
pub(crate) use phase::{Phase, Wave};
pub(crate) use status::{OperationPhase, ResultCode, TaskState};
