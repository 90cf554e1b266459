//! What sessions take over from one another and from presets, and every key there is.

use std::time::Duration;

use super::{parse, problems};
use crate::session::{
    Colour, HttpProxy, Parent, Profile, ProfileId, Proxy, PullUse, RequestEncoding, SecretCommand, SecretSource,
    UriStyle, VendorNamespace, WsManOptions,
    store::{KEYS, Origin, SessionsFile, template},
    url::Scheme,
};

const BASE: &str = r#"
[[session]]
id = "base"
computer = "base.example"
port = 15989
namespace = "root/interop"
auth = { user = "ann", secret = "env:PW" }
timeouts = { connect = 2, total = 30 }
tags = ["lab"]
notes = "mine alone"
"#;

fn entry<'f>(file: &'f SessionsFile, id: &str) -> &'f Profile {
    file.get(&ProfileId::new(id).unwrap()).unwrap_or_else(|| panic!("no {id}: {:?}", file.problems))
}

fn origin(file: &SessionsFile, id: &str, key: &str) -> Origin {
    file.origin(&ProfileId::new(id).unwrap(), key)
}

#[test]
fn every_key_reads() {
    let file = parse(
        r##"
[[session]]
id = "a"
name = "A"
computer = "h"
protocol = "wsman"
proxy = { url = "http://px:3128", user = "bob", secret = "env:PX", allow_clear_text = true }
culture = "de-DE, en;q=0.5"
pull = "off"
wsman = { max_envelope_size = 8_192, operation_timeout = 1.5, encoding = "utf-16", uri_style = "dmtf", vendor_namespaces = { LAB_ = "http://lab.example/2", x = "urn:x" } }
read_only = true
auth = { user = 'CORP\ann', secret = { command = ["pass", "show", "a b"], timeout = 2.5 } }
timeouts = { connect = 0.5, first_byte = 2, idle = 3, total = 0 }
limits = { xml_depth = 9, in_flight_per_session = 1, name_bytes = 1_000 }
tags = ["web", "lab"]
notes = """two
lines"""
colour = "lightcyan"
"##,
    );
    assert_eq!(file.problems, []);
    let Profile { target, tags, notes, colour, inherits, .. } = &file.entries[0];
    let proxy = HttpProxy {
        user: Some("bob".to_owned()),
        secret: SecretSource::Env("PX".to_owned()),
        allow_clear_text: true,
        ..HttpProxy::at("http://px:3128").unwrap()
    };
    assert_eq!(target.proxy, Proxy::Http(proxy));
    assert_eq!(
        (target.culture.as_deref(), target.pull, target.read_only),
        (Some("de-DE, en;q=0.5"), PullUse::Never, true)
    );
    let words = ["pass", "show", "a b"].map(str::to_owned).to_vec();
    let command = SecretCommand { words, shell: false, timeout: Duration::from_millis(2500), confirmed: true };
    assert_eq!((target.user.as_deref(), &target.secret), (Some("CORP\\ann"), &SecretSource::Command(command)));
    let timeouts = target.timeouts;
    assert_eq!((timeouts.connect, timeouts.total), (Some(Duration::from_millis(500)), Some(None)));
    assert_eq!((target.limits.xml_depth, target.limits.value_bytes), (Some(9), None));
    assert_eq!((target.limits.name_bytes, target.limits.in_flight_per_session), (Some(1000), Some(1)));
    assert_eq!((tags.join(" "), notes.as_str(), inherits), ("web lab".to_owned(), "two\nlines", &None));
    assert_eq!(*colour, Colour::named("lightcyan"));
    let vendor = |prefix, uri| VendorNamespace::new(prefix, uri).unwrap();
    let wsman = WsManOptions {
        max_envelope_size: Some(8_192),
        operation_timeout: Some(Duration::from_millis(1_500)),
        encoding: RequestEncoding::Utf16,
        uri_style: UriStyle::Dmtf,
        vendor_namespaces: vec![vendor("LAB_", "http://lab.example/2"), vendor("x", "urn:x")],
    };
    assert_eq!(target.wsman, wsman);
    assert_eq!((target.port, target.path.as_str()), (5986, "/wsman"));
}

#[test]
fn every_wrong_value_is_told_with_its_place() {
    let cases = [
        ("proxy = \"socks5://px\"", "3:9: `proxy` is no proxy lazycim can use"),
        ("proxy = { user = \"x\" }", "3:9: `proxy` names no `url` lazycim can use"),
        ("proxy = { url = \"http://px\", prot = 1 }", "3:30: unknown key `prot` in proxy"),
        ("culture = \"de\\u00e4\"", "3:11: `culture` is no list of languages"),
        ("pull = \"maybe\"", "3:8: unknown pull \"maybe\""),
        ("read_only = \"yes\"", "3:13: `read_only` must be true or false"),
        ("timeouts = { connect = 0 }", "3:24: `connect` must be a number of seconds greater than 0"),
        ("timeouts = { total = -1 }", "3:22: `total` must be a number of seconds, 0 for without end"),
        ("timeouts = { idle = 1e300 }", "3:21: `idle` must be a number of seconds greater than 0"),
        ("timeouts = { soon = 1 }", "3:14: unknown key `soon` in timeouts"),
        ("limits = { xml_depth = 0 }", "3:24: `xml_depth` must be a whole number of at least 1"),
        ("limits = { in_flight = 3 }", "3:12: unknown key `in_flight` in limits"),
        (
            "wsman = { max_envelope_size = 8191 }",
            "3:31: `max_envelope_size` must be a whole number from 8192 to 4294967295",
        ),
        ("wsman = { operation_timeout = 0 }", "3:31: `operation_timeout` must be a number of seconds greater than 0"),
        ("wsman = { encoding = \"latin1\" }", "3:22: unknown encoding \"latin1\""),
        ("wsman = { uri_style = \"cim\" }", "3:23: unknown uri_style \"cim\""),
        ("wsman = { vendor_namespaces = 1 }", "3:31: `vendor_namespaces` must be a table"),
        (
            "wsman = { vendor_namespaces = { LAB_ = \"lab\" } }",
            "3:31: `vendor_namespaces` has no beginning of classes with a URI in `LAB_`",
        ),
        ("wsman = { encodnig = \"utf-8\" }", "3:11: unknown key `encodnig` in wsman"),
        ("limits = 3", "3:10: `limits` must be a table"),
        ("auto = []", "3:8: `auto` must be a list of protocols, each once"),
        ("auto = [\"wsman\", \"wsman\"]", "3:8: `auto` must be a list of protocols, each once"),
        ("auto = [\"auto\"]", "3:8: `auto` must be a list of protocols, each once"),
        ("port = 65536", "3:8: `port` must be a number from 1 to 65535"),
        ("tags = \"web\"", "3:8: `tags` must be a list of texts"),
        ("notes = \"a\\u001b[31mb\"", "3:9: `notes` is empty or has a control character"),
        ("colour = \"pink\"", "3:10: unknown colour \"pink\""),
        ("inherits = \"preset:tosater\"", "3:12: there is no `preset:tosater` to inherit from"),
        ("inherits = \"nobody\"", "3:12: there is no `nobody` to inherit from"),
        (
            "auth = { user = \"u\", secret = { command = [] } }",
            "3:31: `secret` says where the secret comes from; it is not the secret itself",
        ),
        (
            "auth = { user = \"u\", secret = { command = [\"a\", \"b\"], shell = true } }",
            "3:31: `secret` says where the secret comes from; it is not the secret itself",
        ),
    ];
    for (line, message) in cases {
        let text = format!("[[session]]\nid = \"a\"\n{line}\ncomputer = \"h\"\n");
        assert_eq!(problems(&text), [format!("sessions.toml:{message}")], "{line}");
    }
}

#[test]
fn a_protocol_to_be_found_out_has_the_port_and_path_of_the_first_tried() {
    let text = "[[session]]\nid = \"a\"\ncomputer = \"h\"\nprotocol = \"auto\"\n";
    let usual = parse(text);
    let target = &entry(&usual, "a").target;
    assert_eq!((target.auto.as_slice(), target.port, target.path.as_str()), (&Scheme::ALL[..], 5986, "/wsman"));
    let told = parse(&format!("{text}auto = [\"cimxml\", \"wsman\"]\ntls = {{ use = false }}\n"));
    let target = &entry(&told, "a").target;
    assert_eq!(target.auto, [Scheme::CimXml, Scheme::WsMan]);
    let places = target.attempts().iter().map(|one| (one.protocol.clone(), one.port)).collect::<Vec<_>>();
    assert_eq!(places, [("cimxml".to_owned(), 5988), ("wsman".to_owned(), 5985)]);
    // Of a protocol that is named nothing is tried.
    let named = parse(&format!("{}auto = [\"wsman\"]\n", text.replace("auto", "cimxml")));
    assert!(entry(&named, "a").target.auto.is_empty());
}

#[test]
fn a_child_says_only_what_differs() {
    let text =
        format!("{BASE}[[session]]\nid = \"kid\"\ninherits = \"base\"\ntimeouts = {{ connect = 9 }}\nport = 1\n");
    let file = parse(&text);
    assert_eq!(file.problems, []);
    let (base, kid) = (entry(&file, "base"), entry(&file, "kid"));
    assert_eq!((kid.name.as_str(), kid.notes.as_str(), kid.target.port), ("kid", "", 1));
    assert_eq!((&kid.target.computer, &kid.target.user), (&base.target.computer, &base.target.user));
    assert_eq!((&kid.target.secret, &kid.target.namespace), (&base.target.secret, &base.target.namespace));
    assert_eq!((kid.target.timeouts.total, &kid.tags), (base.target.timeouts.total, &base.tags));
    assert_eq!(kid.target.timeouts.connect, Some(Duration::from_secs(9)));
    let base = Origin::Inherited(Parent::Profile(ProfileId::new("base").unwrap()));
    for (key, from) in [
        ("port", Origin::Own),
        ("timeouts.connect", Origin::Own),
        ("timeouts.total", base.clone()),
        ("auth.user", base.clone()),
        ("tags", base),
        ("notes", Origin::Default),
        ("timeouts.idle", Origin::Default),
    ] {
        assert_eq!(origin(&file, "kid", key), from, "{key}");
    }
}

#[test]
fn a_secret_stays_with_its_user() {
    let kid = |auth: &str| {
        let file = parse(&format!("{BASE}[[session]]\nid = \"kid\"\ninherits = \"base\"\n{auth}\n"));
        let target = &entry(&file, "kid").target;
        (target.user.clone(), target.secret.clone())
    };
    let (ann, pw) = (Some("ann".to_owned()), SecretSource::Env("PW".to_owned()));
    assert_eq!(kid(""), (ann.clone(), pw));
    assert_eq!(kid("auth = { user = \"bob\" }"), (Some("bob".to_owned()), SecretSource::Prompt));
    assert_eq!(kid("auth = { secret = \"keyring\" }"), (ann, SecretSource::Keyring));
    assert_eq!(kid("auth = { mechanism = \"none\" }").0, None);
}

#[test]
fn presets_lie_below() {
    let text = "[[session]]\nid = \"a\"\ncomputer = \"h\"\ninherits = \"preset:winrm-http\"\n\
                [[session]]\nid = \"b\"\ncomputer = \"h\"\ninherits = \"a\"\npath = \"/x\"\n";
    let file = parse(text);
    assert_eq!(file.problems, []);
    let b = &entry(&file, "b").target;
    assert_eq!((b.protocol.as_str(), b.port, &b.tls, b.path.as_str()), ("wsman", 5985, &None, "/x"));
    let preset = Origin::Inherited(Parent::Preset("winrm-http".to_owned()));
    assert_eq!(origin(&file, "b", "port"), preset);
    // A preset that knows the mechanism needs a user only from those who speak of authentication.
    let pegasus = "[[session]]\nid = \"a\"\ncomputer = \"h\"\ninherits = \"preset:pegasus\"\n";
    assert_eq!(problems(pegasus), [""; 0]);
    let said = format!("{pegasus}auth = {{ secret = \"keyring\" }}\n");
    assert_eq!(problems(&said), ["sessions.toml:5:8: `auth` names no user"]);
}

#[test]
fn loops_and_long_chains_are_told() {
    let session =
        |id: &str, parent: &str| format!("[[session]]\nid = \"{id}\"\ncomputer = \"h\"\ninherits = \"{parent}\"\n");
    let own = session("a", "a");
    assert_eq!(problems(&own), ["sessions.toml:4:12: it inherits from itself in the end"]);
    let round = [session("a", "b"), session("b", "c"), session("c", "a"), session("d", "a")].concat();
    let expected = [4, 8, 12, 16].map(|line| format!("sessions.toml:{line}:12: it inherits from itself in the end"));
    assert_eq!(problems(&round), expected);
    assert!(parse(&round).entries.is_empty());
    let chain = (0..10).map(|n| session(&format!("s{n}"), &format!("s{}", n + 1))).collect::<String>();
    let text = format!("{chain}[[session]]\nid = \"s10\"\ncomputer = \"h\"\n");
    let file = parse(&text);
    assert!(file.problems[0].cause.contains("more than 8 sessions inherit"), "{:?}", file.problems);
    assert_eq!(file.entries.len(), 9);
}

#[test]
fn what_is_wrong_with_a_parent_is_told_once() {
    let text = "[[session]]\nid = \"a\"\ncomputer = \"h\"\nport = 0\n\
                [[session]]\nid = \"b\"\ninherits = \"a\"\n[[session]]\nid = \"c\"\ninherits = \"a\"\nport = 1\n";
    assert_eq!(problems(text), ["sessions.toml:4:8: `port` must be a number from 1 to 65535"]);
    assert_eq!(super::ids(&parse(text)), ["c"]);
}

#[test]
fn the_template_reads_as_it_is_and_with_everything_set() {
    let template = template();
    assert_eq!(parse(&template).problems, []);
    let set = template.replace("\n# ", "\n").replacen("lazycim's sessions", "# lazycim's sessions", 1);
    let set = set.lines().skip_while(|line| !line.starts_with("version")).collect::<Vec<_>>().join("\n");
    let file = parse(&set);
    assert_eq!(file.problems, [], "{set}");
    let id = file.entries[0].id.clone();
    for key in KEYS {
        assert_eq!(file.origin(&id, key.name), Origin::Own, "{}", key.name);
    }
}
