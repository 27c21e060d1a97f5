//! What one run may take: steps, depth of values, and stack. Counts, and stops the run; must not know which functions count.

use std::cell::Cell;
use std::fmt::{self, Write as _};

use jaq_core::{Error, Exn, Lut};
use jaq_json::{Num, Val};

use super::Fault;
use super::patterns::Patterns;
use super::run::Metered;

/// Letters of a text that count as one step, items of an array that are looked at only on its surface, and bits of a number.
const LETTERS: u64 = 64;
const ITEMS: u64 = 4;
/// How much larger than a text what is written of it may be.
const ESCAPED: u64 = 7;
/// Steps of one turn of a loop: what has to be remembered for it is larger than a value.
const TURN: u64 = 10;
/// Values in values. The API server takes 128; what an expression makes may be a little deeper, and no deeper than the evaluator can go.
const DEEPEST: usize = 256;
/// Bytes of stack that a run may take of the 2 MiB that the smallest thread of the program has; what goes deeper calls itself.
const STACK: usize = 1 << 20;

const OUT_OF_STEPS: i32 = 1;
const TOO_DEEP: i32 = 2;

pub(super) type Stop = Exn<'static, Val>;
pub(super) type Made = Result<Val, Stop>;

/// What one run has.
pub(super) struct Meter<'a> {
    lut: &'a Lut<Metered>,
    fuel: Cell<u64>,
    /// Where the stack was when the run began.
    base: usize,
    pub(super) patterns: Patterns,
}

impl<'a> jaq_core::data::HasLut<'a, Metered> for &'a Meter<'a> {
    fn lut(&self) -> &'a Lut<Metered> {
        self.lut
    }
}

impl<'a> Meter<'a> {
    pub(super) fn new(lut: &'a Lut<Metered>, fuel: u64) -> Self {
        Self { lut, fuel: Cell::new(fuel), base: stack(), patterns: Patterns::default() }
    }

    pub(super) fn left(&self) -> u64 {
        self.fuel.get()
    }

    /// Takes steps, as long as there are enough.
    pub(super) fn spend(&self, steps: u64) -> Result<(), Stop> {
        let left = self.fuel.get().checked_sub(steps);
        self.fuel.set(left.unwrap_or(0));
        // No `try` catches it, as it would an error.
        left.map(|_| ()).ok_or_else(|| Exn::halt(OUT_OF_STEPS))
    }

    /// What ends a run that goes too deep.
    pub(super) fn too_deep() -> Stop {
        Exn::halt(TOO_DEEP)
    }

    /// Counts a value and what is directly in it.
    pub(super) fn tick(&self, value: &Val) -> Result<(), Stop> {
        if self.base.abs_diff(stack()) > STACK {
            return Err(Self::too_deep());
        }
        self.spend(surface(value))
    }

    /// Counts one turn of a loop that goes on with a value.
    pub(super) fn turn(&self, value: &Val) -> Result<(), Stop> {
        self.spend(TURN)?;
        self.tick(value)
    }

    /// Counts a value with everything in it.
    pub(super) fn weigh(&self, value: &Val) -> Result<(), Stop> {
        self.tick(value)?;
        self.weigh_below(value, DEEPEST)
    }

    fn weigh_below(&self, value: &Val, deepest: usize) -> Result<(), Stop> {
        let below = |value: &Val| {
            let deepest = deepest.checked_sub(1).ok_or_else(Self::too_deep)?;
            self.spend(surface(value)).and_then(|()| self.weigh_below(value, deepest))
        };
        match value {
            Val::Arr(items) => items.iter().try_for_each(below),
            Val::Obj(fields) => fields.iter().try_for_each(|(name, value)| self.spend(surface(name)).and_then(|()| below(value))),
            Val::Null | Val::Bool(_) | Val::Num(_) | Val::TStr(_) | Val::BStr(_) => Ok(()),
        }
    }

    /// Counts what comparing each part of one value with each part of another takes.
    pub(super) fn product(&self, left: &Val, right: &Val) -> Result<(), Stop> {
        self.spend(self.weight(left)?.saturating_mul(self.weight(right)?))
    }

    /// Counts what writing a value as a text takes, in which a letter may become six.
    pub(super) fn written(&self, value: &Val) -> Result<(), Stop> {
        self.spend(self.weight(value)?.saturating_mul(ESCAPED))
    }

    /// Weighs a value, and returns how many steps that has taken.
    fn weight(&self, value: &Val) -> Result<u64, Stop> {
        let before = self.fuel.get();
        self.weigh(value).map(|()| before - self.fuel.get())
    }
}

fn surface(value: &Val) -> u64 {
    match value {
        Val::Arr(items) => 1 + items.len() as u64 / ITEMS,
        Val::Obj(fields) => 1 + fields.len() as u64 / ITEMS,
        Val::TStr(text) | Val::BStr(text) => 1 + text.len() as u64 / LETTERS,
        Val::Num(Num::BigInt(number)) => 1 + number.bits() / LETTERS,
        Val::Num(Num::Dec(digits)) => 1 + digits.len() as u64 / LETTERS,
        Val::Null | Val::Bool(_) | Val::Num(Num::Int(_) | Num::Float(_)) => 1,
    }
}

/// Returns where the stack is now.
fn stack() -> usize {
    let mark = 0_u8;
    std::ptr::from_ref(&mark).addr()
}

/// Says why a run ended. jaq has no kinds of errors, only texts, which hold values of the object.
pub(super) fn fault(stop: Exn<'_, Val>) -> Fault {
    match stop.get_err() {
        Ok(error) if Start::of(&error) == "invalid path expression" => Fault::NoPath,
        Ok(_) => Fault::Error("jq finds an error"),
        Err(stop) => match stop.get_halt() {
            Ok(TOO_DEEP) => Fault::Depth,
            _ => Fault::Budget,
        },
    }
}

/// How an error begins. The whole text of one may be as large as all that the run has made.
struct Start(String);

impl Start {
    const LETTERS: usize = "invalid path expression".len();

    fn of(error: &Error<Val>) -> String {
        let mut start = Self(String::new());
        let _is_longer = write!(start, "{error}");
        start.0
    }
}

impl fmt::Write for Start {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend(text.chars().take(Self::LETTERS - self.0.chars().count()));
        if self.0.chars().count() < Self::LETTERS { Ok(()) } else { Err(fmt::Error) }
    }
}

/// An error that holds no value of the object.
pub(super) fn wrong(why: &'static str) -> Stop {
    Error::str(why).into()
}

/// Takes the values out of an error.
pub(super) fn blank(stop: Exn<'_, Val>) -> Exn<'_, Val> {
    stop.get_err().map_or_else(|other| other, |_| wrong("jq finds an error"))
}
