//! The sessions.toml file.
