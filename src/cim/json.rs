//! CIM things as JSON, exactly as the command line and "copy as JSON" print them.
//!
//! Owns: the JSON shapes of CLI.md, section "JSON". Values keep what JSON could lose: `uint64` and `sint64` are decimal strings,
//! a real is the shortest number of its width or `"NaN"`, `"INF"`, `"-INF"`, a datetime its 25 characters, a reference a
//! WBEM URI. Characters no terminal should see are written as `\u` escapes, which changes no value.
//! Must not know streams, separators between objects, or sessions: a front adds those.

use std::fmt::Write as _;

use super::{
    CimClass, CimInstance, CimName, CimType, CimValue, ClassMethod, ClassParameter, ClassProperty, KeyBinding,
    KeyValue, Namespace, ObjectPath, Qualifier, QualifierDeclaration,
    rows::{CellRef, RowBatch, Shape, path_of},
    text::{char16_text, is_unsafe_for_terminal, real_text},
};

/// Writes row `row` of `batch` as `{"path","namespace","class","properties"}`. Columns the row lacks are null: a shape
/// names the properties that were asked for, and no others.
pub fn write_row(out: &mut String, shape: &Shape, batch: &RowBatch, row: usize) {
    let mut object = Object::begin(out);
    head(&mut object, path_of(shape, batch, row).as_ref(), shape.namespace.as_ref(), &shape.class);
    let mut properties = Object::begin(object.key("properties"));
    let mut cells = batch.cells(row);
    for column in &shape.columns {
        let cell = cells.next().unwrap_or(CellRef::Absent);
        write_cell(properties.key(column.name.as_str()), cell, column.ty);
    }
    properties.end();
    object.end();
}

/// Writes the path of row `row` of `batch` as `{"path","namespace","class","keys"}`.
pub fn write_keys(out: &mut String, shape: &Shape, batch: &RowBatch, row: usize) {
    let path = path_of(shape, batch, row);
    let mut object = Object::begin(out);
    head(&mut object, path.as_ref(), shape.namespace.as_ref(), &shape.class);
    let mut keys = Object::begin(object.key("keys"));
    for KeyBinding { name, value } in path.iter().flat_map(|path| &path.keys) {
        let ty = shape.position(name).and_then(|at| shape.columns.get(at)).and_then(|column| column.ty);
        write_key(keys.key(name.as_str()), value, ty);
    }
    keys.end();
    object.end();
}

/// Writes an instance as `{"path","namespace","class","properties"}`.
pub fn write_instance(out: &mut String, instance: &CimInstance) {
    let path = instance.path.as_ref();
    let mut object = Object::begin(out);
    head(&mut object, path, path.and_then(|path| path.namespace.as_ref()), &instance.class);
    write_properties(object.key("properties"), instance);
    object.end();
}

/// Writes `{"namespace"}`.
pub fn write_namespace(out: &mut String, namespace: &Namespace) {
    let mut object = Object::begin(out);
    write_text(object.key("namespace"), namespace.as_str());
    object.end();
}

/// Writes `{"namespace","class"}`.
pub fn write_class_name(out: &mut String, namespace: &Namespace, class: &CimName) {
    let mut object = Object::begin(out);
    write_text(object.key("namespace"), namespace.as_str());
    write_text(object.key("class"), class.as_str());
    object.end();
}

/// Writes a class with its qualifiers, properties and methods.
pub fn write_class(out: &mut String, class: &CimClass) {
    let mut object = Object::begin(out);
    write_optional(object.key("namespace"), class.namespace.as_ref().map(Namespace::as_str));
    write_text(object.key("class"), class.name.as_str());
    write_name(object.key("superclass"), class.superclass.as_ref());
    write_qualifiers(object.key("qualifiers"), &class.qualifiers);
    write_list(object.key("properties"), &class.properties, write_property);
    write_list(object.key("methods"), &class.methods, write_method);
    object.end();
}

/// Writes the declaration of a qualifier type.
pub fn write_qualifier_declaration(out: &mut String, declaration: &QualifierDeclaration) {
    let QualifierDeclaration { name, ty, is_array, array_size, default, scopes, flavor } = declaration;
    let mut object = Object::begin(out);
    write_text(object.key("name"), name.as_str());
    write_text(object.key("type"), ty.keyword());
    write_bool(object.key("array"), *is_array);
    write_size(object.key("array_size"), *array_size);
    write_value(object.key("default"), default, Some(*ty));
    write_list(object.key("scopes"), &scopes.names(), |out, name| write_text(out, name));
    write_bool(object.key("overridable"), flavor.overridable);
    write_bool(object.key("to_subclass"), flavor.to_subclass);
    write_bool(object.key("translatable"), flavor.translatable);
    object.end();
}

/// Writes a cell of a column of type `ty` as a JSON value.
pub fn write_cell(out: &mut String, cell: CellRef<'_>, ty: Option<CimType>) {
    match cell {
        CellRef::Absent | CellRef::Null => out.push_str("null"),
        CellRef::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        CellRef::UInt(value) => write_integer(out, i128::from(value), ty),
        CellRef::SInt(value) => write_integer(out, i128::from(value), ty),
        CellRef::Real(value) => write_real(out, value, ty),
        CellRef::Char16(unit) => write_text(out, &char16_text(unit)),
        CellRef::Text(text) | CellRef::Untyped(text) => write_text(out, text),
        CellRef::DateTime(value) => write_text(out, value.as_str()),
        CellRef::Value(value) => write_value(out, value, ty),
        CellRef::Packed(packed) => write_value(out, &packed.value(), ty),
    }
}

/// Writes a value of type `ty` as a JSON value.
pub fn write_value(out: &mut String, value: &CimValue, ty: Option<CimType>) {
    match value {
        CimValue::Null => out.push_str("null"),
        CimValue::Bool(value) => write_cell(out, CellRef::Bool(*value), ty),
        CimValue::UInt(value) => write_cell(out, CellRef::UInt(*value), ty),
        CimValue::SInt(value) => write_cell(out, CellRef::SInt(*value), ty),
        CimValue::Real(value) => write_real(out, *value, ty),
        CimValue::Char16(unit) => write_text(out, &char16_text(*unit)),
        CimValue::String(text) | CimValue::Untyped(text) => write_text(out, text),
        CimValue::DateTime(value) => write_text(out, value.as_str()),
        CimValue::Reference(path) => write_text(out, &path.to_string()),
        CimValue::Instance(instance) => {
            let mut object = Object::begin(out);
            write_text(object.key("class"), instance.class.as_str());
            write_properties(object.key("properties"), instance);
            object.end();
        }
        CimValue::Class(class) => write_class(out, class),
        CimValue::Array(items) => write_list(out, items, |out, item| write_value(out, item, ty)),
    }
}

/// Writes a JSON string.
pub fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str(r"\n"),
            '\r' => out.push_str(r"\r"),
            '\t' => out.push_str(r"\t"),
            c if is_unsafe_for_terminal(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing into a String cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// A JSON object being written.
struct Object<'a> {
    out: &'a mut String,
    first: bool,
}

impl<'a> Object<'a> {
    fn begin(out: &'a mut String) -> Self {
        out.push('{');
        Self { out, first: true }
    }

    /// Writes the key; the value goes where this returns.
    fn key(&mut self, name: &str) -> &mut String {
        if !std::mem::take(&mut self.first) {
            self.out.push(',');
        }
        write_text(self.out, name);
        self.out.push(':');
        self.out
    }

    fn end(self) {
        self.out.push('}');
    }
}

fn head(object: &mut Object<'_>, path: Option<&ObjectPath>, namespace: Option<&Namespace>, class: &CimName) {
    write_optional(object.key("path"), path.map(ObjectPath::to_string).as_deref());
    write_optional(object.key("namespace"), namespace.map(Namespace::as_str));
    write_text(object.key("class"), class.as_str());
}

fn write_optional(out: &mut String, text: Option<&str>) {
    match text {
        Some(text) => write_text(out, text),
        None => out.push_str("null"),
    }
}

fn write_name(out: &mut String, name: Option<&CimName>) {
    write_optional(out, name.map(CimName::as_str));
}

fn write_bool(out: &mut String, value: bool) {
    out.push_str(if value { "true" } else { "false" });
}

fn write_size(out: &mut String, size: Option<u32>) {
    match size {
        Some(size) => write_integer(out, i128::from(size), Some(CimType::UInt32)),
        None => out.push_str("null"),
    }
}

/// 64-bit integers as strings. Where the type is not known, what fits into 32 bits is a number.
fn write_integer(out: &mut String, value: i128, ty: Option<CimType>) {
    let wide = match ty {
        Some(CimType::UInt64 | CimType::SInt64) => true,
        Some(_) => false,
        None => u32::try_from(value).is_err() && i32::try_from(value).is_err(),
    };
    let quote = if wide { "\"" } else { "" };
    // Writing into a String cannot fail.
    let _ = write!(out, "{quote}{value}{quote}");
}

fn write_real(out: &mut String, value: f64, ty: Option<CimType>) {
    let text = real_text(value, ty.unwrap_or(CimType::Real64));
    if value.is_finite() {
        out.push_str(&text);
    } else {
        write_text(out, &text);
    }
}

fn write_key(out: &mut String, key: &KeyValue, ty: Option<CimType>) {
    match key {
        KeyValue::Bool(value) => write_bool(out, *value),
        KeyValue::UInt(value) => write_integer(out, i128::from(*value), ty),
        KeyValue::SInt(value) => write_integer(out, i128::from(*value), ty),
        KeyValue::Real(value) => write_real(out, *value, ty),
        KeyValue::String(text) => write_text(out, text),
        KeyValue::Reference(path) => write_text(out, &path.to_string()),
    }
}

fn write_list<T>(out: &mut String, items: &[T], write: impl Fn(&mut String, &T)) {
    out.push('[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(']');
}

fn write_properties(out: &mut String, instance: &CimInstance) {
    let mut properties = Object::begin(out);
    for property in &instance.properties {
        write_value(properties.key(property.name.as_str()), &property.value.value, Some(property.value.ty));
    }
    properties.end();
}

fn write_qualifiers(out: &mut String, qualifiers: &[Qualifier]) {
    let mut object = Object::begin(out);
    for qualifier in qualifiers {
        let mut one = Object::begin(object.key(qualifier.name.as_str()));
        write_text(one.key("type"), qualifier.value.ty.keyword());
        write_value(one.key("value"), &qualifier.value.value, Some(qualifier.value.ty));
        one.end();
    }
    object.end();
}

fn write_property(out: &mut String, property: &ClassProperty) {
    let mut object = Object::begin(out);
    write_text(object.key("name"), property.name.as_str());
    write_text(object.key("type"), property.ty.keyword());
    write_bool(object.key("array"), property.is_array);
    write_size(object.key("array_size"), property.array_size);
    write_bool(object.key("key"), property.is_key());
    write_name(object.key("origin"), property.origin.as_ref());
    write_name(object.key("reference_class"), property.reference_class.as_ref());
    write_value(object.key("default"), &property.default, Some(property.ty));
    write_qualifiers(object.key("qualifiers"), &property.qualifiers);
    object.end();
}

fn write_method(out: &mut String, method: &ClassMethod) {
    let mut object = Object::begin(out);
    write_text(object.key("name"), method.name.as_str());
    write_optional(object.key("return_type"), method.return_type.map(CimType::keyword));
    write_name(object.key("origin"), method.origin.as_ref());
    write_qualifiers(object.key("qualifiers"), &method.qualifiers);
    write_list(object.key("parameters"), &method.parameters, write_parameter);
    object.end();
}

fn write_parameter(out: &mut String, parameter: &ClassParameter) {
    let mut object = Object::begin(out);
    write_text(object.key("name"), parameter.name.as_str());
    write_text(object.key("type"), parameter.ty.keyword());
    write_bool(object.key("array"), parameter.is_array);
    write_bool(object.key("in"), parameter.is_in());
    write_bool(object.key("out"), parameter.is_out());
    write_name(object.key("reference_class"), parameter.reference_class.as_ref());
    write_qualifiers(object.key("qualifiers"), &parameter.qualifiers);
    object.end();
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
