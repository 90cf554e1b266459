//! The proxy of a session.
//!
//! Owns: how what a profile says about a proxy becomes something to dial through. Must not connect to anything.

use http::HeaderValue;

use crate::{
    auth::{Credentials, authenticator_for},
    op::{ErrorKind, OpError, Phase, explain::connection::proxy::UNSENDABLE},
    session::{HttpProxy, Proxy, Target},
    wire::{self, Scheme},
};

/// The proxy as errors name it.
pub(super) fn name(proxy: &HttpProxy) -> String {
    format!("the proxy {}:{}", proxy.host, proxy.port)
}

/// What stands between this computer and `target`; `credentials` are for it.
///
/// # Errors
/// If the environment names a proxy we cannot use, or the proxy's user or secret cannot be sent.
pub(super) fn of(
    target: &Target,
    credentials: Option<Credentials>,
    scheme: Scheme,
) -> Result<Option<wire::Proxy>, OpError> {
    let settings = match &target.proxy {
        Proxy::None => return Ok(None),
        Proxy::System => {
            let computer = target.computer.as_deref().unwrap_or_default();
            return wire::Proxy::of_environment(scheme, computer, target.port);
        }
        Proxy::Http(proxy) => proxy,
    };
    let mut proxy =
        wire::Proxy { allow_clear_text: settings.allow_clear_text, ..wire::Proxy::new(&settings.host, settings.port) };
    if let Some(credentials) = credentials {
        let unusable = || UNSENDABLE.error(Phase::Connect, name(settings), ErrorKind::Configuration);
        let basic = authenticator_for("basic", credentials);
        let proof = basic.map_err(|_| unusable())?.authorization("CONNECT", "").ok_or_else(unusable)?;
        let mut value = HeaderValue::from_bytes(&proof.0).map_err(|_| unusable())?;
        value.set_sensitive(true);
        proxy.authorization = Some(value);
    }
    Ok(Some(proxy))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_proxy_is_told_who_asks() {
        let proxy = HttpProxy::at("http://px.example:3128").unwrap();
        let target = Target { computer: Some("h".to_owned()), proxy: Proxy::Http(proxy), ..Target::this_computer() };
        let proxy = of(&target, None, Scheme::Http).unwrap().unwrap();
        assert_eq!((proxy.host.as_str(), proxy.port, proxy.authorization), ("px.example", 3128, None));
        let credentials = Credentials { user: "ann".to_owned(), secret: "lazycim".into() };
        let proxy = of(&target, Some(credentials), Scheme::Http).unwrap().unwrap();
        let value = proxy.authorization.unwrap();
        assert!(value.is_sensitive() && value.to_str().unwrap() == "Basic YW5uOmxhenljaW0=", "{value:?}");
        assert!(of(&Target::this_computer(), None, Scheme::Http).unwrap().is_none());
    }
}
