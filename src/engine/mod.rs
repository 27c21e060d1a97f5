//! The I/O shell around the core: obeys `Operation::next`, publishes facts, and answers what screens ask beside an operation.
//! Never draws or prints, and never knows that there is an embedded cluster.

mod answers;
mod begin;
mod belongings;
pub(crate) mod bus;
mod candidates;
mod captures;
pub(crate) mod children;
mod compare;
mod connection;
mod definitions;
mod doubles;
mod executor;
mod finder;
mod gathered;
mod host;
mod inventory;
mod local;
mod neighbours;
mod owners;
mod patience;
mod prepare;
mod references;
mod respect;
pub(crate) mod rights;
pub(crate) mod rules;
mod seals;
pub(crate) mod session;
mod sweep;
#[cfg(test)]
mod tests;
mod told;
mod unfinished;
mod windows;
