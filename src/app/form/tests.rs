//! What is typed in the form and what it comes to.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::session::{Parent, preset, store::KEYS};

const TEXT: &str = "[[session]]\nid = \"web01\"\nname = \"Web\"\ncomputer = \"web01.example\"\ntags = [\"a\", \"b\"]\n\
                    notes = \"one\\ntwo\"\n[[session]]\nid = \"other\"\ncomputer = \"h\"\n";

fn form(id: Option<&str>) -> Form {
    let file = Arc::new(SessionsFile::parse("sessions.toml", TEXT));
    Form::new(file, id.map(|id| ProfileId::new(id).unwrap())).unwrap()
}

fn text<'f>(form: &'f Form, name: &str) -> &'f str {
    form.text(name)
}

#[test]
fn every_key_has_a_field_and_nothing_is_changed_by_looking() {
    let form = form(Some("web01"));
    assert_eq!(form.fields().len(), KEYS.len());
    assert!(!form.is_changed() && form.changes().is_empty() && form.mistakes() == 0);
    assert_eq!((text(&form, "tags"), text(&form, "notes"), text(&form, "port")), ("a, b", "one↵two", ""));
    assert_eq!(form.effective("port").unwrap().value, "5989");
    let headings = form.rows().into_iter().filter(|row| matches!(row, FormRow::Heading(_))).count();
    assert_eq!(headings, 10);
}

#[test]
fn a_new_session_has_an_id_of_its_name_and_is_missing_something_only_when_wanted() {
    let mut form = form(None);
    assert_eq!(form.mistakes(), 0);
    assert_eq!(form.profile(), None);
    assert_eq!((form.mistakes(), form.field().unwrap().key.name), (2, "id"));
    form.put("name", "Web01");
    assert_eq!(form.wanted_id(), "web01-2");
    assert_eq!(form.effective("id").unwrap().value, "web01-2");
    form.put("computer", "h");
    let profile = form.profile().unwrap();
    assert_eq!((profile.id.as_str(), profile.name.as_str()), ("web01-2", "Web01"));
    assert_eq!(form.changes().len(), 2, "what is not typed is not said");
}

#[test]
fn what_is_typed_is_checked_at_once_and_where_it_stands() {
    let mut form = form(Some("web01"));
    form.put("port", "70000");
    assert!(form.mistake("port").unwrap().cause.contains("1 to 65535"));
    assert_eq!(form.field().unwrap().key.name, "port");
    form.go(Motion::First);
    assert_eq!(form.profile(), None);
    assert_eq!(form.field().unwrap().key.name, "port", "the cursor goes to the mistake");
    form.put("port", "5988");
    assert!(form.mistake("port").is_none() && form.is_changed());
    assert_eq!(form.profile().unwrap().target.port, 5988);
}

#[test]
fn what_is_inherited_is_told_with_where_it_is_from() {
    let mut form = form(None);
    form.put("inherits", "web01");
    let computer = form.effective("computer").unwrap();
    assert_eq!((computer.value.as_str(), origin_text(&computer.origin).as_str()), ("web01.example", "from web01"));
    assert_eq!(computer.origin, Origin::Inherited(Parent::Profile(ProfileId::new("web01").unwrap())));
    assert!(form.effective("notes").is_none(), "nobody inherits notes");
}

#[test]
fn choices_are_cycled_picked_and_taken_back() {
    let mut form = form(None);
    form.put("pull", "");
    for expected in ["auto", "on", "off", ""] {
        form.cycle(true);
        assert_eq!(text(&form, "pull"), expected);
    }
    form.cycle(false);
    assert_eq!(text(&form, "pull"), "off");
    form.put("computer", "h");
    assert!(!form.pick(), "a computer is typed");
    form.put("inherits", "");
    assert!(form.pick());
    let choices = &form.picker.as_ref().unwrap().choices;
    assert_eq!(choices.len(), 1 + preset::all().len() + 2);
    let greyed = |name: &str| choices.iter().find(|choice| choice.label == name).unwrap().greyed.clone();
    assert_eq!(greyed("pegasus"), None);
    let unbuilt = preset::all().iter().find(|preset| preset.missing().next().is_some()).unwrap();
    assert!(greyed(&unbuilt.name).unwrap().contains(unbuilt.missing().next().unwrap()));
}

#[test]
fn what_is_not_built_is_not_taken() {
    let mut picker = Picker::new("", presets(), "");
    picker.list.at = picker.choices.iter().position(|choice| choice.greyed.is_some()).unwrap();
    assert_eq!(picker.take(), None);
    assert!(picker.refused.as_ref().unwrap().starts_with("needs "));
    picker.list.at = 0;
    assert_eq!(picker.take().as_deref(), Some(picker.choices[0].text.as_str()));
}

#[test]
fn a_password_in_the_wrong_place_is_not_shown() {
    let mut form = form(None);
    let hidden = |form: &mut Form, name: &str, text: &str| {
        form.put(name, text);
        form.field().unwrap().is_hidden()
    };
    for open in ["", "pro", "prompt", "env:VAR", "keyring", "{ command = [\"pass\"] }"] {
        assert!(!hidden(&mut form, "auth.secret", open), "{open}");
    }
    for closed in ["hunter2", "prompt!", "envy"] {
        assert!(hidden(&mut form, "auth.secret", closed), "{closed}");
    }
    assert!(hidden(&mut form, "proxy", "http://ann:pw@px") && !hidden(&mut form, "proxy", "http://px:3128"));
    assert!(!format!("{:?}", form.trial.mistakes).contains("pw"));
}

#[test]
fn a_paste_is_one_edit_and_keeps_the_lines_of_notes() {
    let mut form = form(None);
    form.put("notes", "");
    form.paste("one\r\ntwo\n");
    assert_eq!(text(&form, "notes"), "one↵two");
    form.put("computer", "");
    form.paste("a.example\n");
    assert_eq!(text(&form, "computer"), "a.example");
    assert_eq!(form.profile().unwrap().notes, "one\ntwo");
    form.put("pull", "");
    form.paste("on");
    assert_eq!(text(&form, "pull"), "", "a choice is not typed");
}

#[test]
fn what_only_ws_man_knows_is_shown_where_it_may_be_spoken_or_is_said() {
    let mut form = form(None);
    let shown = |form: &Form| form.rows().contains(&FormRow::Heading(Section::WsMan));
    assert!(!shown(&form));
    for (protocol, is_shown) in [("wsman", true), ("cimxml", false), ("auto", true), ("", false)] {
        form.put("protocol", protocol);
        assert_eq!(shown(&form), is_shown, "{protocol}");
        form.go(Motion::First);
        let steps = form.fields().len();
        let mut seen = Vec::new();
        for _ in 0..steps {
            seen.push(Section::of(form.field().unwrap().key));
            form.go(Motion::Down);
        }
        assert_eq!(seen.contains(&Section::WsMan), is_shown, "{protocol}");
    }
    form.put("wsman.max_envelope_size", "8191");
    assert!(shown(&form) && form.mistake("wsman.max_envelope_size").unwrap().cause.contains("8192"));
    form.put("wsman.max_envelope_size", "8192");
    form.put("wsman.vendor_namespaces", "{ LAB_ = \"http://lab.example/2\" }");
    form.put("computer", "h");
    let profile = form.profile();
    assert_eq!(form.trial.mistakes, []);
    let target = profile.unwrap().target;
    assert_eq!((target.wsman.max_envelope_size, target.wsman.vendor_namespaces.len()), (Some(8192), 1));
}

#[test]
fn sections_are_pages() {
    let mut form = form(None);
    let mut seen = vec![Section::of(form.field().unwrap().key)];
    for _ in 0..9 {
        form.go(Motion::PageDown);
        seen.push(Section::of(form.field().unwrap().key));
    }
    seen.dedup();
    assert_eq!(seen.len(), 10);
    form.go(Motion::Last);
    form.go(Motion::PageUp);
    assert_eq!(form.field().unwrap().key.name, "limits.xml_depth", "first to the beginning of its own");
    form.go(Motion::PageUp);
    assert_eq!(form.field().unwrap().key.name, "timeouts.connect");
    form.go(Motion::First);
    form.go(Motion::Up);
    assert_eq!(Section::of(form.field().unwrap().key), Section::Limits);
}
