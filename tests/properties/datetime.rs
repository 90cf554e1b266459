//! What must hold of datetimes, whatever is read as one.
//!
//! What is read prints byte for byte the same, fields are in range, and values order as their text does.

use lazycim::cim::CimDateTime;

/// Reads the first two runs of 25 bytes in `data`.
pub fn check(data: &[u8]) {
    let mut read = data.chunks(25).take(2).map(one);
    let (Some(Some(left)), Some(Some(right))) = (read.next(), read.next()) else { return };
    assert_eq!(left == right, left.as_str() == right.as_str());
    assert_eq!(left.cmp(&right), left.as_str().cmp(right.as_str()));
    assert_eq!(left.cmp(&right), right.cmp(&left).reverse());
}

fn one(bytes: &[u8]) -> Option<CimDateTime> {
    let text = String::from_utf8_lossy(bytes);
    let read = text.parse::<CimDateTime>();
    let strict = CimDateTime::strict(&text);
    assert!(strict.is_err() || strict == read, "what a person may write, a server may send");
    let from_bytes = <[u8; 25]>::try_from(bytes).ok().and_then(CimDateTime::from_bytes);
    assert_eq!(read.as_ref().ok(), from_bytes.as_ref());
    let when = read.ok()?;
    assert_eq!((when.to_string().as_bytes(), when.as_str().as_bytes()), (bytes, bytes));
    fields(&when, strict.is_ok());
    Some(when)
}

fn fields(when: &CimDateTime, strict: bool) {
    let within = |field: Option<u32>, low: u32, high: u32| field.is_none_or(|value| (low..=high).contains(&value));
    assert!(within(when.year(), 0, 9_999) && within(when.month(), 1, 12) && within(when.day(), 1, 31));
    assert!(within(when.hour(), 0, 23) && within(when.minute(), 0, 59) && within(when.second(), 0, 60));
    assert!(within(when.days(), 0, 99_999_999) && within(when.microseconds(), 0, 999_999));
    assert!(when.utc_offset_minutes().is_none_or(|minutes| (-999..=999).contains(&minutes)));
    if when.is_interval() {
        assert_eq!((when.year(), when.month(), when.day(), when.utc_offset_minutes()), (None, None, None, None));
    } else {
        assert_eq!(when.days(), None);
    }
    let never = when.as_str().starts_with("00000000000000");
    let text = when.as_str();
    if strict && !when.is_interval() && !never && !text.contains('*') {
        assert!(when.month().is_some() && when.day().is_some() && when.hour().is_some(), "{text} has every field");
    }
    let human = when.human();
    assert!(human.is_ascii() && !human.contains(|c: char| c.is_ascii_control()), "{human:?}");
    let digits = |text: &str| text.bytes().filter(|b| b.is_ascii_digit()).count();
    assert!(digits(&human) <= digits(text) + 1, "{human:?} tells no more than {text}");
}
