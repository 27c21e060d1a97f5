//! The rules in force: scripts, then the table of the program. One value says all of a verdict, so that files, syncs and screens cannot
//! judge by different rules.

use super::script::Scripts;
use super::{is_pending_deletion, known, native};
use crate::model::{Assessment, Gvk, HealthStatus, Object};

/// Rules that are in force together. The default are those of the program alone.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    scripts: Option<Scripts>,
}

impl Rules {
    /// Puts scripts before the rules of the program.
    pub(crate) fn with_scripts(self, scripts: Scripts) -> Self {
        Self { scripts: Some(scripts) }
    }

    /// Returns the health of an object, in the order of spec R411: deletion first, then the script of its kind, then the rule of its kind.
    pub(crate) fn assess(&self, object: &Object) -> Assessment {
        if is_pending_deletion(object.wire()) {
            return known(HealthStatus::Progressing, "Pending deletion".into(), "deletion".into());
        }
        self.scripts.as_ref().and_then(|scripts| scripts.assess(object)).unwrap_or_else(|| native(object))
    }

    /// Returns whether a script judges a kind.
    pub(crate) fn has_script(&self, gvk: &Gvk) -> bool {
        self.scripts.as_ref().is_some_and(|scripts| scripts.judges(gvk))
    }
}
