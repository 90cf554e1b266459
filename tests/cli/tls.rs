//! TLS as the flags rule it, against `lazycim serve` with a certificate nobody knows.

use std::path::PathBuf;

use rcgen::{CertificateParams, KeyPair};

use crate::support::{Home, Serve, lazycim, ran};

/// A server for some names, and a folder with its certificate.
struct Lab {
    serve: Serve,
    home: Home,
    fingerprint: String,
}

fn lab(names: &[&str]) -> Lab {
    let home = Home::new();
    let key = KeyPair::generate().unwrap();
    let names = names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let made = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
    home.write("server.pem", &made.pem());
    home.write("server.key", &key.serialize_pem());
    let path = |name: &str| home.path().join(name).display().to_string();
    let serve = Serve::with(&["--tls-cert", &path("server.pem"), "--tls-key", &path("server.key")]);
    let digest = ring::digest::digest(&ring::digest::SHA256, made.der());
    let bytes = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>();
    Lab { serve, home, fingerprint: bytes.join(":") }
}

impl Lab {
    fn path(&self, name: &str) -> String {
        self.home.path().join(name).display().to_string()
    }
}

/// A certificate for another name that trusts nobody: the authorities of this computer play no part.
fn other_ca(lab: &Lab) -> String {
    let made = rcgen::generate_simple_self_signed(vec!["x".to_owned()]).unwrap();
    lab.home.write("other.pem", &made.cert.pem());
    lab.path("other.pem")
}

#[test]
fn an_unknown_certificate_is_refused_and_can_be_pinned() {
    let lab = lab(&["other.example"]);
    let ca = other_ca(&lab);
    let ran = lab.serve.run(&["--ca-file", &ca, "-v", "namespaces"]).expect_code(1);
    let error = ran.stderr.lines().find(|line| line.starts_with("lazycim: ")).unwrap();
    assert!(error.contains("tls: ") && error.contains("does not trust") && error.contains(&lab.fingerprint), "{ran:?}");
    assert!(ran.stderr.contains("--pin SHA256"), "{ran:?}");
    for row in
        [" tls subject: ", " tls names: other.example", " tls issuer: ", " tls expires: ", " tls checks: REFUSED"]
    {
        assert!(ran.stderr.contains(row), "{row} is not in {ran:?}");
    }
    assert!(ran.stderr.contains(&format!(" tls sha-256: {}", lab.fingerprint)), "{ran:?}");
    let pinned = lab.serve.run(&["--pin", &lab.fingerprint, "-v", "namespaces"]).expect_code(0);
    assert!(pinned.stderr.contains(" tls checks: the fingerprint is the pinned one"), "{pinned:?}");
    let small = lab.fingerprint.replace(':', "").to_lowercase();
    lab.serve.run(&["--pin", &small, "namespaces"]).expect_code(0);
    let wrong = "00".repeat(32);
    let ran = lab.serve.run(&["--pin", &wrong, "namespaces"]).expect_failure(1, "pinned 00:00:", "find out why");
    assert!(ran.stderr.contains(&format!("shown {}", lab.fingerprint)), "{ran:?}");
}

#[test]
fn what_is_skipped_is_told_and_the_rest_is_checked() {
    let lab = lab(&["other.example"]);
    lab.serve.run(&["--skip-chain", "namespaces"]).expect_failure(1, "another name", "--tls-server-name");
    let ca = lab.path("server.pem");
    let ran = lab.serve.run(&["--ca-file", &ca, "--skip-name", "-v", "namespaces"]).expect_code(0);
    assert!(ran.stderr.contains(" queue WARNING: name unchecked"), "{ran:?}");
    assert!(ran.stderr.contains(" tls checks: name NOT checked, chain is good"), "{ran:?}");
    // No colour where stderr is no terminal.
    assert!(!ran.stderr.contains('\u{1b}'), "{ran:?}");
    let ran = lab.serve.run(&["--skip-chain", "--skip-name", "-v", "namespaces"]).expect_code(0);
    assert!(ran.stderr.contains(" queue WARNING: chain and name unchecked"), "{ran:?}");
}

#[test]
fn authorities_names_and_versions() {
    let lab = lab(&["other.example"]);
    let ca = lab.path("");
    let name = ["--ca-file", ca.as_str(), "--tls-server-name", "other.example", "--tls-min-version", "1.3"];
    lab.serve.run(&[&name[..], &["namespaces"]].concat()).expect_code(0);
    lab.home.write("broken.crt", "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n");
    lab.serve.run(&[&name[..], &["namespaces"]].concat()).expect_failure(2, "broken.crt: ca_file is unusable", "PEM");
    lab.serve.run(&["--client-cert", &lab.path("none.pem"), "namespaces"]).expect_failure(
        2,
        "none.pem",
        "--client-cert",
    );
    let (cert, key) = (lab.path("server.pem"), lab.path("server.key"));
    lab.serve
        .run(&["--pin", &lab.fingerprint, "--client-cert", &cert, "--client-key", &key, "namespaces"])
        .expect_code(0);
}

#[test]
fn flags_that_make_no_sense_are_refused_before_anything_is_connected() {
    let url = "cimxml+https://192.0.2.1";
    lazycim(&["--url", url, "--client-key", "k", "namespaces"]).expect_failure(2, "--client-key", "--client-cert");
    lazycim(&["--url", "cimxml+http://192.0.2.1", "--skip-chain", "namespaces"]).expect_failure(
        2,
        "--skip-chain",
        "https",
    );
    lazycim(&["--skip-name", "namespaces"]).expect_failure(2, "this-computer", "--url");
    for flags in [["--tls-min-version", "1.1"], ["--tls-server-name", "a b"], ["--pin", "AB:CD"]] {
        let ran = lazycim(&[&["--url", url], &flags[..], &["namespaces"]].concat()).expect_code(2);
        assert!(ran.stderr.contains(flags[0]), "{ran:?}");
    }
}

#[test]
fn a_profile_rules_tls_and_flags_go_before_it() {
    let lab = lab(&["other.example"]);
    let port = lab.serve.url.rsplit(':').next().unwrap().trim_end_matches("/cimom").to_owned();
    let entry = |tls: &str| {
        format!(
            "[[session]]\nid = \"lab\"\ncomputer = \"127.0.0.1\"\nport = {port}\ntls = {{ {tls} }}\n\
             auth = {{ mechanism = \"basic\", user = \"ann\", secret = \"env:PW\" }}\n"
        )
    };
    let run = |tls: &str, more: &[&str]| {
        lab.home.write("sessions.toml", &entry(tls));
        lab.home.run(&[&["-s", "lab"], more, &["namespaces"]].concat())
    };
    run("ca_file = \"server.pem\", server_name = \"other.example\"", &[]).expect_code(0);
    run("skip_chain = true, skip_name = true", &[]).expect_code(0);
    let pin = format!("pin = \"{}\"", lab.fingerprint);
    run(&pin, &[]).expect_code(0);
    let wrong = format!("pin = \"{}\"", "00".repeat(32));
    run(&wrong, &[]).expect_failure(1, "not the one the session is pinned to", "find out why");
    run(&wrong, &["--pin", &lab.fingerprint]).expect_code(0);
    let text = std::fs::read_to_string(PathBuf::from(lab.path("sessions.toml"))).unwrap();
    assert_eq!(text, entry(&wrong), "a flag changed the file");
}

/// Where the platform's verifier reads files, it is told here which.
#[cfg(all(unix, not(target_vendor = "apple")))]
#[test]
fn the_authorities_of_the_computer_count_also_where_the_name_does_not() {
    let known: [&[&str]; 3] = [&["other.example"], &["*.other.example"], &[]];
    for names in known {
        let (lab, stranger) = (lab(names), lab(names));
        let run = |server: &Lab, more: &[&str]| {
            let target = server.serve.target("ann");
            let arguments = [&["--url", &target, "--password-env", "PW", "namespaces"], more].concat();
            let mut command = server.home.command(&arguments);
            command.env("SSL_CERT_FILE", lab.path("server.pem")).env_remove("SSL_CERT_DIR");
            ran(command.output().unwrap())
        };
        let hint = if names.is_empty() { "--skip-name" } else { "--tls-server-name" };
        run(&lab, &[]).expect_failure(1, "another name", hint);
        run(&lab, &["--skip-name"]).expect_code(0);
        run(&stranger, &["--skip-name"]).expect_failure(1, "does not trust", "--ca-file");
    }
}
