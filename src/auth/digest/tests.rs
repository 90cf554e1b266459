#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::auth::challenge::parse;

fn digest(user: &str, secret: &str, client_nonce: &'static str) -> Digest {
    let mut digest = Digest::new(Credentials { user: user.to_owned(), secret: secret.to_owned().into() }).unwrap();
    digest.nonces = Box::new(move || Some(client_nonce.to_owned()));
    digest
}

fn offered(text: &str) -> Vec<Challenge> {
    parse([text.as_bytes()])
}

fn header(digest: &mut Digest, method: &str, path: &str) -> String {
    String::from_utf8(digest.authorization(method, path).unwrap().0.to_vec()).unwrap()
}

/// The value of one field of a header.
fn field(header: &str, name: &str) -> Option<String> {
    let found = parse([header.as_bytes()]);
    found[0].param(name).map(str::to_owned)
}

const RFC_7616: &str = r#"realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#;

/// RFC 7616 section 3.9.1, where the server prefers SHA-256 and takes MD5.
#[test]
fn the_example_of_rfc_7616() {
    let nonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    for (algorithm, response) in [
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
    ] {
        let mut one = digest("Mufasa", "Circle of Life", nonce);
        let challenges = offered(&format!("Digest {RFC_7616}, algorithm={algorithm}"));
        assert_eq!(
            one.authorization("GET", "/dir/index.html").map(|_| ()),
            None,
            "nothing goes with the first request"
        );
        assert_eq!(one.challenged(&challenges), Step::Again);
        let sent = header(&mut one, "GET", "/dir/index.html");
        let expected = format!(
            "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", \
             nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", uri=\"/dir/index.html\", algorithm={algorithm}, \
             qop=auth, nc=00000001, cnonce=\"{nonce}\", response=\"{response}\", \
             opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
        );
        assert_eq!(sent, expected);
    }
}

/// RFC 7616 section 3.9.2 as its erratum 4897 corrects the values.
#[test]
fn a_user_is_hidden_where_the_server_wants_it() {
    let mut one = digest("J\u{e4}s\u{f8}n Doe", "Secret, or not?", "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v");
    let challenges = offered(
        r#"Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8, userhash=true"#,
    );
    assert_eq!(one.challenged(&challenges), Step::Again);
    let sent = header(&mut one, "GET", "/doe.json");
    let user = "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b";
    assert_eq!(field(&sent, "username").unwrap(), user);
    let response = "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5";
    assert_eq!(field(&sent, "response").unwrap(), response);
    assert_eq!(field(&sent, "userhash").unwrap(), "true");
    assert!(!sent.contains("username*"), "{sent}");
}

/// RFC 2617 section 3.5, and the same as a server of RFC 2069 would ask it.
#[test]
fn the_example_of_rfc_2617_and_a_server_that_counts_nothing() {
    let nonce = r#"realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41""#;
    let mut counted = digest("Mufasa", "Circle Of Life", "0a4f113b");
    assert_eq!(counted.challenged(&offered(&format!("Digest {nonce}, qop=\"auth,auth-int\""))), Step::Again);
    let sent = header(&mut counted, "GET", "/dir/index.html");
    assert_eq!(field(&sent, "response").unwrap(), "6629fae49393a05397450978507c4ef1");
    assert_eq!(field(&sent, "algorithm"), None, "it named none");
    let mut plain = digest("Mufasa", "Circle Of Life", "0a4f113b");
    assert_eq!(plain.challenged(&offered(&format!("Digest {nonce}"))), Step::Again);
    let sent = header(&mut plain, "GET", "/dir/index.html");
    assert_eq!(field(&sent, "response").unwrap(), "670fd8c2df070c60b045671b8b24ff02");
    for absent in ["qop", "nc", "cnonce"] {
        assert_eq!(field(&sent, absent), None, "{sent}");
    }
}

#[test]
fn requests_are_counted_for_each_nonce() {
    let mut one = digest("ann", "s3cret", "cc");
    let fresh = offered(r#"Digest realm="r", nonce="n1", qop="auth", algorithm=MD5-sess"#);
    assert_eq!(one.challenged(&fresh), Step::Again);
    for count in ["00000001", "00000002", "00000003"] {
        assert_eq!(field(&header(&mut one, "POST", "/cimom"), "nc").unwrap(), count);
        assert_eq!(one.accepted(None), Ok(()));
    }
    let stale = offered(r#"Digest realm="r", nonce="n2", qop="auth", algorithm=MD5-sess, stale=TRUE"#);
    header(&mut one, "POST", "/cimom");
    assert_eq!(one.challenged(&stale), Step::Again);
    let sent = header(&mut one, "POST", "/cimom");
    assert_eq!((field(&sent, "nonce").unwrap(), field(&sent, "nc").unwrap()), ("n2".into(), "00000001".into()));
    assert_eq!(one.accepted(Some(br#"nextnonce="n3", qop=auth"#)), Ok(()));
    let sent = header(&mut one, "POST", "/cimom");
    assert_eq!((field(&sent, "nonce").unwrap(), field(&sent, "nc").unwrap()), ("n3".into(), "00000001".into()));
}

/// What the two `-sess` keys are made of (RFC 7616 section 3.4.2), computed here by hand.
#[test]
fn a_key_of_the_session_stays_when_the_nonce_changes() {
    for name in ["MD5-sess", "SHA-256-sess"] {
        let algorithm = Algorithm::named(name).unwrap();
        let mut one = digest("ann", "s3cret", "cc");
        let challenges = offered(&format!(r#"Digest realm="r", nonce="n1", qop="auth", algorithm={name}"#));
        assert_eq!(one.challenged(&challenges), Step::Again);
        let key = algorithm.hash(&[&algorithm.hash(&["ann", "r", "s3cret"]), "n1", "cc"]);
        let asked = algorithm.hash(&["POST", "/wsman"]);
        for nonce in ["n1", "n2"] {
            let expected = algorithm.hash(&[&key, nonce, "00000001", "cc", "auth", &asked]);
            assert_eq!(field(&header(&mut one, "POST", "/wsman"), "response").unwrap(), *expected);
            assert_eq!(one.accepted(Some(b"nextnonce=n2")), Ok(()));
        }
    }
}

#[test]
fn a_wrong_password_is_sent_once_and_a_used_up_nonce_is_replaced() {
    let again = offered(r#"Digest realm="r", nonce="n2", qop="auth""#);
    let mut wrong = digest("ann", "s3cret", "cc");
    assert_eq!(wrong.challenged(&again), Step::Again);
    header(&mut wrong, "POST", "/");
    let Step::Refused(why) = wrong.challenged(&again) else { panic!("it tries again") };
    assert_eq!(why, "the server refused user and password by Digest for \"r\"");
    let mut right = digest("ann", "s3cret", "cc");
    assert_eq!(right.challenged(&again), Step::Again);
    header(&mut right, "POST", "/");
    assert_eq!(right.accepted(None), Ok(()));
    header(&mut right, "POST", "/");
    assert_eq!(right.challenged(&again), Step::Again, "its nonce was good before");
    header(&mut right, "POST", "/");
    assert!(matches!(right.challenged(&again), Step::Refused(_)), "the new one was not");
}

#[test]
fn the_strongest_that_can_be_answered_is_taken() {
    let one = |algorithm: &str| format!(r#"Digest realm="{algorithm}", nonce="n", qop="auth", algorithm={algorithm}"#);
    let all = offered(&[one("MD5"), one("SHA-512"), one("SHA-256"), one("SHA-256-sess")].join(", "));
    let mut best = digest("ann", "s3cret", "cc");
    assert_eq!(best.challenged(&all), Step::Again);
    assert_eq!(field(&header(&mut best, "POST", "/"), "algorithm").unwrap(), "SHA-256");
    for (unknown, why) in [
        (one("SHA-512"), "its Digest cannot be answered (algorithm SHA-512, qop auth)"),
        (
            r#"Digest realm="r", nonce="n", qop="auth-int""#.to_owned(),
            "its Digest cannot be answered (algorithm none, qop auth-int)",
        ),
        (
            r#"Digest realm="r", nonce="n", algorithm=MD5-sess"#.to_owned(),
            "its Digest cannot be answered (algorithm MD5-sess, qop none)",
        ),
        ("Digest realm=\"r\"".to_owned(), "its Digest cannot be answered (algorithm none, qop none)"),
        ("Basic realm=\"r\"".to_owned(), "the server does not take Digest authentication"),
    ] {
        assert_eq!(digest("ann", "x", "cc").challenged(&offered(&unknown)), Step::Refused(why.to_owned()), "{unknown}");
    }
}

#[test]
fn the_server_must_prove_itself_rightly_where_it_does() {
    let challenges = offered(r#"Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256"#);
    let algorithm = Algorithm::named("SHA-256").unwrap();
    let key = algorithm.hash(&["ann", "r", "s3cret"]);
    let right = algorithm.hash(&[&key, "n", "00000001", "cc", "auth", &algorithm.hash(&["", "/cimom"])]);
    for (proof, taken) in [(right.as_str(), true), (&right.to_uppercase(), true), ("00", false), ("", false)] {
        let mut one = digest("ann", "s3cret", "cc");
        assert_eq!(one.challenged(&challenges), Step::Again);
        header(&mut one, "POST", "/cimom");
        let info = format!("qop=auth, rspauth=\"{proof}\", cnonce=\"cc\", nc=00000001");
        assert_eq!(one.accepted(Some(info.as_bytes())).is_ok(), taken, "{proof}");
    }
}

#[test]
fn names_are_escaped_or_encoded() {
    let mut windows = digest("CORP\\a\"nn", "x", "cc");
    assert_eq!(windows.challenged(&offered(r#"Digest realm="a \"b\"", nonce="n", qop=auth"#)), Step::Again);
    let sent = header(&mut windows, "POST", "/");
    assert!(sent.starts_with(r#"Digest username="CORP\\a\"nn", realm="a \"b\"", "#), "{sent}");
    let mut foreign = digest("J\u{e4}s", "x", "cc");
    assert_eq!(foreign.challenged(&offered("Digest realm=r, nonce=n, qop=auth, charset=utf-8")), Step::Again);
    assert!(header(&mut foreign, "POST", "/").starts_with("Digest username*=UTF-8''J%C3%A4s, realm=\"r\""));
    let unusable = Digest::new(Credentials { user: "a\r\nb".to_owned(), secret: "x".to_owned().into() });
    assert_eq!(unusable.err(), Some(Unusable::ControlCharacter));
}

#[test]
fn debug_shows_no_secret_and_client_nonces_differ() {
    let mut one = Digest::new(Credentials { user: "ann".to_owned(), secret: "s3cret".to_owned().into() }).unwrap();
    let challenges = offered("Digest realm=r, nonce=n, qop=auth, stale=true");
    let mut nonces = std::collections::BTreeSet::new();
    for _ in 0..64 {
        assert_eq!(one.challenged(&challenges), Step::Again);
        let sent = header(&mut one, "POST", "/");
        assert!(!sent.contains("s3cret"));
        nonces.insert(field(&sent, "cnonce").unwrap());
    }
    assert_eq!(nonces.len(), 64);
    assert_eq!(format!("{one:?}"), "Digest(..)");
}

proptest! {
    /// Whatever a server sends, the header that answers it can be sent and says what was offered.
    #[test]
    fn what_is_offered_comes_back(realm in "[ -~äß]{0,20}", nonce in "[ -~]{0,20}", opaque in "[ -~]{0,20}") {
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        let text = format!("Digest realm=\"{}\", nonce=\"{}\", opaque=\"{}\", qop=auth", quoted(&realm), quoted(&nonce), quoted(&opaque));
        let mut one = digest("ann", "s3cret", "cc");
        prop_assert_eq!(one.challenged(&offered(&text)), Step::Again);
        let sent = header(&mut one, "POST", "/");
        prop_assert!(http::HeaderValue::from_bytes(sent.as_bytes()).is_ok());
        prop_assert_eq!(field(&sent, "realm"), Some(realm));
        prop_assert_eq!(field(&sent, "nonce"), Some(nonce));
        prop_assert_eq!(field(&sent, "opaque"), Some(opaque));
    }
}
