//! A session while it is edited: what it says, what it would come to, and saving it while somebody else does too.

use std::fs;

use super::parse;
use crate::session::{
    Parent, ProfileId,
    store::{KEYS, Keep, Key, Kind, Origin, SaveError, SessionsFile, Setting, Trial},
};

const FILE: &str = r#"version = 1
[[session]]
id = "a"   # short
computer = "a.example"
tls = { use = true }
auth = { user = "ann", secret = { command = [
    "pass",   # the store
    "show",
], timeout = 5 } }
tags = ["web", "lab"]
notes = """
two
lines"""

[[session]]
id = "b"
inherits = "a"
port = 7
tags = ["a,b"]
[session.timeouts]
total = 0
"#;

fn id(text: &str) -> ProfileId {
    ProfileId::new(text).unwrap()
}

fn key(name: &str) -> &'static Key {
    KEYS.iter().find(|key| key.name == name).unwrap()
}

fn settings(typed: &[(&str, &str)]) -> Vec<Setting> {
    typed.iter().map(|(name, text)| Setting::typed(key(name), text)).collect()
}

fn value<'t>(trial: &'t Trial, name: &str) -> Option<(&'t str, &'t Origin)> {
    let known = trial.effective.iter().find(|known| known.key == name)?;
    Some((known.value.as_str(), &known.origin))
}

#[test]
fn what_a_session_says_is_what_typing_it_again_would_say() {
    let file = parse(FILE);
    for entry in &file.entries {
        let said = file.said(&entry.id).unwrap();
        assert!(said.len() >= 5, "{said:?}");
        let again = said.iter().map(|(name, text)| (*name, text.as_str())).collect::<Vec<_>>();
        let trial = file.try_out(Some(&entry.id), &settings(&again));
        assert_eq!(trial.mistakes, []);
        assert_eq!(trial.profile.as_ref(), Some(entry));
    }
    let said = file.said(&id("a")).unwrap();
    let text = |name: &str| said.iter().find(|known| known.0 == name).unwrap().1.as_str();
    assert_eq!(text("notes"), "two↵lines");
    assert_eq!(text("tags"), "web, lab");
    assert_eq!(text("auth.secret"), r#"{ command = ["pass", "show"], timeout = 5 }"#);
    assert_eq!(file.said(&id("b")).unwrap().iter().find(|known| known.0 == "tags").unwrap().1, r#"["a,b"]"#);
}

#[test]
fn every_example_of_a_key_can_be_typed() {
    for known in KEYS.iter().filter(|key| !matches!(key.name, "id" | "inherits" | "computer")) {
        let example = known.example.trim_matches('"');
        let mut typed = vec![("id", "x"), ("computer", "h"), (known.name, example)];
        match known.name {
            "auth.mechanism" | "auth.secret" => typed.push(("auth.user", "ann")),
            "tls.client_key" => typed.push(("tls.client_cert", "me.pem")),
            _ => {}
        }
        let trial = parse("").try_out(None, &settings(&typed));
        assert_eq!(trial.mistakes, [], "{}", known.name);
    }
}

#[test]
fn mistakes_stand_at_their_keys_in_the_words_of_the_file() {
    let file = parse(FILE);
    let wrong = |typed: &[(&str, &str)]| {
        let trial = file.try_out(None, &settings(typed));
        assert_eq!(trial.profile, None);
        trial.mistakes.into_iter().map(|mistake| (mistake.key, mistake.cause)).collect::<Vec<_>>()
    };
    assert_eq!(wrong(&[("id", "x")]), [("computer", "a session has no `computer`".to_owned())]);
    assert_eq!(
        wrong(&[("id", "a"), ("computer", "h/x"), ("port", "70000"), ("limits.xml_depth", "many")]),
        [
            ("id", "the id `a` is used twice".to_owned()),
            ("computer", "`computer` is not a host name or an address: \"h/x\"".to_owned()),
            ("port", "`port` must be a number from 1 to 65535".to_owned()),
            ("limits.xml_depth", "`xml_depth` must be a whole number of at least 1".to_owned()),
        ]
    );
    let secret = wrong(&[("id", "x"), ("computer", "h"), ("auth.user", "u"), ("auth.secret", "hunter2")]);
    assert_eq!(secret[0].0, "auth.secret");
    assert!(!format!("{secret:?}").contains("hunter2"));
    let ring = file.try_out(Some(&id("a")), &settings(&[("id", "a"), ("inherits", "b")]));
    assert_eq!(ring.mistakes[0].key, "inherits");
    let broken = parse("[[session]]\nid = \"p\"\ncomputer = \"h\"\nport = 0\n");
    let child = broken.try_out(None, &settings(&[("id", "x"), ("inherits", "p")]));
    assert_eq!((child.profile, child.mistakes[0].key), (None, "inherits"));
}

#[test]
fn what_is_not_said_has_its_value_and_where_that_comes_from_even_beside_mistakes() {
    let file = parse(FILE);
    let trial = file.try_out(None, &settings(&[("inherits", "preset:pegasus"), ("port", "x")]));
    assert_eq!(trial.profile, None);
    assert_eq!(value(&trial, "protocol").unwrap().0, "cimxml");
    assert_eq!(value(&trial, "protocol").unwrap().1, &Origin::Inherited(Parent::Preset("pegasus".to_owned())));
    assert_eq!((value(&trial, "computer"), value(&trial, "id")), (None, None), "neither was said");
    let trial = file.try_out(Some(&id("b")), &settings(&[("id", "b"), ("inherits", "a"), ("port", "0")]));
    assert_eq!(value(&trial, "computer").unwrap(), ("a.example", &Origin::Inherited(Parent::Profile(id("a")))));
    assert_eq!(value(&trial, "auth.user").unwrap().0, "ann");
    assert_eq!(value(&trial, "port").unwrap(), ("5989", &Origin::Default));
    let listed = [("id", "x"), ("computer", "h"), ("protocol", "auto"), ("auto", "cimxml, wsman")];
    let trial = file.try_out(None, &settings(&listed));
    assert_eq!(value(&trial, "auto").unwrap(), ("cimxml, wsman", &Origin::Own), "{:?}", trial.mistakes);
}

#[test]
fn a_revision_touches_its_keys_alone_and_its_children_follow() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sessions.toml");
    fs::write(&path, FILE).unwrap();
    let mut file = SessionsFile::load(&path);
    file.revise(&id("a"), &settings(&[("id", "first"), ("computer", "z.example"), ("tags", "")])).unwrap();
    let expected = FILE.replace("a.example", "z.example").replace("tags = [\"web\", \"lab\"]\n", "");
    let expected = expected.replace("id = \"a\"", "id = \"first\"").replace("inherits = \"a\"", "inherits = \"first\"");
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    let refused = file.revise(&id("first"), &settings(&[("port", "x")])).unwrap_err();
    assert!(refused.to_string().contains("not saved: `port` must be"), "{refused}");
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
}

#[test]
fn two_who_revise_one_session_conflict_and_see_what_differs() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sessions.toml");
    fs::write(&path, FILE).unwrap();
    let (mut ours, mut theirs) = (SessionsFile::load(&path), SessionsFile::load(&path));
    theirs.revise(&id("a"), &settings(&[("computer", "theirs.example"), ("port", "1")])).unwrap();
    let conflict = match ours.revise(&id("a"), &settings(&[("computer", "ours.example")])) {
        Err(SaveError::Conflict(conflict)) => conflict,
        other => panic!("{other:?}"),
    };
    let told = conflict.differences().into_iter().map(|d| (d.key, d.base, d.ours, d.theirs)).collect::<Vec<_>>();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        told,
        [
            ("computer", text("a.example"), text("ours.example"), text("theirs.example")),
            ("port", None, None, text("1"))
        ]
    );
    ours.settle(&conflict, Keep::Both).unwrap();
    let computers = ours.entries.iter().map(|entry| entry.target.computer.as_deref().unwrap()).collect::<Vec<_>>();
    assert_eq!(computers, ["theirs.example", "ours.example", "theirs.example"]);
    // What both did alike is no conflict.
    let (mut one, mut two) = (SessionsFile::load(&path), SessionsFile::load(&path));
    one.revise(&id("b"), &settings(&[("port", "8")])).unwrap();
    two.revise(&id("b"), &settings(&[("port", "8")])).unwrap();
}

#[test]
fn every_choice_but_a_colour_is_explained() {
    for key in KEYS {
        let choices = key.choices();
        let choosable = matches!(key.kind, Kind::Choice(_) | Kind::Switch | Kind::Secret | Kind::Proxy);
        assert_eq!(!choices.is_empty(), choosable, "{}", key.name);
        let explained = choices.iter().all(|choice| !choice.1.is_empty());
        assert!(explained || key.name == "colour", "{}: {choices:?}", key.name);
    }
}
