//! Takes those fields out of a manifest that the server names as unknown, for targets with `Validate=false` (decision 6): server-side apply
//! refuses them even when field validation is off. Knows the words for it, too. Pure.

use serde_json::Value;

const UNKNOWN: &str = ": field not declared in schema";
const WARNING: &str = "unknown field \"";

/// Removes every field that a refusal names and returns their paths; none if the refusal is about something else.
pub(super) fn cut(body: &mut Value, refusal: &str) -> Vec<String> {
    let named = refusal.lines().filter_map(|line| line.trim().strip_suffix(UNKNOWN)).map(|line| {
        // The first one may stand behind `failed to create typed patch object (…): `.
        let start = line.rfind("): .").map_or(0, |at| at + "): ".len());
        line[start..].trim()
    });
    named.filter(|path| remove(body, path)).map(str::to_owned).collect()
}

/// Says of a field what the server says in a warning, where it is asked only to warn.
pub(super) fn warning(path: &str) -> String {
    format!("{WARNING}{}\"", path.trim_start_matches('.'))
}

/// Returns the fields that warnings name as unknown: the server leaves them out.
pub(super) fn warned_of(warnings: &[String]) -> Vec<String> {
    let field = |text: &String| Some(text.strip_prefix(WARNING)?.strip_suffix('"')?.to_owned());
    warnings.iter().filter_map(field).collect()
}

fn remove(body: &mut Value, path: &str) -> bool {
    let Some((parent, last)) = split_last(path) else { return false };
    let Some(holder) = find(body, parent) else { return false };
    holder.as_object_mut().is_some_and(|fields| fields.remove(last).is_some())
}

/// Splits `.spec.containers[name="c"].x` at its last field.
fn split_last(path: &str) -> Option<(&str, &str)> {
    let after_items = path.rfind(']').map_or(0, |at| at + 1);
    let dot = after_items + path[after_items..].rfind('.')?;
    Some((&path[..dot], &path[dot + 1..]))
}

fn find<'a>(value: &'a mut Value, path: &str) -> Option<&'a mut Value> {
    if path.is_empty() {
        return Some(value);
    }
    if let Some(rest) = path.strip_prefix('.') {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        return find(value.get_mut(&rest[..end])?, &rest[end..]);
    }
    let (item, rest) = item_end(path.strip_prefix('[')?)?;
    let items = value.as_array_mut()?;
    let at = match item.parse::<usize>() {
        Ok(at) => at,
        Err(_) => items.iter().position(|candidate| has_keys(candidate, item))?,
    };
    find(items.get_mut(at)?, rest)
}

/// Splits behind the bracket that closes an item; brackets in quoted keys do not count.
fn item_end(text: &str) -> Option<(&str, &str)> {
    let mut is_quoted = false;
    for (at, letter) in text.char_indices() {
        match letter {
            '"' => is_quoted = !is_quoted,
            ']' if !is_quoted => return Some((&text[..at], &text[at + 1..])),
            _ => {}
        }
    }
    None
}

/// Compares with `name="c",port=80`. A key with its default may be missing in the manifest.
fn has_keys(candidate: &Value, keys: &str) -> bool {
    keys.split(',').all(|pair| {
        let Some((key, value)) = pair.split_once('=') else { return false };
        let meant: Value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
        candidate.get(key).is_none_or(|found| *found == meant)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_that_the_server_names_as_unknown_are_taken_out() {
        let mut body =
            json!({"spec": {"replicas": 1, "extra": {"a": 1}, "containers": [{"name": "a", "x": 1}, {"name": "c", "image": "i", "x": 1}]}});
        let refusal = "failed to create typed patch object (shop/web; apps/v1, Kind=Deployment): errors:\n  .spec.extra: field not declared in schema\n  .spec.containers[name=\"c\"].x: field not declared in schema";
        assert_eq!(cut(&mut body, refusal), [".spec.extra", ".spec.containers[name=\"c\"].x"]);
        assert_eq!(body, json!({"spec": {"replicas": 1, "containers": [{"name": "a", "x": 1}, {"name": "c", "image": "i"}]}}));
    }

    #[test]
    fn one_field_stands_in_the_same_line_and_items_may_be_counted() {
        let mut body = json!({"data": {"k": "v"}, "dataz": 1, "list": [{"ports": [{"port": 80, "x": 1}]}]});
        let line =
            |path: &str| format!("failed to create typed patch object (shop/a; /v1, Kind=ConfigMap): {path}: field not declared in schema");
        assert_eq!(cut(&mut body, &line(".dataz")), [".dataz"]);
        assert_eq!(cut(&mut body, &line(".list[0].ports[port=80,protocol=\"TCP\"].x")).len(), 1);
        assert_eq!(body, json!({"data": {"k": "v"}, "list": [{"ports": [{"port": 80}]}]}));
    }

    #[test]
    fn fields_that_are_left_out_are_told_like_those_that_the_server_warns_of() {
        let warnings = [
            warning(".spec.extra"),
            "unknown field \"dataz\"".to_owned(),
            "v1beta1 is deprecated".to_owned(),
            "unknown field \"".to_owned(),
        ];
        assert_eq!(warned_of(&warnings), ["spec.extra", "dataz"]);
    }

    #[test]
    fn any_other_refusal_takes_nothing() {
        let mut body = json!({"a": 1});
        for refusal in [
            "",
            ".b: field not declared in schema",
            ".a: expected list, got 1",
            "x: field not declared in schema",
            ".a[: field not declared in schema",
        ] {
            assert_eq!(cut(&mut body, refusal), Vec::<String>::new(), "{refusal}");
        }
        assert_eq!(body, json!({"a": 1}));
    }
}
