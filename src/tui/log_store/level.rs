//! Guesses how serious a line is from the ways in which programs usually say so. Only a colour and the "why" pane depend on it.

use crate::tui::clean;

/// How serious a line is, from the least to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Fatal,
}

/// How much of a line is looked at.
pub(super) const LOOKED_AT: usize = 256;
/// How many words of a line may be the level in capitals.
const WORDS: usize = 8;

impl Level {
    /// Returns whether the line is about something that went wrong.
    pub(crate) fn is_error(self) -> bool {
        self >= Self::Error
    }

    fn named(word: &str) -> Option<Self> {
        const NAMES: [(&str, Level); 21] = [
            ("trace", Level::Trace),
            ("debug", Level::Debug),
            ("dbg", Level::Debug),
            ("info", Level::Info),
            ("inf", Level::Info),
            ("information", Level::Info),
            ("notice", Level::Info),
            ("warn", Level::Warn),
            ("wrn", Level::Warn),
            ("warning", Level::Warn),
            ("error", Level::Error),
            ("err", Level::Error),
            ("severe", Level::Error),
            ("failed", Level::Error),
            ("exception", Level::Error),
            ("fatal", Level::Fatal),
            ("ftl", Level::Fatal),
            ("panic", Level::Fatal),
            ("critical", Level::Fatal),
            ("crit", Level::Fatal),
            ("emergency", Level::Fatal),
        ];
        NAMES.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map(|(_, level)| *level)
    }

    /// The numbers that JSON loggers for JavaScript use.
    fn numbered(number: u32) -> Option<Self> {
        match number {
            10..20 => Some(Self::Trace),
            20..30 => Some(Self::Debug),
            30..40 => Some(Self::Info),
            40..50 => Some(Self::Warn),
            50..60 => Some(Self::Error),
            60..70 => Some(Self::Fatal),
            _ => None,
        }
    }
}

/// Returns the level that a line names, if it names one.
pub(crate) fn of(line: &str) -> Option<Level> {
    let start = &line[..clean::char_end_before(line, LOOKED_AT)];
    let start = start.trim_start();
    if start.starts_with('{') {
        return ["\"level\"", "\"severity\"", "\"lvl\"", "\"log.level\"", "\"levelname\""].iter().find_map(|key| after_key(line, key, ':'));
    }
    klog(start).or_else(|| ["level", "lvl", "severity"].iter().find_map(|key| after_key(start, key, '='))).or_else(|| word(start))
}

/// Reads the value after `"level":` or `level=`.
fn after_key(text: &str, key: &str, sign: char) -> Option<Level> {
    let (_, rest) = text.split_once(key)?;
    let value = rest.trim_start().strip_prefix(sign)?.trim_start().trim_start_matches('"');
    let end = value.find(|found: char| !found.is_ascii_alphanumeric()).unwrap_or(value.len());
    let value = &value[..end];
    Level::named(value).or_else(|| Level::numbered(value.parse().ok()?))
}

/// `E0921 12:04:31.122` is how Kubernetes' own programs begin a line.
fn klog(text: &str) -> Option<Level> {
    let [letter, rest @ ..] = text.as_bytes() else { return None };
    if rest.len() < 5 || !rest[..4].iter().all(u8::is_ascii_digit) || rest[4] != b' ' {
        return None;
    }
    match letter {
        b'I' => Some(Level::Info),
        b'W' => Some(Level::Warn),
        b'E' => Some(Level::Error),
        b'F' => Some(Level::Fatal),
        _ => None,
    }
}

/// Looks for a level in capitals among the first words, or one that is set off: `error:`, `[warn]`, `<info>`.
fn word(text: &str) -> Option<Level> {
    if text.starts_with("Traceback (most recent call last)") {
        return Some(Level::Error);
    }
    text.split_ascii_whitespace().take(WORDS).enumerate().find_map(|(number, token)| {
        let bare = token.trim_matches(|found: char| !found.is_ascii_alphanumeric());
        let level = Level::named(bare)?;
        let capitals = bare.len() > 2 && bare.bytes().all(|byte| byte.is_ascii_uppercase());
        let set_off = token.ends_with(':') || token.starts_with(['[', '<', '(']);
        (capitals || set_off || (number == 0 && level.is_error())).then_some(level)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_found_where_programs_write_it() {
        for (line, level) in [
            ("12:04:31 ERROR probe /readyz -> 503", Level::Error),
            ("WARN  readiness: db pool 0/10", Level::Warn),
            ("[error] cannot bind", Level::Error),
            ("<info> started", Level::Info),
            ("error: no such table", Level::Error),
            ("Error from server", Level::Error),
            ("time=2026-01-01 level=warning msg=slow", Level::Warn),
            ("{\"time\":1,\"level\":\"error\",\"msg\":\"x\"}", Level::Error),
            ("{\"severity\": \"CRITICAL\"}", Level::Fatal),
            ("{\"level\":30,\"msg\":\"ready\"}", Level::Info),
            ("E0921 12:04:31.122 1 main.go:1] no", Level::Error),
            ("panic: runtime error", Level::Fatal),
            ("Traceback (most recent call last):", Level::Error),
            ("2026-01-01T00:00:00Z DEBUG outbox: 0 pending", Level::Debug),
        ] {
            assert_eq!(of(line), Some(level), "{line}");
        }
    }

    #[test]
    fn an_ordinary_sentence_has_no_level() {
        for line in [
            "",
            "no error so far",
            "the info page is up",
            "{\"msg\":\"level of water\"}",
            "E0921",
            "世界",
            "0041_add_customer_ref.sql",
            "42 failed",
        ] {
            assert_eq!(of(line), None, "{line}");
        }
    }
}
