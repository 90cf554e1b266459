//! Dates and times as WS-Man servers write them (DSP0230 section 7.3.2, XML Schema part 2), made CIM datetimes.
//!
//! Owns: the spellings: `xs:dateTime`, `xs:date` for what has no time, `xs:duration` for intervals, and CIM's own 25
//! characters. Must not know which element they stood in.

use crate::cim::CimDateTime;

/// The datetime `text` is; `None` where it is none, or where CIM cannot say it: a duration of years or months, which have no
/// length.
pub fn parse(text: &str) -> Option<CimDateTime> {
    let text = text.trim_ascii();
    if let Ok(value) = text.parse() {
        return Some(value);
    }
    if text.starts_with('P') { interval(text) } else { timestamp(text) }
}

/// `yyyy-mm-ddThh:mm:ss[.ffffff][Z|+hh:mm|-hh:mm]`, or the same without the time.
fn timestamp(text: &str) -> Option<CimDateTime> {
    let date = text.get(..10)?;
    let [year, month, day] = fields(date, '-')?;
    if year.len() != 4 {
        return None;
    }
    let rest = text.get(10..)?;
    let (time, micros, zone) = match rest.strip_prefix(['T', ' ']) {
        Some(rest) => {
            let [hour, minute, second] = fields(rest.get(..8)?, ':')?;
            let rest = rest.get(8..)?;
            let (micros, zone) = match rest.strip_prefix('.') {
                Some(rest) => {
                    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
                    let (digits, zone) = rest.split_at_checked(end)?;
                    (micros(digits)?, zone)
                }
                None => ("000000".to_owned(), rest),
            };
            (format!("{hour}{minute}{second}"), micros, zone)
        }
        None => ("******".to_owned(), "******".to_owned(), rest),
    };
    let offset = offset(zone)?;
    format!("{year}{month}{day}{time}.{micros}{offset}").parse().ok()
}

/// Three numbers with `between` them: of two digits each, the first of four or two.
fn fields(text: &str, between: char) -> Option<[&str; 3]> {
    let mut parts = text.split(between);
    let fields = [parts.next()?, parts.next()?, parts.next()?];
    let is_number = |field: &&str| matches!(field.len(), 2 | 4) && field.bytes().all(|b| b.is_ascii_digit());
    let ends = parts.next().is_none();
    (ends && fields.iter().all(is_number) && fields.iter().skip(1).all(|field| field.len() == 2)).then_some(fields)
}

/// A fraction of a second as six digits.
fn micros(digits: &str) -> Option<String> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(format!("{:0<6.6}", digits))
}

/// A time zone as sign and minutes. None at all is Coordinated Universal Time, as servers that leave it out mean it.
fn offset(zone: &str) -> Option<String> {
    if zone.is_empty() || zone == "Z" {
        return Some("+000".to_owned());
    }
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let is_number = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    if !zone.starts_with(['+', '-']) || !is_number(hours) || !is_number(minutes) {
        return None;
    }
    let minutes = hours.parse::<u32>().ok()? * 60 + minutes.parse::<u32>().ok()?;
    let sign = zone.get(..1)?;
    (minutes < 1_000).then(|| format!("{sign}{minutes:03}"))
}

/// `PnDTnHnMn.nS`, each part where it is not zero; some write years and months of zero as well.
fn interval(text: &str) -> Option<CimDateTime> {
    let text = text.strip_prefix('P')?;
    let (mut days, time) = text.split_once('T').unwrap_or((text, ""));
    if days.is_empty() && time.is_empty() {
        return None;
    }
    for unit in ['Y', 'M'] {
        if let Some((count, after)) = days.split_once(unit) {
            days = after;
            if number(count)? != 0 {
                return None;
            }
        }
    }
    let (mut seconds, mut fraction) = (0_u64, "000000".to_owned());
    if !days.is_empty() {
        seconds = number(days.strip_suffix('D')?)?.checked_mul(86_400)?;
    }
    let mut rest = time;
    for (unit, each) in [('H', 3_600), ('M', 60)] {
        if let Some((count, after)) = rest.split_once(unit) {
            seconds = seconds.checked_add(number(count)?.checked_mul(each)?)?;
            rest = after;
        }
    }
    if !rest.is_empty() {
        let rest = rest.strip_suffix('S')?;
        let (whole, part) = rest.split_once('.').map_or((rest, None), |(whole, part)| (whole, Some(part)));
        seconds = seconds.checked_add(number(whole)?)?;
        if let Some(part) = part {
            fraction = micros(part)?;
        }
    }
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (hours, minutes, seconds) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{days:08}{hours:02}{minutes:02}{seconds:02}.{fraction}:000").parse().ok()
}

fn number(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_the_datetime_it_means_or_none() {
        let cases = [
            ("2010-07-14T11:35:11.900675-00:07", Some("20100714113511.900675-007")),
            ("2001-01-01T01:01:01.000001+13:50", Some("20010101010101.000001+830")),
            ("2026-11-22T18:18:09Z", Some("20261122181809.000000+000")),
            ("2026-11-22T18:18:09.5", Some("20261122181809.500000+000")),
            ("2026-11-22-08:00", Some("20261122******.******-480")),
            ("20261122174500.123456+060", Some("20261122174500.123456+060")),
            ("P2000D", Some("00002000000000.000000:000")),
            ("P2002DT2H2M2.000002S", Some("00002002020202.000002:000")),
            ("PT90M", Some("00000000013000.000000:000")),
            ("P123DT1H2M3.4S", Some("00000123010203.400000:000")),
            ("P0Y0M3DT0H0M5S", Some("00000003000005.000000:000")),
            ("P0Y", Some("00000000000000.000000:000")),
            ("P1Y", None),
            ("P1M", None),
            ("PY", None),
            ("P", None),
            ("PT", None),
            ("P99999999999999999999D", None),
            ("2026-11-22T18:18", None),
            ("yesterday at noon", None),
            ("2026-11-22T18:18:09.+01:00", None),
            ("2026-11-22T18:18:09+99:00", None),
            ("é026-11-22T18:18:09Z", None),
        ];
        for (text, expected) in cases {
            let found = parse(text).map(|value| value.as_str().to_owned());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }
}
