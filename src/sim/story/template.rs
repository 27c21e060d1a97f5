//! The `{{ }}` fields of log lines: `{{n}}` counts a repeated line, `{{ts}}` is the time, `{{name}}` the pod,
//! `{{pick a b}}` and `{{rand 3 90}}` are chance, `{{fill 500}}` is that many characters. Anything else stays as it is.

use std::fmt::Write as _;

use jiff::Timestamp;

/// What the fields stand for.
pub(crate) struct Fields<'a> {
    /// Which repetition this is, from 1.
    pub(crate) n: u32,
    pub(crate) at: Timestamp,
    pub(crate) pod: &'a str,
}

/// Fills in the fields of a line; `chance` gives the next random number.
pub(crate) fn fill(text: &str, fields: &Fields<'_>, mut chance: impl FnMut() -> u64) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let Some(length) = rest[start..].find("}}") else { break };
        filled.push_str(&rest[..start]);
        let field = &rest[start..start + length + 2];
        if !write_field(&mut filled, field[2..length].trim(), fields, &mut chance) {
            filled.push_str(field);
        }
        rest = &rest[start + length + 2..];
    }
    filled.push_str(rest);
    filled
}

/// Writes one field; returns false when it is none that we know.
fn write_field(out: &mut String, field: &str, fields: &Fields<'_>, chance: &mut impl FnMut() -> u64) -> bool {
    let mut words = field.split_whitespace();
    let (name, rest): (&str, Vec<&str>) = (words.next().unwrap_or_default(), words.collect());
    match (name, rest.as_slice()) {
        ("n", []) => write!(out, "{}", fields.n).is_ok(),
        ("ts", []) => write!(out, "{:.3}", fields.at).is_ok(),
        ("name", []) => out.write_str(fields.pod).is_ok(),
        ("pick", choices) if !choices.is_empty() => out.write_str(choices[below(chance(), choices.len())]).is_ok(),
        ("rand", [low, high]) => match (low.parse::<i64>(), high.parse::<i64>()) {
            (Ok(low), Ok(high)) if low <= high => {
                let span = i128::from(high) - i128::from(low) + 1;
                let step = i128::from(chance()) % span;
                write!(out, "{}", i128::from(low) + step).is_ok()
            }
            _ => false,
        },
        ("fill", [count]) => match count.parse::<usize>() {
            Ok(count) if count <= 16 << 20 => {
                out.extend(std::iter::repeat_n('x', count));
                true
            }
            _ => false,
        },
        _ => false,
    }
}

fn below(number: u64, limit: usize) -> usize {
    usize::try_from(number % limit.max(1) as u64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_filled_in_and_unknown_ones_stay() {
        let at = "2026-03-01T09:00:01.25Z".parse().unwrap();
        let fields = Fields { n: 3, at, pod: "web-1" };
        let mut numbers = [1_u64, 7].into_iter();
        let line = fill("{{ts}} {{n}} {{name}} {{pick a b c}} {{rand 10 12}} {{fill 3}} {{what}} {{rand 2}} {{open", &fields, || {
            numbers.next().unwrap()
        });
        assert_eq!(line, "2026-03-01T09:00:01.250Z 3 web-1 b 11 xxx {{what}} {{rand 2}} {{open");
    }
}
