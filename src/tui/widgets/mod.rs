//! Parts that several screens share. Each holds where a person looks or types, never what is looked at.

pub(crate) mod cursor;
pub(crate) mod prompt;
