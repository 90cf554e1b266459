//! Numbers of any kind in one order.
//!
//! Owns: which texts read as numbers where no type says so, and the order of integers among reals. Must not know cells.

/// A number, exact.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    /// An integer.
    Integer(i128),
    /// A real.
    Real(f64),
}

impl Number {
    /// The number `text` is. `NaN`, `inf` and the like are names more often than numbers.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        match text.parse() {
            Ok(value) => Some(Self::Integer(value)),
            Err(_) if !text.ends_with(|last: char| last.is_ascii_digit()) => None,
            Err(_) => text.parse().ok().filter(|value: &f64| value.is_finite()).map(Self::Real),
        }
    }

    /// Bits in the order of the numbers: those of the nearest double, then how far an integer lies from it.
    pub(super) const fn ordered(self) -> u128 {
        let (near, apart) = match self {
            Self::Real(value) => (value, 0),
            Self::Integer(value) => (value as f64, value.wrapping_sub(value as f64 as i128)),
        };
        // Those of negative numbers are turned over (IEEE 754 total order); there is one zero.
        let bits = if near == 0.0 { 0 } else { near.to_bits() };
        let ordered = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
        (ordered as u128) << 64 | ((apart as u64) ^ (1 << 63)) as u128
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_what_ends_in_a_digit_is_a_number() {
        assert_eq!(Number::read(" -7 "), Some(Number::Integer(-7)));
        assert_eq!(Number::read("1.5e3"), Some(Number::Real(1500.0)));
        for text in ["", "NaN", "inf", "-infinity", "1.", "7 MB", "0x10", "1e999"] {
            assert_eq!(Number::read(text), None, "{text}");
        }
    }

    #[test]
    fn neighbours_that_no_double_tells_apart_keep_their_order() {
        let largest = i128::from(u64::MAX);
        let numbers = [
            Number::Real(f64::NEG_INFINITY),
            Number::Integer(i128::from(i64::MIN)),
            Number::Integer(i128::from(i64::MIN) + 1),
            Number::Real(-0.5),
            Number::Integer(0),
            Number::Real(0.5),
            Number::Integer(largest - 1),
            Number::Integer(largest),
            Number::Real(f64::INFINITY),
        ];
        assert!(numbers.windows(2).all(|pair| pair[0].ordered() < pair[1].ordered()), "{numbers:?}");
        assert_eq!(Number::Real(-0.0).ordered(), Number::Integer(0).ordered());
    }

    proptest! {
        #[test]
        fn integers_and_reals_stand_in_one_order(integer: i32, real in -3e9_f64..3e9) {
            let (left, right) = (Number::Integer(i128::from(integer)).ordered(), Number::Real(real).ordered());
            prop_assert_eq!(Some(left.cmp(&right)), f64::from(integer).partial_cmp(&real));
        }
    }
}
