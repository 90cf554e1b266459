//! Managed Object Format (DSP0004 annex A): parser and printer.
