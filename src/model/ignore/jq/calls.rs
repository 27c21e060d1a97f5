//! Which of jq's functions an expression may call, what they cost, and why not the others. Names are jq's.

use super::text::few;

/// What is counted for a call.
#[derive(Clone, Copy)]
pub(super) enum Cost {
    /// Its input, and what it puts out.
    Light,
    /// The same; the input is used as a key.
    Key,
    /// The same; the argument is used as a key.
    KeyArgument,
    /// Everything that is in the input, in the arguments and in the output. The name is that of the function that is run.
    Deep(&'static str),
    /// It is another way to write `..`.
    Recurse,
}

const LIGHT: [(&str, usize); 48] = [
    ("all", 0),
    ("all", 1),
    ("all", 2),
    ("any", 0),
    ("any", 1),
    ("any", 2),
    ("arrays", 0),
    ("ascii_downcase", 0),
    ("ascii_upcase", 0),
    ("booleans", 0),
    ("empty", 0),
    ("endswith", 1),
    ("error", 0),
    ("error", 1),
    ("false", 0),
    ("first", 0),
    ("first", 1),
    ("floor", 0),
    ("isempty", 1),
    ("iterables", 0),
    ("keys_unsorted", 0),
    ("last", 0),
    ("last", 1),
    ("length", 0),
    ("limit", 2),
    ("ltrimstr", 1),
    ("map", 1),
    ("not", 0),
    ("null", 0),
    ("nulls", 0),
    ("numbers", 0),
    ("objects", 0),
    ("path", 1),
    ("paths", 0),
    ("reverse", 0),
    ("rtrimstr", 1),
    ("scalars", 0),
    ("select", 1),
    ("skip", 2),
    ("startswith", 1),
    ("strings", 0),
    ("test", 1),
    ("test", 2),
    ("tonumber", 0),
    ("trim", 0),
    ("true", 0),
    ("type", 0),
    ("values", 0),
];

const DEEP: [(&str, usize); 16] = [
    ("IN", 1),
    ("getpath", 1),
    ("group_by", 1),
    ("inside", 1),
    ("keys", 0),
    ("max", 0),
    ("max_by", 1),
    ("min", 0),
    ("min_by", 1),
    ("sort", 0),
    ("sort_by", 1),
    ("split", 1),
    ("to_entries", 0),
    ("tojson", 0),
    ("tostring", 0),
    ("unique", 0),
];

/// Ours, or jq's with a meter in it.
pub(super) const DEFINITIONS: &str = r"
    def IN(s): any(s == .; .);
    def getpath($path): reduce $path[] as $step (.; .[$step | key]);
    def contains_metered($part): multiply($part) | contains($part);
    def inside(whole): . as $part | whole | contains_metered($part);
    def in(whole): . as $key | whole | has($key);
    def test(pattern): test(pattern; null);
";

/// Functions in jq that those need.
const HELPERS: [(&str, usize); 6] = [("isboolean", 0), ("isnumber", 0), ("isstring", 0), ("isarray", 0), ("isobject", 0), ("unique_by", 1)];

/// Names of functions that exist in jq, and why an ignored difference cannot call them.
const REFUSED: [(&[&str], &str); 6] = [
    (&["recurse"], "`recurse(f)` may not end; write `..`"),
    (
        &["range", "repeat", "while", "until", "combinations", "splits", "inputs", "walk"],
        "`{}` may not end; write the path to the fields, or `..`",
    ),
    (
        &["add", "join", "from_entries", "with_entries", "flatten", "implode", "indices", "index", "rindex", "transpose"],
        "`{}` builds or searches values in more steps than can be counted; write any(…), all(…) or contains(…)",
    ),
    (&["fromjson"], "`fromjson` may be nested without end; test the text with contains(…) or test(…)"),
    (
        &["input", "env", "now", "debug", "stderr", "halt", "halt_error", "input_line_number", "localtime", "strflocaltime"],
        "`{}` reaches outside of the object; write only what is in it",
    ),
    (&["del", "delpaths", "setpath", "map_values", "pick"], "`{}` changes values; write only which field is ignored"),
];

pub(super) fn allowed(name: &str, arguments: usize) -> Option<Cost> {
    match (name, arguments) {
        ("recurse", 0) => Some(Cost::Recurse),
        ("in", 1) => Some(Cost::Key),
        ("has", 1) => Some(Cost::KeyArgument),
        ("contains", 1) => Some(Cost::Deep("contains_metered")),
        call if LIGHT.contains(&call) => Some(Cost::Light),
        call => DEEP.iter().find(|deep| **deep == call).map(|(own, _)| Cost::Deep(own)),
    }
}

/// Whether a function that is written in jq is needed; those that are ours are in `DEFINITIONS`.
pub(super) fn is_used(name: &str, arguments: usize) -> bool {
    let is_called = allowed(name, arguments).is_some() || HELPERS.contains(&(name, arguments));
    is_called && !matches!(name, "recurse" | "test" | "getpath" | "in" | "inside" | "IN")
}

pub(super) fn refusal(name: &str, arguments: usize) -> String {
    if let Some((_, why)) = REFUSED.iter().find(|(names, _)| names.contains(&name)) {
        return why.replace("{}", name);
    }
    let arities: Vec<String> = (0..4).filter(|count| allowed(name, *count).is_some()).map(|count| count.to_string()).collect();
    if arities.is_empty() {
        return format!("`{}` is no function that an ignored difference can use; write a path, for example .spec.replicas", few(name));
    }
    format!("`{name}` takes {} arguments, not {arguments}", arities.join(" or "))
}
