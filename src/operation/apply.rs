//! To come.
impl super::Operation {
    pub(super) fn is_old_hook_in_deletion(&self, _id: &super::TaskId) -> bool {
        false
    }
    /// Folds one fact.
    pub(crate) fn apply(&mut self, _record: &super::Record) {}
    /// What to do now.
    pub(crate) fn next(&self, _now: jiff::Timestamp) -> Vec<super::Effect> {
        vec![]
    }
    /// When `next` would answer differently without any new fact.
    pub(crate) fn wake_at(&self) -> Option<jiff::Timestamp> {
        None
    }
}
