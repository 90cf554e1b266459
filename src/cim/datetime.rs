//! CIM datetime values.
//!
//! Owns: the 25-character form of DSP0004 section 5.2.4 (timestamps, intervals, asterisks), kept byte for byte so that it
//! prints as it was read. Must not know calendars beyond field ranges; no clock.
//!
//! ```text
//! timestamp  yyyymmddhhmmss.mmmmmmsutc    s is + or -, utc are minutes
//! interval   ddddddddhhmmss.mmmmmm:000
//! ```

use std::{fmt, ops::Range, str::FromStr};

/// A `datetime` of either kind, exactly as written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CimDateTime([u8; 25]);

/// Why a text is not a CIM datetime.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a CIM datetime: {0}")]
pub struct DateTimeError(pub &'static str);

const YEAR: Range<usize> = 0..4;
const MONTH: Range<usize> = 4..6;
const DAY: Range<usize> = 6..8;
const DAYS: Range<usize> = 0..8;
const HOUR: Range<usize> = 8..10;
const MINUTE: Range<usize> = 10..12;
const SECOND: Range<usize> = 12..14;
const MICROS: Range<usize> = 15..21;
const OFFSET: Range<usize> = 22..25;

impl CimDateTime {
    /// The 25 characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// A datetime from its 25 bytes; `None` if they break the form.
    pub fn from_bytes(bytes: [u8; 25]) -> Option<Self> {
        Self::check(&bytes).ok().map(|()| Self(bytes))
    }

    /// Its 23 digits and the sign, half a byte each; the point at 14 goes without saying.
    pub(super) fn packed(&self) -> [u8; 12] {
        let mut out = [0; 12];
        let kept = self.0.iter().take(14).chain(self.0.iter().skip(15));
        for (at, byte) in kept.enumerate() {
            let half = match byte {
                b'0'..=b'9' => byte - b'0',
                b'*' => 10,
                b'+' => 11,
                b'-' => 12,
                _ => 13,
            };
            out[at / 2] |= half << (4 * (at % 2));
        }
        out
    }

    /// A datetime from what [`CimDateTime::packed`] made of one.
    pub(super) fn from_packed(packed: [u8; 12]) -> Self {
        let mut bytes = [b'.'; 25];
        for at in 0..24 {
            let half = packed[at / 2] >> (4 * (at % 2)) & 15;
            bytes[if at < 14 { at } else { at + 1 }] = b"0123456789*+-:::"[usize::from(half)];
        }
        Self(bytes)
    }

    /// Whether this is an interval (`:` before the last three digits).
    pub const fn is_interval(&self) -> bool {
        self.0[21] == b':'
    }

    /// The form alone: what stands where, not whether the fields are in range. Servers send a timestamp of zeros for "never",
    /// and worse; such a value is still the datetime it was sent as.
    fn check(bytes: &[u8; 25]) -> Result<(), DateTimeError> {
        if bytes[14] != b'.' || !matches!(bytes[21], b'+' | b'-' | b':') {
            return Err(DateTimeError("no `.` at 15 or no `+`, `-` or `:` at 22"));
        }
        let fits = |at: usize, b: u8| at == 14 || at == 21 || b.is_ascii_digit() || b == b'*';
        if bytes.iter().enumerate().all(|(at, b)| fits(at, *b)) {
            Ok(())
        } else {
            Err(DateTimeError("something that is neither a digit nor an asterisk"))
        }
    }

    /// Reads what a person wrote: the form, and every field in its range (DSP0004 section 5.2.4). A date and time that are all
    /// zeros are let through: that is how "never" is written.
    ///
    /// # Errors
    /// [`DateTimeError`] with the first thing that is wrong.
    pub fn strict(text: &str) -> Result<Self, DateTimeError> {
        let value: Self = text.parse()?;
        let outside = |field: Range<usize>, low: u32, high: u32| {
            value.digits(field).is_some_and(|number| !(low..=high).contains(&number))
        };
        if outside(HOUR, 0, 23) {
            return Err(DateTimeError("the hour is not 00 to 23"));
        }
        if outside(MINUTE, 0, 59) {
            return Err(DateTimeError("the minute is not 00 to 59"));
        }
        // A leap second is written as 60.
        if outside(SECOND, 0, 60) {
            return Err(DateTimeError("the second is not 00 to 60"));
        }
        if value.is_interval() {
            let ends = value.field(OFFSET) == "000";
            return if ends { Ok(value) } else { Err(DateTimeError("an interval does not end in `:000`")) };
        }
        if value.field(YEAR.start..SECOND.end).bytes().all(|b| b == b'0') {
            return Ok(value);
        }
        if outside(MONTH, 1, 12) {
            return Err(DateTimeError("the month is not 01 to 12"));
        }
        if outside(DAY, 1, 31) {
            return Err(DateTimeError("the day is not 01 to 31"));
        }
        Ok(value)
    }

    fn field(&self, field: Range<usize>) -> &str {
        self.as_str().get(field).unwrap_or_default()
    }

    /// The number a field holds; `None` if it has an asterisk.
    fn digits(&self, field: Range<usize>) -> Option<u32> {
        self.field(field).parse().ok()
    }

    /// The number a field holds, if it means something there.
    fn number(&self, field: Range<usize>, low: u32, high: u32) -> Option<u32> {
        self.digits(field).filter(|number| (low..=high).contains(number))
    }

    fn of_timestamp(&self, field: Range<usize>, low: u32, high: u32) -> Option<u32> {
        if self.is_interval() { None } else { self.number(field, low, high) }
    }

    /// The year of a timestamp, unless it is asterisks.
    pub fn year(&self) -> Option<u32> {
        self.of_timestamp(YEAR, 0, 9_999)
    }

    /// The month of a timestamp, 1 to 12; `None` for asterisks and for anything else.
    pub fn month(&self) -> Option<u32> {
        self.of_timestamp(MONTH, 1, 12)
    }

    /// The day of the month of a timestamp, 1 to 31; `None` for asterisks and for anything else.
    pub fn day(&self) -> Option<u32> {
        self.of_timestamp(DAY, 1, 31)
    }

    /// The whole days of an interval, unless they are asterisks.
    pub fn days(&self) -> Option<u32> {
        if self.is_interval() { self.digits(DAYS) } else { None }
    }

    /// The hours, 0 to 23; `None` for asterisks and for anything else.
    pub fn hour(&self) -> Option<u32> {
        self.number(HOUR, 0, 23)
    }

    /// The minutes, 0 to 59; `None` for asterisks and for anything else.
    pub fn minute(&self) -> Option<u32> {
        self.number(MINUTE, 0, 59)
    }

    /// The seconds, 0 to 60; `None` for asterisks and for anything else.
    pub fn second(&self) -> Option<u32> {
        self.number(SECOND, 0, 60)
    }

    /// The microseconds, unless one of their digits is an asterisk.
    pub fn microseconds(&self) -> Option<u32> {
        self.digits(MICROS)
    }

    /// The distance of a timestamp's zone from UTC in minutes, east positive; `None` for an interval.
    pub fn utc_offset_minutes(&self) -> Option<i32> {
        let minutes = i32::try_from(self.of_timestamp(OFFSET, 0, 999)?).ok()?;
        Some(if self.0[21] == b'-' { -minutes } else { minutes })
    }

    /// The value for a person: `2026-11-20 08:15:00 +00:00`, or `123d 01:02:03.000004` for an interval. Microseconds that
    /// are zero or unknown are left out; other unknown fields keep their asterisks.
    pub fn human(&self) -> String {
        let micros = self.field(MICROS);
        let fraction = if micros == "000000" || micros == "******" { String::new() } else { format!(".{micros}") };
        let time = format!("{}:{}:{}{fraction}", self.field(HOUR), self.field(MINUTE), self.field(SECOND));
        if self.is_interval() {
            let days = self.days().map_or_else(|| self.field(DAYS).to_owned(), |days| days.to_string());
            return format!("{days}d {time}");
        }
        let sign = char::from(self.0[21]);
        let zone = match self.digits(OFFSET) {
            Some(minutes) => format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60),
            None => format!("{sign}**:**"),
        };
        format!("{}-{}-{} {time} {zone}", self.field(YEAR), self.field(MONTH), self.field(DAY))
    }
}

impl FromStr for CimDateTime {
    type Err = DateTimeError;

    /// Reads the 25 characters as servers send them: more lenient than DSP0004 in where asterisks may stand and in the range of
    /// fields. What a person writes goes through [`CimDateTime::strict`].
    fn from_str(text: &str) -> Result<Self, DateTimeError> {
        let bytes: [u8; 25] = text.as_bytes().try_into().map_err(|_| DateTimeError("not 25 characters"))?;
        Self::check(&bytes)?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for CimDateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for CimDateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> CimDateTime {
        text.parse().unwrap()
    }

    #[test]
    fn a_timestamp_tells_its_fields() {
        let when = parse("20261122174500.123456+060");
        assert_eq!((when.year(), when.month(), when.day()), (Some(2026), Some(11), Some(22)));
        assert_eq!((when.hour(), when.minute(), when.second()), (Some(17), Some(45), Some(0)));
        assert_eq!((when.microseconds(), when.utc_offset_minutes()), (Some(123_456), Some(60)));
        assert_eq!((when.days(), when.is_interval()), (None, false));
        assert_eq!(when.human(), "2026-11-22 17:45:00.123456 +01:00");
        assert_eq!(parse("20261120081500.000000+000").human(), "2026-11-20 08:15:00 +00:00");
    }

    #[test]
    fn asterisks_are_kept_and_unknown() {
        let when = parse("20261122******.******-480");
        assert_eq!((when.day(), when.hour(), when.second()), (Some(22), None, None));
        assert_eq!(when.utc_offset_minutes(), Some(-480));
        assert_eq!(when.human(), "2026-11-22 **:**:** -08:00");
        assert_eq!(when.to_string(), "20261122******.******-480");
        assert_eq!(parse("20261122174500.123***+***").utc_offset_minutes(), None);
    }

    #[test]
    fn an_interval_tells_its_days() {
        let long = parse("00000123010203.000004:000");
        assert_eq!((long.days(), long.year(), long.utc_offset_minutes()), (Some(123), None, None));
        assert_eq!(long.human(), "123d 01:02:03.000004");
        assert_eq!(parse("99999999235959.999999:000").human(), "99999999d 23:59:59.999999");
        assert_eq!(parse("00000000000000.000000:000").human(), "0d 00:00:00");
    }

    #[test]
    fn a_person_may_not_write_fields_out_of_range() {
        for (text, what) in [
            ("2026112217450.123456+0600", "no `.` at 15 or no `+`, `-` or `:` at 22"),
            ("20261122174500.123456+06", "not 25 characters"),
            ("20261322174500.123456+060", "the month is not 01 to 12"),
            ("20260022174500.123456+060", "the month is not 01 to 12"),
            ("20261132174500.123456+060", "the day is not 01 to 31"),
            ("20261122244500.123456+060", "the hour is not 00 to 23"),
            ("20261122176000.123456+060", "the minute is not 00 to 59"),
            ("20261122174561.123456+060", "the second is not 00 to 60"),
            ("2026112217450x.123456+060", "something that is neither a digit nor an asterisk"),
            ("00000123010203.000004:001", "an interval does not end in `:000`"),
        ] {
            assert_eq!(CimDateTime::strict(text), Err(DateTimeError(what)), "{text}");
        }
    }

    #[test]
    fn what_servers_send_for_never_stays_a_datetime() {
        let never = parse("00000000000000.000000+000");
        assert_eq!(never.to_string(), "00000000000000.000000+000");
        assert_eq!((never.year(), never.month(), never.day(), never.hour()), (Some(0), None, None, Some(0)));
        assert_eq!(never.human(), "0000-00-00 00:00:00 +00:00");
        assert_eq!(CimDateTime::strict("00000000000000.000000+000"), Ok(never));
        let odd = parse("20261399256161.000000+999");
        assert_eq!(odd.to_string(), "20261399256161.000000+999");
        assert_eq!((odd.month(), odd.day(), odd.hour(), odd.minute(), odd.second()), (None, None, None, None, None));
        assert_eq!(parse("00000123010203.000004:001").days(), Some(123));
        for wrong in ["2026112217450.123456+0600", "20261122174500.123456+06", "2026112217450x.123456+060"] {
            assert!(wrong.parse::<CimDateTime>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn what_is_read_prints_the_same(text in "[0-9]{4}(0[1-9]|1[0-2])[0-2][1-8]([01][0-9]|\\*\\*)[0-5][0-9][0-5][0-9]\\.([0-9]{6}|\\*{6})[+-][0-9]{3}") {
            let when = parse(&text);
            prop_assert_eq!(when.to_string(), text);
            prop_assert_eq!(CimDateTime::from_bytes(when.0), Some(when));
            prop_assert_eq!(CimDateTime::from_packed(when.packed()), when);
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in any::<String>(), odd in "[0-9*]{14}\\.[0-9*]{6}[-+:][0-9*]{3}") {
            let _ = text.parse::<CimDateTime>();
            if let Ok(when) = odd.parse::<CimDateTime>() {
                let _ = when.human();
                prop_assert_eq!(CimDateTime::from_packed(when.packed()), when);
            }
        }
    }
}
