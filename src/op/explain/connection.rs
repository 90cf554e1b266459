//! Rows of resolving names and of connecting.
//!
//! Owns: their words. Must not know sockets.

/// Host name to addresses.
pub mod resolve {
    section! {
        "Resolving the name (resolve)", "The host's name becomes addresses.",
        UNKNOWN_HOST = "the host name has no address", "neither DNS nor this computer's hosts file knows the name",
            "check the name for typing errors, and that this computer's DNS knows it";
        TIMED_OUT = "no answer from DNS within {limit}", "the name servers of this computer do not answer",
            "check this computer's DNS, use an address, or raise timeouts.connect (--connect-timeout)";
        NO_HOST = "that is no host name or address", "the session's computer cannot stand in a URL",
            "give a host name or an address, without scheme, path or user";
    }
}

/// A proxy on the way.
pub mod proxy {
    section! {
        "Through a proxy (resolve, connect, receive)", "The session, or the environment for it, names an HTTP proxy.",
        REFUSED = "the proxy refused the connection", "nobody listens there",
            "check the proxy's host and port, and that it runs";
        NO_TUNNEL = "the proxy does not connect to the server", "it refused CONNECT, or cannot reach the server",
            "check that the proxy allows CONNECT to this host and port";
        WANTS_CREDENTIALS = "the proxy wants to know who asks, or refuses who does", "it answered 407",
            "give the session's proxy a user and a secret (user and secret in its table)";
        SHOWS_SECRET = "the proxy's password would be shown to the network: Basic over plain http",
            "the proxy has a user, and is another machine",
            "allow it: allow_clear_text = true in the table of the session's proxy";
        UNSENDABLE = "the proxy's credentials cannot be sent", "its user or password has a colon or a control character",
            "correct the user and the password of the session's proxy";
        NO_HOST = "the proxy's host is no host name or address", "it cannot stand in a URL",
            "correct the proxy of the session: a host name or an address, and a port";
        OTHER_NAME = "a server_name other than the computer cannot be checked through a proxy",
            "the proxy would be asked for the name that is checked, not for the computer",
            "leave server_name out, or pin the certificate, or go without a proxy";
        NOT_HTTP = "the environment names a proxy that is not an http:// one", "SOCKS and https proxies are not spoken",
            "name an http proxy in the session (proxy = \"http://HOST:PORT\"), or proxy = \"none\"";
    }
}

/// TCP.
pub mod connect {
    section! {
        "Connecting (connect)", "TCP to one address after the other; the last one's error is told.",
        REFUSED = "connection refused", "nobody listens there",
            "check the port, and that the CIM server runs";
        UNREACHABLE = "there is no way to that address", "no route leads there: a network or a VPN may be down",
            "check the network, a VPN perhaps, and the address";
        TIMED_OUT = "no answer to the TCP connect within {limit}",
            "the computer is off, the address is another's, or a firewall drops what is sent",
            "check address, port and firewalls, or raise timeouts.connect (--connect-timeout)";
        SYSTEM_TIMED_OUT = "the operating system gave up connecting",
            "the computer is off, the address is another's, or a firewall drops what is sent",
            "check address, port and firewalls";
        RESET = "the connection was reset while it was made", "a firewall or the server itself does not want it",
            "check firewalls, and the server's list of allowed addresses";
        NOT_ALLOWED = "this computer does not allow the connection", "a firewall or policy here forbids it",
            "check this computer's firewall";
        NO_ADDRESS_HERE = "this computer has no address to connect from",
            "no network of that kind (IPv4 or IPv6) is up here",
            "check this computer's network, or use an address of the other kind";
        NO_SOCKET = "this computer has no socket left", "the process or the system has too many files or sockets open",
            "raise the limit of open files (ulimit -n)";
        FAILED = "the connection could not be made", "the operating system gave the reason that follows",
            "check address and port, then try again";
        NO_CLIENT = "the HTTP client cannot be made", "this is a defect of lazycim, not of the server",
            "report what you did";
        CLEAR_TEXT = "{scheme} over plain http would show the password to the network",
            "the session has a user and no TLS, and the server is another machine",
            "use https, or Digest where the server offers it (--auth digest), or allow it: allow_clear_text = true in the session (--allow-clear-text)";
    }
}
