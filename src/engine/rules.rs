//! By which health rules a session judges. Owns the way from what was configured to the judge of an operation; what a rule says is known in
//! `crate::health`.

use std::sync::Arc;

use crate::cluster::Judge;
use crate::cluster::judge;
use crate::health;
use crate::model::{Assessment, Gvk, Object};

/// Where the health rules of a session come from.
#[derive(Clone, Debug, Default)]
pub(crate) struct RuleSources {
    pub(crate) own: Arc<health::Rules>,
}

impl RuleSources {
    /// Returns a judge that has seen nothing yet.
    pub(super) fn judge(&self) -> Judge {
        Judge::new(Arc::new(InForce(self.own.clone())))
    }
}

/// Rules as the cluster's judge asks them.
#[derive(Debug)]
struct InForce(Arc<health::Rules>);

impl judge::Rules for InForce {
    fn assess(&self, object: &Object) -> Assessment {
        self.0.assess(object)
    }

    fn observed(&self, object: &Object) -> (Option<i64>, Option<i64>) {
        health::observed(object)
    }

    fn may_take_long(&self, gvk: &Gvk) -> bool {
        self.0.has_script(gvk)
    }
}
