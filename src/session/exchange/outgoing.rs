//! What of a profile a foreign format has no words for.
//!
//! Owns: the one list of what a profile can say. A format names what it carries; the rest goes on the list, unless it is
//! what every session begins with. Must not know any format.

use super::LeftOut;
use crate::{
    cim::Namespace,
    session::{
        Colour, LimitChanges, Parent, Profile, Proxy, PullUse, RequestEncoding, SecretSource, Target, TimeoutChanges,
        Tls, TlsVersion, UriStyle, WsManOptions, url::Scheme,
    },
};

/// What a format can carry beyond computer, port, TLS and user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carries {
    /// The name beside the id.
    Name,
    /// The path.
    Path,
    /// The default namespace.
    Namespace,
    /// Certificates to trust.
    CaFile,
    /// A client certificate and its key.
    ClientCertificate,
    /// That the chain, or the name, of the server's certificate is not checked.
    EachCheck,
    /// That neither is; one alone is lost.
    BothChecks,
    /// Whether enumerations are pulled.
    Pull,
    /// How long an answer may take.
    AnswerTimeout,
    /// How long an operation may take.
    TotalTimeout,
    /// The language of texts.
    Culture,
    /// The size of answers over WS-Man, in whole kilobytes.
    EnvelopeKilobytes,
    /// How the characters of requests over WS-Man are encoded.
    Encoding,
}

/// What of `profile` is lost in a format that carries `carried`.
pub(super) fn lost(profile: &Profile, carried: &[Carries]) -> Vec<LeftOut> {
    let target = &profile.target;
    let mut list = Vec::new();
    let mut lose = |carries: Option<Carries>, is_said: bool, field: &str, value: Option<&str>| {
        if is_said && !carries.is_some_and(|one| carried.contains(&one)) {
            list.push(LeftOut::new(profile.id.as_str(), field, value, "the format has no place for it"));
        }
    };
    lose(Some(Carries::Name), profile.name != profile.id.as_str(), "name", Some(&profile.name));
    let usual = target.scheme().map(Scheme::default_path);
    lose(Some(Carries::Path), usual != Some(target.path.as_str()), "path", Some(&target.path));
    let is_other = target.namespace != Namespace::new("root/cimv2");
    lose(Some(Carries::Namespace), is_other, "namespace", Some(target.namespace.as_str()));
    if let Some(tls) = &target.tls {
        let Tls { ca_file, client_cert, client_key, skip_chain, skip_name, min_version, server_name, pin } = tls;
        let files = [
            (Carries::CaFile, "tls.ca_file", ca_file),
            (Carries::ClientCertificate, "tls.client_cert", client_cert),
            (Carries::ClientCertificate, "tls.client_key", client_key),
        ];
        for (carries, field, file) in files {
            let file = file.as_ref().map(|file| file.to_string_lossy());
            lose(Some(carries), file.is_some(), field, file.as_deref());
        }
        let both = *skip_chain && *skip_name && carried.contains(&Carries::BothChecks);
        lose(Some(Carries::EachCheck), *skip_chain && !both, "tls.skip_chain", Some("true"));
        lose(Some(Carries::EachCheck), *skip_name && !both, "tls.skip_name", Some("true"));
        lose(None, *min_version != TlsVersion::default(), "tls.min_version", Some(min_version.text()));
        lose(None, server_name.is_some(), "tls.server_name", server_name.as_deref());
        lose(None, pin.is_some(), "tls.pin", None);
    }
    if target.user.is_some() {
        let source = target.secret.to_text();
        lose(None, target.secret != SecretSource::Prompt, "auth.secret", source.as_deref());
    }
    lose(None, target.allow_clear_text, "allow_clear_text", Some("true"));
    lose(Some(Carries::Pull), target.pull != PullUse::Auto, "pull", Some(target.pull.name()));
    let TimeoutChanges { connect, first_byte, idle, total } = target.timeouts;
    lose(None, connect.is_some(), "timeouts.connect", None);
    lose(Some(Carries::AnswerTimeout), first_byte.is_some(), "timeouts.first_byte", None);
    // A format that has one time for both has that of the first byte.
    let is_same = first_byte == idle && carried.contains(&Carries::AnswerTimeout);
    lose(None, idle.is_some() && !is_same, "timeouts.idle", None);
    lose(Some(Carries::TotalTimeout), total.is_some(), "timeouts.total", None);
    lose(None, target.limits != LimitChanges::default(), "limits", None);
    lose(None, target.proxy != Proxy::None, "proxy", None);
    lose(Some(Carries::Culture), target.culture.is_some(), "culture", target.culture.as_deref());
    for (carries, is_said, field, value) in wsman(target) {
        lose(carries, is_said, field, value.as_deref());
    }
    lose(None, target.read_only, "read_only", Some("true"));
    lose(None, !profile.tags.is_empty(), "tags", Some(&profile.tags.join(", ")));
    lose(None, !profile.notes.is_empty(), "notes", None);
    lose(None, profile.colour.is_some(), "colour", profile.colour.map(Colour::name));
    let parent = profile.inherits.as_ref().map(Parent::to_text);
    lose(None, parent.is_some(), "inherits", parent.as_deref());
    list
}

/// What `target` says to servers of WS-Man: what could carry it, whether it is said, its key and its value.
fn wsman(target: &Target) -> [(Option<Carries>, bool, &'static str, Option<String>); 5] {
    let WsManOptions { max_envelope_size, operation_timeout, encoding, uri_style, vendor_namespaces } = &target.wsman;
    let whole = max_envelope_size.is_none_or(|bytes| bytes % 1024 == 0).then_some(Carries::EnvelopeKilobytes);
    let size = max_envelope_size.map(|bytes| bytes.to_string());
    let style = *uri_style != UriStyle::Auto;
    [
        (whole, size.is_some(), "wsman.max_envelope_size", size),
        (None, operation_timeout.is_some(), "wsman.operation_timeout", None),
        (
            Some(Carries::Encoding),
            *encoding != RequestEncoding::Utf8,
            "wsman.encoding",
            Some(encoding.name().to_owned()),
        ),
        (None, style, "wsman.uri_style", Some(uri_style.name().to_owned())),
        (None, !vendor_namespaces.is_empty(), "wsman.vendor_namespaces", None),
    ]
}
