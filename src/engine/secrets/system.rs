//! The keyring of this computer: Keychain, Credential Manager or the Secret Service.
//!
//! Owns: what the library's answers mean. Must not show what an entry holds, which some of its errors carry.

use super::keyring::{Keyring, KeyringError};

/// There is none: this lazycim was built without.
#[cfg(not(feature = "keyring"))]
pub(in crate::engine) use self::NoKeyring as SystemKeyring;
/// The keyring of this computer.
#[cfg(feature = "keyring")]
pub(in crate::engine) use self::entry::SystemKeyring;

#[cfg(feature = "keyring")]
mod entry {
    use keyring::{Entry, Error};
    use secrecy::{ExposeSecret, SecretString};
    use zeroize::Zeroizing;

    use super::{Keyring, KeyringError};

    /// The service all entries belong to.
    const SERVICE: &str = "lazycim";

    /// This computer's keyring, looked for when it is first asked.
    pub(in crate::engine) struct SystemKeyring;

    impl Keyring for SystemKeyring {
        fn get(&self, account: &str) -> Result<Option<SecretString>, KeyringError> {
            match entry(account)?.get_password().map(Zeroizing::new) {
                Ok(secret) => Ok(Some(SecretString::from(secret.as_str()))),
                Err(Error::NoEntry) => Ok(None),
                Err(error) => Err(told(error)),
            }
        }

        fn set(&self, account: &str, secret: &SecretString) -> Result<(), KeyringError> {
            entry(account)?.set_password(secret.expose_secret()).map_err(told)
        }

        fn forget(&self, account: &str) -> Result<bool, KeyringError> {
            match entry(account)?.delete_credential() {
                Ok(()) => Ok(true),
                Err(Error::NoEntry) => Ok(false),
                Err(error) => Err(told(error)),
            }
        }
    }

    fn entry(account: &str) -> Result<Entry, KeyringError> {
        if let Err(error) = Entry::store_status() {
            return Err(KeyringError::Absent(error.to_string()));
        }
        Entry::new(SERVICE, account).map_err(told)
    }

    fn told(error: Error) -> KeyringError {
        match error {
            Error::NoStorageAccess(error) => KeyringError::Locked(error.to_string()),
            Error::NoDefaultStore => KeyringError::Absent("there is no store".to_owned()),
            Error::Ambiguous(_) => KeyringError::Several,
            // Both carry what lies there.
            Error::BadEncoding(bytes) | Error::BadDataFormat(bytes, _) => {
                drop(Zeroizing::new(bytes));
                KeyringError::NotText
            }
            other => KeyringError::Failed(other.to_string()),
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn what_an_error_carries_is_not_told() {
            let data = || Error::BadDataFormat(b"hunter2".to_vec(), "hunter2".into());
            for error in [Error::BadEncoding(b"hunter2".to_vec()), data()] {
                assert_eq!(told(error), KeyringError::NotText);
            }
            assert_eq!(told(Error::NoStorageAccess("asleep".into())), KeyringError::Locked("asleep".to_owned()));
        }
    }
}

/// What a lazycim that was built without the keyring asks.
#[cfg(any(test, not(feature = "keyring")))]
pub(in crate::engine) struct NoKeyring;

#[cfg(any(test, not(feature = "keyring")))]
impl Keyring for NoKeyring {
    fn get(&self, _account: &str) -> Result<Option<secrecy::SecretString>, KeyringError> {
        Err(KeyringError::NotBuilt)
    }

    fn set(&self, _account: &str, _secret: &secrecy::SecretString) -> Result<(), KeyringError> {
        Err(KeyringError::NotBuilt)
    }

    fn forget(&self, _account: &str) -> Result<bool, KeyringError> {
        Err(KeyringError::NotBuilt)
    }
}
