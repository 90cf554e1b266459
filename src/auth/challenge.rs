//! Challenges: the `WWW-Authenticate` header (RFC 9110 section 11.6.1).
//!
//! Owns: splitting it into schemes and parameters. Must not know what a scheme does with them.

/// One challenge of a 401 answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The scheme as written.
    pub scheme: String,
    /// Parameters in order, quotes and escapes removed.
    pub params: Vec<(String, String)>,
    /// The token68 that follows the scheme instead of parameters, if any.
    pub token: Option<String>,
}

impl Challenge {
    /// Whether it is of `scheme`; schemes compare without regard to case.
    pub fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// The value of a parameter; names compare without regard to case.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// The most bytes of one header value that are read.
const MAX_VALUE: usize = 16 << 10;
/// The most challenges kept of one answer.
const MAX_CHALLENGES: usize = 32;
/// The most parameters kept of one challenge.
const MAX_PARAMS: usize = 32;

/// The challenges in the values of an answer's `WWW-Authenticate` fields, in order. What does not follow the grammar ends
/// the value it stands in; what came before is kept. Text is taken as UTF-8, lossily.
pub fn parse<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Vec<Challenge> {
    let mut challenges = Vec::new();
    for value in values {
        let mut scan = Scan { rest: value.get(..MAX_VALUE).unwrap_or(value) };
        while challenges.len() < MAX_CHALLENGES {
            scan.skip(b" \t,");
            let Some(scheme) = scan.token() else { break };
            let mut challenge = Challenge { scheme, params: Vec::new(), token: None };
            let well_formed = scan.details(&mut challenge);
            challenges.push(challenge);
            if !well_formed {
                break;
            }
        }
    }
    challenges
}

/// The parameters of an `Authentication-Info` field (RFC 7615 section 3), up to what does not follow the grammar.
pub fn parameters(value: &[u8]) -> Vec<(String, String)> {
    let mut scan = Scan { rest: value.get(..MAX_VALUE).unwrap_or(value) };
    let mut params = Vec::new();
    while params.len() < MAX_PARAMS {
        scan.skip(b" \t,");
        let Some(Param::Pair(name, value)) = scan.param() else { break };
        params.push((name, value));
    }
    params
}

/// What stands where a parameter may.
enum Param {
    /// A parameter.
    Pair(String, String),
    /// A token without a value: the next scheme.
    Bare,
}

/// A place in a header value.
#[derive(Clone, Copy)]
struct Scan<'a> {
    rest: &'a [u8],
}

impl Scan<'_> {
    fn skip(&mut self, these: &[u8]) {
        while let [first, rest @ ..] = self.rest
            && these.contains(first)
        {
            self.rest = rest;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        match self.rest {
            [first, rest @ ..] if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// The longest run of bytes that `fits`, if it is not empty.
    fn run(&mut self, fits: impl Fn(u8) -> bool) -> Option<String> {
        let length = self.rest.iter().position(|byte| !fits(*byte)).unwrap_or(self.rest.len());
        let (run, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        (!run.is_empty()).then(|| String::from_utf8_lossy(run).into_owned())
    }

    /// `token` (RFC 9110 section 5.6.2).
    fn token(&mut self) -> Option<String> {
        self.run(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
    }

    /// What follows a scheme: a token68, or parameters up to the next scheme. False if it breaks the grammar.
    fn details(&mut self, challenge: &mut Challenge) -> bool {
        if !matches!(self.rest.first(), Some(b' ' | b'\t')) {
            return matches!(self.rest.first(), None | Some(b','));
        }
        self.skip(b" \t");
        if let Some(token) = self.token68() {
            challenge.token = Some(token);
            return true;
        }
        loop {
            self.skip(b" \t,");
            let before = *self;
            match self.param() {
                None => return self.rest.is_empty() && before.rest.is_empty(),
                Some(Param::Bare) => {
                    *self = before;
                    return true;
                }
                Some(Param::Pair(name, value)) if challenge.params.len() < MAX_PARAMS => {
                    challenge.params.push((name, value));
                }
                Some(Param::Pair(..)) => {}
            }
            if !matches!(self.rest.first(), None | Some(b',')) {
                return false;
            }
        }
    }

    /// One parameter and the blanks around it; `None` if there is none.
    fn param(&mut self) -> Option<Param> {
        let name = self.token()?;
        self.skip(b" \t");
        if !self.eat(b'=') {
            return Some(Param::Bare);
        }
        self.skip(b" \t");
        let value = if self.eat(b'"') { self.quoted()? } else { self.token()? };
        self.skip(b" \t");
        Some(Param::Pair(name, value))
    }

    /// `token68` (RFC 9110 section 11.2), only where the end or a comma follows: otherwise it is a parameter's name.
    fn token68(&mut self) -> Option<String> {
        let before = *self;
        let mut token = self.run(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))?;
        while self.eat(b'=') {
            token.push('=');
        }
        self.skip(b" \t");
        if matches!(self.rest.first(), None | Some(b',')) {
            return Some(token);
        }
        *self = before;
        None
    }

    /// The rest of a `quoted-string` (RFC 9110 section 5.6.4) after its opening quote; `None` if it is not closed.
    fn quoted(&mut self) -> Option<String> {
        let mut text = Vec::new();
        loop {
            match self.rest {
                [b'"', rest @ ..] => {
                    self.rest = rest;
                    return Some(String::from_utf8_lossy(&text).into_owned());
                }
                [b'\\', byte, rest @ ..] | [byte, rest @ ..] => {
                    text.push(*byte);
                    self.rest = rest;
                }
                [] => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one(value: &str) -> Vec<Challenge> {
        parse([value.as_bytes()])
    }

    fn challenge(scheme: &str, params: &[(&str, &str)], token: Option<&str>) -> Challenge {
        let params = params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Challenge { scheme: scheme.to_owned(), params, token: token.map(str::to_owned) }
    }

    #[test]
    fn forms_of_the_field() {
        assert_eq!(one(r#"Basic realm="cimom""#), [challenge("Basic", &[("realm", "cimom")], None)]);
        assert_eq!(one("Negotiate"), [challenge("Negotiate", &[], None)]);
        assert_eq!(one("Negotiate oYG2MIGz=="), [challenge("Negotiate", &[], Some("oYG2MIGz=="))]);
        assert_eq!(one("  ,, basic realm = x ,"), [challenge("basic", &[("realm", "x")], None)]);
        assert_eq!(
            one(r#"Basic realm="a \"b\" \\ c, d""#),
            [challenge("Basic", &[("realm", r#"a "b" \ c, d"#)], None)]
        );
        assert_eq!(
            one(r#"Basic realm="Prüfstand", charset="UTF-8""#),
            [challenge("Basic", &[("realm", "Prüfstand"), ("charset", "UTF-8")], None)]
        );
    }

    #[test]
    fn several_schemes_in_one_field_and_several_fields() {
        let together =
            one(r#"Digest realm="r", qop="auth,auth-int", nonce=abc, Negotiate dG9r, NTLM, Basic realm="b""#);
        let digest = challenge("Digest", &[("realm", "r"), ("qop", "auth,auth-int"), ("nonce", "abc")], None);
        let (negotiate, ntlm) = (challenge("Negotiate", &[], Some("dG9r")), challenge("NTLM", &[], None));
        let basic = challenge("Basic", &[("realm", "b")], None);
        assert_eq!(together, [digest, negotiate.clone(), ntlm.clone(), basic.clone()]);
        assert_eq!(parse(["Negotiate dG9r".as_bytes(), b"NTLM", br#"Basic realm="b""#]), [negotiate, ntlm, basic]);
    }

    #[test]
    fn what_breaks_the_grammar_keeps_what_came_before() {
        assert_eq!(one(r#"Basic realm="open"#), [challenge("Basic", &[], None)]);
        assert_eq!(one(r#"Basic realm="x" garbage, NTLM"#), [challenge("Basic", &[("realm", "x")], None)]);
        assert_eq!(one(r#"Basic realm="x", ;"#), [challenge("Basic", &[("realm", "x")], None)]);
        assert_eq!(one("Basic/realm"), [challenge("Basic", &[], None)]);
        assert_eq!(one(""), []);
        assert_eq!(one("\u{1b}[31m"), []);
    }

    #[test]
    fn names_compare_without_case() {
        let found = one(r#"BASIC Realm="x""#);
        assert!(found[0].is("basic"));
        assert_eq!(found[0].param("REALM"), Some("x"));
        assert_eq!(found[0].param("nonce"), None);
    }

    #[test]
    fn bounded() {
        let many = "NTLM,".repeat(10_000);
        assert_eq!(one(&many).len(), MAX_CHALLENGES);
        let params = format!("Digest {}", "a=b,".repeat(10_000));
        assert_eq!(one(&params)[0].params.len(), MAX_PARAMS);
    }

    proptest! {
        #[test]
        fn reads_what_was_written(
            written in proptest::collection::vec(
                ("[A-Za-z]{1,8}", proptest::collection::vec(("[a-z]{1,6}", "[ -~äß]{0,12}"), 1..4)), 1..4)
        ) {
            let text: Vec<String> = written.iter().map(|(scheme, params)| {
                let params: Vec<String> = params.iter().map(|(name, value)| {
                    format!("{name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
                }).collect();
                format!("{scheme} {}", params.join(", "))
            }).collect();
            let expected: Vec<Challenge> = written.into_iter()
                .map(|(scheme, params)| Challenge { scheme, params, token: None }).collect();
            prop_assert_eq!(one(&text.join(", ")), expected);
        }
    }
}
