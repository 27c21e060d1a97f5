//! The terminal user interface.

pub(crate) mod clean;
pub(crate) mod log_store;
pub(crate) mod views;
pub(crate) mod widgets;
