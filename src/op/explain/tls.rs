//! Rows of TLS: the handshake, the server's certificate, and the alerts of servers.
//!
//! Owns: their words. Must not know a TLS library.

/// The handshake as a whole, and what it needs on this side.
pub mod handshake {
    section! {
        "TLS (tls)", "The handshake, after TCP is up.",
        NOT_SET_UP = "TLS cannot be set up", "this computer has no certificates to trust, or no cryptography",
            "name the certificates to trust with ca_file (--ca-file PATH)";
        CA_FILE = "ca_file is unusable", "the session trusts the certificates in it and no others",
            "name a PEM file, or a folder of them, with the certificate of the authority that signed the server's";
        CLIENT_CERT = "client_cert is unusable", "the session shows the server a certificate from that file",
            "name a PEM file with the client's certificate, its own first, as client_cert (--client-cert FILE)";
        CLIENT_KEY = "client_key is unusable", "the client's certificate is worth nothing without its key",
            "name a PEM file with the certificate's key, not encrypted, as client_key (--client-key FILE)";
        SERVER_NAME = "server_name is no host name or address", "the server's certificate is checked for that name",
            "write a host name or an address the certificate has";
        TIMED_OUT = "the TLS handshake did not end within {limit}",
            "the server took the connection and said nothing, as servers without TLS do",
            "check that the port speaks TLS, or raise timeouts.connect (--connect-timeout)";
        CLOSED = "the server closed the connection during the TLS handshake",
            "it does not speak TLS on this port, or does not like what lazycim offers",
            "check that the port speaks TLS; for clear text use http";
        NOT_TLS = "the server does not speak TLS on this port", "what it answered is something else, clear-text HTTP mostly",
            "check the port (5989 is usual for CIM-XML, 5986 for WS-Man), or use http for clear text";
        NOTHING_IN_COMMON = "the server and lazycim have no TLS version and cipher suite in common",
            "the server is too old, or set up to be too strict",
            "let the server offer TLS 1.2 or 1.3 (the session's min_version) with ECDHE and AES-GCM or ChaCha20";
        NO_CERTIFICATE = "the server presented no certificate", "without one nobody can tell who it is",
            "give the server a certificate and restart it";
        MISBEHAVED = "the server broke the rules of TLS", "its TLS library is faulty, or something stands in between",
            "look at the server's log, and for a proxy or firewall that looks into TLS";
        FAILED = "the TLS handshake failed", "the TLS library gave the reason that follows",
            "look at the server's TLS settings and log";
    }
}

/// Faults of the server's certificate.
pub mod certificate {
    section! {
        "The server's certificate (tls)", "The handshake went well; lazycim does not accept who answered.",
        UNKNOWN_ISSUER = "the certificate is signed by an authority this session does not trust",
            "it may be the server's own, a company's, or a stranger's",
            "name its authority's certificate as ca_file (--ca-file PATH), or pin it if it is the server's: --pin SHA256";
        OTHER_NAME = "the certificate is for another name", "the server is not the one asked for, or goes by another name",
            "connect by a name the certificate has, or give that as server_name (--tls-server-name NAME)";
        NO_NAME = "the certificate is for another name: it has none", "no subject alternative name is in it (RFC 9525)",
            "it has no name at all: skip the name check (--skip-name), or pin it: --pin SHA256";
        OTHER_PIN = "the server's certificate is not the one the session is pinned to",
            "it was renewed, or somebody stands in between",
            "find out why it changed; if the new one is right, replace pin in the session (--pin SHA256)";
        EXPIRED = "the certificate has expired", "its last day is over by this computer's clock",
            "renew it and check this computer's clock, or pin it: --pin SHA256";
        NOT_YET_VALID = "the certificate is not valid yet", "its first day is to come by this computer's clock",
            "check the clocks of this computer and of the server";
        REVOKED = "the certificate was revoked", "its authority took it back",
            "renew the server's certificate";
        REVOCATION_UNKNOWN = "nobody can say whether the certificate was revoked",
            "the list of its authority is missing or too old", "let the authority publish a new revocation list";
        OTHER_PURPOSE = "the certificate is not one of a server", "its extended key usage leaves out server authentication",
            "have it issued for server authentication";
        BAD_ENCODING = "the certificate cannot be read", "it is not DER as RFC 5280 has it",
            "have the server's certificate issued again";
        WEAK = "the certificate is signed in a way lazycim does not take", "MD5, SHA-1 or a curve nobody uses any more",
            "have it issued again with SHA-256 and RSA of 2048 bits, or ECDSA";
        UNKNOWN_EXTENSION = "the certificate has a critical extension lazycim does not know",
            "it must not be accepted by who does not understand it", "have it issued again without that extension";
        UNACCEPTABLE = "the certificate is not acceptable", "the TLS library gave the reason that follows",
            "look at it with -v, or pin it if it is the server's: --pin SHA256";
    }
}

/// Alerts: the server ends the handshake and says why.
pub mod alert {
    section! {
        "Alerts of the server (tls)", "The server ended the handshake and said why.",
        CLIENT_CERTIFICATE = "the server wants a client certificate", "it lets in only who shows one",
            "name one with client_cert and client_key (--client-cert FILE --client-key FILE)";
        CLIENT_CERTIFICATE_REFUSED = "the server refused the client certificate",
            "it has expired, was revoked, or is signed by an authority the server does not trust",
            "name a certificate whose authority the server trusts as client_cert (--client-cert FILE)";
        PROTOCOL_VERSION = "the server does not speak a TLS version this session allows", "it is too old, or min_version is too new",
            "let the server offer it, or lower min_version (--tls-min-version 1.2)";
        HANDSHAKE_FAILURE = "the server found nothing in common", "it takes none of the cipher suites lazycim offers",
            "let the server offer ECDHE with AES-GCM or ChaCha20";
        UNKNOWN_NAME = "the server has no certificate for that name", "the name asked for is none of its own",
            "connect by a name the server has";
        DENIED = "the server denies access", "its TLS settings do not let this computer in",
            "show a client certificate it lets in (--client-cert FILE), or look at the server's log";
        SERVER_FAILED = "the server failed during the TLS handshake", "it says that the fault is its own",
            "look at the server's log";
        OTHER = "the server refused the TLS handshake", "the alert that follows is all it said",
            "look at the server's log; it may want a client certificate";
    }
}
