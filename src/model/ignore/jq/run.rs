//! Runs expressions with jaq: puts them together with the functions that they may call, and turns what comes out into places.

use jaq_core::load::parse::Def;
use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, DataT, Filter, Vars};
use jaq_json::Val;
use serde::Deserialize as _;
use serde_json::Value;

use super::functions::functions;
use super::library::library;
use super::meter::{Meter, fault};
use super::{Fault, Place, allow, place, text};

/// An expression as jaq runs it, with meters in it.
pub(super) type Program = Filter<Metered>;

/// Tells jaq which values and which data a run has.
pub(super) struct Metered;

impl DataT for Metered {
    type V<'a> = Val;
    type Data<'a> = &'a Meter<'a>;
}

/// Reads an expression and compiles it.
pub(super) fn compile(source: &str) -> Result<Program, String> {
    let body = allow::call("path", vec![allow::metered(text::read(source)?)?]);
    let main = Def { name: "places", args: Vec::new(), body };
    let arena = Arena::default();
    let failed = |names: Vec<&str>| format!("it is not jq that an ignored difference can use: `{}`", text::few(&names.join("`, `")));
    let modules = Loader::new(library().chain([main])).load(&arena, File { code: "places", path: () });
    let modules = modules.map_err(|_| failed(Vec::new()))?;
    let funs = functions().chain(jaq_core::funs()).chain(jaq_std::base_funs()).chain(jaq_json::funs());
    let compiled = Compiler::default().with_funs(funs).compile(modules);
    compiled.map_err(|errors| failed(errors.iter().flat_map(|(_, names)| names.iter().map(|(name, _)| *name)).collect()))
}

/// Returns what an expression selects.
pub(super) fn places(program: &Program, document: &Value, fuel: &mut u64) -> Result<Vec<Place>, Fault> {
    let input = Val::deserialize(document).map_err(|_| Fault::Error("the object is no JSON"))?;
    let meter = Meter::new(&program.lut, *fuel);
    let mut found = Vec::new();
    let ended = program.id.run((Ctx::<Metered>::new(&meter, Vars::new([])), input)).try_for_each(|path| {
        let path = path.map_err(fault)?;
        meter.weigh(&path).map_err(fault)?;
        if let Some(places) = place::found(&path, document) {
            meter.spend(places.size()).map_err(fault)?;
            found.extend(places.places());
        }
        Ok(())
    });
    *fuel = meter.left();
    ended.map(|()| found)
}
