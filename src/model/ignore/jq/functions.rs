//! The functions that jaq does not bring, by their names: meters, and what is in `values`, `formats` and `patterns`. Owns how jaq calls them.

use jaq_core::box_iter::box_once;
use jaq_core::native::{Fun, v};
use jaq_core::{Bind, Cv, Native, ValXs};
use jaq_json::Val;

use super::meter::{Made, Meter, Stop, blank};
use super::patterns::Between;
use super::run::Metered;
use super::{formats, values};

/// Steps in a path. No object is so deep.
const LONGEST_PATH: usize = 300;

type Outputs<'a> = ValXs<'a, Val, Val>;

pub(super) fn functions() -> impl Iterator<Item = Fun<Metered>> {
    let meters = [tick(), turn(), weigh()];
    meters.into_iter().chain(streams()).chain(of_one()).chain(of_two()).chain(of_three()).chain(comparisons()).chain(mathematics())
}

fn one<'a>(cv: &Cv<'a, Metered>, of: impl FnOnce(&Meter<'_>, &Val) -> Made) -> Outputs<'a> {
    box_once(of(cv.0.data(), &cv.1))
}

fn two<'a>(mut cv: Cv<'a, Metered>, of: impl FnOnce(&Meter<'_>, &Val, &Val) -> Made) -> Outputs<'a> {
    let argument = cv.0.pop_var();
    box_once(of(cv.0.data(), &cv.1, &argument))
}

/// The arguments of an operator; the input is nothing to it.
fn operands<'a>(mut cv: Cv<'a, Metered>, of: impl FnOnce(&Meter<'_>, &Val, &Val) -> Made) -> Outputs<'a> {
    let (right, left) = (cv.0.pop_var(), cv.0.pop_var());
    box_once(of(cv.0.data(), &left, &right))
}

/// The same, with the right one first.
fn right_first<'a>(mut cv: Cv<'a, Metered>, of: impl FnOnce(&Meter<'_>, &Val, &Val) -> Made) -> Outputs<'a> {
    let (left, right) = (cv.0.pop_var(), cv.0.pop_var());
    box_once(of(cv.0.data(), &left, &right))
}

fn three<'a>(mut cv: Cv<'a, Metered>, of: impl FnOnce(&Meter<'_>, &Val, &Val, &Val) -> Made) -> Outputs<'a> {
    let (second, first) = (cv.0.pop_var(), cv.0.pop_var());
    box_once(of(cv.0.data(), &cv.1, &first, &second))
}

fn after<'a, T: 'a>(counted: Result<(), Stop>, value: T) -> ValXs<'a, T, Val> {
    box_once(counted.map(|()| value))
}

/// A path on which an expression goes on for ever would be taken down from its end, one call in the other.
macro_rules! metered_path {
    ($count:ident) => {
        |cv| {
            let is_short = cv.1.1.skip(LONGEST_PATH).head().is_none();
            let meter = cv.0.data();
            after(meter.$count(&cv.1.0).and_then(|()| if is_short { Ok(()) } else { Err(Meter::too_deep()) }), cv.1)
        }
    };
}

fn tick() -> Fun<Metered> {
    let native: Native<Metered> = Native::new(|cv| after(cv.0.data().tick(&cv.1), cv.1));
    ("_tick", v(0), native.with_paths(metered_path!(tick)))
}

fn turn() -> Fun<Metered> {
    let native: Native<Metered> = Native::new(|cv| after(cv.0.data().turn(&cv.1), cv.1));
    ("_turn", v(0), native.with_paths(metered_path!(turn)))
}

fn weigh() -> Fun<Metered> {
    let native: Native<Metered> = Native::new(|cv| after(cv.0.data().weigh(&cv.1), cv.1));
    ("_weigh", v(0), native.with_paths(metered_path!(weigh)))
}

/// Functions of expressions.
fn streams() -> [Fun<Metered>; 5] {
    let of = || Box::from([Bind::Fun(())]);
    [
        ("_all", v(0), all()),
        ("_blank_errors", of(), blank_errors()),
        ("_last", of(), last()),
        (
            "map_values",
            of(),
            Native::new(|mut cv| {
                let (body, context) = cv.0.pop_fun();
                box_once(values::map_values(&cv.1, |item| body.run((context.clone(), item)).next().transpose()))
            }),
        ),
        (
            "walk",
            of(),
            Native::new(|mut cv| {
                let (body, context) = cv.0.pop_fun();
                match values::walk(cv.0.data(), &cv.1, &|below| body.run((context.clone(), below))) {
                    Ok(walked) => Box::new(walked.into_iter().map(Ok)),
                    Err(stop) => box_once(Err(stop)),
                }
            }),
        ),
    ]
}

/// `..`: jaq's own calls itself for each level.
fn all() -> Native<Metered> {
    fn below(value: &Val) -> Vec<(Val, Val)> {
        match value {
            Val::Arr(items) => items.iter().enumerate().map(|(at, item)| (Val::from(at), item.clone())).collect(),
            Val::Obj(fields) => fields.iter().map(|(name, item)| (name.clone(), item.clone())).collect(),
            Val::Null | Val::Bool(_) | Val::Num(_) | Val::TStr(_) | Val::BStr(_) => Vec::new(),
        }
    }
    let run: Native<Metered> = Native::new(|cv| {
        let mut rest = vec![cv.1];
        Box::new(std::iter::from_fn(move || {
            let value = rest.pop()?;
            rest.extend(below(&value).into_iter().rev().map(|(_, item)| item));
            Some(Ok(value))
        }))
    });
    run.with_paths(|cv| {
        let mut rest = vec![cv.1];
        Box::new(std::iter::from_fn(move || {
            let (value, path) = rest.pop()?;
            rest.extend(below(&value).into_iter().rev().map(|(key, item)| (item, path.clone().cons(key))));
            Some(Ok((value, path)))
        }))
    })
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

/// The last output, as `reduce` takes it from each turn; `null` where there is none.
fn last() -> Native<Metered> {
    let run: Native<Metered> = Native::new(|mut cv| {
        let (body, context) = cv.0.pop_fun();
        box_once(body.run((context, cv.1)).try_fold(Val::Null, |_, output| output))
    });
    run.with_paths(|mut cv| {
        let (body, context) = cv.0.pop_fun();
        Box::new(body.paths((context, cv.1)).try_fold(None, |_, output| output.map(Some)).transpose().into_iter())
    })
}

fn of_one() -> [Fun<Metered>; 13] {
    [
        ("_add", v(0), Native::new(|cv| one(&cv, values::sum))),
        ("_escaped", v(0), Native::new(|cv| one(&cv, |meter, value| meter.written(value).map(|()| value.clone())))),
        ("_number", v(0), Native::new(|cv| one(&cv, |_, value| values::mathematics(value, |number| number)))),
        ("_written", v(0), Native::new(|cv| one(&cv, values::written))),
        ("implode", v(0), Native::new(|cv| one(&cv, values::implode))),
        ("length", v(0), Native::new(|cv| one(&cv, values::length))),
        ("_key", v(0), Native::new(|cv| one(&cv, values::key))),
        ("_name", v(0), Native::new(|cv| one(&cv, values::name))),
        ("explode", v(0), Native::new(|cv| one(&cv, values::explode))),
        ("fromjson", v(0), Native::new(|cv| one(&cv, values::from_json))),
        ("tonumber", v(0), Native::new(|cv| one(&cv, values::number))),
        ("transpose", v(0), Native::new(|cv| one(&cv, values::transposed))),
        ("utf8bytelength", v(0), Native::new(|cv| one(&cv, values::bytes))),
    ]
}

fn of_two() -> [Fun<Metered>; 7] {
    [
        ("_format", v(1), Native::new(|cv| two(cv, formats::formatted))),
        ("_product", v(1), Native::new(|cv| two(cv, |meter, input, part| meter.product(input, part).map(|()| input.clone())))),
        ("flatten", v(1), Native::new(|cv| two(cv, values::flatten))),
        ("join", v(1), Native::new(|cv| two(cv, values::join))),
        ("ltrimstr", v(1), Native::new(|cv| two(cv, values::without_start))),
        ("rtrimstr", v(1), Native::new(|cv| two(cv, values::without_end))),
        ("split", v(1), Native::new(|cv| two(cv, values::split))),
    ]
}

fn of_three() -> [Fun<Metered>; 9] {
    [
        ("_plus", v(2), Native::new(|cv| right_first(cv, values::plus))),
        ("_minus", v(2), Native::new(|cv| right_first(cv, values::minus))),
        ("_times", v(2), Native::new(|cv| right_first(cv, values::times))),
        ("_divided", v(2), Native::new(|cv| right_first(cv, values::divided))),
        ("_remainder", v(2), Native::new(|cv| right_first(cv, values::remainder))),
        ("_match", v(2), Native::new(|cv| three(cv, |meter, text, pattern, flags| meter.matches(text, pattern, flags)))),
        ("_parts", v(2), Native::new(|cv| three(cv, |meter, text, pattern, flags| meter.parts(text, pattern, flags, Between::Nothing)))),
        ("_pieces", v(2), Native::new(|cv| three(cv, |meter, text, pattern, flags| meter.parts(text, pattern, flags, Between::Groups)))),
        ("test", v(2), Native::new(|cv| three(cv, |meter, text, pattern, flags| meter.test(text, pattern, flags)))),
    ]
}

macro_rules! comparison {
    ($name:literal, $of:expr) => {
        ($name, v(2), Native::new(|cv| right_first(cv, |meter, left, right| values::compared(meter, left, right, $of))))
    };
}

fn comparisons() -> [Fun<Metered>; 6] {
    [
        comparison!("_is", Val::eq),
        comparison!("_is_not", Val::ne),
        comparison!("_below", Val::lt),
        comparison!("_up_to", Val::le),
        comparison!("_above", Val::gt),
        comparison!("_from", Val::ge),
    ]
}

macro_rules! of_a_number {
    ($name:literal, $of:expr) => {
        ($name, v(0), Native::new(|cv| one(&cv, |_, value| values::mathematics(value, $of))))
    };
}

macro_rules! of_two_numbers {
    ($name:literal, $of:expr) => {
        ($name, v(2), Native::new(|cv| operands(cv, |_, left, right| values::mathematics_of_two(left, right, $of))))
    };
}

fn mathematics() -> [Fun<Metered>; 17] {
    [
        of_a_number!("ceil", f64::ceil),
        of_a_number!("exp", f64::exp),
        of_a_number!("exp10", |power| 10_f64.powf(power)),
        of_a_number!("exp2", f64::exp2),
        of_a_number!("fabs", f64::abs),
        of_a_number!("floor", f64::floor),
        of_a_number!("log", f64::ln),
        of_a_number!("log10", f64::log10),
        of_a_number!("log2", f64::log2),
        of_a_number!("round", f64::round),
        of_a_number!("sqrt", f64::sqrt),
        of_a_number!("trunc", f64::trunc),
        of_a_number!("cbrt", f64::cbrt),
        of_two_numbers!("fmax", f64::max),
        of_two_numbers!("fmin", f64::min),
        of_two_numbers!("fmod", |left, right| left % right),
        of_two_numbers!("pow", f64::powf),
    ]
}
