//! Before an answer: names, ports, certificates, stalls at each phase, connections that end.

use std::net::Ipv4Addr;

use lazycim::op::{Closer, ErrorKind, OpEventKind, Phase};

use super::bench::*;

const HERE: Resolves = Resolves::To(Ipv4Addr::LOCALHOST);
/// Another address of the loopback network, at which Linux answers without set-up.
#[cfg(target_os = "linux")]
const THERE: Resolves = Resolves::To(Ipv4Addr::new(127, 0, 0, 2));

#[tokio::test]
async fn an_unknown_host() {
    for over in SUBJECTS {
        let unknown = case("as_it_should").over(over).named(&[Resolves::Nothing, HERE]).fails(
            Phase::Resolve,
            ErrorKind::UnknownHost,
            "no address",
            "check the name",
        );
        let (_, told) = play(&unknown).await;
        assert_eq!(told.timeline.opened(), 0);
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_refused_port() {
    for over in SUBJECTS {
        let refused = case("as_it_should").over(over).named(&[THERE, HERE]).fails(
            Phase::Connect,
            ErrorKind::ConnectionRefused,
            "nobody listens there",
            "check the port",
        );
        let (_, told) = play(&refused).await;
        assert_eq!(told.timeline.opened(), 0, "a refused connect opened nothing");
        assert!(told.failure().unwrap().target.contains("127.0.0.2"), "the address tried is named");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_strangers_certificate() {
    for over in SUBJECTS {
        let stranger = case("as_it_should").over(over).named(&[THERE, HERE]).tls(Signed::Stranger).fails(
            Phase::Tls,
            ErrorKind::Tls,
            "does not trust",
            "ca_file",
        );
        let (bench, told) = play(&stranger).await;
        assert_eq!(told.timeline.opened(), 1);
        assert_eq!(bench.server.seen().heads.iter().filter(|head| head.header("authorization").is_some()).count(), 0);
    }
}

#[tokio::test]
async fn a_server_that_stalls() {
    for over in SUBJECTS {
        let cases = [
            case("as_it_should").named(&[Resolves::Never, HERE]).timed(|timeouts| timeouts.connect = SHORT).fails(
                Phase::Resolve,
                ErrorKind::TimedOut,
                "no answer from DNS within 100 ms",
                "timeouts.connect",
            ),
            Case { stalled_connects: 1, ..case("as_it_should") }.timed(|timeouts| timeouts.connect = SHORT).fails(
                Phase::Connect,
                ErrorKind::TimedOut,
                "within 100 ms",
                "timeouts.connect",
            ),
            case("stalls_in_tls").tls(Signed::Trusted).timed(|timeouts| timeouts.connect = SHORT).fails(
                Phase::Tls,
                ErrorKind::TimedOut,
                "within 100 ms",
                "timeouts.connect",
            ),
            case("stalls_before_answer").ask(Ask::Class).timed(|timeouts| timeouts.first_byte = SHORT).fails(
                Phase::Wait,
                ErrorKind::TimedOut,
                "no answer within 100 ms",
                "timeouts.first_byte",
            ),
            case("stalls_before_answer").timed(|timeouts| timeouts.first_byte = SHORT).fails(
                Phase::Wait,
                ErrorKind::TimedOut,
                "no answer within 100 ms",
                "timeouts.first_byte",
            ),
            case("stalls_in_head").ask(Ask::Class).timed(|timeouts| timeouts.first_byte = SHORT).fails(
                Phase::Wait,
                ErrorKind::TimedOut,
                "no answer within 100 ms",
                "timeouts.first_byte",
            ),
            case("stalls_mid_body").ask(Ask::Names).timed(|timeouts| timeouts.idle = SHORT).rows(2).fails(
                Phase::Receive,
                ErrorKind::TimedOut,
                "stopped arriving within 100 ms",
                "timeouts.idle",
            ),
            case("stalls_before_answer").ask(Ask::Class).timed(|timeouts| timeouts.total = Some(SHORT)).fails(
                Phase::Wait,
                ErrorKind::TimedOut,
                "longer than 100ms in all",
                "total",
            ),
        ];
        for case in cases {
            let case = case.over(over);
            let (_, told) = play(&case).await;
            let by_them = |kind: &OpEventKind| matches!(kind, OpEventKind::ConnectionClosed { by: Closer::Peer, .. });
            assert!(!told.events.iter().any(|event| by_them(&event.kind)), "{}: it was we who closed", case.scenario);
        }
    }
}

#[tokio::test]
async fn a_connection_that_ends() {
    for over in SUBJECTS {
        let lost = |case: Case, phase, cause, hint| case.fails(phase, ErrorKind::ConnectionLost, cause, hint);
        let silent = "closed the connection without answering";
        let cases = [
            lost(case("closes_without_answer"), Phase::Wait, silent, "server's log"),
            lost(case("closes_a_new_connection").ask(Ask::Class), Phase::Wait, silent, "server's log"),
            lost(case("resets_without_answer").ask(Ask::Class), Phase::Wait, silent, "server's log"),
            lost(case("closes_in_head").ask(Ask::Class), Phase::Wait, silent, "server's log"),
            lost(case("closes_mid_answer").rows(3), Phase::Receive, "before the answer was complete", "try again"),
            lost(case("closes_mid_chunk").rows(2), Phase::Receive, "before the answer was complete", "try again"),
            case("closes_in_tls").tls(Signed::Trusted).fails(
                Phase::Tls,
                ErrorKind::Tls,
                "closed the connection during the TLS handshake",
                "for clear text use http",
            ),
            case("no_tls_there").tls(Signed::Trusted).fails(
                Phase::Tls,
                ErrorKind::Tls,
                "does not speak TLS",
                "use http for clear text",
            ),
            case("sends_no_http").ask(Ask::Class).fails(
                Phase::Wait,
                ErrorKind::BadHttp,
                "not HTTP",
                "port of a CIM server",
            ),
            case("broken_chunks").fails(Phase::Receive, ErrorKind::BadHttp, "not HTTP", "port of a CIM server"),
        ];
        for case in cases {
            play(&case.over(over)).await;
        }
    }
}

#[tokio::test]
async fn a_read_is_asked_again_when_a_used_connection_ends() {
    for over in SUBJECTS {
        let (bench, told) = play(&case("closes_a_used_connection").rows(1).over(over)).await;
        assert_eq!(told.timeline.opened(), 2);
        assert!(bench.server.seen().requests >= 4);
    }
}

#[tokio::test]
async fn connection_close_after_each_answer() {
    for over in SUBJECTS {
        let (_, told) = play(&case("closes_after_each").rows(1).over(over)).await;
        assert_eq!(told.timeline.opened(), 2, "one for GetClass, one for the instances");
        let closers = told.timeline.connections.iter().map(|connection| connection.closed.unwrap().1);
        assert_eq!(closers.collect::<Vec<_>>(), [Closer::Peer, Closer::Peer]);
    }
}
