//! Screens as pictures, journeys of keys without a terminal, and every view at every size.

mod control;
mod deletion;
mod details;
mod diff;
mod journeys;
mod play;
mod screens;
mod sizes;
