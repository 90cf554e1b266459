//! The proxy of a session.
//!
//! Owns: how what a profile says about a proxy becomes something to dial through. Must not connect to anything.

use http::HeaderValue;

use super::session::secret_of;
use crate::{
    auth::{Credentials, authenticator_for},
    op::{ErrorKind, OpError, Phase, explain::connection::proxy::UNSENDABLE},
    session::{HttpProxy, Proxy, Target},
    wire::{self, Scheme},
};

/// What stands between this computer and `target`.
///
/// # Errors
/// If the environment names a proxy we cannot use, or the proxy's secret is not there or cannot be sent.
pub(super) fn of(target: &Target, scheme: Scheme) -> Result<Option<wire::Proxy>, OpError> {
    let HttpProxy { host, port, user, secret, allow_clear_text } = match &target.proxy {
        Proxy::None => return Ok(None),
        Proxy::System => {
            let computer = target.computer.as_deref().unwrap_or_default();
            return wire::Proxy::of_environment(scheme, computer, target.port);
        }
        Proxy::Http(proxy) => proxy,
    };
    let mut proxy = wire::Proxy { allow_clear_text: *allow_clear_text, ..wire::Proxy::new(host, *port) };
    if let Some(user) = user {
        let name = format!("the proxy {host}:{port}");
        let secret = secret_of(secret, user, name.clone())?;
        let unusable = || UNSENDABLE.error(Phase::Connect, name.clone(), ErrorKind::Configuration);
        let basic = authenticator_for("basic", Credentials { user: user.clone(), secret });
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
    use crate::session::SecretSource;

    fn through(user: Option<&str>, secret: SecretSource) -> Target {
        let user = user.map(str::to_owned);
        let proxy = HttpProxy { user, secret, ..HttpProxy::at("http://px.example:3128").unwrap() };
        Target { computer: Some("h".to_owned()), proxy: Proxy::Http(proxy), ..Target::this_computer() }
    }

    #[test]
    fn a_proxy_has_the_secret_its_source_gives() {
        let proxy = of(&through(None, SecretSource::Prompt), Scheme::Http).unwrap().unwrap();
        assert_eq!((proxy.host.as_str(), proxy.port, proxy.authorization), ("px.example", 3128, None));
        let variable = SecretSource::Env("CARGO_PKG_NAME".to_owned());
        let proxy = of(&through(Some("ann"), variable), Scheme::Http).unwrap().unwrap();
        let value = proxy.authorization.unwrap();
        assert!(value.is_sensitive() && value.to_str().unwrap() == "Basic YW5uOmxhenljaW0=", "{value:?}");
        assert!(of(&Target::this_computer(), Scheme::Http).unwrap().is_none());
    }

    #[test]
    fn sources_that_cannot_be_asked_say_what_can() {
        for secret in [SecretSource::Prompt, SecretSource::Keyring] {
            let error = of(&through(Some("ann"), secret), Scheme::Https).unwrap_err();
            assert_eq!((&error.kind, error.target.as_str()), (&ErrorKind::SecretMissing, "the proxy px.example:3128"));
            assert!(error.hint.contains("env:VAR"), "{}", error.hint);
        }
    }
}
