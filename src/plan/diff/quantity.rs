//! Amounts as Kubernetes writes them: `1000m` is `1`, and `1024Mi` is `1Gi`. Only where a field is known to be one: a version, a port or
//! a label that reads like an amount is a text, and another text is another value.

use serde_json::Value;

use crate::model::Segment;

const BILLIONTHS: u32 = 9;

/// Returns whether both are the same amount.
pub(super) fn is_same(one: &Value, other: &Value) -> bool {
    amount(one).is_some_and(|amount| Some(amount) == self::amount(other))
}

/// Returns whether the field at a path is an amount.
pub(super) fn is_at(kind: &str, path: &[Segment]) -> bool {
    let names: Vec<&str> = path.iter().filter_map(Segment::name).collect();
    matches!(
        (kind, names.as_slice()),
        (_, [.., "resources", "requests" | "limits", _] | [.., "emptyDir", "sizeLimit"] | [.., "resourceFieldRef", "divisor"])
            | ("PersistentVolume", ["spec", "capacity", _])
            | ("ResourceQuota", ["spec", "hard", _])
            | ("RuntimeClass", ["overhead", "podFixed", _])
            | ("LimitRange", ["spec", "limits", "max" | "min" | "default" | "defaultRequest" | "maxLimitRequestRatio", _])
            | ("HorizontalPodAutoscaler", ["spec", "metrics", .., "target", "value" | "averageValue"])
            | ("Pod", ["spec", "overhead", _])
    )
}

/// Returns an amount in billionths, which is as fine as the server counts; `None` if it is none, or a larger one than the server takes.
fn amount(value: &Value) -> Option<i128> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let end = text.find(|letter: char| !letter.is_ascii_digit() && !matches!(letter, '.' | '+' | '-')).unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (tens, twos) = unit(suffix)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_signed = |text: &str| text.contains(['+', '-']);
    if whole.len() + fraction.len() == 0 || is_signed(fraction) || whole.strip_prefix(['+', '-']).is_some_and(is_signed) {
        return None;
    }
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let shift = tens + i32::try_from(BILLIONTHS).ok()? - i32::try_from(fraction.len()).ok()?;
    let scaled = digits.checked_mul(1_i128.checked_shl(twos)?)?;
    let power = 10_i128.checked_pow(shift.unsigned_abs())?;
    if shift >= 0 { scaled.checked_mul(power) } else { (scaled % power == 0).then_some(scaled / power) }
}

/// Returns what a suffix multiplies by, as powers of ten and of two.
fn unit(suffix: &str) -> Option<(i32, u32)> {
    Some(match suffix {
        "" => (0, 0),
        "n" => (-9, 0),
        "u" => (-6, 0),
        "m" => (-3, 0),
        "k" => (3, 0),
        "M" => (6, 0),
        "G" => (9, 0),
        "T" => (12, 0),
        "P" => (15, 0),
        "E" => (18, 0),
        "Ki" => (0, 10),
        "Mi" => (0, 20),
        "Gi" => (0, 30),
        "Ti" => (0, 40),
        "Pi" => (0, 50),
        "Ei" => (0, 60),
        _ => (suffix.strip_prefix(['e', 'E'])?.parse().ok().filter(|tens: &i32| tens.abs() <= 30)?, 0),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_same_amount_may_be_written_in_several_ways() {
        for (one, other) in [
            (json!("1000m"), json!("1")),
            (json!("1024Mi"), json!("1Gi")),
            (json!("1.5Gi"), json!("1536Mi")),
            (json!(1), json!("1")),
            (json!(0.5), json!("500m")),
            (json!("1e3"), json!("1k")),
            (json!("1E3"), json!("1000")),
            (json!(".5"), json!("0.5")),
            (json!("+1"), json!("1")),
            (json!("-1"), json!("-1000m")),
            (json!("1000000000n"), json!("1")),
        ] {
            assert!(is_same(&one, &other), "{one} {other}");
        }
    }

    #[test]
    fn other_amounts_and_what_is_none_are_different() {
        for (one, other) in [
            (json!("1"), json!("1m")),
            (json!("1G"), json!("1Gi")),
            (json!("one"), json!("one")),
            (json!(""), json!("")),
            (json!("1 "), json!("1")),
            (json!("--1"), json!("1")),
            (json!("1.-5"), json!("1")),
            (json!("."), json!("0")),
            (json!("1e99"), json!("1e99")),
            (json!(["1"]), json!(["1"])),
            (json!(null), json!(null)),
            (json!("99999999999999999999999999999999999999Ei"), json!("1")),
        ] {
            assert!(!is_same(&one, &other), "{one} {other}");
        }
    }

    #[test]
    fn only_known_fields_are_amounts() {
        let path = |names: &str| names.split('.').map(|name| Segment::Field(name.to_owned())).collect::<Vec<_>>();
        for (kind, names, expected) in [
            ("Deployment", "spec.template.spec.containers.resources.limits.cpu", true),
            ("Cluster", "spec.resources.requests.storage", true),
            ("PersistentVolume", "spec.capacity.storage", true),
            ("Cluster", "spec.capacity.storage", false),
            ("ResourceQuota", "spec.hard.pods", true),
            ("Pod", "spec.volumes.emptyDir.sizeLimit", true),
            ("LimitRange", "spec.limits.max.cpu", true),
            ("HorizontalPodAutoscaler", "spec.metrics.resource.target.averageValue", true),
            ("ConfigMap", "data.cpu", false),
            ("Service", "spec.ports.targetPort", false),
            ("Deployment", "metadata.labels.version", false),
        ] {
            assert_eq!(is_at(kind, &path(names)), expected, "{kind} {names}");
        }
    }
}
