//! What the server refuses to change: which fields, and what would make the change possible. Reads the server's sentences; they have one
//! form for all kinds: `Kind.group "name" is invalid: FIELD: Invalid value: VALUE: reason`, several in brackets.

use std::borrow::Cow;

use super::Scene;
use super::sentence::{Impact, WayOut};
use crate::model::{Mode, Segment, Task, Verb};

/// What the server says of a field that cannot be changed, by kind of object and field.
const IMMUTABLE: [&str; 8] = [
    "immutable",
    "may not change once set",
    "cannot change roleRef",
    "may not change fields other than",
    "for fields other than",
    "updates to parameters are forbidden",
    "updates to provisioner are forbidden",
    "updates to reclaimPolicy are forbidden",
];

/// How a sentence goes on that names a whole of which parts can be changed.
const EXCEPT: [&str; 2] = ["other than", "after creation except "];

/// How a sentence goes on after the name of a field.
const AFTER_FIELD: [&str; 3] = [": Invalid value: ", ": Forbidden: ", ": Required value: "];

/// A value of this many characters is not for people.
const LONG: usize = 60;

/// Returns whether a refusal is about something that cannot be changed in an object that is there.
pub(crate) fn is_immutable(sentence: &str) -> bool {
    sentence.contains(" is invalid: ") && IMMUTABLE.iter().any(|words| sentence.contains(words))
}

pub(super) fn refused(scene: &Scene<'_>, task: &Task, why: &str) -> Vec<Impact> {
    if !is_immutable(why) {
        return Vec::new();
    }
    let facts = scene.facts(task);
    let mode = Mode::of(scene.terms.options, false, &task.traits.options, &facts.options);
    let way_out = if mode.verb == Verb::ServerSideApply { WayOut::ReplaceAndForce } else { WayOut::Force };
    vec![Impact::Immutable { fields: fields(scene, task, why), way_out, family: facts.family.clone() }]
}

/// Returns the fields that a refusal names. Where it names a whole that has parts that can be changed, those of the difference that cannot.
pub(super) fn fields(scene: &Scene<'_>, task: &Task, why: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for field in named(why) {
        let parts = if EXCEPT.iter().any(|words| why.contains(words)) { parts(scene, task, &field, why) } else { Vec::new() };
        let fields = if parts.is_empty() { vec![field] } else { parts };
        found.extend(fields);
    }
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|field| seen.insert(field.clone()));
    found
}

fn named(sentence: &str) -> Vec<String> {
    let Some((_, rest)) = sentence.split_once(" is invalid: ") else { return Vec::new() };
    let rest = shortened(rest);
    let mut ends: Vec<usize> = AFTER_FIELD.iter().flat_map(|words| rest.match_indices(words).map(|(at, _)| at)).collect();
    ends.sort_unstable();
    let field = |end: &usize| rest[..*end].rsplit([' ', ',']).next().unwrap_or_default().trim_start_matches('[').to_owned();
    ends.iter().map(field).filter(|field| is_path(field)).collect()
}

fn is_path(text: &str) -> bool {
    let may_be = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '[' | ']' | '_' | '-' | '/' | '(' | ')');
    text.starts_with(|letter: char| letter.is_ascii_alphabetic()) && text.chars().all(may_be)
}

/// The changed fields right below one, without those that the sentence says can be changed.
fn parts(scene: &Scene<'_>, task: &Task, field: &str, why: &str) -> Vec<String> {
    let Some(difference) = scene.differences.get(&task.id) else { return Vec::new() };
    let spared = why.split_once(EXCEPT[1]).map_or("", |(_, rest)| rest.lines().next().unwrap_or_default());
    let is_spared = |name: &str| spared.split([' ', ',']).any(|word| word.split('.').next() == Some(name));
    let can_change =
        |name: &str| is_spared(name) || [format!("'{name}'"), format!("`{field}.{name}`")].iter().any(|quoted| why.contains(quoted));
    let part = |path: &[Segment]| match path {
        [Segment::Field(first), Segment::Field(second), ..] if first == field && !can_change(second) => Some(format!("{first}.{second}")),
        _ => None,
    };
    difference.fields.iter().filter_map(|change| part(change.path.segments())).collect()
}

/// Shortens what the server prints of its own data: `core.PodTemplateSpec{ObjectMeta:v1.ObjectMeta{…` becomes `core.PodTemplateSpec{…}`, and
/// the lines of a comparison, which begin with `@@`, are left out.
pub(crate) fn shortened(sentence: &str) -> Cow<'_, str> {
    let sentence = sentence.split_once("\n@@ ").map_or(sentence, |(before, _)| before);
    if sentence.chars().count() <= LONG || !sentence.contains('{') {
        return Cow::Borrowed(sentence);
    }
    let mut short = String::new();
    let mut rest = sentence;
    while let Some(open) = rest.find('{') {
        let length = balanced(&rest[open..]);
        let (before, inside) = (&rest[..open], &rest[open..open + length]);
        short.push_str(before);
        short.push_str(if inside.chars().count() > LONG { "{…}" } else { inside });
        rest = &rest[open + length..];
    }
    short.push_str(rest);
    Cow::Owned(short)
}

/// Returns the length of the text from a brace to the one that closes it; of all of it if none does. Braces in quotes do not count.
fn balanced(text: &str) -> usize {
    let (mut depth, mut is_quoted, mut is_escaped) = (0usize, false, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            '{' if !is_quoted => depth += 1,
            '}' if !is_quoted => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + letter.len_utf8();
        }
    }
    text.len()
}
