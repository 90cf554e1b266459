//! Key scripts for tests.
