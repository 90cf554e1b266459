//! What other tools' files become, what is listed, and what no file may do.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod hostile;
mod inventories;
mod powershell;
mod pywbemcli;

use std::{fmt::Write as _, path::Path};

use secrecy::ExposeSecret;

use super::*;
use crate::session::{
    ProfileId, PullUse, RequestEncoding, SecretCommand, TimeoutChanges, Tls, UriStyle, VendorNamespace, WsManOptions,
    url::TargetUrl,
};

const PASSWORD: &str = "Sw0rdf1sh-9c1";

fn read(text: &str) -> Import {
    import(text, None, Path::new("/from")).unwrap()
}

/// Sessions and list as text. The password is where it belongs and nowhere else.
fn told(import: &Import) -> String {
    let mut out = String::new();
    for Found { name, target, tags, inherits, password, .. } in &import.sessions {
        write!(out, "{name}: {} {}", TargetUrl::of(target).unwrap(), target.namespace).unwrap();
        let tls = target.tls.clone().unwrap_or_default();
        let files = [("ca", &tls.ca_file), ("certificate", &tls.client_cert), ("key", &tls.client_key)];
        for (what, file) in files.into_iter().filter_map(|(what, file)| Some((what, file.as_ref()?))) {
            write!(out, " {what} {}", file.display()).unwrap();
        }
        for (what, _) in [(" no chain", tls.skip_chain), (" no name", tls.skip_name)].iter().filter(|(_, on)| *on) {
            out.push_str(what);
        }
        let TimeoutChanges { first_byte, idle, total, .. } = target.timeouts;
        for (what, time) in [("first byte", first_byte), ("idle", idle), ("total", total.flatten())] {
            write!(out, "{}", time.map_or_else(String::new, |time| format!(" {what} {time:?}"))).unwrap();
        }
        if target.wsman != WsManOptions::default() {
            let WsManOptions { max_envelope_size, encoding, .. } = target.wsman;
            write!(out, " {max_envelope_size:?} bytes in {}", encoding.name()).unwrap();
        }
        if target.pull != PullUse::Auto {
            write!(out, " pull {}", target.pull.name()).unwrap();
        }
        let words = [("culture", target.culture.clone()), ("inherits", inherits.as_ref().map(Parent::to_text))];
        for (what, word) in words.into_iter().filter_map(|(what, word)| Some((what, word?))) {
            write!(out, " {what} {word}").unwrap();
        }
        tags.iter().for_each(|tag| write!(out, " #{tag}").unwrap());
        if let Proxy::Http(proxy) = &target.proxy {
            write!(out, " proxy {}", proxy.url()).unwrap();
        }
        if let Some(password) = password {
            assert_eq!(password.expose_secret(), PASSWORD);
            write!(out, " (password)").unwrap();
        }
        out.push('\n');
    }
    for line in &import.left_out {
        writeln!(out, "- {line}").unwrap();
    }
    assert!(!out.contains(PASSWORD) && !format!("{import:?}").contains(PASSWORD), "{out}");
    out
}

fn profile(id: &str, name: &str, url: &str) -> Profile {
    let target = TargetUrl::parse(url).unwrap().into_target(crate::cim::Namespace::new("root/cimv2"));
    Profile::new(ProfileId::new(id).unwrap(), name.to_owned(), target)
}

/// What comes back of `profiles` through `format`, ids given by an empty sessions.toml.
fn there_and_back(profiles: &[Profile], format: Format) -> Vec<Profile> {
    let text = export(&profiles.iter().collect::<Vec<_>>(), format).unwrap().text;
    assert_eq!(Format::of(&text), Some(format), "{text}");
    let import = import(&text, None, Path::new("/from")).unwrap();
    import.place(&SessionsFile::parse("sessions.toml", "")).into_iter().map(|placed| placed.profile).collect()
}

#[test]
fn ids_are_free_ones_and_the_taken_ones_are_told() {
    let file = SessionsFile::parse("sessions.toml", "[[session]]\nid = \"web01\"\ncomputer = \"h\"\n");
    let placed = read("web01\nweb01\nthis-computer\n").place(&file);
    let ids: Vec<_> = placed.iter().map(|one| (one.profile.id.as_str(), one.taken.as_deref())).collect();
    // No session of a file has the reserved id, so nobody took it.
    assert_eq!(ids, [("web01-2", Some("web01")), ("web01-3", Some("web01")), ("this-computer-2", None)]);
}

#[test]
fn formats_are_known_by_their_content() {
    let cases = [
        ("connection_definitions:\n  a:\n    name: a\n", Some(Format::Pywbemcli)),
        ("\u{feff}# x\n$s = New-CimSession web01\n", Some(Format::PowerShell)),
        ("ncms web01", Some(Format::PowerShell)),
        ("export PYWBEMCLI_SERVER=https://h\n", Some(Format::PywbemcliVariables)),
        ("version = 1\n[[session]]\nid = \"a\"\n", Some(Format::Sessions)),
        ("{\"computers\":[{\"host\":\"h\"}]}", Some(Format::MeshCommander)),
        ("{\"magic\":\"3209ruwpcoinaT4r9w347t0e4ug\"}", Some(Format::MeshCommander)),
        ("\"name\",\"host\",\"pass\"\n", Some(Format::MeshCommander)),
        ("[web]\nh1\n", Some(Format::Ansible)),
        ("all:\n  hosts:\n    h1:\n", Some(Format::Ansible)),
        ("h1 ansible_connection=winrm\n", Some(Format::Ansible)),
        ("web01\n10.0.0.1,ann\n[fe80::1]:5989,ann,esxi\n", Some(Format::Hosts)),
        ("host,user,preset\nweb01,ann,esxi\n", Some(Format::Hosts)),
        ("", None),
        ("Dear all,\nplease find the list attached.\n", None),
    ];
    for (text, format) in cases {
        assert_eq!(Format::of(text), format, "{text}");
    }
    let error = import("?", None, Path::new("")).unwrap_err();
    assert!(error.hint.contains("--format sessions|pywbemcli|pywbemcli-env|powershell"), "{error:?}");
    for format in Format::ALL {
        assert_eq!(Format::from_name(format.name()), Some(format));
    }
}

#[test]
fn a_sessions_file_of_another_machine_is_read_and_its_mistakes_are_listed() {
    let text = "[[session]]\nid = \"a\"\ncomputer = \"h\"\n[[session]]\nid = \"b\"\npassword = \"Sw0rdf1sh-9c1\"\n";
    let import = read(text);
    assert_eq!(import.sessions.len(), 1);
    assert!(told(&import).contains("line 6: session: passwords are not kept in this file"), "{}", told(&import));
    let error = super::import("[[session]]\nid = 1\n", None, Path::new("")).unwrap_err();
    assert_eq!(error.place, Some((1, 1)), "{error:?}");
}

#[test]
fn commands_that_come_with_an_import_are_inactive_and_parents_are_written_out() {
    let text = "[[session]]\nid = \"base\"\ncomputer = \"h\"\nport = 1\nauth = { user = \"ann\", secret = { command = [\"rm\", \"x\"] } }\n\
                proxy = { url = \"http://p\", user = \"u\", secret = { command = [\"rm\", \"y\"] } }\n\
                [[session]]\nid = \"b\"\ncomputer = \"h\"\ninherits = \"base\"\n\
                [[session]]\nid = \"c\"\ncomputer = \"h\"\ninherits = \"preset:esxi\"\n";
    let import = read(text);
    let is_inactive =
        |secret: &SecretSource| matches!(secret, SecretSource::Command(SecretCommand { confirmed: false, .. }));
    for Found { target, inherits, .. } in &import.sessions[..2] {
        let Proxy::Http(proxy) = &target.proxy else { panic!("{target:?}") };
        assert!(is_inactive(&target.secret) && is_inactive(&proxy.secret), "{target:?}");
        assert_eq!((target.port, inherits), (1, &None));
    }
    assert_eq!(import.sessions[2].inherits, Some(Parent::Preset("esxi".to_owned())));
    let list = told(&import);
    assert!(list.contains("- base: secret = rm x: its command is inactive until you confirm it"), "{list}");
    assert!(list.contains("- b: inherits = base: what it takes over is written"), "{list}");
}

#[test]
fn what_several_sessions_share_is_said_once() {
    let list = ["a", "b", "c", "d", "d"].map(|session| LeftOut::new(session, "verify", Some("false"), "why"));
    let other = LeftOut::new("a", "verify", None, "why");
    let lines = summed_up(&[&list[..], &[other]].concat());
    assert_eq!(lines, ["a, b, c and 1 more: verify = false: why", "a: verify: why"]);
}

#[test]
fn lists_are_bounded_and_fit_for_a_terminal() {
    let line = LeftOut::new("a\u{1b}[2J", "f\n", Some(&"x\u{202e}".repeat(500)), "why").to_string();
    assert!(line.starts_with("a\\u{1b}[2J: f\\n = x\\u{202e}") && line.ends_with("…: why"), "{line}");
    assert!(line.len() < 1_500, "{}", line.len());
}

#[test]
fn plain_lists_take_hosts_urls_users_and_presets() {
    let text = format!(
        "# ours\nhost,user,preset\nweb01,ann\nesx7,root,esxi\nsmispy+ssl://u:{PASSWORD}@arr:5989?namespace=root%2Fx&no_ssl_verify=yes\n\
         https://root:{PASSWORD}@amt:16993/wsman\nidrac,,idrac\namt2,,amt\nx,,toaster\nhttp://y,,pegasus\nfe80::1\n[fe80::2]:5988,,,x\ncimxml+http://h/p\nbad host\n,ann\nftp://{PASSWORD}\n"
    );
    let import = import(&text, Some(Format::Hosts), Path::new("/from")).unwrap();
    insta::assert_snapshot!("plain_list", told(&import));
}
