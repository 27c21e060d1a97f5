//! The screens.

pub(crate) mod logs;
