//! What sessions.toml may say, what is refused, and what saving keeps.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod disk;
mod inherit;
mod rewrite;
mod save;
mod trial;

use std::fs;

use super::*;
use crate::{
    cim::Namespace,
    op::Fingerprint,
    session::{Mechanism, SecretSource, Target, Tls, TlsVersion},
};

const WEB01: &str = r#"
[[session]]
id = "web01"                 # the one in the corner
name = "Web server 1"
computer = "web01.example"
protocol = "cimxml"
port = 5989
namespace = "root/cimv2"
tls = { use = true }
auth = { mechanism = "basic", user = "ann", secret = "prompt" }
"#;

fn parse(text: &str) -> SessionsFile {
    SessionsFile::parse("sessions.toml", text)
}

fn problems(text: &str) -> Vec<String> {
    parse(text).problems.iter().map(ToString::to_string).collect()
}

fn ids(file: &SessionsFile) -> Vec<&str> {
    file.entries.iter().map(|entry| entry.id.as_str()).collect()
}

fn profile(id: &str) -> Profile {
    let target = Target {
        computer: Some("192.0.2.7".to_owned()),
        port: 15_988,
        path: "/x".to_owned(),
        user: Some("CORP\\ann".to_owned()),
        mechanism: Mechanism::Digest,
        secret: SecretSource::Env("PW".to_owned()),
        allow_clear_text: true,
        namespace: Namespace::new("root/interop"),
        ..Target::this_computer()
    };
    Profile::new(ProfileId::new(id).unwrap(), "A \"name\"".to_owned(), target)
}

#[test]
fn a_certificate_needs_no_user_and_is_written_again() {
    let file = parse("[[session]]\nid = \"a\"\ncomputer = \"h\"\nauth = { mechanism = \"certificate\" }\n");
    assert_eq!(file.problems, []);
    let target = &file.entries[0].target;
    assert_eq!((target.mechanism, target.user.as_deref()), (Mechanism::Certificate, None));
    assert_eq!(written::value(&file.entries[0], "auth.mechanism").unwrap().as_str(), Some("certificate"));
}

#[test]
fn the_documented_entry_reads_as_documented() {
    let file = parse(&format!("version = 1\n{WEB01}"));
    assert_eq!(file.problems, []);
    let target = Target {
        computer: Some("web01.example".to_owned()),
        port: 5989,
        tls: Some(Tls::default()),
        user: Some("ann".to_owned()),
        mechanism: Mechanism::Basic,
        ..Target::this_computer()
    };
    let expected = Profile::new(ProfileId::new("web01").unwrap(), "Web server 1".to_owned(), target);
    assert_eq!(file.entries, [expected]);
}

#[test]
fn what_is_left_out_is_safe_and_usual() {
    let file = parse(
        "[[session]]\nid = \"a\"\ncomputer = \"h\"\n[[session]]\nid = \"b\"\ncomputer = \"h\"\ntls.use = false\n",
    );
    assert_eq!(file.problems, []);
    let [a, b] = file.entries.as_slice() else { panic!("{:?}", file.entries) };
    assert_eq!((a.name.as_str(), a.target.port, a.target.path.as_str()), ("a", 5989, "/cimom"));
    assert_eq!((&a.target.tls, &a.target.user, a.target.allow_clear_text), (&Some(Tls::default()), &None, false));
    assert_eq!((b.target.port, &b.target.tls), (5988, &None));
}

#[test]
fn a_ca_file_lies_beside_the_file() {
    let text = "[[session]]\nid = \"a\"\ncomputer = \"h\"\ntls = { ca_file = \"ca.pem\" }\n";
    let file = SessionsFile::parse(Path::new("conf").join("sessions.toml"), text);
    let ca_file = Some(Path::new("conf").join("ca.pem"));
    assert_eq!(file.entries[0].target.tls, Some(Tls { ca_file, ..Tls::default() }));
}

#[test]
fn mistakes_cost_their_entry_only_and_name_their_place() {
    let good = "[[session]]\nid = \"good\"\ncomputer = \"h\"\n";
    let cases = [
        ("nmae = \"x\"\n", "2:1: unknown key `nmae` in [[session]]"),
        ("port = 0\n", "2:8: `port` must be a number from 1 to 65535"),
        ("port = \"1\"\n", "2:8: `port` must be a number from 1 to 65535"),
        ("protocol = \"dcom\"\n", "2:12: unknown protocol \"dcom\""),
        ("tls = true\n", "2:7: `tls` must be a table"),
        ("tls = { verify = false }\n", "2:9: unknown key `verify` in tls"),
        ("auth = { mechanism = \"kerberos\", user = \"u\" }\n", "2:22: unknown mechanism \"kerberos\""),
        ("auth = { mechanism = \"basic\" }\n", "2:8: `auth` names no user"),
        ("allow_clear_text = 1\n", "2:20: `allow_clear_text` must be true or false"),
        ("path = \"cimom\"\n", "2:8: `path` must begin with / and be percent-encoded"),
        ("namespace = \"//\"\n", "2:13: `namespace` is empty"),
        ("name = \"\"\n", "2:8: `name` is empty or has a control character"),
        ("name = \n", "2:8: not TOML: string values must be quoted, expected literal string"),
    ];
    for (line, message) in cases {
        let text = format!("[[session]]\n{line}id = \"bad\"\ncomputer = \"h\"\n{good}");
        let file = parse(&text);
        assert_eq!(problems(&text), [format!("sessions.toml:{message}")], "{line}");
        assert_eq!(ids(&file), ["good"], "{line}");
        assert!(file.is_broken() && file.problems.iter().all(|problem| !problem.hint.is_empty()));
    }
    assert_eq!(parse("[[session]]\nnmae = 1\n").problems[2].hint, "did you mean `name`?");
}

#[test]
fn ids_are_checked() {
    let entry = |id: &str| format!("[[session]]\nid = \"{id}\"\ncomputer = \"h\"\n");
    assert_eq!(
        problems(&entry("A")),
        ["sessions.toml:2:6: `id` must be 1 to 64 of a-z, 0-9, `.`, `_` and `-`, not \"A\""]
    );
    assert_eq!(
        problems(&entry("this-computer")),
        ["sessions.toml:2:6: the id `this-computer` is reserved and never stored"]
    );
    let twice = format!("{}{}", entry("a"), entry("a"));
    assert_eq!(problems(&twice), ["sessions.toml:5:6: the id `a` is used twice"]);
    assert_eq!(ids(&parse(&twice)), ["a"]);
    assert_eq!(
        problems("[[session]]\n"),
        ["sessions.toml:1:1: a session has no `id`", "sessions.toml:1:1: a session has no `computer`"]
    );
}

#[test]
fn passwords_are_refused_and_not_repeated() {
    for line in [
        "password = \"Sw0rdf1sh\"",
        "auth = { user = \"a\", password = \"Sw0rdf1sh\" }",
        "auth = { user = \"a\", secret = \"Sw0rdf1sh\" }",
        "auth = { user = \"a\", secret = \"env:Sw0rd f1sh\" }",
    ] {
        let file = parse(&format!("[[session]]\nid = \"a\"\ncomputer = \"h\"\n{line}\n"));
        assert!(file.entries.is_empty(), "{line}");
        let [problem] = file.problems.as_slice() else { panic!("{line}: {:?}", file.problems) };
        let said = format!("{problem:?}");
        assert!(!said.contains("Sw0rd") && said.contains("env:VAR"), "{said}");
    }
}

#[test]
fn the_whole_file_can_be_wrong() {
    assert_eq!(
        problems("version = 2\n[[session]]\nx = 1\n"),
        ["sessions.toml:1:11: `version` is not 1: this lazycim cannot read the file"]
    );
    assert_eq!(problems("session = 1\n"), ["sessions.toml:1:11: `session` must be a list of tables"]);
    assert_eq!(problems("sesion = []\n"), ["sessions.toml:1:1: unknown key `sesion` in the file"]);
    let open = parse(
        "[[session]]\nid = \"a\"\ncomputer = \"h\"\n[[session\nid = \"b\"\n[[session]]\nid = \"c\"\ncomputer = \"h\"\n",
    );
    assert_eq!(open.problems[0].place, Some((4, 10)));
    assert_eq!(ids(&open), ["a"]);
}

#[test]
fn sessions_are_found_by_id_then_name_then_prefix() {
    let entry = |id: &str, name: &str| format!("[[session]]\nid = \"{id}\"\nname = \"{name}\"\ncomputer = \"h\"\n");
    let text = [entry("web1", "web2"), entry("web2", "Db"), entry("x", "same"), entry("y", "same")].concat();
    let file = parse(&text);
    let find = |text: &str, prefix| file.find(text, prefix).map(|entry| id_of(entry).to_owned());
    assert_eq!(find("web2", false).unwrap(), "web2");
    assert_eq!(find("Db", false).unwrap(), "web2");
    assert_eq!(find("D", true).unwrap(), "web2");
    assert_eq!(find("this-computer", false).unwrap(), "this-computer");
    assert_eq!(find("th", true).unwrap(), "this-computer");
    assert_eq!(find("D", false), Err(NotFound::Unknown(Some("Db".to_owned()))));
    assert_eq!(find("qqq", true), Err(NotFound::Unknown(None)));
    assert_eq!(find("wbe1", true), Err(NotFound::Unknown(Some("web1".to_owned()))));
    assert_eq!(find("web", true), Err(NotFound::Ambiguous(vec!["web1".to_owned(), "web2".to_owned()])));
    assert_eq!(find("same", false), Err(NotFound::Ambiguous(vec!["x".to_owned(), "y".to_owned()])));
    assert_eq!(find("", true), Err(NotFound::Unknown(None)));
}

#[test]
fn appending_keeps_every_byte_that_was_there() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sessions.toml");
    let before = format!("# mine\nversion = 1   # one\n{WEB01}\n# the end");
    fs::write(&path, &before).unwrap();
    let mut file = SessionsFile::load(&path);
    file.add(&profile("db"), None).unwrap();
    let after = fs::read_to_string(&path).unwrap();
    for line in before.lines() {
        assert!(after.lines().any(|known| known == line), "{line:?} is gone from\n{after}");
    }
    assert_eq!(file.entries, SessionsFile::load(&path).entries);
    assert_eq!(file.entries[1], profile("db"));
}

#[test]
fn the_first_entry_makes_the_file_and_its_directory_private() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new").join("sessions.toml");
    let mut file = SessionsFile::load(&path);
    assert!(!file.is_broken() && file.entries.is_empty());
    file.add(&profile("db"), None).unwrap();
    assert!(fs::read_to_string(&path).unwrap().starts_with("version = 1\n"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    }
    let left = fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(left.into_iter().all(|name| !name.to_string_lossy().ends_with(".new")));
}

#[test]
fn what_others_wrote_meanwhile_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sessions.toml");
    let mut ours = SessionsFile::load(&path);
    let mut theirs = SessionsFile::load(&path);
    theirs.add(&profile("theirs"), None).unwrap();
    ours.add(&profile("ours"), None).unwrap();
    assert_eq!(ids(&ours), ["theirs", "ours"]);
    let error = theirs.add(&profile("ours"), None).unwrap_err();
    assert!(error.to_string().contains("`ours` is taken"), "{error}");
}

#[test]
fn a_broken_file_is_never_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sessions.toml");
    let broken = format!("{WEB01}\n[[session]]\nid = \"x\"\nprot = 1\n");
    fs::write(&path, &broken).unwrap();
    let error = SessionsFile::load(&path).add(&profile("db"), None).unwrap_err();
    assert!(error.to_string().contains("sessions.toml:12:1: "), "{error}");
    assert!(error.to_string().contains("not saved, because the file has a mistake"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), broken);
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link() {
    let dir = tempfile::tempdir().unwrap();
    let (real, link) = (dir.path().join("real.toml"), dir.path().join("sessions.toml"));
    fs::write(&real, WEB01).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    SessionsFile::load(&link).add(&profile("db"), None).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(ids(&SessionsFile::load(&real)), ["web01", "db"]);
}

#[test]
fn entries_written_inline_are_appended_to_as_well() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sessions.toml");
    fs::write(&path, "session = [ { id = \"a\", computer = \"h\" } ]\n").unwrap();
    let mut file = SessionsFile::load(&path);
    file.add(&profile("db"), None).unwrap();
    assert_eq!(ids(&file), ["a", "db"]);
}

#[test]
fn free_ids_are_made_from_names() {
    let file = parse(WEB01);
    let free = |name: &str| file.free_id(name).as_str().to_owned();
    assert_eq!(free("Web Server: 1"), "web-server-1");
    assert_eq!(free("web01"), "web01-2");
    assert_eq!(free("this-computer"), "this-computer-2");
    assert_eq!(free("\u{fc}\u{202e}"), "session");
    assert!(free(&"x".repeat(300)).len() <= 64);
}

const PIN: &str = "AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89";

fn everything() -> Tls {
    Tls {
        ca_file: Some("/etc/ca".into()),
        client_cert: Some("/etc/me.pem".into()),
        client_key: Some("/etc/me.key".into()),
        skip_chain: true,
        skip_name: true,
        min_version: TlsVersion::Tls13,
        server_name: Some("real.example".to_owned()),
        pin: Fingerprint::parse(PIN),
    }
}

#[test]
fn every_tls_key_is_read() {
    let keys = format!(
        "ca_file = \"/etc/ca\"\nclient_cert = \"/etc/me.pem\"\nclient_key = \"/etc/me.key\"\nskip_chain = true\nskip_name = true\n\
         min_version = \"1.3\"\nserver_name = \"real.example\"\npin = \"{PIN}\"\n"
    );
    let file = parse(&format!("[[session]]\nid = \"a\"\ncomputer = \"h\"\n[session.tls]\n{keys}"));
    assert_eq!(file.problems, []);
    assert_eq!(file.entries[0].target.tls, Some(everything()));
}

#[test]
fn mistakes_in_tls_are_named() {
    for (tls, message) in [
        ("skip_chian = true", "2:9: unknown key `skip_chian` in tls"),
        ("skip_name = 1", "2:21: `skip_name` must be true or false"),
        ("min_version = \"1.1\"", "2:23: `min_version` is not a version"),
        ("server_name = \"a b\"", "2:23: `server_name` is not a host name or an address"),
        ("pin = \"AB:CD\"", "2:15: `pin` is not a fingerprint"),
        ("client_key = \"k\"", "2:22: `client_key` stands without `client_cert`"),
    ] {
        let text = format!("[[session]]\ntls = {{ {tls} }}\nid = \"a\"\ncomputer = \"h\"\n");
        assert_eq!(problems(&text), [format!("sessions.toml:{message}")], "{tls}");
    }
    assert_eq!(parse("[[session]]\ntls = { skip_chian = true }\n").problems[2].hint, "did you mean `skip_chain`?");
}

#[test]
fn every_tls_key_is_saved() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sessions.toml");
    let mut saved = profile("db");
    saved.target.tls = Some(everything());
    SessionsFile::load(&path).add(&saved, None).unwrap();
    assert_eq!(SessionsFile::load(&path).entries, [saved]);
}

#[test]
fn a_pin_is_saved_and_nothing_else_changes() {
    let pin = Fingerprint::parse(PIN).unwrap();
    let web01 = ProfileId::new("web01").unwrap();
    let dotted = WEB01.replace("tls = { use = true }", "tls.use = true # yes");
    let without = WEB01.replace("tls = { use = true }\n", "");
    let own_table = format!("{}\n[session.tls]\n# none yet\nuse = true\n", without.trim_end());
    for text in [WEB01.to_owned(), dotted, without, own_table] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sessions.toml");
        let before = format!(
            "# mine\nversion = 1   # one\n{text}\n[[session]]\nid = \"b\" # other\ncomputer = \"h\"\n# the end\n"
        );
        fs::write(&path, &before).unwrap();
        let mut file = SessionsFile::load(&path);
        file.pin(&web01, pin).unwrap();
        let after = fs::read_to_string(&path).unwrap();
        for line in before.lines().filter(|line| !line.starts_with("tls = ")) {
            assert!(after.lines().any(|known| known == line), "{line:?} is gone from\n{after}");
        }
        assert_eq!(after.matches(PIN).count(), 1, "{after}");
        let pins = file.entries.iter().map(|entry| entry.target.tls.as_ref().and_then(|tls| tls.pin));
        assert_eq!(pins.collect::<Vec<_>>(), [Some(pin), None], "{after}");
        assert_eq!(file.entries, SessionsFile::load(&path).entries);
    }
}

#[test]
fn a_pin_is_never_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sessions.toml");
    let text = format!("[[session]]\nid = \"a\"\ncomputer = \"h\"\ntls = {{ pin = \"{PIN}\" }}\n");
    fs::write(&path, &text).unwrap();
    let id = ProfileId::new("a").unwrap();
    let error = SessionsFile::load(&path).pin(&id, Fingerprint([1; 32])).unwrap_err();
    assert!(error.to_string().contains("pins the session to another certificate"), "{error}");
    let gone = SessionsFile::load(&path).pin(&ProfileId::new("b").unwrap(), Fingerprint([1; 32])).unwrap_err();
    assert!(gone.to_string().contains("the session is gone"), "{gone}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}
