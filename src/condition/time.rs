//! Points in time and durations, as CEL writes and reads them. No clock: `request.time` comes
//! with the request, and the time zones are those built into the program.

use jiff::tz::{TimeZone, TimeZoneDatabase};

pub(super) const NANOS: i128 = 1_000_000_000;
const DAY_SECONDS: i64 = 86_400;
/// 0001-01-01T00:00:00Z.
const SECONDS_MIN: i64 = -62_135_596_800;
/// 9999-12-31T23:59:59Z.
const SECONDS_MAX: i64 = 253_402_300_799;

/// A part of a time or duration: `getHours()` and its like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    FullYear,
    Month,
    DayOfYear,
    DayOfMonth,
    Date,
    DayOfWeek,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
}

/// Where a part of a time is read.
#[derive(Clone)]
pub(super) enum Zone {
    /// None was said: UTC, and durations have parts too.
    Unsaid,
    /// Seconds east of UTC.
    Fixed(i64),
    Named(TimeZone),
}

// === impl Part ===

impl Part {
    pub(super) fn of_method(method: &str) -> Option<Self> {
        Some(match method {
            "getFullYear" => Self::FullYear,
            "getMonth" => Self::Month,
            "getDayOfYear" => Self::DayOfYear,
            "getDayOfMonth" => Self::DayOfMonth,
            "getDate" => Self::Date,
            "getDayOfWeek" => Self::DayOfWeek,
            "getHours" => Self::Hours,
            "getMinutes" => Self::Minutes,
            "getSeconds" => Self::Seconds,
            "getMilliseconds" => Self::Milliseconds,
            _ => return None,
        })
    }

    /// The part of a point in time, in nanoseconds since the epoch.
    pub(super) fn of_time(self, time: i128, zone: &Zone) -> Option<i64> {
        let seconds = i64::try_from(time.div_euclid(NANOS)).ok()?;
        let nanos = i64::try_from(time.rem_euclid(NANOS)).ok()?;
        let local = seconds.checked_add(zone.offset(seconds)?)?;
        let (days, second) = (local.div_euclid(DAY_SECONDS), local.rem_euclid(DAY_SECONDS));
        let (year, month, day) = civil(days);
        Some(match self {
            Self::FullYear => year,
            Self::Month => month - 1,
            Self::DayOfYear => days - days_of(year, 1, 1),
            Self::DayOfMonth => day - 1,
            Self::Date => day,
            // 1970-01-01 was a Thursday; Sunday is 0.
            Self::DayOfWeek => (days + 4).rem_euclid(7),
            Self::Hours => second / 3_600,
            Self::Minutes => second / 60 % 60,
            Self::Seconds => second % 60,
            Self::Milliseconds => nanos / 1_000_000,
        })
    }

    /// The part of a duration: all of its hours, minutes or seconds, and the milliseconds
    /// beyond whole seconds.
    pub(super) const fn of_duration(self, nanos: i64) -> Option<i64> {
        Some(match self {
            Self::Hours => nanos / 3_600_000_000_000,
            Self::Minutes => nanos / 60_000_000_000,
            Self::Seconds => nanos / 1_000_000_000,
            Self::Milliseconds => nanos / 1_000_000 % 1_000,
            _ => return None,
        })
    }
}

// === impl Zone ===

impl Zone {
    /// Reads `UTC`, `+01:00`, `-09:30`, `02:00`, or a name such as `Europe/Berlin`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text == "UTC" {
            return Some(Self::Fixed(0));
        }
        if let Some(seconds) = offset(text) {
            return Some(Self::Fixed(seconds));
        }
        let zone = TimeZoneDatabase::bundled().get(text).ok()?;
        Some(Self::Named(zone))
    }

    fn offset(&self, seconds: i64) -> Option<i64> {
        match self {
            Self::Unsaid => Some(0),
            Self::Fixed(offset) => Some(*offset),
            Self::Named(zone) => {
                let at = jiff::Timestamp::from_second(seconds).ok()?;
                Some(i64::from(zone.to_offset(at).seconds()))
            }
        }
    }
}

/// Seconds east of UTC of `[+-]HH:MM`.
fn offset(text: &str) -> Option<i64> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, text.get(1..)?),
        b'-' => (-1, text.get(1..)?),
        _ => (1, text),
    };
    let mut reader = Reader(rest);
    let hours = reader.digits(2)?;
    reader.byte(b':')?;
    let minutes = reader.digits(2)?;
    (reader.0.is_empty() && hours < 24 && minutes < 60)
        .then_some(sign * (hours * 3_600 + minutes * 60))
}

// === calendar ===

/// Days since 1970-01-01 of a date of the proleptic Gregorian calendar.
const fn days_of(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that the day that comes and goes is the last.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of days since 1970-01-01.
const fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

// === reading ===

struct Reader<'a>(&'a str);

impl Reader<'_> {
    fn byte(&mut self, byte: u8) -> Option<()> {
        (self.0.as_bytes().first() == Some(&byte)).then_some(())?;
        self.0 = self.0.get(1..)?;
        Some(())
    }

    /// A number of exactly `count` digits.
    fn digits(&mut self, count: usize) -> Option<i64> {
        let digits = self.0.get(..count)?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then_some(())?;
        self.0 = self.0.get(count..)?;
        digits.parse().ok()
    }

    /// All digits that follow, maybe none.
    fn run(&mut self) -> &str {
        let end = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (run, rest) = self.0.split_at_checked(end).unwrap_or((self.0, ""));
        self.0 = rest;
        run
    }

    /// The nanoseconds that a fraction says: `25` is 250,000,000; of the digits beyond the
    /// ninth nothing is kept.
    fn fraction(&mut self) -> Option<i64> {
        let run = self.run();
        if run.is_empty() {
            return None;
        }
        let mut nanos = 0;
        for place in 0..9 {
            let digit = run
                .as_bytes()
                .get(place)
                .map_or(0, |byte| i64::from(byte - b'0'));
            nanos = nanos * 10 + digit;
        }
        Some(nanos)
    }
}

/// Nanoseconds since the epoch of a time in RFC 3339, years 1 to 9999.
pub(super) fn parse_time(text: &str) -> Option<i128> {
    let mut reader = Reader(text);
    let year = reader.digits(4)?;
    reader.byte(b'-')?;
    let month = reader.digits(2)?;
    reader.byte(b'-')?;
    let day = reader.digits(2)?;
    reader.byte(b'T')?;
    let hour = reader.digits(2)?;
    reader.byte(b':')?;
    let minute = reader.digits(2)?;
    reader.byte(b':')?;
    let second = reader.digits(2)?;
    let nanos = if reader.byte(b'.').is_some() {
        reader.fraction()?
    } else {
        0
    };
    let offset = match reader.0 {
        "Z" => 0,
        signed if signed.starts_with(['+', '-']) => offset(signed)?,
        _ => return None,
    };
    let days = days_of(year, month, day);
    let exists = (1..=12).contains(&month) && civil(days) == (year, month, day);
    if !exists || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = days * DAY_SECONDS + hour * 3_600 + minute * 60 + second - offset;
    time_of_seconds(seconds)?.checked_add(i128::from(nanos))
}

/// A point in time, if it lies in the years 1 to 9999.
pub(super) fn time_of_seconds(seconds: i64) -> Option<i128> {
    (SECONDS_MIN..=SECONDS_MAX)
        .contains(&seconds)
        .then(|| i128::from(seconds) * NANOS)
}

/// A point in time moved by a duration, if it stays in the years 1 to 9999.
pub(super) fn moved(time: i128, nanos: i128) -> Option<i128> {
    let moved = time.checked_add(nanos)?;
    let seconds = i64::try_from(moved.div_euclid(NANOS)).ok()?;
    time_of_seconds(seconds).map(|_| moved)
}

/// RFC 3339 with as many digits of the second as it needs.
pub(super) fn format_time(time: i128) -> Option<String> {
    let seconds = i64::try_from(time.div_euclid(NANOS)).ok()?;
    let (year, month, day) = civil(seconds.div_euclid(DAY_SECONDS));
    let second = seconds.rem_euclid(DAY_SECONDS);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    let fraction = format_fraction(time.rem_euclid(NANOS));
    Some(format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z"
    ))
}

fn format_fraction(nanos: i128) -> String {
    if nanos == 0 {
        return String::new();
    }
    let digits = format!("{nanos:09}");
    format!(".{}", digits.trim_end_matches('0'))
}

/// Nanoseconds of `1h30m`, `-1.5s`, `90m`: decimal numbers with `h m s ms us ns`.
pub(super) fn parse_duration(text: &str) -> Option<i64> {
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut reader = Reader(rest);
    let mut total: i128 = 0;
    loop {
        let whole = reader.run().to_owned();
        let fraction = if reader.byte(b'.').is_some() {
            reader.fraction()
        } else {
            None
        };
        if whole.is_empty() && fraction.is_none() {
            return None;
        }
        let unit = reader.unit()?;
        let whole: i128 = if whole.is_empty() {
            0
        } else {
            i128::from(whole.parse::<i64>().ok()?)
        };
        let part = i128::from(fraction.unwrap_or(0)) * unit / NANOS;
        total = total.checked_add(whole.checked_mul(unit)?.checked_add(part)?)?;
        if reader.0.is_empty() {
            break;
        }
    }
    i64::try_from(if negative { -total } else { total }).ok()
}

impl Reader<'_> {
    fn unit(&mut self) -> Option<i128> {
        const UNITS: [(&str, i128); 8] = [
            ("ns", 1),
            ("us", 1_000),
            ("\u{b5}s", 1_000),
            ("\u{3bc}s", 1_000),
            ("ms", 1_000_000),
            ("h", 3_600_000_000_000),
            ("m", 60_000_000_000),
            ("s", 1_000_000_000),
        ];
        let (name, unit) = UNITS
            .into_iter()
            .find(|(name, _)| self.0.starts_with(name))?;
        self.0 = self.0.strip_prefix(name)?;
        Some(unit)
    }
}

/// Seconds, with as many digits as it needs.
pub(super) fn format_duration(nanos: i64) -> String {
    let (sign, nanos) = (if nanos < 0 { "-" } else { "" }, i128::from(nanos).abs());
    format!("{sign}{}{}s", nanos / NANOS, format_fraction(nanos % NANOS))
}

#[cfg(test)]
mod tests {
    use super::{
        NANOS, Part, Zone, civil, days_of, format_duration, format_time, parse_duration, parse_time,
    };

    #[test]
    fn the_calendar_agrees_with_itself_and_with_known_days() {
        for days in (-800_000..3_000_000).step_by(17) {
            let (year, month, day) = civil(days);
            assert_eq!(days_of(year, month, day), days);
        }
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(11_016), (2000, 2, 29));
        assert_eq!(civil(-719_162), (1, 1, 1));
    }

    #[test]
    fn times_are_read_as_rfc_3339_and_no_further() {
        assert_eq!(parse_time("1970-01-01T00:00:01.5Z"), Some(NANOS * 3 / 2));
        assert_eq!(parse_time("1970-01-01T01:00:00+01:00"), Some(0));
        for wrong in [
            "",
            "1970-01-01",
            "1970-01-01T00:00:00",
            "1970-13-01T00:00:00Z",
            "1970-00-01T00:00:00Z",
            "1970-02-29T00:00:00Z",
            "1970-01-01T24:00:00Z",
            "1970-01-01T00:00:60Z",
            "1970-01-01t00:00:00z",
            "1970-01-01T00:00:00.Z",
            "1970-01-01T00:00:00+0100",
            "1970-01-01T00:00:00Z ",
            "0000-01-01T00:00:00Z",
            "10000-01-01T00:00:00Z",
            "1970-01-01T00:00:0\u{661}Z",
            "+970-01-01T00:00:00Z",
            "1970-01-01T00:00:0\u{e9}",
        ] {
            assert_eq!(parse_time(wrong), None, "{wrong}");
        }
        let text = "9999-12-31T23:59:59.999999999Z";
        assert_eq!(format_time(parse_time(text).unwrap()).unwrap(), text);
    }

    #[test]
    fn durations_are_read_and_written() {
        let rows = [
            ("1h30m", Some(5_400_000_000_000)),
            ("-1.5s", Some(-1_500_000_000)),
            ("1ms1us1ns", Some(1_001_001)),
            ("0", Some(0)),
            ("+.5s", Some(500_000_000)),
            ("9223372036.854775807s", Some(i64::MAX)),
            ("9223372036.854775808s", None),
            ("99999999999999999999h", None),
            ("", None),
            ("s", None),
            ("1", None),
            (".s", None),
            ("1 s", None),
            ("1d", None),
            ("-", None),
        ];
        for (text, expected) in rows {
            assert_eq!(parse_duration(text), expected, "{text}");
        }
        assert_eq!(format_duration(-1_500_000_000), "-1.5s");
        assert_eq!(format_duration(i64::MIN), "-9223372036.854775808s");
    }

    #[test]
    fn parts_are_read_in_the_zone() {
        let summer = parse_time("2026-07-01T22:30:00Z").unwrap();
        let winter = parse_time("2026-01-01T22:30:00Z").unwrap();
        let hours = |zone: &str, time| Part::Hours.of_time(time, &Zone::parse(zone).unwrap());
        assert_eq!(hours("Europe/Berlin", summer), Some(0));
        assert_eq!(hours("Europe/Berlin", winter), Some(23));
        assert_eq!(hours("-09:30", winter), Some(13));
        assert_eq!(hours("02:00", winter), Some(0));
        assert_eq!(
            Part::Date.of_time(summer, &Zone::parse("Europe/Berlin").unwrap()),
            Some(2)
        );
        for wrong in [
            "",
            "Europe/Nowhere",
            "+1:00",
            "+24:00",
            "+01:60",
            "../etc/passwd",
            "+01:00 ",
        ] {
            assert!(Zone::parse(wrong).is_none(), "{wrong}");
        }
    }
}
