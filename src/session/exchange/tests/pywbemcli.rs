//! The connections file and the variables of pywbemcli.

use proptest::prelude::*;

use super::*;

const FILE: &str = "
connection_definitions:
    emc1:
        name: emc1
        server: https://array1.example
        user: admin
        password: Sw0rdf1sh-9c1
        default-namespace: root/emc
        timeout: 45
        use-pull: true
        pull-max-cnt: 500
        verify: false
        certfile: c.pem
        keyfile: null
        ca-certs: certs
        mock-server: []
    plain:
        server: myhost
        default_namespace: root/x
        ca_certs: certifi
        timeout: 30
        verify: yes
        use_pull: null
        extra: Sw0rdf1sh-9c1
    1234:
        name: another
        server: http://u:Sw0rdf1sh-9c1@10.0.0.1:15988/x
        timeout: 999
        verify: maybe
    mock:
        name: mock
        server: null
        mock-server: [a.mof, b.py]
    none:
        name: none
    odd: [1, 2]
    ftp:
        server: ftp://h
default_connection_name: emc1
more: x
";

#[test]
fn connections_come_over_and_the_rest_is_listed() {
    insta::assert_snapshot!("pywbemcli", told(&read(FILE)));
}

#[test]
fn a_file_with_nothing_in_it_and_files_that_are_none() {
    assert!(read("connection_definitions:\ndefault_connection_name: null\n").sessions.is_empty());
    for text in ["a: 1", "connection_definitions: 1", "- a", "\"", "a: [", "a: b: c"] {
        let error = import(text, Some(Format::Pywbemcli), Path::new("")).unwrap_err();
        assert!(!error.cause.is_empty() && !error.hint.is_empty(), "{text}");
    }
    let twice = "connection_definitions:\n  a:\n    server: h\n    server: i\n";
    assert_eq!(import(twice, None, Path::new("")).unwrap_err().place, Some((4, 5)));
}

#[test]
fn a_file_has_exactly_the_keys_pywbemcli_takes() {
    let mut esx = profile("esx7", "The hypervisor", "cimxml+https://CORP%5Cann@esx7.example/other");
    esx.target.tls = Some(Tls {
        ca_file: Some("/etc/ca \"x\".pem".into()),
        client_cert: Some("/c.pem".into()),
        skip_name: true,
        server_name: Some("other".to_owned()),
        ..Tls::default()
    });
    esx.target.secret = SecretSource::Env("PW".to_owned());
    esx.target.allow_clear_text = true;
    esx.target.read_only = true;
    esx.target.timeouts.first_byte = Some(std::time::Duration::from_secs(400));
    esx.tags = vec!["lab".to_owned(), "esx".to_owned()];
    esx.inherits = Some(Parent::Preset("esxi".to_owned()));
    let web = profile("yes", "yes", "wsman+http://web01");
    let export = export(&[&esx, &web], Format::Pywbemcli).unwrap();
    let list = export.left_out.iter().map(|line| format!("- {line}\n")).collect::<String>();
    insta::assert_snapshot!("pywbemcli_export", format!("{}{list}", export.text));
    assert_eq!(
        super::export(&[&web], Format::Pywbemcli).unwrap().text,
        "connection_definitions: {}\ndefault_connection_name: null\n"
    );
}

#[test]
fn variables_come_over_quoted_or_not() {
    let text = format!(
        "export PYWBEMCLI_SERVER=https://h.example:5989\nexport PYWBEMCLI_PASSWORD={PASSWORD}\nexport PYWBEMCLI_USER='it'\\''s'\n\
         PYWBEMCLI_DEFAULT_NAMESPACE=\"root/x\"\nexport PYWBEMCLI_USE_PULL=True\nexport PYWBEMCLI_VERIFY=False\n\
         export PYWBEMCLI_TIMEOUT=20\nexport PYWBEMCLI_CONNECTIONS_FILE=/x\nexport PYWBEMCLI_LOG=all\nOTHER=1\n"
    );
    insta::assert_snapshot!("pywbemcli_env", told(&read(&text)));
}

#[test]
fn variables_that_name_no_server_are_an_error() {
    for (name, words) in [("NAME", "import that file"), ("MOCK_SERVER", "to a machine"), ("USER", "set it to")] {
        let variables = BTreeMap::from([(format!("{PREFIX}{name}"), "x".to_owned())]);
        let error = import_variables(&variables, Path::new("")).unwrap_err();
        assert!(error.hint.contains(words), "{error:?}");
    }
    let error = import("export PYWBEMCLI_SERVER=h\nhello\n", None, Path::new("")).unwrap_err();
    assert_eq!(error.place, Some((2, 1)));
}

const PREFIX: &str = super::variables::PREFIX;

#[test]
fn variables_hold_one_session_and_a_shell_takes_them_as_they_are() {
    let one = profile("a", "a", "cimxml+https://it%27s%20%24%28id%29@h");
    let text = export(&[&one], Format::PywbemcliVariables).unwrap().text;
    assert!(text.contains(r"export PYWBEMCLI_USER='it'\''s $(id)'"), "{text}");
    let error = export(&[&one, &one], Format::PywbemcliVariables).unwrap_err();
    assert!(error.cause.contains("not 2"), "{error:?}");
    let wsman = profile("a", "a", "wsman+https://h");
    assert!(export(&[&wsman], Format::PywbemcliVariables).unwrap_err().cause.contains("CIM-XML alone"));
}

prop_compose! {
    fn profiles()(
        id in "[a-z0-9][a-z0-9._]{0,20}", tls: bool, user in proptest::option::of("[^\\p{C}]{1,20}"),
        host in "[a-z0-9][a-z0-9.-]{0,20}|fe80::[1-9a-f]{1,4}", port in 1u16.., namespace in "[a-zA-Z][a-z0-9/]{0,10}[a-z]",
        [ca_file, client_cert, client_key] in [(); 3].map(|()| proptest::option::of("/[^\\p{C}/][^\\p{C}]{0,20}")),
        unchecked: bool, seconds in proptest::option::of(31u64..=300), pull in 0usize..3,
    ) -> Profile {
        let mut profile = profile(&id, &id, "cimxml+https://h");
        profile.target.computer = Some(host);
        profile.target.port = port;
        profile.target.user = user;
        profile.target.namespace = crate::cim::Namespace::new(&namespace);
        profile.target.pull = PullUse::NAMES[pull].0;
        // pywbemcli's own, 30, counts as none.
        let time = seconds.map(std::time::Duration::from_secs);
        profile.target.timeouts = TimeoutChanges { first_byte: time, idle: time, ..TimeoutChanges::default() };
        profile.target.tls = tls.then(|| Tls {
            ca_file: ca_file.map(Into::into),
            client_key: client_key.filter(|_| client_cert.is_some()).map(Into::into),
            client_cert: client_cert.map(Into::into),
            skip_chain: unchecked,
            skip_name: unchecked,
            ..Tls::default()
        });
        profile
    }
}

proptest! {
    #[test]
    fn export_and_import_give_the_same_profiles(profile in profiles()) {
        let all = [profile];
        prop_assert_eq!(&there_and_back(&all, Format::Pywbemcli)[..], &all[..]);
        let mut back = there_and_back(&all, Format::PywbemcliVariables);
        // Variables have no name.
        back[0].id = all[0].id.clone();
        back[0].name = all[0].name.clone();
        prop_assert_eq!(&back[..], &all[..]);
    }
}
