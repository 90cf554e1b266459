//! CIM datetimes out of system times.
//!
//! Owns: the local form of an instant with its distance from Greenwich, and intervals (DSP0004 section 5.2.4). Must not know
//! what they are the time of.

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};

use crate::cim::CimDateTime;

/// Turns instants into local CIM datetimes.
pub(super) struct Clock(TimeZone);

impl Clock {
    /// A clock in the system's time zone.
    pub(super) fn local() -> Self {
        Self(TimeZone::system())
    }

    /// A clock in a given zone.
    #[cfg(test)]
    pub(super) const fn zone(zone: TimeZone) -> Self {
        Self(zone)
    }

    /// `since_epoch` (Unix time) as a timestamp; `None` outside what CIM can say.
    pub(super) fn at(&self, since_epoch: Duration) -> Option<CimDateTime> {
        let micros = i64::try_from(since_epoch.as_micros()).ok()?;
        let zoned = Timestamp::from_microsecond(micros).ok()?.to_zoned(self.0.clone());
        let minutes = zoned.offset().seconds() / 60;
        let sign = if minutes < 0 { '-' } else { '+' };
        let text =
            format!("{}.{:06}{sign}{:03}", zoned.strftime("%Y%m%d%H%M%S"), micros.rem_euclid(1_000_000), minutes.abs());
        text.parse().ok()
    }

    /// Minutes east of Greenwich, now.
    pub(super) fn offset_minutes(&self) -> i64 {
        i64::from(self.0.to_offset(Timestamp::now()).seconds() / 60)
    }

    /// Unix time now.
    pub(super) fn now() -> Duration {
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
    }
}

/// `length` as a CIM interval; `None` beyond 99,999,999 days.
pub(super) fn interval(length: Duration) -> Option<CimDateTime> {
    let seconds = length.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let text = format!("{days:08}{hours:02}{minutes:02}{:02}.{:06}:000", seconds % 60, length.subsec_micros());
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn instants_carry_their_distance_from_greenwich_on_both_sides() {
        let moment = Duration::new(1_763_626_500, 250_000_000);
        let text = |zone: &str| Clock::zone(TimeZone::get(zone).unwrap()).at(moment).unwrap().to_string();
        assert_eq!(text("UTC"), "20251120081500.250000+000");
        assert_eq!(text("Asia/Kolkata"), "20251120134500.250000+330");
        assert_eq!(text("America/St_Johns"), "20251120044500.250000-210");
    }

    #[test]
    fn intervals_count_days_and_stop_where_the_form_ends() {
        assert_eq!(interval(Duration::new(90_061, 5_000)).unwrap().to_string(), "00000001010101.000005:000");
        assert!(interval(Duration::from_secs(100_000_000 * 86_400)).is_none());
    }
}
