//! A password that must be found nowhere, in whatever form it is written.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// The password. None of its characters is escaped where text is quoted, and some are in a URL.
pub const CANARY: &str = "C4nary/+9@x~7zQ";

/// The user it belongs to.
pub const USER: &str = "ann";

/// Every form of [`CANARY`], with its name.
fn forms() -> Vec<(&'static str, String)> {
    let bytes = CANARY.bytes();
    let percent = |upper: bool| {
        let encoded = |byte: u8| match byte {
            b if b.is_ascii_alphanumeric() => char::from(b).to_string(),
            b if upper => format!("%{b:02X}"),
            b => format!("%{b:02x}"),
        };
        CANARY.bytes().map(encoded).collect::<String>()
    };
    let list = |form: fn(u8) -> String, between: &str| CANARY.bytes().map(form).collect::<Vec<_>>().join(between);
    let mut forms = vec![
        ("plain", CANARY.to_owned()),
        ("percent-encoded", percent(true)),
        ("percent-encoded", percent(false)),
        ("hexadecimal", list(|byte| format!("{byte:02x}"), "")),
        ("list of bytes", list(|byte| byte.to_string(), ", ")),
    ];
    // Wherever it begins in what is encoded: the letters that depend on nothing but the password.
    for before in 0..3 {
        let mut text = vec![0; before];
        text.extend(bytes.clone());
        let ends_whole = text.len().is_multiple_of(3);
        let letters = STANDARD.encode(&text);
        let letters = letters.trim_end_matches('=');
        let letters = &letters[[0, 2, 3][before]..letters.len() - usize::from(!ends_whole)];
        forms.push(("base64", letters.to_owned()));
        forms.push(("base64 for URLs", letters.replace('+', "-").replace('/', "_")));
    }
    forms
}

/// `text`, which is what `place` shows, must not hold the password.
#[track_caller]
pub fn assert_nowhere_in(text: &str, place: &str) {
    for (name, form) in forms() {
        assert!(!text.contains(&form), "{place} shows the password, {name}: {text}");
    }
}

/// The `Authorization` header that carries it.
pub fn authorization() -> String {
    format!("Basic {}", STANDARD.encode(format!("{USER}:{CANARY}")))
}

#[test]
fn every_form_is_found() {
    let header = authorization();
    let found = |text: &str| forms().iter().any(|(_, form)| text.contains(form));
    for text in [
        CANARY,
        &format!("x {header} y"),
        "C4nary%2F%2B9%40x%7E7zQ",
        &STANDARD.encode(format!("a:{CANARY}b")),
        &STANDARD.encode(format!("{CANARY}!?")),
        &format!("{:?}", CANARY.as_bytes()),
    ] {
        assert!(found(text), "{text}");
    }
    assert!(!found("C4nary Basic YW5uOg== %2F"));
}
