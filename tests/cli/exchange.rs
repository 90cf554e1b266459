//! `sessions import` and `sessions export`, from outside.

use std::io::Write;

use crate::support::{Home, PASSWORD, ran};

fn connections() -> String {
    format!(
        "connection_definitions:\n  emc1:\n    name: emc1\n    server: https://array1.example\n    user: admin\n    \
         password: {PASSWORD}\n    default-namespace: root/emc\n    timeout: 30\n    pull-max-cnt: 1000\n  old:\n    \
         server: myhost\n    verify: false\n    ca-certs: certs/x.pem\ndefault_connection_name: null\n"
    )
}

fn sessions_of(home: &Home) -> String {
    std::fs::read_to_string(home.path().join("sessions.toml")).unwrap_or_default()
}

#[test]
fn an_import_adds_lists_and_can_be_tried_first() {
    let home = Home::new();
    let ours = "# ours\n[[session]]\nid = \"old\"\ncomputer = \"h\"\n";
    home.write("sessions.toml", ours);
    home.write("theirs.yaml", &connections());
    let theirs = home.path().join("theirs.yaml");
    let arguments = ["sessions", "import", theirs.to_str().unwrap()];
    let listed = "emc1   cimxml+https://admin@array1.example\nold-2  cimxml+https://myhost\n";

    let tried = home.run(&[&arguments[..], &["--dry-run"]].concat()).expect_code(0);
    assert_eq!(tried.stdout, listed);
    assert!(tried.stderr.contains("2 of 2 sessions would be added"), "{tried:?}");
    assert_eq!(sessions_of(&home), ours);

    let done = home.run(&arguments).expect_code(0);
    assert_eq!(done.stdout, listed);
    assert!(done.stderr.contains("not imported: emc1: password: passwords are not kept"), "{done:?}");
    assert!(done.stderr.contains("the id `old` is taken: old is `old-2`"), "{done:?}");
    assert!(done.stderr.contains("certificate is not checked, or not wholly, as the file says: old-2\n"), "{done:?}");
    let now = sessions_of(&home);
    assert!(now.starts_with(ours) && !now.contains(PASSWORD), "{now}");
    let certificate = home.path().join("certs/x.pem");
    assert!(now.contains(certificate.to_str().unwrap()), "{now}");
    // And the sessions are there.
    home.run(&["-s", "emc1", "--password-env", "LC_NO_SUCH", "namespaces"]).expect_failure(2, "LC_NO_SUCH", "");
}

#[test]
fn an_import_reads_stdin_utf_16_presets_and_the_environment() {
    let home = Home::new();
    let mut child = home.command(&["sessions", "import", "-", "--format", "hosts"]);
    let mut child = child.stdin(std::process::Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"web01,ann\n").unwrap();
    let piped = ran(child.wait_with_output().unwrap()).expect_code(0);
    assert_eq!(piped.stdout, "web01  cimxml+https://ann@web01\n");

    let script: Vec<u8> = "\u{feff}New-CimSession web02\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let file = home.path().join("s.ps1");
    std::fs::write(&file, script).unwrap();
    let windows = home.run(&["sessions", "import", file.to_str().unwrap()]).expect_code(0);
    assert_eq!(windows.stdout, "web02  wsman+http://web02\n");
    assert!(windows.stderr.starts_with("1 of 1 sessions added"), "{windows:?}");

    home.write("presets", "web04,ann,esxi\nhttp://web05,,pegasus\n");
    let file = home.path().join("presets");
    home.run(&["sessions", "import", file.to_str().unwrap()]).expect_code(0);
    let saved = sessions_of(&home);
    assert!(saved.contains("inherits = \"preset:esxi\"") && saved.contains("inherits = \"preset:pegasus\""), "{saved}");
    let back = home.run(&["sessions", "export", "--format", "pywbemcli", "web05"]).expect_code(0).stdout;
    assert!(back.contains("http://web05:5988") && back.contains("root/PG_Interop"), "{back}");

    let mut command = home.command(&["sessions", "import", "--format", "pywbemcli-env"]);
    command.env("PYWBEMCLI_SERVER", "http://web03").env("PYWBEMCLI_PASSWORD", PASSWORD);
    let environment = ran(command.output().unwrap()).expect_code(0);
    assert_eq!(environment.stdout, "pywbemcli  cimxml+http://web03\n");
    assert!(!sessions_of(&home).contains(PASSWORD));
}

#[test]
fn what_cannot_be_imported_says_why_and_changes_nothing() {
    let home = Home::new();
    let import = |name: &str, more: &[&str]| {
        let file = home.path().join(name);
        home.run(&[&["sessions", "import", file.to_str().unwrap()], more].concat())
    };
    import("missing", &[]).expect_failure(2, "missing: cannot be read", "check its name");
    home.write("prose", "Dear all,\nthe list is attached.\n");
    import("prose", &[]).expect_failure(2, "no format lazycim knows", "--format");
    home.write("bad.yaml", "connection_definitions:\n  a: [\n");
    import("bad.yaml", &[]).expect_failure(2, "bad.yaml:3:1: the text is not YAML", "correct");
    home.write("mesh.json", "{\"magic\":\"3209ruwpcoinaT4r9w347t0e4ug\"}");
    import("mesh.json", &[]).expect_failure(2, "encrypted", "without one");
    std::fs::write(home.path().join("bytes"), b"\xff\xc3\x28").unwrap();
    import("bytes", &[]).expect_failure(2, "not UTF-8", "encoding");
    home.write("dcom.ps1", "New-CimSession h -SessionOption (New-CimSessionOption -Protocol Dcom)\n");
    let dcom = import("dcom.ps1", &[]).expect_code(1);
    assert!(dcom.stderr.contains("not imported: h: Protocol = Dcom") && dcom.stderr.contains("no session"), "{dcom:?}");
    home.run(&["sessions", "import"]).expect_code(2);
    home.run(&["sessions", "import", "--format", "hosts"]).expect_failure(2, "it needs a file", "FILE");
    home.run(&["--url", "cimxml+http://h", "sessions", "export", "--format", "powershell"]).expect_failure(
        2,
        "takes no --url",
        "leave",
    );
    assert_eq!(sessions_of(&home), "");

    home.write("hosts", "web01\n");
    let broken = "[[session]]\nid = \"a\"\n";
    home.write("sessions.toml", broken);
    import("hosts", &[]).expect_failure(2, "sessions.toml:1:1: a session has no `computer`", "computer");
    assert_eq!(sessions_of(&home), broken);
}

#[test]
fn an_export_prints_the_sessions_asked_for() {
    let home = Home::new();
    home.write(
        "sessions.toml",
        "[[session]]\nid = \"esx7\"\ncomputer = \"esx7.example\"\nauth = { user = \"it's\", secret = \"env:PW\" }\n\
         [[session]]\nid = \"web01\"\nname = \"Web\"\ncomputer = \"web01\"\nprotocol = \"wsman\"\n",
    );
    let export = |arguments: &[&str]| home.run(&[&["sessions", "export", "--format"], arguments].concat());
    let all = export(&["pywbemcli"]).expect_code(0);
    assert!(all.stdout.starts_with("connection_definitions:\n    \"esx7\":\n"), "{all:?}");
    assert!(all.stderr.contains("not exported: web01: protocol = wsman"), "{all:?}");
    assert!(all.stderr.contains("not exported: esx7: auth.secret = env:PW"), "{all:?}");
    let one = export(&["powershell", "Web"]).expect_code(0);
    assert_eq!(one.stdout.lines().next(), Some("$o1 = New-CimSessionOption -UseSsl"));
    assert!(one.stderr.is_empty(), "{one:?}");
    let env = export(&["pywbemcli-env", "esx7"]).expect_code(0);
    assert!(env.stdout.contains(r"export PYWBEMCLI_USER='it'\''s'"), "{env:?}");
    export(&["pywbemcli-env"]).expect_failure(2, "describe one session, not 2", "ID");
    export(&["pywbemcli", "wbe01"]).expect_failure(2, "no session is called that", "`web01`");
    export(&["pywbemcli", "this-computer"]).expect_failure(2, "served by lazycim alone", "saved session");
    export(&["hosts"]).expect_code(2);
}
