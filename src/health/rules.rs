//! The rules in force: scripts, then the table of the program. One value says all of a verdict, so that files, syncs and screens cannot
//! judge by different rules.

use std::sync::Arc;

use super::script::Scripts;
use super::{is_pending_deletion, known, native};
use crate::model::{Assessment, Gvk, HealthStatus, Object, UnknownKinds};

/// Rules that are in force together. The default are those of the program alone. Cloning shares the scripts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    /// What comes first is asked first. In each of them an exact name beats a pattern.
    scripts: Vec<Arc<Scripts>>,
    unknown_kinds: UnknownKinds,
}

impl Rules {
    /// Puts scripts before the rules of the program, and behind the scripts that are there.
    pub(crate) fn with(mut self, scripts: Arc<Scripts>) -> Self {
        self.scripts.push(scripts);
        self
    }

    /// Says how kinds without a rule are judged.
    pub(crate) fn of_unknown_kinds(self, unknown_kinds: UnknownKinds) -> Self {
        Self { unknown_kinds, ..self }
    }

    /// Returns the health of an object, in the order of spec R411: deletion first, then the script of its kind, then the rule of its kind.
    pub(crate) fn assess(&self, object: &Object) -> Assessment {
        if is_pending_deletion(object.wire()) {
            return known(HealthStatus::Progressing, "Pending deletion".into(), "deletion".into());
        }
        self.scripts.iter().find_map(|scripts| scripts.assess(object)).unwrap_or_else(|| native(object, self.unknown_kinds))
    }

    /// Returns whether a script judges a kind.
    pub(crate) fn has_script(&self, gvk: &Gvk) -> bool {
        self.scripts.iter().any(|scripts| scripts.judges(gvk))
    }
}
