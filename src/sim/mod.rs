//! To come.
pub(crate) mod story;
