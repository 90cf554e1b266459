//! Changes to one session: what they touch, what they keep, and what becomes of them where others wrote meanwhile.

use std::{fs, path::PathBuf, time::Duration};

use super::{ids, profile};
use crate::session::{
    Colour, HttpProxy, Parent, Profile, ProfileId, Proxy, PullUse, SecretCommand, SecretSource, Tls, preset,
    store::{Keep, SaveError, SessionsFile, Setting},
    url::TargetUrl,
};

pub(super) const THREE: &str = r#"# all of mine
version = 1   # one

# the first
[[session]]
id = "a"              # short
computer = "a.example"
tls = { use = true }  # of course
auth = { user = "ann", secret = "prompt" }

# on its own

# the second
# has two lines
[[session]]
id = "b"
name = "Bee"
computer = "b.example"
[session.timeouts]
connect = 5   # slow

[[session]]
id = "c"
inherits = "a"
port = 7

# the end
"#;

struct Bench {
    path: PathBuf,
    _dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sessions.toml");
        fs::write(&path, THREE).unwrap();
        Self { path, _dir: dir }
    }

    fn load(&self) -> SessionsFile {
        let file = SessionsFile::load(&self.path);
        assert_eq!(file.problems, []);
        file
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.path).unwrap()
    }

    /// The lines that differ from [`THREE`]: taken out, put in.
    fn diff(&self) -> (Vec<String>, Vec<String>) {
        let (before, after) = (THREE.lines().collect::<Vec<_>>(), self.text());
        let after = after.lines().collect::<Vec<_>>();
        let only = |these: &[&str], those: &[&str]| {
            these.iter().filter(|line| !those.contains(line)).map(|line| (*line).to_owned()).collect::<Vec<_>>()
        };
        (only(&before, &after), only(&after, &before))
    }
}

fn id(text: &str) -> ProfileId {
    ProfileId::new(text).unwrap()
}

fn change(file: &mut SessionsFile, of: &str, change: impl FnOnce(&mut Profile)) -> Result<(), SaveError> {
    let mut wanted = file.get(&id(of)).unwrap().clone();
    change(&mut wanted);
    file.update(&id(of), &wanted)?;
    assert_eq!(file.get(&wanted.id), Some(&wanted), "it reads back as wanted");
    Ok(())
}

fn lines(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn an_update_touches_only_what_differs() {
    let bench = Bench::new();
    let mut file = bench.load();
    change(&mut file, "a", |a| a.target.user = Some("CORP\\bob".to_owned())).unwrap();
    let new = "auth = { user = \"CORP\\\\bob\", secret = \"prompt\" }";
    let literal = "auth = { user = 'CORP\\bob', secret = \"prompt\" }";
    let (out, put) = bench.diff();
    assert_eq!(out, lines(&["auth = { user = \"ann\", secret = \"prompt\" }"]));
    assert!(put == lines(&[new]) || put == lines(&[literal]), "{put:?}");
    assert_eq!(file.get(&id("c")).unwrap().target.user.as_deref(), Some("CORP\\bob"), "its child follows");
}

#[test]
fn values_in_sub_tables_keep_their_comments_and_usual_ones_go() {
    let bench = Bench::new();
    let mut file = bench.load();
    change(&mut file, "b", |b| b.target.timeouts.connect = Some(Duration::from_millis(2500))).unwrap();
    assert_eq!(bench.diff(), (lines(&["connect = 5   # slow"]), lines(&["connect = 2.5   # slow"])));
    change(&mut file, "b", |b| b.target.timeouts.connect = None).unwrap();
    assert_eq!(bench.diff(), (lines(&["[session.timeouts]", "connect = 5   # slow"]), vec![]));
    change(&mut file, "b", |b| b.name = "b".to_owned()).unwrap();
    assert!(!bench.text().contains("Bee"), "{}", bench.text());
}

#[test]
fn a_child_writes_what_it_does_not_inherit() {
    let bench = Bench::new();
    let mut file = bench.load();
    // TLS off moves the usual port, but this one has said its own.
    change(&mut file, "c", |c| c.target.tls = None).unwrap();
    assert_eq!(bench.diff(), (vec![], lines(&["tls = { use = false }"])));
    change(&mut file, "c", |c| c.target.tls = Some(Tls::default())).unwrap();
    assert_eq!(bench.diff(), (vec![], vec![]), "what is inherited is not written");
    change(&mut file, "c", |c| c.target.port = 5989).unwrap();
    assert_eq!(bench.diff().0, ["port = 7"]);
    // Without its user it must say so.
    change(&mut file, "c", |c| c.target.user = None).unwrap();
    assert_eq!(bench.diff().1, ["auth = { mechanism = \"none\" }"]);
    // The same port without TLS is not the usual one any more.
    change(&mut file, "b", |b| b.target.tls = None).unwrap();
    assert_eq!(file.get(&id("b")).unwrap().target.port, 5989);
    change(&mut file, "c", |c| c.inherits = None).unwrap();
    assert_eq!(file.get(&id("c")).unwrap().target.computer.as_deref(), Some("a.example"));
}

#[test]
fn what_is_inherited_and_cannot_be_left_out_is_refused() {
    let bench = Bench::new();
    let mut file = bench.load();
    change(&mut file, "a", |a| a.target.culture = Some("de".to_owned())).unwrap();
    let before = bench.text();
    let error = change(&mut file, "c", |c| c.target.culture = None).unwrap_err();
    assert!(error.to_string().contains("`culture` is inherited and cannot be left out"), "{error}");
    assert_eq!(bench.text(), before);
}

#[test]
fn everything_a_profile_can_say_is_written_and_read_back() {
    let bench = Bench::new();
    let mut file = bench.load();
    let mut wanted = profile("all");
    let secret = |words: &[&str], shell| {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        SecretSource::Command(SecretCommand { words, shell, timeout: Duration::from_secs(3), confirmed: !shell })
    };
    wanted.target.tls = Some(Tls { ca_file: Some(bench.path.with_file_name("ca.pem")), ..Tls::default() });
    wanted.target.secret = secret(&["pass", "show", "\"x\""], false);
    wanted.target.culture = Some("de-DE".to_owned());
    wanted.target.pull = PullUse::Always;
    wanted.target.read_only = true;
    wanted.target.timeouts.total = Some(None);
    wanted.target.timeouts.idle = Some(Duration::from_millis(1250));
    wanted.target.limits.in_flight_per_session = Some(2);
    let proxy = HttpProxy::at("http://[fe80::1]:3128").unwrap();
    wanted.target.proxy = Proxy::Http(HttpProxy {
        user: Some("p".to_owned()),
        secret: secret(&["a | b"], true),
        allow_clear_text: true,
        ..proxy
    });
    (wanted.tags, wanted.notes) = (vec!["x y".to_owned()], "one\n\ttwo \"\"\"".to_owned());
    wanted.colour = Colour::named("red");
    file.add(&wanted, None).unwrap();
    assert_eq!(file.get(&wanted.id), Some(&wanted));
    assert_eq!(ids(&bench.load()), ["a", "b", "c", "all"]);
    assert!(bench.text().starts_with(THREE), "{}", bench.text());
    // A child of a preset says little.
    let mut kid = Profile::new(id("kid"), "kid".to_owned(), file.get(&id("a")).unwrap().target.clone());
    kid.inherits = Some(Parent::Preset("sfcb".to_owned()));
    kid.target.preset = preset::find("sfcb");
    file.add(&kid, Some(0)).unwrap();
    assert_eq!(file.get(&kid.id), Some(&kid));
    assert_eq!(ids(&bench.load()), ["kid", "a", "b", "c", "all"]);
    let written = bench.text().split("[[session]]").nth(1).unwrap().to_owned();
    assert!(written.contains("inherits = \"preset:sfcb\"") && !written.contains("protocol"), "{written}");
}

#[test]
fn a_new_id_is_followed_by_those_who_inherit() {
    let bench = Bench::new();
    let mut file = bench.load();
    change(&mut file, "a", |a| a.id = id("z")).unwrap();
    assert_eq!(ids(&file), ["z", "b", "c"]);
    assert_eq!(file.get(&id("c")).unwrap().inherits, Some(Parent::Profile(id("z"))));
    assert!(bench.text().contains("id = \"z\"              # short\n"), "{}", bench.text());
    let error = change(&mut file, "z", |z| z.id = id("b")).unwrap_err();
    assert!(error.to_string().contains("the id `b` is taken"), "{error}");
}

#[test]
fn what_is_removed_comes_back_byte_for_byte() {
    for of in ["b", "c"] {
        let bench = Bench::new();
        let mut file = bench.load();
        let removed = file.remove(&id(of)).unwrap();
        assert!(!ids(&file).contains(&of));
        assert!(bench.text().contains("# on its own") && bench.text().contains("# the end"), "{}", bench.text());
        assert_eq!(bench.text().contains("# has two lines"), of != "b");
        file.restore(&removed).unwrap();
        assert_eq!(bench.text(), THREE, "{of}");
    }
    let bench = Bench::new();
    let mut file = bench.load();
    let error = file.remove(&id("a")).unwrap_err();
    assert!(error.to_string().contains("there is no `a` to inherit from"), "{error}");
    // Something else was written in between: it comes back in its place.
    let removed = file.remove(&id("b")).unwrap();
    file.add(&profile("new"), None).unwrap();
    file.restore(&removed).unwrap();
    assert_eq!(ids(&file), ["a", "b", "c", "new"]);
    assert!(bench.text().contains("# has two lines\n[[session]]\nid = \"b\""), "{}", bench.text());
}

#[test]
fn copies_and_order() {
    let bench = Bench::new();
    let mut file = bench.load();
    assert_eq!(file.duplicate(&id("b")).unwrap().as_str(), "b-2");
    assert_eq!(ids(&file), ["a", "b", "b-2", "c"]);
    let copy = file.get(&id("b-2")).unwrap();
    assert_eq!((copy.name.as_str(), &copy.target), ("Bee (copy)", &file.get(&id("b")).unwrap().target));
    file.move_to(&id("c"), 0).unwrap();
    assert_eq!(ids(&bench.load()), ["c", "a", "b", "b-2"]);
    file.move_to(&id("c"), 99).unwrap();
    assert_eq!(ids(&bench.load()), ["a", "b", "b-2", "c"]);
    file.move_to(&id("b"), 0).unwrap();
    assert_eq!(ids(&bench.load()), ["b", "a", "b-2", "c"]);
    for comment in ["# the second\n# has two lines\n[[session]]\nid = \"b\"\n", "# on its own", "# the end", "# slow"] {
        assert!(bench.text().contains(comment), "{comment} is gone from\n{}", bench.text());
    }
}

#[test]
fn others_changes_to_other_sessions_and_keys_of_nobody_are_kept() {
    let bench = Bench::new();
    let (mut ours, mut theirs) = (bench.load(), bench.load());
    change(&mut theirs, "b", |b| b.notes = "theirs".to_owned()).unwrap();
    theirs.add(&profile("new"), Some(0)).unwrap();
    // Comments and layout of the session itself may change as well.
    fs::write(&bench.path, bench.text().replace("id = \"a\"              # short", "id = \"a\" # changed")).unwrap();
    change(&mut ours, "a", |a| a.notes = "ours".to_owned()).unwrap();
    assert_eq!(ids(&ours), ["new", "a", "b", "c"]);
    assert_eq!(ours.get(&id("b")).unwrap().notes, "theirs");
    assert!(bench.text().contains("# changed"));
}

#[test]
fn both_changing_one_session_is_a_conflict_that_can_be_settled() {
    let settled = |keep: Keep| {
        let bench = Bench::new();
        let (mut ours, mut theirs) = (bench.load(), bench.load());
        change(&mut theirs, "b", |b| b.notes = "theirs".to_owned()).unwrap();
        let before = bench.text();
        let error = change(&mut ours, "b", |b| b.notes = "ours".to_owned()).unwrap_err();
        assert_eq!(error.to_string(), "not saved, because somebody else changed the session `b` meanwhile");
        let SaveError::Conflict(conflict) = error else { panic!("{error}") };
        assert_eq!(bench.text(), before);
        assert!(conflict.ours.as_ref().unwrap().contains("ours") && !conflict.base.contains("ours"));
        assert!(conflict.theirs.as_ref().unwrap().contains("theirs"));
        ours.settle(&conflict, keep).unwrap();
        let notes = |file: &SessionsFile| file.entries.iter().map(|entry| entry.notes.clone()).collect::<Vec<_>>();
        assert_eq!(notes(&ours), notes(&bench.load()));
        notes(&ours)
    };
    assert_eq!(settled(Keep::Ours), ["", "ours", ""]);
    assert_eq!(settled(Keep::Theirs), ["", "theirs", ""]);
    assert_eq!(settled(Keep::Both), ["", "theirs", "ours", ""]);
}

#[test]
fn the_same_change_twice_is_no_conflict_and_a_removal_is_one() {
    let bench = Bench::new();
    let (mut ours, mut theirs) = (bench.load(), bench.load());
    change(&mut theirs, "b", |b| b.notes = "same".to_owned()).unwrap();
    change(&mut ours, "b", |b| b.notes = "same".to_owned()).unwrap();
    theirs.remove(&id("b")).unwrap();
    let error = change(&mut ours, "b", |b| b.notes = "more".to_owned()).unwrap_err();
    assert_eq!(error.to_string(), "not saved, because somebody else removed the session `b` meanwhile");
    let SaveError::Conflict(conflict) = error else { panic!("{error}") };
    assert_eq!(conflict.theirs, None);
    ours.settle(&conflict, Keep::Ours).unwrap();
    assert_eq!(ids(&ours), ["a", "c", "b"]);
    let (mut ours, mut theirs) = (bench.load(), bench.load());
    change(&mut theirs, "b", |b| b.notes = "kept".to_owned()).unwrap();
    let SaveError::Conflict(conflict) = ours.remove(&id("b")).unwrap_err() else { panic!() };
    ours.settle(&conflict, Keep::Both).unwrap();
    assert_eq!(ids(&ours), ["a", "c", "b"], "nothing of ours to keep beside it");
    ours.settle(&conflict, Keep::Ours).unwrap();
    assert_eq!(ids(&ours), ["a", "c"]);
}

#[test]
fn a_session_that_is_not_there_or_in_brackets_is_told() {
    let bench = Bench::new();
    let mut file = bench.load();
    let error = file.remove(&id("nobody")).unwrap_err();
    assert!(error.to_string().contains("there is no session `nobody`"), "{error}");
    fs::write(&bench.path, "session = [ { id = \"a\", computer = \"h\" } ]\n").unwrap();
    let mut file = bench.load();
    let error = change(&mut file, "a", |a| a.notes = "x".to_owned()).unwrap_err();
    assert!(error.hint().contains("[[session]]"), "{error}");
    assert_eq!(bench.text(), "session = [ { id = \"a\", computer = \"h\" } ]\n");
}

#[test]
fn a_file_of_another_line_ending_keeps_it() {
    let bench = Bench::new();
    fs::write(&bench.path, THREE.replace('\n', "\r\n")).unwrap();
    let mut file = bench.load();
    change(&mut file, "b", |b| b.notes = "x".to_owned()).unwrap();
    assert_eq!(bench.text().matches("\r\n").count(), bench.text().matches('\n').count());
    assert_eq!(bench.text().replace("\r\n", "\n").replace("notes = \"x\"\n", ""), THREE);
}

#[test]
fn a_new_session_says_what_its_parent_says_otherwise() {
    let bench = Bench::new();
    let mut file = bench.load();
    // The preset says port 5989 outright; without TLS the usual one is another.
    let mut wanted = profile("peg");
    wanted.target = TargetUrl::parse("cimxml+http://h").unwrap().into_target(crate::cim::Namespace::new("root/x"));
    wanted.inherits = Some(Parent::Preset("pegasus".to_owned()));
    wanted.target.preset = preset::find("pegasus");
    file.add(&wanted, None).unwrap();
    assert_eq!(file.get(&wanted.id), Some(&wanted));
}

#[test]
fn settings_are_made_in_what_others_wrote_meanwhile() {
    let bench = Bench::new();
    let (mut mine, mut theirs) = (bench.load(), bench.load());
    let id = mine.entries[0].id.clone();
    let set = |text: &str| Setting::set(text).unwrap();
    theirs.set(&id, &[set("notes=theirs"), set("culture=\"de\"")]).unwrap();
    mine.set(&id, &[set("port=1234"), set("tls.min_version=1.3"), Setting::unset("culture").unwrap()]).unwrap();
    let now = mine.get(&id).unwrap().clone();
    assert_eq!((now.notes.as_str(), now.target.port, &now.target.culture), ("theirs", 1234, &None));
    assert_eq!(Some(&now), bench.load().get(&id));
    let error = mine.set(&id, &[set("port=0")]).unwrap_err().to_string();
    assert!(error.contains("not saved: `port` must be"), "{error}");
    assert_eq!(mine.get(&id), Some(&now));
}

#[test]
fn a_setting_says_what_is_wrong_and_never_repeats_a_value() {
    let wrong = |text: &str| Setting::set(text).unwrap_err();
    assert!(wrong("s3cret").cause.contains("KEY=VALUE"));
    assert!(wrong("auth.secret={s3cret").cause.contains("`auth.secret` is not TOML"));
    assert_eq!(wrong("prot=s3cret").hint, "did you mean `port`?");
    for text in ["s3cret", "auth.secret={s3cret", "port=s3cret", "tags=[s3cret"] {
        let error = wrong(text);
        assert!(!error.cause.contains("s3cret") && !error.hint.contains("s3cret"), "{error:?}");
    }
    // A text stands with and without its quotes, also where it looks like something else.
    for text in ["tls.min_version=1.3", "tls.min_version=\"1.3\"", " tls.min_version = '1.3'"] {
        let bench = Bench::new();
        let mut file = bench.load();
        let mut added = profile("new");
        added.target.tls = Some(Tls::default());
        file.add_with(&added, &[Setting::set(text).unwrap()]).unwrap();
        let tls = file.get(&added.id).unwrap().target.tls.as_ref().unwrap();
        assert_eq!(tls.min_version.text(), "1.3", "{text}");
    }
}
