//! A Luau machine: runs one script at a time in its limits, and leaves nothing of a run to the next one. Owns the sandbox and the sentence
//! for what went wrong; what a script's answer means is not known here.

use std::sync::Arc;

use mlua::chunk::{ChunkMode, Compiler};
use mlua::{Function, Lua, LuaOptions, StdLib, Table, VmState};
use serde_json::Value;

use super::meter::Meter;
use super::{Limits, rewrite, shims, values};

/// The name of a script inside the machine; positions in errors begin with it.
const CHUNK: &str = "script";

/// Why a script gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) line: Option<usize>,
    pub(super) problem: String,
}

impl Fault {
    pub(super) fn new(line: Option<usize>, problem: impl Into<String>) -> Self {
        Self { line, problem: problem.into() }
    }

    /// Returns the sentence for people.
    pub(super) fn sentence(&self, rule: &str) -> String {
        let place = self.line.map(|line| format!(" at line {line}")).unwrap_or_default();
        format!("the health rule {rule} failed{place}: {}", self.problem)
    }

    /// Reads `LINE: problem`, as the compiler writes it, and as the machine does behind the name of the script.
    fn positioned(text: &str) -> Self {
        let place = text.split_once(": ").and_then(|(line, problem)| Some((line.parse().ok()?, problem)));
        place.map_or_else(|| Self::new(None, text), |(line, problem)| Self::new(Some(line), problem))
    }
}

/// Makes bytecode of a script.
#[expect(clippy::wildcard_enum_match_arm, reason = "the enum is not ours, and grows")]
pub(super) fn compile(source: &str) -> Result<Vec<u8>, Fault> {
    let source = rewrite::without_goto(source)?;
    let compiler = Compiler::new().set_optimization_level(1).set_debug_level(1);
    compiler.compile(source.as_bytes()).map_err(|error| match &error {
        mlua::Error::SyntaxError { message, .. } => Fault::positioned(message),
        _ => Fault::new(None, error.to_string()),
    })
}

/// One machine.
pub(super) struct Vm {
    lua: Lua,
    meter: Arc<Meter>,
    memory: usize,
    /// Makes the globals of a run, which are its own.
    environment: Function,
}

impl Vm {
    /// Makes a machine.
    pub(super) fn new(limits: &Limits) -> Result<Self, Fault> {
        Self::build(limits).map_err(|error| Fault::new(None, format!("no machine for it could be made: {error}")))
    }

    fn build(limits: &Limits) -> mlua::Result<Self> {
        let lua = Lua::new_with(StdLib::TABLE | StdLib::STRING | StdLib::MATH, LuaOptions::default())?;
        let environment = shims::install(&lua, limits.now.clone())?;
        lua.sandbox(true)?;
        // The sandbox lays a writable table over the read-only globals; what is written there would outlive a run.
        lua.globals().set_readonly(true);
        lua.set_memory_limit(limits.memory)?;
        let meter = Arc::new(Meter::new(limits));
        let counted = meter.clone();
        lua.set_interrupt(move |lua| {
            if counted.step() {
                return Ok(VmState::Continue);
            }
            counted.exhaust(line(lua));
            Err(mlua::Error::runtime("out of time"))
        });
        Ok(Self { lua, meter, memory: limits.memory, environment })
    }

    /// Runs a script on an object and returns its answer as JSON, null for none.
    pub(super) fn run(&self, code: &[u8], object: &Value) -> Result<Value, Fault> {
        self.meter.start();
        let answer = self.call(code, object);
        // A script may catch the error of a limit, but not make a verdict of what it did after it.
        if self.meter.is_exhausted() {
            return Err(Fault::new(self.meter.line(), self.meter.sentence()));
        }
        match answer {
            Ok(mlua::Value::Nil) => Ok(Value::Null),
            Ok(answer) if answer.is_table() => values::to_json(&answer).map_err(|problem| Fault::new(None, problem)),
            Ok(answer) => Err(Fault::new(None, format!("expect table output from Lua script, not {}", type_name(&answer)))),
            Err(error) => Err(self.fault(&error)),
        }
    }

    fn call(&self, code: &[u8], object: &Value) -> mlua::Result<mlua::Value> {
        let environment: Table = self.environment.call(values::to_lua(&self.lua, object)?)?;
        let chunk = self.lua.load(code).set_name(format!("={CHUNK}")).set_mode(ChunkMode::Binary);
        chunk.set_environment(environment).into_function()?.call(())
    }

    /// Returns whether the machine should not be used again: what fills half of its memory is left to the next script otherwise.
    pub(super) fn is_spoilt(&self) -> bool {
        self.meter.is_exhausted() || self.lua.used_memory() > self.memory / 2
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the enum is not ours, and grows")]
    fn fault(&self, error: &mlua::Error) -> Fault {
        match error {
            mlua::Error::CallbackError { cause, .. } | mlua::Error::WithContext { cause, .. } => self.fault(cause),
            mlua::Error::MemoryError(_) => Fault::new(None, format!("it needs more than {} MiB of memory", self.memory >> 20)),
            mlua::Error::RuntimeError(text) => {
                let text = text.split("\nstack traceback:").next().unwrap_or_default();
                match text.strip_prefix(CHUNK).and_then(|rest| rest.strip_prefix(':')) {
                    Some(rest) => Fault::positioned(rest),
                    None => Fault::new(None, text),
                }
            }
            _ => Fault::new(None, error.to_string()),
        }
    }
}

/// Returns the line of the script that runs now. A library function above it has none.
fn line(lua: &Lua) -> Option<usize> {
    (0..8).find_map(|level| {
        let of_script = |debug: &mlua::debug::Debug<'_>| {
            let is_script = debug.source().short_src.is_some_and(|name| name == CHUNK);
            debug.current_line().filter(|_| is_script)
        };
        lua.inspect_stack(level, of_script).flatten()
    })
}

/// Lua has one type for numbers.
fn type_name(value: &mlua::Value) -> &'static str {
    if value.is_number() || value.is_integer() { "number" } else { value.type_name() }
}
