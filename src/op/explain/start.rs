//! Rows of what fails before anything is asked of a server, or apart from it.
//!
//! Owns: their words. Must not know sessions.

section! {
    "Before it starts (queue)", "The operation waits for its turn or its password; no connection is open yet.",
    NO_SESSION = "the session is not open", "it was closed while the operation waited", "open the session again";
    NO_PROTOCOL = "lazycim does not speak {protocol}", "the session names a protocol this version does not have",
        "use {protocols}";
    NEXT_PROTOCOL = "{protocol}: {cause}; {next} is tried next", "the session leaves open which protocol the server speaks",
        "name the protocol in the session, if it is known";
    NOT_BUILT = "the preset {preset} needs {missing}, which this version does not have",
        "the session builds on a preset for servers that are reached in a way lazycim does not know yet",
        "take another preset, or leave it out and say protocol and authentication in the session";
    NO_PASSWORD = "no password was given", "the session has a user, and nobody gave the password when asked",
        "run it again and give the password";
    VARIABLE_UNSET = "the environment variable {variable} is not set", "the session takes its password from there",
        "set {variable} to the password of {user}";
    VARIABLE_BROKEN = "the environment variable {variable} is not valid Unicode",
        "the session takes its password from there", "set {variable} to the password of {user}";
    NOBODY_TO_ASK = "nobody can be asked for this password", "it is not the session's own, and only that is asked for",
        "write secret = \"prompt\" or secret = \"env:VAR\" in the session";
    NO_LOCAL_SERVER = "the embedded server could not be started",
        "this computer is browsed through a server inside lazycim, on a free port of the loopback address",
        "check the limits of the process and this computer's firewall, then try again";
    TOTAL = "it took longer than {limit} in all", "the time given to the whole operation is over",
        "give it more time with --timeout, or total under timeouts";
    MAY_STAY_OPEN = "the enumeration {open}", "it could not be released on the server in time",
        "nothing need be done: the server ends it by itself";
    RELEASE_TIMED_OUT = "the release took longer than {limit}", "it could not be released on the server in time",
        "nothing need be done: the server ends it by itself";
    DEFECT = "lazycim failed inside", "this is a defect of lazycim, not of the server", "report what you did";
    NO_OUTCOME = "the operation ended without an outcome", "only a defect of lazycim does that",
        "run it again with -v, and report what it says";
}
