//! What must hold of challenges, whatever stands in the header.
//!
//! What was read, written down by the grammar, is read as the same; nothing exceeds its limit.

use lazycim::auth::{
    Credentials, Step, authenticator_for,
    challenge::{Challenge, parameters, parse},
};

/// Reads the lines of `data` as the values of an answer's `WWW-Authenticate` fields.
pub fn check(data: &[u8]) {
    let found = parse(data.split(|byte| *byte == b'\n'));
    assert!(found.len() <= 32, "{} challenges", found.len());
    for challenge in &found {
        assert!(is_token(&challenge.scheme), "{challenge:?}");
        assert!(challenge.params.len() <= 32 && (challenge.token.is_none() || challenge.params.is_empty()));
        assert!(challenge.params.iter().all(|(name, _)| is_token(name)), "{challenge:?}");
        assert!(challenge.is(&challenge.scheme.to_ascii_uppercase()));
        for (name, _) in &challenge.params {
            let first = challenge.params.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
            assert_eq!(challenge.param(name), first.map(|(_, value)| value.as_str()));
        }
    }
    // A byte that is no UTF-8 becomes a character of three.
    let size = |challenge: &Challenge| {
        let params = challenge.params.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        challenge.scheme.len() + challenge.token.as_ref().map_or(0, String::len) + params
    };
    assert!(found.iter().map(size).sum::<usize>() <= 3 * data.len());
    authenticates(data, &found);
    let written = found.iter().map(written).collect::<Vec<_>>();
    assert_eq!(parse(written.iter().map(String::as_bytes)), found, "in fields of their own");
    let together = written.join(", ");
    if together.len() <= 16 << 10 {
        assert_eq!(parse([together.as_bytes()]), found, "in one field: {together}");
    }
}

/// Whatever is offered is answered with something that can be sent, or not at all; the secret is not in it.
fn authenticates(data: &[u8], found: &[Challenge]) {
    let info = data.split(|byte| *byte == b'\n').next();
    assert!(info.map(parameters).unwrap_or_default().iter().all(|(name, _)| is_token(name)));
    for mechanism in ["auto", "digest"] {
        let credentials = Credentials { user: "CORP\\ann".to_owned(), secret: "s3cret".to_owned().into() };
        let Ok(mut one) = authenticator_for(mechanism, credentials) else { panic!("{mechanism}") };
        one.may_reveal(mechanism == "digest");
        for _ in 0..4 {
            let step = one.challenged(found);
            if let Some(header) = one.authorization("POST", "/wsman") {
                let can_be_sent = header.0.iter().all(|byte| *byte >= 0x20 && *byte != 0x7f || *byte == b'\t');
                // A parameter may hold what no header field can carry: the fields of an answer never do.
                assert!(can_be_sent || data.iter().any(|byte| byte.is_ascii_control()));
                assert!(
                    !header.0.windows(6).any(|part| part == b"s3cret") || data.windows(6).any(|part| part == b"s3cret")
                );
            }
            if step == Step::Again && one.accepted(info).is_err() {
                break;
            }
        }
    }
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]{}".contains(&b))
}

fn written(challenge: &Challenge) -> String {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let params = challenge.params.iter().map(|(name, value)| format!("{name}=\"{}\"", quoted(value)));
    let details = challenge.token.clone().unwrap_or_else(|| params.collect::<Vec<_>>().join(", "));
    format!("{} {details}", challenge.scheme).trim_end().to_owned()
}
