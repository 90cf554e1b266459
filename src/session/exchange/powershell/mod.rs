//! `New-CimSession` and `New-CimSessionOption` command lines.
//!
//! Owns: what the parameters of the two cmdlets mean for a session, and writing sessions as such lines. Must not run
//! anything: only literal arguments are read, and variables that were given some.

mod lexer;
mod parameters;
mod parse;

use std::{fmt::Write as _, time::Duration};

use super::{
    ExchangeError, Export, Import, LeftOut, MAX_SESSIONS,
    draft::{Draft, Unchecked},
    outgoing::{Carries, lost},
};
use crate::session::{Mechanism, Profile, RequestEncoding, url::Scheme};
use parameters::Cmdlet;
use parse::{Argument, Call, Value};

const DYNAMIC: &str = "it is known only while the script runs";

/// Whether `line` holds one of the two cmdlets, by name or alias.
pub(super) fn is_command(line: &str) -> bool {
    line.split(|c: char| c.is_whitespace() || "()=;|{}".contains(c)).any(|word| Cmdlet::from_name(word).is_some())
}

/// Reads the command lines.
pub(super) fn read(text: &str) -> Result<Import, ExchangeError> {
    let mut import = Import::default();
    let script = parse::script(lexer::tokens(text));
    for skipped in script.skipped {
        let line = format!("line {}", skipped.line);
        let reason = "only New-CimSession and New-CimSessionOption are read";
        import.left_out(&line, "the command", skipped.command.as_deref(), reason);
    }
    for call in script.sessions.iter().take(MAX_SESSIONS + 1) {
        session(call, &mut import);
    }
    if import.sessions.is_empty() && import.left_out.is_empty() {
        let hint = "write New-CimSession -ComputerName HOST, or name another --format";
        return Err(ExchangeError::new("there is no New-CimSession in the text", hint));
    }
    Ok(import)
}

fn session(call: &Call, import: &mut Import) {
    let line = format!("line {}", call.line);
    for problem in &call.problems {
        import.left_out(&line, &problem.what, None, problem.reason);
    }
    let computers = match call.value("ComputerName") {
        Some(Value::Literal(computers)) => computers,
        Some(_) => return import.left_out(&line, "ComputerName", None, DYNAMIC),
        None => {
            let reason = "without a computer it is this one, which always has a session here";
            return import.left_out(&line, "New-CimSession", None, reason);
        }
    };
    for computer in computers.iter().take(MAX_SESSIONS + 1) {
        let name = match call.value("Name") {
            Some(Value::Literal(names)) => names.first().map_or("", |name| &**name),
            _ => "",
        };
        let mut draft = Draft::new(if name.is_empty() { computer } else { name }, Scheme::WsMan);
        draft.computer = computer.to_string();
        draft.tls = false;
        let is_dcom = call.arguments.iter().any(|argument| session_argument(argument, &mut draft));
        if is_dcom {
            draft.leave("Protocol", Some("Dcom"), "lazycim does not speak DCOM yet: there is no session for it");
            draft.give_up(import);
            continue;
        }
        if draft.user.is_some() && call.value("Authentication").is_none() {
            draft.mechanism("Authentication", "Default");
        }
        draft.finish(import);
    }
}

/// Takes one argument of `New-CimSession` over; true where the session is one of DCOM.
fn session_argument(argument: &Argument, draft: &mut Draft) -> bool {
    let name = argument.name;
    match (name, &argument.value) {
        ("ComputerName" | "SkipTestConnection", _) => {}
        ("SessionOption", Value::Options(options)) => {
            return options.arguments.iter().any(|argument| option(argument, draft)) || {
                options.problems.iter().for_each(|problem| draft.leave(&problem.what, None, problem.reason));
                false
            };
        }
        ("SessionOption", _) => draft.leave(name, None, "the variable was given no New-CimSessionOption before"),
        ("Credential", Value::Credential(Some(user))) => draft.user = Some(user.to_string()),
        ("Credential", Value::Credential(None)) => draft.leave(name, None, "it names no user: the session has none"),
        ("Credential", Value::Literal(users)) => draft.user = users.first().map(ToString::to_string),
        (_, Value::Dynamic | Value::Options(_) | Value::Credential(_) | Value::Nothing) => {
            draft.leave(name, None, DYNAMIC);
        }
        ("CertificateThumbprint", _) => {
            draft.leave(name, None, "it names a certificate in the store of Windows: lazycim reads PEM files");
        }
        ("Name", _) => {}
        ("Authentication", Value::Literal(_)) => draft.mechanism(name, argument.text()),
        ("Port", Value::Literal(_)) => match argument.text().parse() {
            Ok(port) if port > 0 => draft.port = Some(port),
            _ => draft.leave(name, Some(argument.text()), "it is no number from 1 to 65535"),
        },
        ("OperationTimeoutSec", Value::Literal(_)) => match argument.text().parse() {
            // 0 is the server's own.
            Ok(0) => {}
            Ok(seconds) => draft.operation_within(name, Duration::from_secs(seconds)),
            Err(_) => draft.leave(name, Some(argument.text()), "it is no number of seconds"),
        },
        _ => draft.leave(name, None, "it says how the command runs, not where it connects"),
    }
    false
}

/// Takes one argument of `New-CimSessionOption` over; true where it makes the session one of DCOM.
fn option(argument: &Argument, draft: &mut Draft) -> bool {
    let name = argument.name;
    let text = argument.text();
    if matches!(argument.value, Value::Dynamic | Value::Options(_) | Value::Nothing) {
        draft.leave(name, None, DYNAMIC);
        return false;
    }
    match name {
        "Protocol" => return text.eq_ignore_ascii_case("dcom"),
        "Impersonation" | "PacketIntegrity" | "PacketPrivacy" => return true,
        // Switched off with -NAME:$false, a switch says nothing.
        _ if argument.is_off() => {}
        "UseSsl" => draft.tls = true,
        "SkipCACheck" => draft.unchecked(Unchecked::Chain),
        "SkipCNCheck" => draft.unchecked(Unchecked::Name),
        // No list of revoked certificates is ever asked.
        "SkipRevocationCheck" => {}
        "HttpPrefix" => draft.path(name, text),
        "Culture" => draft.culture(name, text),
        "UICulture" => draft.leave(name, Some(text), "a session has one language, its culture"),
        "Encoding" if text.eq_ignore_ascii_case("utf16") => draft.wsman.encoding = RequestEncoding::Utf16,
        // UTF-8 is what is written anyway.
        "Encoding" => {}
        "NoEncryption" => draft.leave(name, Some("on"), "there is no sealing of messages yet that it could turn off"),
        "EncodePortInServicePrincipalName" => draft.leave(name, Some("on"), "there is no Kerberos yet"),
        "MaxEnvelopeSizeKB" => draft.envelope_kilobytes(name, text),
        "ProxyType" if text.eq_ignore_ascii_case("none") => {}
        "ProxyCredential" | "ProxyCertificateThumbprint" => draft.leave(name, None, NO_PROXY),
        "ProxyType" | "ProxyAuthentication" => draft.leave(name, Some(text), NO_PROXY),
        _ => draft.leave(name, None, "it says how the command runs, not where it connects"),
    }
    false
}

const NO_PROXY: &str = "the proxy of Windows cannot be read from here";

/// Writes `profiles` as command lines. What PowerShell cannot reach is on the list.
pub(super) fn write(profiles: &[&Profile]) -> Export {
    let mut export = Export::default();
    for profile in profiles {
        let Profile { id, target, .. } = profile;
        let mut lose = |field: &str, value: &str, reason: &str| {
            export.left_out.push(LeftOut::new(id.as_str(), field, Some(value), reason));
        };
        let Some(computer) = &target.computer else {
            lose("computer", "this computer", "it is served by lazycim alone: there is no line for it");
            continue;
        };
        if Scheme::from_name(&target.protocol) != Some(Scheme::WsMan) {
            lose("protocol", &target.protocol, "PowerShell speaks WS-Man and DCOM alone: there is no line for it");
            continue;
        }
        export.left_out.append(&mut lost(
            profile,
            &[
                Carries::Name,
                Carries::Path,
                Carries::EachCheck,
                Carries::TotalTimeout,
                Carries::Culture,
                Carries::EnvelopeKilobytes,
                Carries::Encoding,
            ],
        ));
        // The options of WS-Man are a parameter set of their own, which has no -Protocol.
        let mut options = String::new();
        if let Some(tls) = &target.tls {
            options.push_str(" -UseSsl");
            options.push_str(if tls.skip_chain { " -SkipCACheck" } else { "" });
            options.push_str(if tls.skip_name { " -SkipCNCheck" } else { "" });
        }
        // Writing into a String cannot fail.
        if target.path != Scheme::WsMan.default_path() {
            let _ = write!(options, " -HttpPrefix {}", quoted(&target.path));
        }
        let number = export.text.matches("New-CimSession ").count() + 1;
        if let Some(culture) = &target.culture {
            let _ = write!(options, " -Culture {}", quoted(culture));
        }
        if let Some(bytes) = target.wsman.max_envelope_size.filter(|bytes| bytes % 1024 == 0) {
            let _ = write!(options, " -MaxEnvelopeSizeKB {}", bytes / 1024);
        }
        if target.wsman.encoding == RequestEncoding::Utf16 {
            options.push_str(" -Encoding Utf16");
        }
        if !options.is_empty() {
            let _ = writeln!(export.text, "$o{number} = New-CimSessionOption{options}");
        }
        let _ = write!(export.text, "$s{number} = New-CimSession -ComputerName {}", quoted(computer));
        let _ = write!(export.text, " -Port {}", target.port);
        if let Some(user) = &target.user {
            let mechanism = if target.mechanism == Mechanism::Digest { "Digest" } else { "Basic" };
            let credential = quoted(user);
            let _ = write!(export.text, " -Authentication {mechanism} -Credential (Get-Credential {credential})");
        }
        let _ = write!(export.text, " -SkipTestConnection -Name {}", quoted(&profile.name));
        if let Some(Some(total)) = target.timeouts.total {
            let _ = write!(export.text, " -OperationTimeoutSec {}", total.as_secs().max(1));
        }
        if !options.is_empty() {
            let _ = write!(export.text, " -SessionOption $o{number}");
        }
        export.text.push('\n');
    }
    export
}

/// `text` in single quotes, in which PowerShell takes everything as it is but the quotes themselves, the typographic
/// ones among them.
fn quoted(text: &str) -> String {
    let mut out = String::from("'");
    for c in text.chars() {
        out.push(c);
        if lexer::is_single_quote(c) {
            out.push(c);
        }
    }
    out.push('\'');
    out
}
