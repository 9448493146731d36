//! Numbers of three kinds, compared and converted without loss or panic.

use std::cmp::Ordering;

/// 2^63, the first double above every `i64`.
const I64_END: f64 = 9_223_372_036_854_775_808.0;
/// 2^64, the first double above every `u64`.
const U64_END: f64 = 18_446_744_073_709_551_616.0;

/// The whole part as `i64`; `None` outside `(-2^63, 2^63)`, as the standard has it.
pub(super) fn int_of_double(double: f64) -> Option<i64> {
    (double > -I64_END && double < I64_END).then(|| {
        #[expect(
            clippy::as_conversions,
            clippy::cast_possible_truncation,
            reason = "the range is checked, and cutting the fraction is the purpose"
        )]
        let whole = double as i64;
        whole
    })
}

/// The whole part as `u64`; `None` outside `(-1, 2^64)`.
pub(super) fn uint_of_double(double: f64) -> Option<u64> {
    (double > -1.0 && double < U64_END).then(|| {
        #[expect(
            clippy::as_conversions,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the range is checked, and cutting the fraction is the purpose"
        )]
        let whole = double as u64;
        whole
    })
}

/// The nearest double.
pub(super) fn double_of_int(int: i64) -> f64 {
    #[expect(
        clippy::as_conversions,
        clippy::cast_precision_loss,
        reason = "the nearest double is what CEL wants"
    )]
    let double = int as f64;
    double
}

/// The nearest double.
pub(super) fn double_of_uint(uint: u64) -> f64 {
    #[expect(
        clippy::as_conversions,
        clippy::cast_precision_loss,
        reason = "the nearest double is what CEL wants"
    )]
    let double = uint as f64;
    double
}

pub(super) fn int_with_uint(int: i64, uint: u64) -> Ordering {
    u64::try_from(int).map_or(Ordering::Less, |int| int.cmp(&uint))
}

/// As doubles, as the standard has it: beyond 2^53 neighbours are equal. `None`: not a number.
pub(super) fn int_with_double(int: i64, double: f64) -> Option<Ordering> {
    double_of_int(int).partial_cmp(&double)
}

/// As doubles, like `int_with_double`.
pub(super) fn uint_with_double(uint: u64, double: f64) -> Option<Ordering> {
    double_of_uint(uint).partial_cmp(&double)
}

/// The whole number that a double is, if it is one.
pub(super) fn exact_int(double: f64) -> Option<i64> {
    int_of_double(double).filter(|_| double.fract() == 0.0)
}

#[cfg(test)]
mod tests {
    use super::{Ordering, exact_int, int_of_double, int_with_double, uint_with_double};

    #[test]
    fn comparisons_across_kinds_are_those_of_doubles() {
        let rows = [
            (i64::MAX, 9_223_372_036_854_775_808.0, Some(Ordering::Equal)),
            (i64::MIN, -1e300, Some(Ordering::Greater)),
            (1, 1.5, Some(Ordering::Less)),
            (-1, -1.5, Some(Ordering::Greater)),
            (0, f64::NAN, None),
            (0, f64::INFINITY, Some(Ordering::Less)),
            (0, -0.0, Some(Ordering::Equal)),
        ];
        for (int, double, expected) in rows {
            assert_eq!(int_with_double(int, double), expected, "{int} {double}");
        }
        assert_eq!(uint_with_double(0, -0.5), Some(Ordering::Greater));
        assert_eq!(uint_with_double(0, f64::NAN), None);
    }

    #[test]
    fn conversions_out_of_range_are_refused() {
        assert_eq!(int_of_double(-9_223_372_036_854_775_808.0), None);
        assert_eq!(int_of_double(9_223_372_036_854_775_808.0), None);
        assert_eq!(int_of_double(f64::NAN), None);
        assert_eq!((exact_int(7.0), exact_int(7.5)), (Some(7), None));
    }
}
