//! Times of the file form: RFC 3339 in UTC, whole seconds counted.

/// Seconds since 1970 of `YYYY-MM-DDTHH:MM:SS[.fraction]Z`.
pub(crate) fn seconds(text: &str) -> i64 {
    let number = |from: usize, to: usize| text[from..to].parse::<i64>().unwrap();
    assert!(text.ends_with('Z'), "{text:?} is not in UTC");
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let mut days = 0;
    for y in 1970..year {
        days += if leap(y) { 366 } else { 365 };
    }
    for m in 1..month {
        days += match m {
            2 if leap(year) => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
    }
    days += day - 1;
    days * 86_400 + number(11, 13) * 3_600 + number(14, 16) * 60 + number(17, 19)
}

fn leap(year: i64) -> bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
}

/// Year, hour, and day of the week (Sunday is 0) of seconds since 1970, in UTC.
pub(crate) fn parts(seconds: i64) -> (usize, usize, usize) {
    let days = seconds.div_euclid(86_400);
    let mut year = 1970;
    let mut left = days;
    while left >= if leap(year) { 366 } else { 365 } {
        left -= if leap(year) { 366 } else { 365 };
        year += 1;
    }
    let hour = seconds.rem_euclid(86_400) / 3_600;
    // 1970 began on a Thursday.
    let weekday = (days + 4).rem_euclid(7);
    let small = |n: i64| usize::try_from(n).unwrap();
    (small(year), small(hour), small(weekday))
}
