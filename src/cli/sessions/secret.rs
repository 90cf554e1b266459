//! `lazycim sessions secret`.
//!
//! Owns: whose password goes into the keyring or out of it, and reading it unseen. Must not print a password, nor write one
//! anywhere but into the keyring.

use std::io::{self, IsTerminal};

use secrecy::{ExposeSecret, SecretString};

use super::{SecretArguments, SetSecretArguments, id_of, loaded, not_saved};
use crate::{
    cim::text::escape_for_terminal,
    cli::{
        failure::{Failure, say},
        prompt,
    },
    config::Paths,
    engine::{Account, KeyringClient},
    session::{
        ProfileId, Proxy, SecretSource, Target,
        store::{SessionsFile, Setting},
    },
};

/// Puts a password into the keyring.
pub(super) async fn set(arguments: &SetSecretArguments, keyring: &KeyringClient, paths: &Paths) -> Result<(), Failure> {
    let sessions = loaded(paths)?;
    let (id, account) = account(&arguments.whose, &sessions)?;
    let secret = read(&account).await?;
    keep(arguments, (&id, &account), secret, keyring, sessions).await
}

async fn keep(
    SetSecretArguments { whose, read_it }: &SetSecretArguments,
    (id, account): (&ProfileId, &Account),
    secret: SecretString,
    keyring: &KeyringClient,
    mut sessions: SessionsFile,
) -> Result<(), Failure> {
    keyring.set(account, secret).await.map_err(|error| Failure::from(&error))?;
    say(&format!("the keyring has the password of {}", account.name()));
    let key = account.key();
    if sessions.get(id).is_some_and(|profile| *source(&profile.target, whose.proxy) == SecretSource::Keyring) {
        return Ok(());
    }
    if !*read_it {
        let how = if whose.proxy { "write secret = \"keyring\" in its proxy" } else { "run this again with --use" };
        say(&format!("`{}` does not read it there yet: {how}", id.as_str()));
        return Ok(());
    }
    let setting = Setting::set(&format!("{key}=\"keyring\""))
        .map_err(|error| Failure::usage("usage", key, &error.cause, &error.hint))?;
    sessions.set(id, &[setting]).map_err(|error| not_saved(id, &error))?;
    say(&format!("changed `{}`: {}", id.as_str(), sessions.path.display()));
    Ok(())
}

/// Takes a password out of the keyring.
pub(super) async fn forget(arguments: &SecretArguments, keyring: &KeyringClient, paths: &Paths) -> Result<(), Failure> {
    let (_, account) = account(arguments, &loaded(paths)?)?;
    keyring.forget(&account).await.map_err(|error| Failure::from(&error))?;
    say(&format!("the keyring has no password of {} any more", account.name()));
    Ok(())
}

fn account(whose: &SecretArguments, sessions: &SessionsFile) -> Result<(ProfileId, Account), Failure> {
    let id = id_of(&whose.name, sessions, false)?;
    let account = sessions.get(&id).and_then(|profile| Account::of(&profile.target, whose.proxy));
    let account = account.ok_or_else(|| {
        let (cause, hint) = if whose.proxy {
            ("its proxy, if it has one, knows no user", "write user in its proxy".to_owned())
        } else {
            (
                "it has no user a password could be for",
                format!("lazycim sessions edit {} --set auth.user=USER", id.as_str()),
            )
        };
        Failure::usage("sessions", id.as_str(), cause, &hint)
    })?;
    Ok((id, account))
}

fn source(target: &Target, of_proxy: bool) -> &SecretSource {
    match &target.proxy {
        Proxy::Http(proxy) if of_proxy => &proxy.secret,
        _ => &target.secret,
    }
}

/// One line of the terminal, unseen, or of stdin where that is none.
async fn read(account: &Account) -> Result<SecretString, Failure> {
    let read = if io::stdin().is_terminal() {
        prompt::ask(&escape_for_terminal(&format!("Password of {}: ", account.name()))).await
    } else {
        prompt::read_line(&mut tokio::io::stdin()).await
    };
    let fails =
        |cause| Failure::usage("secret", account.name(), cause, "give it as one line on a terminal or on stdin");
    match read {
        Some(secret) if !secret.expose_secret().is_empty() => Ok(secret),
        Some(_) => Err(fails("the password is empty")),
        None => Err(fails("no password was given, or it is no line of UTF-8 of at most 4096 bytes")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::engine::{Keyring, KeyringError};

    /// A keyring with room for one password.
    #[derive(Default)]
    struct One(Mutex<Option<(String, String)>>);

    impl Keyring for One {
        fn get(&self, _account: &str) -> Result<Option<SecretString>, KeyringError> {
            Err(KeyringError::Failed("nobody reads it here".to_owned()))
        }

        fn set(&self, account: &str, secret: &SecretString) -> Result<(), KeyringError> {
            *self.0.lock().unwrap() = Some((account.to_owned(), secret.expose_secret().to_owned()));
            Ok(())
        }

        fn forget(&self, account: &str) -> Result<bool, KeyringError> {
            Ok(self.0.lock().unwrap().take_if(|(known, _)| known == account).is_some())
        }
    }

    #[tokio::test]
    async fn the_file_changes_only_where_that_is_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("sessions.toml");
        let before = "# mine\n[[session]]\nid = \"web\"\ncomputer = \"Web\"\nauth.user = \"ann\"\n";
        std::fs::write(&file, before).unwrap();
        let (one, whose) = (Arc::new(One::default()), SecretArguments { name: "web".to_owned(), proxy: false });
        let client = KeyringClient::new(one.clone());
        for read_it in [false, true] {
            let arguments = SetSecretArguments { whose: whose.clone(), read_it };
            let sessions = SessionsFile::load(file.clone());
            let (id, account) = account(&whose, &sessions).unwrap();
            keep(&arguments, (&id, &account), "hunter2".into(), &client, sessions).await.unwrap();
            let kept = one.0.lock().unwrap().clone().unwrap();
            assert_eq!(kept, ("ann@web:5989".to_owned(), "hunter2".to_owned()));
            let after = std::fs::read_to_string(&file).unwrap();
            assert_eq!(after == before, !read_it, "{after}");
        }
        let sessions = SessionsFile::load(file.clone());
        let (id, account) = account(&whose, &sessions).unwrap();
        assert_eq!(sessions.get(&id).unwrap().target.secret, SecretSource::Keyring);
        assert!(std::fs::read_to_string(&file).unwrap().starts_with("# mine\n"));
        client.forget(&account).await.unwrap();
        assert!(one.0.lock().unwrap().is_none());
    }
}
