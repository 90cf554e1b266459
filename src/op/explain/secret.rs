//! Rows of secrets that nobody is asked for.
//!
//! Owns: their words. Must not know how a program is run or a keyring asked, nor what one gave.

/// Secrets that a program prints.
pub mod command {
    section! {
        "Passwords from commands (queue)", "The session takes its password, or its proxy's, from what a program prints.",
        UNCONFIRMED = "{command} is inactive", "it came with an import, and nobody has confirmed it yet",
            "lazycim sessions confirm NAME or C in the sessions pane: both show it and ask";
        NO_FILE = "{command} is not run", "it stands in no sessions.toml", "write it into sessions.toml";
        WRITABLE = "{command} is not run: {found}", "whoever may write there could have any program run", "{fix}";
        MISSING = "{command} was not found", "no program of this name is in the folders of PATH",
            "install it, or write its whole path in sessions.toml";
        NOT_STARTED = "{command} cannot be started: {error}", "the system refused",
            "check its permissions, or correct secret in sessions.toml";
        SLOW = "{command} took longer than {limit} and was ended", "it hangs, or waits for somebody",
            "run it once in a shell, or write a longer timeout beside it in sessions.toml";
        UNREADABLE = "what {command} prints cannot be read: {error}", "the system refused", "run it in a shell to see what it says";
        FAILED = "{command} failed: {status}", "what it printed is not shown: it may be a password",
            "run it in a shell to see what it says";
        SILENT = "{command} printed nothing in its first line", "the first line it prints is the password",
            "run it in a shell to see what it says";
        TOO_MUCH = "{command} printed more than {limit} bytes", "no password is so long",
            "run it in a shell to see what it says";
        NOT_UTF8 = "{command} printed what is not UTF-8", "a password is text", "run it in a shell to see what it says";
    }
}

/// Secrets that lie in the operating system's keyring.
pub mod keyring {
    section! {
        "Passwords from the keyring (queue)", "The session takes its password, or its proxy's, from the operating system's keyring.",
        ABSENT = "no keyring answers: {error}", "none runs here, as is usual on servers and over SSH",
            "write {key} = \"prompt\", \"env:VAR\" or { command = [...] } in the session";
        NOT_BUILT = "this lazycim was built without the keyring", "its feature `keyring` was left out",
            "write {key} = \"prompt\", \"env:VAR\" or { command = [...] } in the session";
        LOCKED = "the keyring is locked: {error}", "it was not unlocked when it asked for that",
            "unlock it and try again, or write {key} = \"prompt\", \"env:VAR\" or { command = [...] } in the session";
        SLOW = "the keyring did not answer within {limit}", "it hangs, or waits for somebody to unlock it",
            "unlock it and try again, or write {key} = \"prompt\", \"env:VAR\" or { command = [...] } in the session";
        NO_ENTRY = "the keyring has no password for {account}",
            "nobody put it there, or the session's user, computer or port has changed since", "{fix}";
        NOTHING_TO_FORGET = "nothing is forgotten: the keyring has no password for {account}",
            "nobody put it there, or the session's user, computer or port has changed since", "nothing need be done";
        NOTHING_TO_KEEP = "no password is held that could be kept", "the session was closed meanwhile",
            "open the session again";
        NOT_TEXT = "what the keyring has for {account} is no text", "another program wrote it", "{fix}";
        SEVERAL = "the keyring has several passwords for {account}", "another program wrote one of them",
            "remove all but one with the keyring's own program";
        FAILED = "the keyring failed: {error}", "the system refused",
            "try again, or write {key} = \"prompt\", \"env:VAR\" or { command = [...] } in the session";
    }
}
