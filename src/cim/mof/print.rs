//! MOF text of classes, instances and qualifier declarations.
//!
//! Owns: the layout: three spaces a level, about 80 columns, long texts broken after a blank or a line end and joined by
//! concatenation. What is printed is read back as the same thing by [`super::parse`], but for what MOF cannot say: origins,
//! propagation, namespaces, and the flavour of a standard qualifier that came with none. Characters a terminal must not
//! see are written as `\x` escapes. Must not know colours or streams.

use std::fmt::Write as _;

use super::standard;
use crate::cim::{
    CimClass, CimInstance, CimName, CimType, CimValue, ClassMethod, ClassParameter, ClassProperty, Flavor, Qualifier,
    QualifierDeclaration, Scopes,
    text::{escape_for_terminal, is_unsafe_for_terminal, real_text},
};

/// Where lines are broken, in characters.
const WIDTH: usize = 80;
/// A level of indentation.
const STEP: usize = 3;

/// A class. Inherited elements are printed like its own, below a comment that names the class they come from.
pub fn class(class: &CimClass) -> String {
    let mut out = String::new();
    if !class.qualifiers.is_empty() {
        qualifiers(&mut out, &class.qualifiers, 0);
        out.push('\n');
    }
    out.push_str("class ");
    name(&mut out, &class.name);
    if let Some(superclass) = &class.superclass {
        out.push_str(" : ");
        name(&mut out, superclass);
    }
    out.push_str(" {\n");
    let mut from = None;
    for one in &class.properties {
        origin(&mut out, one.origin.as_ref().filter(|_| one.propagated), &mut from);
        property(&mut out, one);
    }
    for one in &class.methods {
        origin(&mut out, one.origin.as_ref().filter(|_| one.propagated), &mut from);
        method(&mut out, one);
    }
    out.push_str("};\n");
    out
}

/// An instance.
pub fn instance(instance: &CimInstance) -> String {
    let mut out = String::new();
    if !instance.qualifiers.is_empty() {
        qualifiers(&mut out, &instance.qualifiers, 0);
        out.push('\n');
    }
    instance_body(&mut out, instance, 0);
    out.push_str(";\n");
    out
}

/// The declaration of a qualifier type.
pub fn qualifier_declaration(declaration: &QualifierDeclaration) -> String {
    let mut out = String::from("Qualifier ");
    name(&mut out, &declaration.name);
    let _ = write!(out, " : {}", declaration.ty);
    array(&mut out, declaration.is_array, declaration.array_size);
    let scopes = if declaration.scopes == Scopes::ANY { vec!["any"] } else { declaration.scopes.names() };
    let clauses = [("Scope", scopes), ("Flavor", flavors(declaration.flavor, Flavor::default()))];
    let clauses = clauses.into_iter().filter(|(_, words)| !words.is_empty());
    let clauses =
        clauses.map(|(clause, words)| format!("\n{:STEP$}{clause}({})", "", words.join(", "))).collect::<Vec<_>>();
    let comma = if clauses.is_empty() { "" } else { "," };
    if declaration.default.is_null() {
        out.push_str(comma);
    } else {
        value(&mut out, " = ", &declaration.default, declaration.ty, 0, comma);
    }
    out.push_str(&clauses.join(","));
    out.push_str(";\n");
    out
}

/// A value as a MOF literal on one line.
pub fn literal(value: &CimValue, ty: CimType) -> String {
    flat(value, ty)
}

fn name(out: &mut String, name: &CimName) {
    out.push_str(&escape_for_terminal(name.as_str()));
}

fn indent(out: &mut String, by: usize) {
    out.extend(std::iter::repeat_n(' ', by));
}

/// How many characters the line being written has so far.
fn column(out: &str) -> usize {
    out.rsplit('\n').next().map_or(0, |line| line.chars().count())
}

fn origin<'a>(out: &mut String, of: Option<&'a CimName>, last: &mut Option<&'a CimName>) {
    if of != *last {
        indent(out, STEP);
        match of {
            Some(class) => {
                out.push_str("// from ");
                name(out, class);
                out.push('\n');
            }
            None => out.push_str("// its own\n"),
        }
        *last = of;
    }
}

fn property(out: &mut String, property: &ClassProperty) {
    indent(out, STEP);
    if !property.qualifiers.is_empty() {
        qualifiers(out, &property.qualifiers, STEP);
        out.push('\n');
        indent(out, STEP);
    }
    type_and_name(out, Some(property.ty), property.reference_class.as_ref(), &property.name);
    array(out, property.is_array, property.array_size);
    if property.default.is_null() {
        out.push(';');
    } else {
        value(out, " = ", &property.default, property.ty, STEP, ";");
    }
    out.push('\n');
}

fn method(out: &mut String, method: &ClassMethod) {
    indent(out, STEP);
    if !method.qualifiers.is_empty() {
        qualifiers(out, &method.qualifiers, STEP);
        out.push('\n');
        indent(out, STEP);
    }
    type_and_name(out, method.return_type, None, &method.name);
    out.push('(');
    for (at, one) in method.parameters.iter().enumerate() {
        out.push_str(if at > 0 { ",\n" } else { "\n" });
        parameter(out, one);
    }
    out.push_str(");\n");
}

fn parameter(out: &mut String, parameter: &ClassParameter) {
    indent(out, 2 * STEP);
    if !parameter.qualifiers.is_empty() {
        qualifiers(out, &parameter.qualifiers, 2 * STEP);
        if column(out) + parameter.name.as_str().len() + 16 > WIDTH || out.ends_with(")]") && column(out) > WIDTH / 2 {
            out.push('\n');
            indent(out, 2 * STEP);
        } else {
            out.push(' ');
        }
    }
    type_and_name(out, Some(parameter.ty), parameter.reference_class.as_ref(), &parameter.name);
    array(out, parameter.is_array, parameter.array_size);
}

fn type_and_name(out: &mut String, ty: Option<CimType>, reference_class: Option<&CimName>, named: &CimName) {
    match (ty, reference_class) {
        (None, _) => out.push_str("void"),
        (Some(CimType::Reference), Some(class)) => {
            name(out, class);
            out.push_str(" REF");
        }
        (Some(CimType::Reference), None) => out.push_str("object REF"),
        (Some(ty), _) => out.push_str(ty.keyword()),
    }
    out.push(' ');
    name(out, named);
}

fn array(out: &mut String, is_array: bool, size: Option<u32>) {
    match (is_array, size) {
        (false, _) => {}
        (true, None) => out.push_str("[]"),
        (true, Some(size)) => {
            let _ = write!(out, "[{size}]");
        }
    }
}

/// `[A, B("..."), ...]`, filling lines that begin one column right of the bracket.
fn qualifiers(out: &mut String, list: &[Qualifier], at: usize) {
    out.push('[');
    for (number, qualifier) in list.iter().enumerate() {
        let mut one = String::new();
        qualifier_text(&mut one, qualifier, at + 1);
        let first_line = one.split('\n').next().map_or(0, |line| line.chars().count());
        if number > 0 {
            out.push(',');
            // What takes several lines begins its own.
            if one.contains('\n') || column(out) + 2 + first_line > WIDTH {
                out.push('\n');
                indent(out, at + 1);
            } else {
                out.push(' ');
            }
        }
        out.push_str(&one);
    }
    out.push(']');
}

fn qualifier_text(out: &mut String, qualifier: &Qualifier, at: usize) {
    name(out, &qualifier.name);
    let typed = &qualifier.value;
    let words = qualifier_flavors(qualifier);
    let after = if words.is_empty() { String::new() } else { format!(" : {}", words.join(" ")) };
    // Without a value a standard qualifier of another type would be read as NULL.
    let is_boolean = standard::qualifier(&qualifier.name).is_none_or(|standard| standard.ty == CimType::Boolean);
    let set = typed.value == CimValue::Bool(true) && typed.ty == CimType::Boolean && !typed.is_array && is_boolean;
    if set {
        out.push_str(&after);
        return;
    }
    let is_array = matches!(typed.value, CimValue::Array(_));
    let (open, close) = if is_array { (" ", String::new()) } else { ("(", ")".to_owned()) };
    let text = flat(&typed.value, typed.ty);
    if at + column(out) + text.chars().count() + after.chars().count() + 3 <= WIDTH {
        out.push_str(open);
        out.push_str(&text);
        out.push_str(&close);
    } else {
        out.push_str(open);
        block(out, &typed.value, typed.ty, at);
        out.push_str(&close);
    }
    out.push_str(&after);
}

/// The flavour words that a reader would not assume. A standard qualifier that came without any says nothing.
fn qualifier_flavors(qualifier: &Qualifier) -> Vec<&'static str> {
    let standard = standard::qualifier(&qualifier.name).map(|standard| standard.flavor);
    if standard.is_some() && qualifier.flavor == Flavor::default() {
        return Vec::new();
    }
    flavors(qualifier.flavor, standard.unwrap_or_default())
}

fn flavors(flavor: Flavor, assumed: Flavor) -> Vec<&'static str> {
    let mut words = Vec::new();
    if flavor.overridable != assumed.overridable {
        words.push(if flavor.overridable { "EnableOverride" } else { "DisableOverride" });
    }
    if flavor.to_subclass != assumed.to_subclass {
        words.push(if flavor.to_subclass { "ToSubclass" } else { "Restricted" });
    }
    if flavor.translatable && !assumed.translatable {
        words.push("Translatable");
    }
    words
}

/// `before VALUE after`, on this line if it fits, else as a block indented one level more than `at`.
fn value(out: &mut String, before: &str, value: &CimValue, ty: CimType, at: usize, after: &str) {
    let text = flat(value, ty);
    let fits = column(out) + before.len() + text.chars().count() + after.len() <= WIDTH;
    let breaks = matches!(value, CimValue::Instance(_));
    if fits && !breaks {
        out.push_str(before);
        out.push_str(&text);
    } else {
        out.push_str(if matches!(value, CimValue::Array(_) | CimValue::Instance(_)) {
            before
        } else {
            before.trim_end()
        });
        block(out, value, ty, at);
    }
    out.push_str(after);
}

/// A value that takes several lines; the first of them is the current one for what opens a brace.
fn block(out: &mut String, value: &CimValue, ty: CimType, at: usize) {
    match value {
        CimValue::Array(items) => {
            out.push('{');
            for (number, item) in items.iter().enumerate() {
                let last = number + 1 == items.len();
                let text = flat(item, ty);
                let fits = !matches!(item, CimValue::Instance(_));
                if number == 0 || !fits || column(out) + text.chars().count() + 2 > WIDTH {
                    out.push('\n');
                    indent(out, at + STEP);
                } else {
                    out.push(' ');
                }
                match item {
                    CimValue::Instance(instance) => instance_body(out, instance, at + STEP),
                    _ if at + STEP + text.chars().count() < WIDTH => out.push_str(&text),
                    _ => out.push_str(&lines(item, ty, at + STEP)),
                }
                if !last {
                    out.push(',');
                }
            }
            out.push('}');
        }
        CimValue::Instance(instance) => instance_body(out, instance, at),
        _ => {
            out.push('\n');
            indent(out, at + STEP);
            out.push_str(&lines(value, ty, at + STEP));
        }
    }
}

fn instance_body(out: &mut String, instance: &CimInstance, at: usize) {
    out.push_str("instance of ");
    name(out, &instance.class);
    out.push_str(" {\n");
    for property in &instance.properties {
        indent(out, at + STEP);
        name(out, &property.name);
        value(out, " = ", &property.value.value, property.value.ty, at + STEP, ";\n");
    }
    indent(out, at);
    out.push('}');
}

/// The text a scalar is quoted as, if it is quoted.
fn quoted_text(value: &CimValue) -> Option<String> {
    Some(match value {
        CimValue::String(text) | CimValue::Untyped(text) => text.to_string(),
        CimValue::DateTime(value) => value.to_string(),
        CimValue::Reference(path) => path.to_string(),
        CimValue::Class(embedded) => class(embedded),
        _ => return None,
    })
}

/// A value on one line.
fn flat(value: &CimValue, ty: CimType) -> String {
    match value {
        CimValue::Null => "NULL".to_owned(),
        CimValue::Bool(value) => if *value { "TRUE" } else { "FALSE" }.to_owned(),
        CimValue::UInt(value) => value.to_string(),
        CimValue::SInt(value) => value.to_string(),
        CimValue::Real(value) => real_text(*value, ty),
        CimValue::Char16(unit) => {
            let mut out = String::from("'");
            match char::from_u32(u32::from(*unit)) {
                Some(c) => escaped(&mut out, c, '\''),
                None => {
                    let _ = write!(out, "\\x{unit:04X}");
                }
            }
            out.push('\'');
            out
        }
        CimValue::Array(items) if items.is_empty() => "{}".to_owned(),
        CimValue::Array(items) => {
            format!("{{{}}}", items.iter().map(|item| flat(item, ty)).collect::<Vec<_>>().join(", "))
        }
        CimValue::Instance(instance) => {
            let mut out = format!("instance of {} {{ ", escape_for_terminal(instance.class.as_str()));
            for property in &instance.properties {
                let text = flat(&property.value.value, property.value.ty);
                let _ = write!(out, "{} = {text}; ", escape_for_terminal(property.name.as_str()));
            }
            out.push('}');
            out
        }
        quoted => {
            let mut out = String::from("\"");
            quoted_text(quoted).unwrap_or_default().chars().for_each(|c| escaped(&mut out, c, '"'));
            out.push('"');
            out
        }
    }
}

/// A scalar over several lines, joined by concatenation, for a place `at` columns in.
fn lines(value: &CimValue, ty: CimType, at: usize) -> String {
    let Some(text) = quoted_text(value) else { return flat(value, ty) };
    let width = WIDTH.saturating_sub(at + 4).max(20);
    let mut pieces: Vec<String> = Vec::new();
    let (mut piece, mut length, mut blank) = (String::new(), 0, 0);
    for c in text.chars() {
        let before = piece.len();
        escaped(&mut piece, c, '"');
        length += piece.get(before..).map_or(0, |added| added.chars().count());
        if c == ' ' {
            blank = piece.len();
        }
        if c == '\n' {
            pieces.push(std::mem::take(&mut piece));
            (length, blank) = (0, 0);
        } else if length > width {
            // At the last blank, or before this character where there is none.
            let cut = if blank > 0 { blank } else { before };
            let rest = piece.split_off(cut);
            pieces.push(std::mem::replace(&mut piece, rest));
            (length, blank) = (piece.chars().count(), 0);
        }
    }
    if !piece.is_empty() || pieces.is_empty() {
        pieces.push(piece);
    }
    let gap = format!("\n{}", " ".repeat(at));
    pieces.iter().map(|piece| format!("\"{piece}\"")).collect::<Vec<_>>().join(&gap)
}

/// One character inside quotes.
fn escaped(out: &mut String, c: char, quote: char) {
    match c {
        '\\' => out.push_str(r"\\"),
        '\n' => out.push_str(r"\n"),
        '\t' => out.push_str(r"\t"),
        '\r' => out.push_str(r"\r"),
        c if c == quote => {
            out.push('\\');
            out.push(c);
        }
        c if is_unsafe_for_terminal(c) => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing into a String cannot fail.
                let _ = write!(out, "\\x{unit:04X}");
            }
        }
        c => out.push(c),
    }
}

#[cfg(test)]
#[path = "print_tests.rs"]
mod tests;
