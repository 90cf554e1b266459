//! HTTP proxies on the way to a server.
//!
//! Owns: what a proxy is to a dialer, and which one the environment names. Must not know profiles, nor where a secret
//! comes from.
//!
//! A request over TLS goes through a tunnel (CONNECT, RFC 9110 section 9.3.6), one in the clear is forwarded (RFC 9112
//! section 3.2.2). The proxy resolves the server's name; we resolve the proxy's.

use ::http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::Matcher;

use super::{fault::plain, settings::Scheme};
use crate::op::{ErrorKind, OpError, Phase, explain::connection::proxy};

/// The proxy of a dialer.
#[derive(Clone)]
pub struct Proxy {
    /// Host name, or address (IPv6 without brackets).
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// `Proxy-Authorization`, where the proxy wants one.
    pub authorization: Option<HeaderValue>,
    /// The credentials may be sent in the clear to a proxy on another machine.
    pub allow_clear_text: bool,
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxy").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

impl Proxy {
    /// A proxy that wants no credentials.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port, authorization: None, allow_clear_text: false }
    }

    /// The proxy the environment (`https_proxy`, `http_proxy`, `all_proxy`, `no_proxy`) names for a server.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if it names one that does not speak HTTP in the clear.
    pub fn of_environment(scheme: Scheme, host: &str, port: u16) -> Result<Option<Self>, OpError> {
        Self::chosen(&Matcher::from_env(), scheme, host, port)
    }

    /// The proxy `rules` name for a server.
    pub(super) fn chosen(rules: &Matcher, scheme: Scheme, host: &str, port: u16) -> Result<Option<Self>, OpError> {
        let scheme = if scheme == Scheme::Https { "https" } else { "http" };
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let written = if bare.contains(':') { format!("[{bare}]") } else { bare.to_owned() };
        let target = format!("{}:{port}", plain(&written));
        let found = format!("{scheme}://{written}:{port}/").parse::<Uri>().ok().and_then(|uri| rules.intercept(&uri));
        let Some(found) = found else { return Ok(None) };
        let (uri, host) = (found.uri(), found.uri().host().unwrap_or_default());
        if uri.scheme_str() != Some("http") || host.is_empty() {
            return Err(proxy::NOT_HTTP.error(Phase::Connect, target, ErrorKind::Configuration));
        }
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let authorization = found.basic_auth().cloned().map(|mut value| {
            value.set_sensitive(true);
            value
        });
        Ok(Some(Self { authorization, ..Self::new(bare, uri.port_u16().unwrap_or(80)) }))
    }

    /// The proxy as the HTTP library takes it.
    pub(super) fn for_client(&self, host: &str) -> reqwest::Result<reqwest::Proxy> {
        let proxy = reqwest::Proxy::all(format!("http://{host}:{}", self.port))?;
        Ok(match &self.authorization {
            Some(value) => proxy.custom_http_auth(value.clone()),
            None => proxy,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_environments_rules_choose() {
        let rules = Matcher::builder()
            .http("http://plain.example:3128")
            .https("http://ann:s3cret@secure.example")
            .no("db.example,10.0.0.0/8")
            .build();
        let chosen = |scheme, host: &str| Proxy::chosen(&rules, scheme, host, 5989).unwrap();
        let proxy = chosen(Scheme::Http, "web.example").unwrap();
        assert_eq!((proxy.host.as_str(), proxy.port, &proxy.authorization), ("plain.example", 3128, &None));
        let proxy = chosen(Scheme::Https, "fe80::1").unwrap();
        assert_eq!((proxy.host.as_str(), proxy.port), ("secure.example", 80));
        assert!(proxy.authorization.as_ref().unwrap().is_sensitive());
        assert!(!format!("{proxy:?}").contains("Basic") && !format!("{proxy:?}").contains("s3cret"));
        assert!(chosen(Scheme::Https, "db.example").is_none() && chosen(Scheme::Http, "10.1.2.3").is_none());
        assert!(Proxy::chosen(&Matcher::builder().build(), Scheme::Http, "h", 1).unwrap().is_none());
    }

    #[test]
    fn a_proxy_that_is_not_http_is_refused() {
        for url in ["socks5://px.example:1080", "https://px.example"] {
            let error = Proxy::chosen(&Matcher::builder().all(url).build(), Scheme::Http, "h", 5988).unwrap_err();
            assert_eq!((error.kind, error.target.as_str()), (ErrorKind::Configuration, "h:5988"), "{url}");
            assert!(error.hint.contains("proxy = "), "{}", error.hint);
        }
    }
}
