//! Where lazycim's files lie.
//!
//! Owns: the configuration directory and the names in it. Must not know what the files say.

use std::path::{Path, PathBuf};

/// The variable that moves the configuration directory.
pub const CONFIG_DIR_VARIABLE: &str = "LAZYCIM_CONFIG_DIR";

/// The places of lazycim's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    config_dir: PathBuf,
}

impl Paths {
    /// The platform's configuration directory for lazycim, or what [`CONFIG_DIR_VARIABLE`] says.
    ///
    /// Where the platform knows no home directory, the files are looked for in `.lazycim` in the current directory.
    pub fn discover() -> Self {
        let given = std::env::var_os(CONFIG_DIR_VARIABLE).filter(|dir| !dir.is_empty()).map(PathBuf::from);
        let config_dir = given
            .or_else(|| directories::ProjectDirs::from("", "", "lazycim").map(|dirs| dirs.config_dir().to_owned()))
            .unwrap_or_else(|| PathBuf::from(".lazycim"));
        Self { config_dir }
    }

    /// Files in `config_dir`.
    pub fn in_dir(config_dir: impl Into<PathBuf>) -> Self {
        Self { config_dir: config_dir.into() }
    }

    /// The directory itself.
    pub fn config_dir(&self) -> &Path {
        &self.config_dir
    }

    /// `config.toml`
    pub fn config_file(&self) -> PathBuf {
        self.config_dir.join("config.toml")
    }

    /// `sessions.toml`
    pub fn sessions_file(&self) -> PathBuf {
        self.config_dir.join("sessions.toml")
    }

    /// `keys.toml`
    pub fn keys_file(&self) -> PathBuf {
        self.config_dir.join("keys.toml")
    }

    /// `themes/`
    pub fn themes_dir(&self) -> PathBuf {
        self.config_dir.join("themes")
    }
}
