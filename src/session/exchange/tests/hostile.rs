//! Files made to hurt: nothing panics, nothing grows without bound, nothing gets into sessions.toml that it would refuse.

use proptest::prelude::*;

use super::*;

#[test]
fn aliases_do_not_multiply() {
    let mut text = String::from("a: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..20 {
        let alias = format!("*a{}", level - 1);
        writeln!(text, "b{level}: &a{level} [{}]", [alias.as_str(); 9].join(", ")).unwrap();
    }
    let error = import(&text, Some(Format::Pywbemcli), Path::new("")).unwrap_err();
    assert!(error.cause.contains("too many values"), "{error:?}");
    let error = import("a: *a\n", Some(Format::Pywbemcli), Path::new("")).unwrap_err();
    assert!(!error.cause.is_empty());
    let error = import("a: &a [*a]\n", Some(Format::Pywbemcli), Path::new("")).unwrap_err();
    assert!(error.cause.contains("not there yet"), "{error:?}");
}

#[test]
fn depth_is_bounded() {
    for text in ["[".repeat(100_000), "a: ".to_owned() + &"{a: ".repeat(50_000), "- ".repeat(100_000)] {
        let error = import(&text, Some(Format::Pywbemcli), Path::new("")).unwrap_err();
        assert!(error.cause.contains("nested too deep") || error.cause.contains("not YAML"), "{error:?}");
    }
    let parentheses = format!("New-CimSession h -Name {}", "(".repeat(100_000));
    assert_eq!(read(&parentheses).sessions.len(), 1);
    let json = format!("{{\"computers\":{}", "[".repeat(100_000));
    assert!(import(&json, Some(Format::MeshCommander), Path::new("")).is_err());
}

#[test]
fn arrays_do_not_multiply() {
    let mut text = String::from("$a = 'x','x','x','x'\n");
    for _ in 0..60 {
        text.push_str("$a = $a,$a,$a,$a\n");
    }
    text.push_str("New-CimSession $a\nNew-CimSession ok\n");
    let import = read(&text);
    assert_eq!(import.sessions.len(), 1, "{:?}", import.left_out);
}

#[test]
fn sizes_and_counts_are_bounded() {
    let error = import(&"x".repeat(MAX_BYTES + 1), Some(Format::Hosts), Path::new("")).unwrap_err();
    assert!(error.cause.contains("longer than 4 MiB"), "{error:?}");
    let many: String = (0..=MAX_SESSIONS).map(|number| format!("h{number}\n")).collect();
    for text in [many.clone(), format!("New-CimSession {}x", many.replace('\n', ","))] {
        let error = import(&text, None, Path::new("")).unwrap_err();
        assert!(error.cause.contains("more than 1000 sessions"), "{error:?}");
    }
    // A list that is too long says so itself.
    let list = import(&"bad host\n".repeat(20_000), Some(Format::Hosts), Path::new("")).unwrap().left_out;
    assert_eq!(list.len(), MAX_LEFT_OUT + 1);
    assert_eq!(list[MAX_LEFT_OUT].reason, "10000 more are not shown");
}

#[test]
fn nothing_sessions_toml_would_refuse_gets_into_it() {
    let text = "connection_definitions:\n  \"a\\nb\":\n    server: h\n    user: \"x\\ty\"\n    default-namespace: \"/\"\n    \
                ca-certs: \"a\\0b\"\n  c:\n    server: h\u{e9}\n  d:\n    server: \"a b\"\n";
    let import = read(text);
    assert_eq!(told(&import).lines().next(), Some("h: cimxml+https://h root/cimv2"));
    assert_eq!(import.sessions.len(), 1, "{}", told(&import));
    assert_eq!(import.left_out.len(), 6, "{}", told(&import));
}

/// Pieces of every format, so that chance gets deep into the readers.
fn pieces() -> impl Strategy<Value = String> {
    let words = [
        "New-CimSession",
        "ncso",
        " -Name ",
        " -P",
        "$a",
        "=",
        "(",
        ")",
        "@(",
        "'",
        "\"",
        "`",
        "\n",
        ",",
        ";",
        "|",
        "#",
        "<#",
        "connection_definitions:",
        "\n  a:",
        "\n    server: ",
        "&a ",
        "*a",
        "<<: ",
        "!vault ",
        "[",
        "]",
        "{",
        "}",
        ": ",
        "- ",
        "[g:vars]\n",
        "[1:3]",
        "ansible_connection=winrm",
        " ansible_host=",
        "all:\n  hosts:\n",
        "export PYWBEMCLI_SERVER=",
        "{\"computers\":[{\"host\":\"h\",\"pass\":\"",
        "\"}]}",
        "name,host,tls\n",
        "https://u:p@h",
        "h",
        "\u{202e}",
        "\u{0}",
        "é",
    ];
    proptest::collection::vec(proptest::sample::select(words.to_vec()), 0..40).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn no_text_makes_a_reader_panic(text in ".{0,200}", mixed in pieces()) {
        for text in [text, mixed] {
            for import in Format::ALL.iter().filter_map(|format| import(&text, Some(*format), Path::new("/from")).ok()) {
                for line in &import.left_out {
                    prop_assert!(!line.to_string().contains(crate::cim::text::is_unsafe_for_terminal), "{line:?}");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_a_reader_gives_can_be_saved_and_comes_back(mixed in pieces()) {
        let dir = tempfile::tempdir().unwrap();
        let mut file = SessionsFile::load(dir.path().join("sessions.toml"));
        for import in Format::ALL.iter().filter_map(|format| import(&mixed, Some(*format), Path::new("/from")).ok()) {
            for Placed { profile, .. } in import.place(&file).into_iter().take(3) {
                file.add(&profile, None).unwrap();
                prop_assert_eq!(&file.problems, &[]);
                prop_assert_eq!(file.entries.last(), Some(&profile));
            }
        }
    }
}
