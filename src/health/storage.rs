//! Health of PersistentVolumeClaim (spec R413). Reads the object alone.

use serde_json::Value;

use super::read::text;
use super::{Verdict, degraded, healthy, progressing, unknown};

pub(super) fn persistent_volume_claim(object: &Value) -> Verdict {
    match text(object, &["status", "phase"])? {
        "Bound" => healthy(""),
        "Pending" => progressing(""),
        "Lost" => degraded(""),
        _ => unknown(""),
    }
}
