//! A session changed as text: what is refused and where, what is kept, and what becomes of it where others wrote meanwhile.

use std::fs;

use super::{ids, save::THREE};
use crate::session::{
    ProfileId,
    store::{SaveError, SessionsFile},
};

fn id(text: &str) -> ProfileId {
    ProfileId::new(text).unwrap()
}

fn file() -> (SessionsFile, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sessions.toml");
    fs::write(&path, THREE).unwrap();
    (SessionsFile::load(path), dir)
}

const B: &str = "# the second\n# has two lines\n[[session]]\nid = \"b\"\nname = \"Bee\"\ncomputer = \"b.example\"\n\
     [session.timeouts]\nconnect = 5   # slow\n";

#[test]
fn the_lines_of_a_session_are_replaced_and_no_others() {
    let (mut file, _dir) = file();
    assert_eq!(file.text_of(&id("b")).unwrap(), B);
    let new = B.replace("# slow", "# very slow").replace("b.example", "bee.example");
    file.check(&id("b"), &new).unwrap();
    file.rewrite(&id("b"), &new).unwrap();
    assert_eq!(fs::read_to_string(&file.path).unwrap(), THREE.replace(B, &new));
    // Without a line break at its end, too.
    file.rewrite(&id("b"), B.trim_end()).unwrap();
    assert_eq!(fs::read_to_string(&file.path).unwrap(), THREE);
    let a = file.text_of(&id("a")).unwrap().replace("id = \"a\" ", "id = \"z\" ");
    file.check(&id("a"), &a).unwrap();
    file.rewrite(&id("a"), &a).unwrap();
    assert_eq!(ids(&file), ["z", "b", "c"]);
    assert!(fs::read_to_string(&file.path).unwrap().contains("inherits = \"z\""), "who inherits follows the new id");
}

#[test]
fn a_mistake_has_its_place_in_the_text() {
    let (file, _dir) = file();
    let check = |text: &str| file.check(&id("b"), text).unwrap_err();
    let found = |text: &str| (check(text).place, check(text).cause);
    let (place, cause) = found(&B.replace("connect = 5", "conect = 5"));
    assert!(place == Some((8, 1)) && cause.starts_with("unknown key `conect`"), "{place:?} {cause}");
    let (place, cause) = found(&B.replace("= \"b.example\"", "= "));
    assert!(place.is_some_and(|(line, _)| line == 6) && cause.starts_with("not TOML: "), "{place:?} {cause}");
    // What is left open does not end at the next session.
    let (place, cause) = found(&B.replace("\"Bee\"", "\"\"\"Bee"));
    assert!(place.is_some() && cause.starts_with("not TOML: "), "{place:?} {cause}");
    let (place, cause) = found(&B.replace("id = \"b\"", "id = \"c\""));
    assert!(place.is_none() && cause.contains("the id `c` is used twice"), "{place:?} {cause}");
    assert_eq!(found(&format!("{B}[[session]]\nid = \"x\"\ncomputer = \"x\"\n")).0, Some((9, 1)));
    assert_eq!(found("# nothing\n"), (Some((1, 1)), "no [[session]] stands in it".to_owned()));
    assert!(check(&B.replace("name", "password")).hint.contains("prompt"));
}

#[test]
fn what_others_wrote_meanwhile_stays() {
    let (mut file, _dir) = file();
    let elsewhere = THREE.replace("port = 7", "port = 8");
    fs::write(&file.path, &elsewhere).unwrap();
    let new = B.replace("Bee", "Bumblebee");
    file.rewrite(&id("b"), &new).unwrap();
    assert_eq!(fs::read_to_string(&file.path).unwrap(), elsewhere.replace(B, &new));

    let theirs = elsewhere.replace("# slow", "# theirs").replace("Bee", "Bumblebee");
    fs::write(&file.path, &theirs).unwrap();
    let conflict = file.rewrite(&id("b"), B).unwrap_err();
    assert!(matches!(&conflict, SaveError::Conflict(it) if it.ours.as_deref() == Some(B)), "{conflict:?}");
    assert_eq!(fs::read_to_string(&file.path).unwrap(), theirs);
}
