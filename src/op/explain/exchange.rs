//! Rows of an exchange over HTTP: authentication, sending, waiting, receiving.
//!
//! Owns: their words. Must not know HTTP's types.

/// What is added to the hint where the connection is in clear text.
pub const MAYBE_TLS: &str = "; if the port speaks TLS, use https";

/// What is added to the hint where a connection over TLS was reset.
pub const MAYBE_CLIENT_CERTIFICATE: &str = "; it may want a client certificate (--client-cert FILE)";

/// Authentication.
pub mod authenticate {
    section! {
        "Authenticating (authenticate)", "HTTP 401, with what the server wants instead.",
        REFUSED = "the server refused user and password", "either is mistyped, or the user may not use CIM on the server",
            "check user and password, and that the user may use CIM on the server";
        NO_USER = "the server wants to know who asks", "the session names no user",
            "give the session a user (--user NAME)";
        OTHER_SCHEMES = "the server does not take {scheme} authentication", "it offers other schemes alone",
            "take one of those (--auth, auth.mechanism) if lazycim has it, or let the server take {scheme}";
        NO_SCHEME = "the server refused and offers no scheme", "it broke HTTP, or something in front of it answered",
            "check user and password, and that the port is the CIM server's own and not a proxy's";
        NOT_TAKEN_UP = "the server refused without looking at user and password",
            "OpenPegasus says `User Unauthorized` where it does not take the scheme, and nothing where the password is wrong",
            "check the server's authentication settings (enableAuthentication, httpAuthType)";
        UNPROVEN = "the answer may not be the server's", "what proves the server in Authentication-Info is wrong",
            "look for something in between that changes or makes up answers; TLS tells for sure";
        ENDLESS = "the authentication does not end", "the server asks again and again",
            "look at the server's log for why it does not let the user in";
        UNSENDABLE_PASSWORD = "the password cannot be sent", "it holds a control character",
            "give the password again, without control characters";
        UNSENDABLE_USER = "the user cannot be sent", "the authentication cannot carry that name",
            "correct the user of the session";
        NO_CERTIFICATE = "there is no client certificate to show", "the session is to be known by one",
            "name it (--client-cert FILE, client_cert), over https";
        UNSENDABLE = "the credentials cannot be sent", "they hold what an HTTP header cannot",
            "check the user name for control characters";
    }
}

/// The request on its way.
pub mod send {
    section! {
        "Sending (send)", "The request goes out.",
        BAD_REQUEST = "the request cannot be made", "a name or a key holds what no header can carry",
            "correct the name or the key";
        BAD_PATH = "the path cannot stand in a request", "it is the path of the session's URL",
            "give a path that begins with / and has no query or fragment";
        TIMED_OUT = "the server stopped taking the request within {limit}", "it or the network is stuck",
            "try again, or raise timeouts.idle";
        AUTHENTICATION_LOST = "the server closed the connection the authentication was bound to",
            "what comes next would have to authenticate anew", "try again; the session authenticates anew";
    }
}

/// Until the answer begins.
pub mod wait {
    section! {
        "Waiting (wait)", "The request is sent; the answer has not begun.",
        TIMED_OUT = "no answer within {limit}", "the server took the request and is still at it, or has forgotten it",
            "the server may be busy: try again, or raise timeouts.first_byte";
        SILENT = "the server closed the connection without answering", "the part of it that was to answer may have died",
            "look at the server's log: its handler may have died; then try again";
        SILENT_WRITE = "the server closed the connection without answering what was to be changed",
            "nobody knows whether it was carried out", "it may have been carried out: look before you try again";
        NOT_HTTP = "the answer is not HTTP", "another service listens there, or something in between broke it",
            "check that this is the port of a CIM server";
    }
}

/// While the answer arrives.
pub mod receive {
    section! {
        "Receiving (receive)", "The answer has begun; the rows so far are kept.",
        TIMED_OUT = "the answer stopped arriving within {limit}", "the server or the network is stuck",
            "try again, or raise timeouts.idle";
        CUT_SHORT = "the connection ended before the answer was complete", "the server died, or something in between closed it",
            "what arrived before is kept: try again, and look at the server's log if it happens again";
    }
}
