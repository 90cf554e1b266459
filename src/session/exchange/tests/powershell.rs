//! Command lines of PowerShell.

use proptest::prelude::*;

use super::*;

const SCRIPT: &str = "
# sessions <# not a comment here
<# but
 New-CimSession hidden
#>
$o = New-CimSessionOption -UseSsl -SkipCACheck -SkipCNCheck -SkipRev `
    -HttpPrefix '/wsman2' -Culture de-DE -UICulture en-US -Enc:Utf8 -MaxEnv 500 -NoEncryption:$false
$cred = Get-Credential CORP\\ann
$hosts = 'web01', \"web02\"
$s = New-CimSession -ComputerName $hosts -Port 5986 \u{2013}Auth Negotiate -Cred $cred -Skip -Name 'it''s \"p\"' -OT 60 -Session $o
ncms db01 -SessionOption (ncso -Protocol Dcom)
ncms db02 -SessionOption (New-CimSessionOption -Impersonation Delegate)
New-CimSession 10.0.0.1 -Credential (Get-Credential -UserName bob -Message 'x') -P 99 -Bogus 3 -C x -ErrorAction Stop
CimCmdlets\\New-CimSession -CN get-server,
    other -Authentication Basic -Credential ann -CertificateThumbprint 00ff -Port 70000 | Out-Null
$pw = ConvertTo-SecureString 'Sw0rdf1sh-9c1' -AsPlainText -Force
$c2 = New-Object System.Management.Automation.PSCredential('ann', $pw)
New-CimSession web05 -Credential $c2 -SessionOption $unknown
New-CimSession -ComputerName $env:HOST
New-CimSession -ComputerName \"web$n\"
New-CimSession
New-CimSession @arguments
foreach ($h in $hosts) { New-CimSession $h }
Sw0rdf1sh-9c1
Get-CimInstance Win32_Product -CimSession $s
";

#[test]
fn sessions_come_over_and_the_rest_is_listed() {
    insta::assert_snapshot!("powershell", told(&read(SCRIPT)));
}

#[test]
fn quotes_and_escapes_are_powershell_s() {
    let name = |text: &str| read(&format!("New-CimSession h -Name {text}")).sessions[0].name.clone();
    for (text, expected) in [
        ("'it''s'", "it's"),
        ("'a\u{2019}\u{2019}b'", "a\u{2019}b"),
        ("\u{201c}a\"\"b\u{201d}", "a\"b"),
        ("\"a`\"b`$c\"", "a\"b$c"),
        ("\"a$ b\"", "a$ b"),
        ("a`,b", "a,b"),
        ("New-CimSession", "New-CimSession"),
        ("'x' # y", "x"),
        // What is dynamic leaves the computer's name.
        ("\"a$b\"", "h"),
        ("\"$(id)\"", "h"),
        ("(Get-Date)", "h"),
    ] {
        assert_eq!(name(text), expected, "{text}");
    }
}

#[test]
fn a_text_without_sessions_is_an_error() {
    let error = import("# nothing\n", Some(Format::PowerShell), Path::new("")).unwrap_err();
    assert!(error.cause.contains("no New-CimSession"), "{error:?}");
}

#[test]
fn what_powershell_cannot_reach_is_listed() {
    let mut web = profile("web01", "Bob\u{2019}s $x", "wsman+https://CORP%5Cann@web01/p%27q");
    web.target.namespace = crate::cim::Namespace::new("root/x");
    web.target.tls = Some(Tls { ca_file: Some("/ca.pem".into()), skip_chain: true, ..Tls::default() });
    web.target.wsman = WsManOptions {
        max_envelope_size: Some(1_024_000),
        operation_timeout: Some(std::time::Duration::from_secs(9)),
        encoding: RequestEncoding::Utf16,
        uri_style: UriStyle::Wmi,
        vendor_namespaces: vec![VendorNamespace::new("LAB_", "http://lab.example/2").unwrap()],
    };
    let mut plain = profile("web02", "web02", "wsman+http://[fe80::1]");
    plain.target.wsman.max_envelope_size = Some(9_000);
    let esx = profile("esx", "esx", "cimxml+https://esx");
    let export = export(&[&web, &plain, &esx], Format::PowerShell).unwrap();
    let list = export.left_out.iter().map(|line| format!("- {line}\n")).collect::<String>();
    insta::assert_snapshot!("powershell_export", format!("{}{list}", export.text));
}

prop_compose! {
    fn profiles()(
        name in "[^\\p{C}\\p{Z}]([^\\p{C}]{0,20}[^\\p{C}\\p{Z}])?", tls: bool, user in proptest::option::of("[^\\p{C}]{1,20}"),
        host in "[a-z0-9][a-z0-9.-]{0,20}|fe80::[1-9a-f]{1,4}", port in 1u16.., path in "/[a-z%/']{0,10}",
        skip_chain: bool, skip_name: bool, seconds in proptest::option::of(1u64..100_000), culture in proptest::option::of("[a-z]{2}-[A-Z]{2}"),
        kilobytes in proptest::option::of(8u32..4_000_000), utf16: bool,
    ) -> Profile {
        let mut profile = profile("x", &name, "wsman+http://h");
        profile.id = SessionsFile::parse("sessions.toml", "").free_id(&name);
        profile.target.computer = Some(host);
        profile.target.port = port;
        profile.target.path = path;
        profile.target.user = user;
        profile.target.culture = culture;
        profile.target.wsman.max_envelope_size = kilobytes.map(|kilobytes| kilobytes * 1024);
        profile.target.wsman.encoding = if utf16 { RequestEncoding::Utf16 } else { RequestEncoding::Utf8 };
        profile.target.timeouts.total = seconds.map(|seconds| Some(std::time::Duration::from_secs(seconds)));
        profile.target.tls = tls.then(|| Tls { skip_chain, skip_name, ..Tls::default() });
        profile
    }
}

proptest! {
    #[test]
    fn export_and_import_give_the_same_profiles(profile in profiles()) {
        let all = [profile];
        prop_assert_eq!(&there_and_back(&all, Format::PowerShell)[..], &all[..]);
    }
}
