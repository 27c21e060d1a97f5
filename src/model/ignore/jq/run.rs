//! Runs expressions with jaq, which counts in the meters that `allow` has put into them. Owns the functions that the meters are.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::LazyLock;

use jaq_core::box_iter::box_once;
use jaq_core::load::parse::Def;
use jaq_core::load::{Arena, File, Loader, parse};
use jaq_core::native::{Fun, bome, v};
use jaq_core::{Bind, Compiler, Ctx, DataT, Error, Exn, Filter, Lut, Native, ValT as _, ValXs, Vars};
use jaq_json::Val;
use jaq_std::ValT as _;
use regex::{Regex, RegexBuilder};
use serde::Deserialize as _;
use serde_json::Value;

use super::calls::{DEFINITIONS, is_used};
use super::{Fault, Place, allow, place, text};

/// An expression as jaq runs it, with meters in it.
pub(super) type Program = Filter<Metered>;

/// Letters of a text that count as one step, and items of an array that are looked at only on its surface.
const LETTERS: u64 = 64;
const ITEMS: u64 = 16;
/// Bytes of a regular expression when compiled, and of a text that may be a number.
const LARGEST_PATTERN: usize = 1 << 18;
const LONGEST_NUMBER: usize = 100;

/// Tells jaq which values and which data a run has.
pub(super) struct Metered;

impl DataT for Metered {
    type V<'a> = Val;
    type Data<'a> = &'a Meter<'a>;
}

/// What one run has.
pub(super) struct Meter<'a> {
    lut: &'a Lut<Metered>,
    fuel: Cell<u64>,
    /// Compiled regular expressions, `None` for what is none.
    patterns: RefCell<HashMap<String, Option<Regex>>>,
}

impl<'a> jaq_core::data::HasLut<'a, Metered> for &'a Meter<'a> {
    fn lut(&self) -> &'a Lut<Metered> {
        self.lut
    }
}

/// What the functions that an expression may call are in jq: read once.
static LIBRARY: LazyLock<Vec<Def>> = LazyLock::new(|| {
    let own = parse(DEFINITIONS, |parser| parser.defs()).unwrap_or_default();
    jaq_core::defs().chain(jaq_std::defs()).filter(|def| is_used(def.name, def.args.len())).chain(own).collect()
});

/// Reads an expression and compiles it.
pub(super) fn compile(source: &str) -> Result<Program, String> {
    let body = allow::call("path", vec![allow::metered(text::read(source)?)?]);
    let library = LIBRARY.iter().map(|def| Def { name: def.name, args: def.args.clone(), body: def.body.clone() });
    let main = Def { name: "places", args: Vec::new(), body };
    let arena = Arena::default();
    let failed = |names: Vec<&str>| format!("it is not jq that an ignored difference can use: `{}`", text::few(&names.join("`, `")));
    let modules = Loader::new(library.chain([main])).load(&arena, File { code: "places", path: () });
    let modules = modules.map_err(|_| failed(Vec::new()))?;
    let funs = jaq_core::funs().chain(jaq_std::base_funs()).chain(jaq_json::funs()).chain(funs());
    let compiled = Compiler::default().with_funs(funs).compile(modules);
    compiled.map_err(|errors| failed(errors.iter().flat_map(|(_, names)| names.iter().map(|(name, _)| *name)).collect()))
}

/// Returns what an expression selects.
pub(super) fn places(program: &Program, document: &Value, fuel: &mut u64) -> Result<Vec<Place>, Fault> {
    let input = Val::deserialize(document).map_err(|_| Fault::Error("the object is no JSON"))?;
    let meter = Meter { lut: &program.lut, fuel: Cell::new(*fuel), patterns: RefCell::default() };
    let mut found = Vec::new();
    let ended = program.id.run((Ctx::<Metered>::new(&meter, Vars::new([])), input)).try_for_each(|path| {
        let path = path.map_err(|stop| stop.get_err().map_or(Fault::Budget, |error| fault(&error)))?;
        found.extend(place::places(&path, document));
        Ok(())
    });
    *fuel = meter.fuel.get();
    ended.map(|()| found)
}

/// jaq has no kinds of errors, only texts, which hold values of the object.
fn fault(error: &Error<Val>) -> Fault {
    if error.to_string().starts_with("invalid path expression") { Fault::NoPath } else { Fault::Error("jq finds an error") }
}

impl Meter<'_> {
    /// Takes steps, as long as there are enough.
    fn spend(&self, steps: u64) -> Result<(), Exn<'static, Val>> {
        let left = self.fuel.get().checked_sub(steps);
        self.fuel.set(left.unwrap_or(0));
        // No `try` catches it, as it would an error.
        left.map(|_| ()).ok_or_else(|| Exn::halt(1))
    }

    fn tick(&self, value: &Val) -> Result<(), Exn<'static, Val>> {
        self.spend(match value {
            Val::Arr(items) => 1 + items.len() as u64 / ITEMS,
            Val::Obj(fields) => 1 + fields.len() as u64 / ITEMS,
            Val::TStr(text) | Val::BStr(text) => 1 + text.len() as u64 / LETTERS,
            Val::Null | Val::Bool(_) | Val::Num(_) => 1,
        })
    }

    fn weigh(&self, value: &Val) -> Result<(), Exn<'static, Val>> {
        self.tick(value)?;
        match value {
            Val::Arr(items) => items.iter().try_for_each(|item| self.weigh(item)),
            Val::Obj(fields) => fields.iter().try_for_each(|(name, value)| self.tick(name).and_then(|()| self.weigh(value))),
            Val::Null | Val::Bool(_) | Val::Num(_) | Val::TStr(_) | Val::BStr(_) => Ok(()),
        }
    }

    /// Returns what it costs to weigh a value.
    fn weight(&self, value: &Val) -> Result<u64, Exn<'static, Val>> {
        let before = self.fuel.get();
        self.weigh(value).map(|()| before - self.fuel.get())
    }

    fn test(&self, text: &Val, pattern: &Val, flags: &Val) -> Result<bool, Exn<'static, Val>> {
        let flags = if matches!(flags, Val::Null) { "" } else { as_text(flags)? };
        let (text, pattern) = (as_text(text)?, as_text(pattern)?);
        self.spend((text.len() + pattern.len()) as u64)?;
        let mut patterns = self.patterns.borrow_mut();
        let key = format!("{flags}/{pattern}");
        if !patterns.contains_key(&key) {
            self.spend(1000 + 10 * pattern.len() as u64)?;
            patterns.insert(key.clone(), regex(pattern, flags));
        }
        let regex = patterns.get(&key).and_then(Option::as_ref).ok_or_else(|| wrong("this is no regular expression"))?;
        Ok(regex.is_match(text))
    }
}

fn wrong(why: &'static str) -> Exn<'static, Val> {
    Error::str(why).into()
}

/// Takes the values out of an error.
fn blank(stop: Exn<'_, Val>) -> Exn<'_, Val> {
    stop.get_err().map_or_else(|other| other, |_| wrong("jq finds an error"))
}

fn as_text(value: &Val) -> Result<&str, Exn<'static, Val>> {
    value.as_utf8_bytes().and_then(|text| std::str::from_utf8(text).ok()).ok_or_else(|| wrong("this is no text"))
}

fn regex(pattern: &str, flags: &str) -> Option<Regex> {
    let has = |flag: char| flags.contains(flag);
    let mut builder = RegexBuilder::new(pattern);
    builder.case_insensitive(has('i')).ignore_whitespace(has('x')).dot_matches_new_line(has('s')).size_limit(LARGEST_PATTERN);
    flags.chars().all(|flag| "gixsn".contains(flag)).then(|| builder.build().ok())?
}

fn number(value: Val) -> Result<Val, Error<Val>> {
    let Some(text) = value.as_utf8_bytes() else {
        return if matches!(value, Val::Num(_)) { Ok(value) } else { Err(Error::str("this is no number")) };
    };
    let text = std::str::from_utf8(text).ok().filter(|text| text.len() <= LONGEST_NUMBER && text.parse::<f64>().is_ok());
    Val::from_num(text.ok_or_else(|| Error::str("this is no number"))?)
}

fn once<'a, T: 'a>(result: Result<(), Exn<'static, Val>>, value: T) -> ValXs<'a, T, Val> {
    box_once(result.map(|()| value))
}

/// Runs its argument, and takes the values out of the errors.
fn blank_errors() -> Native<Metered> {
    let run: Native<Metered> = Native::new(|mut cv| {
        let (body, context) = cv.0.pop_fun();
        Box::new(body.run((context, cv.1)).map(|output| output.map_err(blank)))
    });
    run.with_paths(|mut cv| {
        let (body, context) = cv.0.pop_fun();
        Box::new(body.paths((context, cv.1)).map(|output| output.map_err(blank)))
    })
}

/// The meters, and what jaq has only with more than that.
fn funs() -> [Fun<Metered>; 7] {
    let tick: Native<Metered> = Native::new(|cv| once(cv.0.data().tick(&cv.1), cv.1));
    let weigh: Native<Metered> = Native::new(|cv| once(cv.0.data().weigh(&cv.1), cv.1));
    [
        ("blank_errors", Box::new([Bind::Fun(())]), blank_errors()),
        ("tick", v(0), tick.with_paths(|cv| once(cv.0.data().tick(&cv.1.0), cv.1))),
        ("weigh", v(0), weigh.with_paths(|cv| once(cv.0.data().weigh(&cv.1.0), cv.1))),
        (
            "key",
            v(0),
            Native::new(|cv| {
                let is_key = !matches!(cv.1, Val::Arr(_) | Val::Obj(_));
                once(if is_key { Ok(()) } else { Err(wrong("this is no key")) }, cv.1)
            }),
        ),
        (
            "multiply",
            v(1),
            Native::new(|mut cv| {
                let (part, meter) = (cv.0.pop_var(), *cv.0.data());
                let product = meter.weight(&cv.1).and_then(|own| Ok(own.saturating_mul(meter.weight(&part)?)));
                once(product.and_then(|steps| meter.spend(steps)), cv.1)
            }),
        ),
        (
            "test",
            v(2),
            Native::new(|mut cv| {
                let (flags, pattern) = (cv.0.pop_var(), cv.0.pop_var());
                box_once(cv.0.data().test(&cv.1, &pattern, &flags).map(Val::from))
            }),
        ),
        ("tonumber", v(0), Native::new(|cv| bome(number(cv.1)))),
    ]
}
