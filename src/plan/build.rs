//! To come.
use super::{Plan, PlanInput};
pub(super) fn build(_input: &PlanInput<'_>) -> Plan {
    Plan {
        app: "".into(),
        namespace: "".into(),
        revision: "".into(),
        tasks: vec![],
        not_run: vec![],
        invalid: vec![],
        warnings: vec![],
        selective: false,
        index: Default::default(),
    }
}
