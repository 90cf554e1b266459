//! Addresses as other tools write them: `https://user:password@host:port/path`, `smispy+ssl://...?namespace=...`, a bare
//! host, or a target URL of ours.
//!
//! Owns: taking them apart, and keeping a password in one from being shown. Must not know what a session is.

use secrecy::SecretString;

use crate::session::url::{Scheme, parse_host_port, percent_decode};

/// The parts of an address.
#[derive(Debug, Default)]
pub(super) struct Address {
    /// The protocol, where the scheme names one.
    pub(super) scheme: Option<Scheme>,
    /// Whether the scheme asks for TLS; `None` without a scheme.
    pub(super) tls: Option<bool>,
    /// The user, percent-decoded.
    pub(super) user: Option<String>,
    /// The password, percent-decoded.
    pub(super) password: Option<SecretString>,
    /// Host name or address, without brackets.
    pub(super) host: String,
    /// The port.
    pub(super) port: Option<u16>,
    /// The path, if there is more than `/`.
    pub(super) path: Option<String>,
    /// The pairs of the query, percent-decoded.
    pub(super) query: Vec<(String, String)>,
}

impl Address {
    /// Takes `text` apart.
    ///
    /// # Errors
    /// What is wrong, without repeating anything of the text.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut address = Self::default();
        let rest = match text.split_once("://") {
            Some((scheme, rest)) => {
                (address.scheme, address.tls) = scheme_of(scheme).ok_or("its scheme is not one of CIM's")?;
                rest
            }
            None => text,
        };
        let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let (login, host_port) =
            authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
        if let Some(login) = login {
            let decode = |text| percent_decode(text).ok_or("its user is not percent-encoded UTF-8");
            let (user, password) = login.split_once(':').map_or((login, None), |(user, word)| (user, Some(word)));
            address.user = Some(decode(user)?).filter(|user| !user.is_empty());
            let password = password.map(decode).transpose()?.filter(|word| !word.is_empty());
            address.password = password.map(SecretString::from);
        }
        let bare_v6 = host_port.parse::<std::net::Ipv6Addr>().is_ok();
        let (host, port) = if bare_v6 {
            (host_port.to_owned(), None)
        } else {
            parse_host_port(host_port).map_err(|error| error.cause)?
        };
        (address.host, address.port) = (host, port);
        address.path = Some(path.to_owned()).filter(|path| path.len() > 1);
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decode = |text| percent_decode(text).ok_or("its query is not percent-encoded UTF-8");
            address.query.push((decode(key)?, decode(value)?));
        }
        Ok(address)
    }
}

fn scheme_of(scheme: &str) -> Option<(Option<Scheme>, Option<bool>)> {
    let scheme = scheme.to_ascii_lowercase();
    Some(match scheme.as_str() {
        "http" => (None, Some(false)),
        "https" => (None, Some(true)),
        // libstoragemgmt reaches SMI-S providers under this name.
        "smispy" => (Some(Scheme::CimXml), Some(false)),
        "smispy+ssl" => (Some(Scheme::CimXml), Some(true)),
        _ => {
            let (protocol, transport) = scheme.split_once('+')?;
            let tls = match transport {
                "http" => false,
                "https" => true,
                _ => return None,
            };
            (Some(Scheme::from_name(protocol)?), Some(tls))
        }
    })
}
