//! What the screen says of TLS: what is not checked, the certificate, the question before a pin; and a pin from the key to
//! the file, over a real connection.

use std::{path::Path, sync::Arc};

use lazycim::{
    op::{ConnId, ErrorKind, Fingerprint, OpError, OpEventKind, OpId, PeerCertificate, Phase, Verdict},
    server::{self, Scenario, ServerOptions, TlsIdentity},
    session::{Profile, ProfileId, Target, Tls, store::SessionsFile},
};
use ratatui::style::Color;

use super::{harness::Harness, world::World};

fn certificate(verdict: Verdict) -> Arc<PeerCertificate> {
    Arc::new(PeerCertificate {
        subject: "C=DE, O=Lab, CN=web01.example".into(),
        names: vec!["web01.example".into(), "web01".into(), "192.0.2.7".into()],
        more_names: 0,
        issuer: "C=DE, O=Lab, CN=Lab authority".into(),
        expires: "2031-02-28".into(),
        fingerprint: Fingerprint(std::array::from_fn(|at| at as u8 * 7)),
        verdict,
    })
}

/// A world with one more session, under the cursor.
fn with_session(width: u16, height: u16, tls: Tls) -> World {
    let target = Target {
        computer: Some("lab.example".to_owned()),
        port: 5989,
        tls: Some(tls),
        user: Some("ann".to_owned()),
        ..Target::this_computer()
    };
    let mut world = World::new(width, height);
    world.list(vec![Profile::new(ProfileId::new("lab").unwrap(), "lab".to_owned(), target)]);
    world
}

/// Opens the session, up to its certificate.
fn shown(world: &mut World, verdict: Verdict) -> OpId {
    world.keys("enter");
    let op = world.next();
    let conn = Some(ConnId(1));
    let detail = Some("TLS 1.3, chain NOT checked, CN=web01.example".into());
    world.tell(vec![
        (40, op, OpEventKind::PhaseStarted { conn, phase: Phase::Connect, detail: Some("192.0.2.7:5989".into()) }),
        (900, op, OpEventKind::PhaseEnded { conn, phase: Phase::Connect, error: None }),
        (910, op, OpEventKind::PhaseStarted { conn, phase: Phase::Tls, detail }),
        (2_000, op, OpEventKind::Certificate { conn: ConnId(1), certificate: certificate(verdict) }),
    ]);
    op
}

fn refuse(world: &mut World) {
    let why = "the certificate is signed by an authority this session does not trust";
    let op = shown(world, Verdict::Refused { why: why.into(), pinnable: true });
    let hint =
        "name its authority's certificate as ca_file (--ca-file PATH), or pin it if it is the server's: --pin SHA256";
    let error = Arc::new(OpError::new(Phase::Tls, "lab.example:5989", ErrorKind::Tls, why, hint));
    world.tell(vec![
        (2_010, op, OpEventKind::PhaseEnded { conn: Some(ConnId(1)), phase: Phase::Tls, error: Some(error.clone()) }),
        (2_020, op, OpEventKind::Failed(error)),
    ]);
}

/// The words of the screen that stand in the look of danger.
fn in_red(world: &World) -> String {
    let buffer = world.buffer();
    buffer.content().iter().filter(|cell| cell.fg == Color::Red).map(|cell| cell.symbol()).collect()
}

#[test]
fn what_is_not_checked_is_red_wherever_the_session_is() {
    for (tls, words) in [
        (Tls { skip_chain: true, ..Tls::default() }, "chain unchecked"),
        (Tls { skip_name: true, ..Tls::default() }, "name unchecked"),
        (Tls { skip_chain: true, skip_name: true, ..Tls::default() }, "chain and name unchecked"),
    ] {
        let world = with_session(80, 24, tls);
        assert!(world.screen().lines().next().unwrap().contains(words), "{}", world.screen());
        let listed = world.screen().lines().any(|line| line.contains("lab !"));
        assert!(listed && in_red(&world).contains(words) && in_red(&world).contains('!'), "{}", in_red(&world));
    }
    let checked = with_session(80, 24, Tls::default());
    assert!(!checked.screen().contains("unchecked") && !checked.screen().contains("lab !"));
    // A pin stands in for both checks.
    let tls = Tls { skip_chain: true, skip_name: true, pin: Some(Fingerprint([1; 32])), ..Tls::default() };
    assert!(!with_session(80, 24, tls).screen().contains("unchecked"));
}

#[test]
fn the_timeline_shows_the_certificate_and_what_was_not_checked() {
    for (width, height) in [(80, 24), (120, 40)] {
        let mut world = with_session(width, height, Tls { skip_chain: true, ..Tls::default() });
        let op = shown(&mut world, Verdict::Unchecked { chain: true, name: false });
        world.tell(vec![(
            3_000,
            op,
            OpEventKind::PhaseEnded { conn: Some(ConnId(1)), phase: Phase::Tls, error: None },
        )]);
        world.keys("5 enter");
        insta::assert_snapshot!(format!("timeline_certificate_{width}"), world.screen());
        assert!(in_red(&world).contains("chain NOT checked, name is good"), "{}", in_red(&world));
    }
}

#[test]
fn a_refused_certificate_can_be_pinned_after_a_question() {
    let mut world = with_session(80, 24, Tls::default());
    refuse(&mut world);
    insta::assert_snapshot!("untrusted_toast", world.screen());
    world.keys("P");
    insta::assert_snapshot!("pin_dialog", world.screen());
    let mut narrow = with_session(40, 10, Tls::default());
    refuse(&mut narrow);
    insta::assert_snapshot!("pin_dialog_40", narrow.keys("P").screen());
}

#[tokio::test]
async fn a_pin_is_saved_and_the_session_opens() {
    let home = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["other.example".to_owned()]).unwrap();
    let key = Arc::new(zeroize::Zeroizing::new(made.signing_key.serialize_pem()));
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/bad_input/as_it_should.toml");
    let scenario = Scenario::load(&scenario).unwrap();
    let mut options = ServerOptions::scripted(scenario);
    options.tls = Some(TlsIdentity::Pem { cert: made.cert.pem(), key });
    let server = server::start(options).await.unwrap();
    let path = home.path().join("sessions.toml");
    let ca = home.path().join("ca.pem");
    let other = rcgen::generate_simple_self_signed(vec!["x".to_owned()]).unwrap();
    std::fs::write(&ca, other.cert.pem()).unwrap();
    let port = server.addr().port();
    let text = format!(
        "# mine\n[[session]]\nid = \"lab\" # the lab\ncomputer = \"127.0.0.1\"\nport = {port}\ntls = {{ ca_file = \"ca.pem\" }}\n"
    );
    std::fs::write(&path, text).unwrap();
    let mut harness = Harness::with_sessions(120, 40, SessionsFile::load(&path));
    harness.press("j enter").await;
    assert!(harness.screen().contains("does not trust"), "{}", harness.screen());
    harness.press("P enter").await;
    assert!(!std::fs::read_to_string(&path).unwrap().contains("pin"), "a No was saved");
    harness.press("P tab enter").await;
    let saved = std::fs::read_to_string(&path).unwrap();
    assert!(saved.contains("# mine") && saved.contains("id = \"lab\" # the lab"), "{saved}");
    let file = SessionsFile::load(&path);
    let pin = file.entries[0].target.tls.as_ref().and_then(|tls| tls.pin).unwrap();
    let digest = ring::digest::digest(&ring::digest::SHA256, made.cert.der());
    assert_eq!(pin.0.as_slice(), digest.as_ref());
    assert!(harness.screen().contains("root/cimv2"), "{}", harness.screen());
}
