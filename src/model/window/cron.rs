//! A schedule of five fields, as Argo CD's sync windows read it (spec R1401): minute, hour, day of month, month, day of week. It is
//! written here and not taken from a crate because the ones that fit `jiff` read more than Argo CD does (`7` for Sunday, `L`, `W`, `#`),
//! see a restriction of the day differently (`*/2` restricts here), or follow a zone's changes of the clock, which R1403 does not.

use std::fmt;

use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime, Time};
use serde::{Serialize, Serializer};

/// How many years ahead a moment is looked for: the 29th of February may be eight years away.
const YEARS: i16 = 9;

/// A schedule that comes at least once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cron {
    text: String,
    minutes: Set,
    hours: Set,
    days: Set,
    months: Set,
    weekdays: Set,
    /// Whether a day has to be in both sets of days, because one of them is `*`; otherwise one is enough.
    both_days: bool,
}

/// Numbers from 0 to 63.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Set(u64);

impl Set {
    fn contains(self, number: i8) -> bool {
        u32::try_from(number).is_ok_and(|number| self.0 >> number & 1 == 1)
    }

    /// Returns the first number that is not below this one.
    fn first_from(self, number: i8) -> Option<i8> {
        let above = self.0.checked_shr(u32::try_from(number).ok()?)?;
        (above != 0).then(|| i8::try_from(above.trailing_zeros()).ok()?.checked_add(number)).flatten()
    }
}

/// One of the five fields.
struct Field {
    name: &'static str,
    least: u32,
    most: u32,
    /// Words for the numbers from `least` on.
    words: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field { name: "minute", least: 0, most: 59, words: &[] },
    Field { name: "hour", least: 0, most: 23, words: &[] },
    Field { name: "day of month", least: 1, most: 31, words: &[] },
    Field {
        name: "month",
        least: 1,
        most: 12,
        words: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    },
    Field { name: "day of week", least: 0, most: 6, words: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
];

impl Cron {
    /// Reads a schedule. The short names (`@daily`) are ours; Argo CD has none in windows.
    ///
    /// # Errors
    /// It is no schedule, or never comes; a fragment that says what to write.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let written = in_full(text.trim())?;
        let parts: Vec<&str> = written.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = parts[..] else {
            return Err(format!(
                "a schedule has five fields, minute, hour, day of month, month and day of week, and this one has {}; write for example \
                 \"0 22 * * 1-5\"",
                parts.len()
            ));
        };
        let [minutes, hours, days, months, weekdays] = &FIELDS;
        let ((days, any_day), (weekdays, any_weekday)) = (days.parse(day)?, weekdays.parse(weekday)?);
        let cron = Self {
            text: text.trim().to_owned(),
            minutes: minutes.parse(minute)?.0,
            hours: hours.parse(hour)?.0,
            days,
            months: months.parse(month)?.0,
            weekdays,
            both_days: any_day || any_weekday,
        };
        match cron.next_after(jiff::civil::date(2000, 1, 1).to_datetime(Time::midnight())) {
            Some(_) => Ok(cron),
            None => Err("no month has such a day, so it never comes; correct the day of month or the month".to_owned()),
        }
    }

    /// Returns the first moment of the schedule after this one, on the same clock.
    pub(crate) fn next_after(&self, from: DateTime) -> Option<DateTime> {
        let minute = from.date().to_datetime(jiff::civil::time(from.hour(), from.minute(), 0, 0));
        let start = minute.checked_add(1.minute()).ok()?;
        let (mut date, mut earliest) = (start.date(), (start.hour(), start.minute()));
        let last_year = date.year().saturating_add(YEARS);
        while date.year() <= last_year {
            if self.months.contains(date.month()) {
                if self.is_day(date)
                    && let Some((hour, minute)) = self.time_from(earliest)
                {
                    return Some(date.at(hour, minute, 0, 0));
                }
                date = date.tomorrow().ok()?;
            } else {
                date = date.last_of_month().tomorrow().ok()?;
            }
            earliest = (0, 0);
        }
        None
    }

    fn is_day(&self, date: Date) -> bool {
        let (day, weekday) = (self.days.contains(date.day()), self.weekdays.contains(date.weekday().to_sunday_zero_offset()));
        if self.both_days { day && weekday } else { day || weekday }
    }

    fn time_from(&self, (hour, minute): (i8, i8)) -> Option<(i8, i8)> {
        if self.hours.contains(hour)
            && let Some(minute) = self.minutes.first_from(minute)
        {
            return Some((hour, minute));
        }
        Some((self.hours.first_from(hour.checked_add(1)?)?, self.minutes.first_from(0)?))
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Cron {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

fn in_full(text: &str) -> Result<&str, String> {
    Ok(match text {
        "@yearly" | "@annually" => "0 0 1 1 *",
        "@monthly" => "0 0 1 * *",
        "@weekly" => "0 0 * * 0",
        "@daily" | "@midnight" => "0 0 * * *",
        "@hourly" => "0 * * * *",
        _ if text.starts_with('@') => {
            return Err(format!("`{text}` is no schedule; write five fields, or @hourly, @daily, @weekly, @monthly or @yearly"));
        }
        _ if text.starts_with("TZ=") || text.starts_with("CRON_TZ=") => {
            return Err("a zone does not belong into the schedule; write it as `time_zone`".to_owned());
        }
        _ => text,
    })
}

impl Field {
    /// Reads a list of ranges. The flag says whether it restricts nothing.
    fn parse(&self, text: &str) -> Result<(Set, bool), String> {
        let (mut set, mut any) = (0, false);
        for part in text.split(',') {
            let (range, step) = match part.split_once('/') {
                Some((range, step)) => (range, Some(self.step(part, step)?)),
                None => (part, None),
            };
            let (first, last) = self.range(part, range, step.is_some())?;
            let numbers = (first..=last).step_by(step.unwrap_or(1));
            set |= numbers.map(|number| 1_u64 << number).fold(0, |all, bit| all | bit);
            // A step restricts, as in Argo CD: `*/2` for the day of month and `1` for the weekday are two ways to be a day.
            any |= matches!(range, "*" | "?") && step.unwrap_or(1) == 1;
        }
        Ok((Set(set), any))
    }

    fn step(&self, part: &str, text: &str) -> Result<usize, String> {
        text.parse().ok().filter(|step| *step > 0).ok_or_else(|| self.wrong(part, "a step is a number above 0"))
    }

    /// Returns first and last number; a single one with a step goes on to the end of the field.
    fn range(&self, part: &str, text: &str, has_step: bool) -> Result<(u32, u32), String> {
        if matches!(text, "*" | "?") {
            return Ok((self.least, self.most));
        }
        let (first, last) = match text.split_once('-') {
            Some((first, last)) => (self.number(part, first)?, self.number(part, last)?),
            None => (self.number(part, text)?, if has_step { self.most } else { self.number(part, text)? }),
        };
        if first > last { Err(self.wrong(part, "the range ends before it begins")) } else { Ok((first, last)) }
    }

    fn number(&self, part: &str, text: &str) -> Result<u32, String> {
        let words = self.words.iter().position(|word| word.eq_ignore_ascii_case(text));
        let number = match words.and_then(|at| u32::try_from(at).ok()) {
            Some(at) => Some(at + self.least),
            None if text.bytes().all(|letter| letter.is_ascii_digit()) => text.parse().ok(),
            None => None,
        };
        number.filter(|number| (self.least..=self.most).contains(number)).ok_or_else(|| {
            let words = match (self.words.first(), self.words.last()) {
                (Some(first), Some(last)) => format!(" or from {first} to {last}"),
                (None, _) | (_, None) => String::new(),
            };
            self.wrong(part, &format!("it goes from {} to {}{words}", self.least, self.most))
        })
    }

    fn wrong(&self, part: &str, why: &str) -> String {
        format!("`{part}` is no {}: {why}", self.name)
    }
}
