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
    /// Its input, and everything that is in what it puts out.
    Made,
    /// Everything that is in the input, in the arguments and in the output. The name is that of the function that is run.
    Deep(&'static str),
    /// It is another way to write `..`.
    All,
}

const LIGHT: [(&str, usize); 79] = [
    ("abs", 0),
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
    ("cbrt", 0),
    ("ceil", 0),
    ("empty", 0),
    ("endswith", 1),
    ("error", 0),
    ("error", 1),
    ("exp", 0),
    ("exp10", 0),
    ("exp2", 0),
    ("fabs", 0),
    ("false", 0),
    ("finites", 0),
    ("first", 0),
    ("first", 1),
    ("floor", 0),
    ("fmax", 2),
    ("fmin", 2),
    ("fmod", 2),
    ("infinite", 0),
    ("isempty", 1),
    ("isinfinite", 0),
    ("isnan", 0),
    ("isnormal", 0),
    ("iterables", 0),
    ("last", 0),
    ("last", 1),
    ("length", 0),
    ("limit", 2),
    ("log", 0),
    ("log10", 0),
    ("log2", 0),
    ("ltrim", 0),
    ("ltrimstr", 1),
    ("nan", 0),
    ("normals", 0),
    ("not", 0),
    ("nth", 1),
    ("nth", 2),
    ("null", 0),
    ("nulls", 0),
    ("numbers", 0),
    ("objects", 0),
    ("pow", 2),
    ("recurse", 1),
    ("recurse", 2),
    ("repeat", 1),
    ("reverse", 0),
    ("round", 0),
    ("rtrim", 0),
    ("rtrimstr", 1),
    ("scalars", 0),
    ("select", 1),
    ("skip", 2),
    ("sqrt", 0),
    ("startswith", 1),
    ("strings", 0),
    ("test", 1),
    ("test", 2),
    ("toarray", 0),
    ("tonumber", 0),
    ("trim", 0),
    ("true", 0),
    ("trunc", 0),
    ("type", 0),
    ("until", 2),
    ("utf8bytelength", 0),
    ("values", 0),
    ("while", 2),
];

/// What is in these is new, or deeper than it was.
const MADE: [(&str, usize); 7] =
    [("keys_unsorted", 0), ("leaf_paths", 0), ("map", 1), ("map_values", 1), ("path", 1), ("paths", 0), ("paths", 1)];

const DEEP: [(&str, usize); 50] = [
    ("IN", 1),
    ("IN", 2),
    ("add", 0),
    ("add", 1),
    ("ascii", 0),
    ("bsearch", 1),
    ("capture", 1),
    ("capture", 2),
    ("combinations", 0),
    ("combinations", 1),
    ("explode", 0),
    ("flatten", 0),
    ("flatten", 1),
    ("from_entries", 0),
    ("fromjson", 0),
    ("getpath", 1),
    ("group_by", 1),
    ("gsub", 2),
    ("gsub", 3),
    ("implode", 0),
    ("index", 1),
    ("inside", 1),
    ("join", 1),
    ("keys", 0),
    ("match", 1),
    ("match", 2),
    ("max", 0),
    ("max_by", 1),
    ("min", 0),
    ("min_by", 1),
    ("range", 1),
    ("range", 2),
    ("range", 3),
    ("rindex", 1),
    ("scan", 1),
    ("scan", 2),
    ("sort", 0),
    ("sort_by", 1),
    ("split", 1),
    ("split", 2),
    ("splits", 1),
    ("splits", 2),
    ("sub", 2),
    ("sub", 3),
    ("to_entries", 0),
    ("transpose", 0),
    ("unique", 0),
    ("unique_by", 1),
    ("walk", 1),
    ("with_entries", 1),
];

/// Functions in jq that those need.
const HELPERS: [(&str, usize); 6] = [("isboolean", 0), ("isnumber", 0), ("isstring", 0), ("isarray", 0), ("isobject", 0), ("isfinite", 0)];

/// Names of functions that exist in jq, and why an ignored difference cannot call them.
const REFUSED: [(&[&str], &str); 3] = [
    (
        &["input", "inputs", "env", "now", "debug", "stderr", "halt", "halt_error", "input_line_number", "input_filename", "localtime"],
        "`{}` reaches outside of the object; write only what is in it",
    ),
    (&["del", "delpaths", "setpath", "pick"], "`{}` changes values; write only which field is ignored"),
    (
        &[
            "todate",
            "fromdate",
            "date",
            "dateadd",
            "datesub",
            "mktime",
            "gmtime",
            "strptime",
            "strftime",
            "strflocaltime",
            "fromdateiso8601",
        ],
        "`{}` computes times, which is not supported; compare the texts, or their parts",
    ),
];

pub(super) fn allowed(name: &str, arguments: usize) -> Option<Cost> {
    match (name, arguments) {
        ("recurse", 0) => Some(Cost::All),
        ("in", 1) => Some(Cost::Key),
        ("has", 1) => Some(Cost::KeyArgument),
        ("contains", 1) => Some(Cost::Deep("_contains")),
        ("indices", 1) => Some(Cost::Deep("_indices")),
        ("tojson", 0) => Some(Cost::Deep("_to_json")),
        ("tostring", 0) => Some(Cost::Deep("_to_text")),
        call if MADE.contains(&call) => Some(Cost::Made),
        call if LIGHT.contains(&call) => Some(Cost::Light),
        call => DEEP.iter().find(|deep| **deep == call).map(|(own, _)| Cost::Deep(own)),
    }
}

/// Whether a function is taken from jaq's that are written in jq.
pub(super) fn is_of_jaq(name: &str, arguments: usize) -> bool {
    allowed(name, arguments).is_some() || HELPERS.contains(&(name, arguments))
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
