//! Classes and instances as the elements of CIM-XML (DSP0201).
//!
//! Owns: the writer of CLASS and VALUE.NAMEDINSTANCE for people and files. Nothing reads it back here: on the wire the
//! protocol and the server each have a codec of their own. Whitespace stands only where DSP0201 has element content.

use std::fmt::Write as _;

use super::{Printer, Row, RowOptions, Screen, single::put_text};
use crate::cim::{
    CimClass, CimInstance, CimName, CimType, CimValue, ClassMethod, ClassParameter, ClassProperty, EmbeddedKind,
    InstanceProperty, KeyValue, ObjectPath, Qualifier, QualifierDeclaration, TypedValue,
    rows::{Shape, ShapeId, instance_of, path_of},
    text::{char16_text, is_unsafe_for_terminal, real_text},
};

/// A class as a CLASS element (DSP0201 section 5.2.4.1).
pub(super) fn class(class: &CimClass) -> String {
    let mut xml = Xml::default();
    xml.class(class);
    xml.out
}

/// A qualifier type as a QUALIFIER.DECLARATION element (DSP0201 section 5.2.4.5).
pub(super) fn qualifier_declaration(declaration: &QualifierDeclaration) -> String {
    let mut xml = Xml::default();
    xml.qualifier_declaration(declaration);
    xml.out
}

/// An instance as a VALUE.NAMEDINSTANCE element (DSP0201 section 5.2.3.6), or as an INSTANCE where it has no path.
pub(super) fn instance(instance: &CimInstance) -> String {
    let mut xml = Xml::default();
    match &instance.path {
        Some(path) if !path.keys.is_empty() => {
            xml.open("VALUE.NAMEDINSTANCE", &[]);
            xml.instance_name(path);
            xml.instance(instance);
            xml.close("VALUE.NAMEDINSTANCE");
        }
        _ => xml.instance(instance),
    }
    xml.out
}

/// An instance as a VALUE.OBJECTWITHLOCALPATH element, which tells its namespace, or as an INSTANCE where it has no path.
fn located(instance: &CimInstance) -> String {
    let mut xml = Xml::default();
    match &instance.path {
        Some(path) if path.namespace.is_some() => {
            xml.open("VALUE.OBJECTWITHLOCALPATH", &[]);
            xml.reference(path);
            xml.instance(instance);
            xml.close("VALUE.OBJECTWITHLOCALPATH");
        }
        _ => return self::instance(instance),
    }
    xml.out
}

/// A path as the longest element it allows.
fn path(path: &ObjectPath) -> String {
    let mut xml = Xml::default();
    xml.reference(path);
    xml.out
}

/// Several elements as the IRETURNVALUE of an answer, which is always closed.
pub(super) struct Frame {
    screen: Screen,
    begun: bool,
}

impl Frame {
    /// Nothing printed yet.
    pub(super) const fn new(screen: Screen) -> Self {
        Self { screen, begun: false }
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.begun, true) {
            put_text("<IRETURNVALUE>", self.screen, out);
        }
    }

    /// Prints one element.
    pub(super) fn item(&mut self, element: &str, out: &mut Vec<u8>) {
        self.begin(out);
        put_text(element, self.screen, out);
    }

    /// Closes the frame.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        self.begin(out);
        put_text("</IRETURNVALUE>", self.screen, out);
    }
}

/// Rows as elements.
pub(super) struct Rows {
    frame: Frame,
    keys_only: bool,
    located: bool,
}

impl Rows {
    /// Nothing printed yet.
    pub(super) const fn new(options: &RowOptions) -> Self {
        Self { frame: Frame::new(options.screen), keys_only: options.keys_only, located: options.located }
    }
}

impl Printer for Rows {
    fn shape(&mut self, _id: ShapeId, _shape: &Shape) {}

    fn row(&mut self, row: Row<'_>, out: &mut Vec<u8>) {
        let Row { shape, batch, at: row, .. } = row;
        if self.keys_only {
            let Some(mut name) = path_of(shape, batch, row) else { return };
            name.namespace = name.namespace.filter(|_| self.located);
            return self.frame.item(&path(&name), out);
        }
        let element = if self.located { located } else { instance };
        self.frame.item(&element(&instance_of(shape, batch, row)), out);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.frame.end(out);
    }
}

#[derive(Default)]
struct Xml {
    out: String,
    depth: usize,
}

type Attribute<'a> = (&'a str, Option<&'a str>);

impl Xml {
    fn indent(&mut self) {
        self.out.push_str(&"  ".repeat(self.depth));
    }

    fn tag(&mut self, name: &str, attributes: &[Attribute<'_>]) {
        self.indent();
        let _ = write!(self.out, "<{name}");
        for (name, value) in attributes {
            if let Some(value) = value {
                let _ = write!(self.out, " {name}=\"{}\"", escaped(value));
            }
        }
    }

    fn open(&mut self, name: &str, attributes: &[Attribute<'_>]) {
        self.tag(name, attributes);
        self.out.push_str(">\n");
        self.depth += 1;
    }

    fn close(&mut self, name: &str) {
        self.depth = self.depth.saturating_sub(1);
        self.indent();
        let _ = writeln!(self.out, "</{name}>");
    }

    fn text(&mut self, name: &str, attributes: &[Attribute<'_>], text: &str) {
        self.tag(name, attributes);
        let _ = writeln!(self.out, ">{}</{name}>", escaped(text));
    }

    fn class(&mut self, class: &CimClass) {
        let superclass = class.superclass.as_ref().map(CimName::as_str);
        self.open("CLASS", &[("NAME", Some(class.name.as_str())), ("SUPERCLASS", superclass)]);
        self.qualifiers(&class.qualifiers);
        class.properties.iter().for_each(|property| self.class_property(property));
        class.methods.iter().for_each(|method| self.method(method));
        self.close("CLASS");
    }

    fn class_property(&mut self, property: &ClassProperty) {
        let size = property.array_size.map(|size| size.to_string());
        let element = element_of(property.ty, property.is_array, "PROPERTY");
        self.open(
            &element,
            &[
                ("NAME", Some(property.name.as_str())),
                ("TYPE", Some(property.ty.keyword()).filter(|_| property.ty != CimType::Reference)),
                ("REFERENCECLASS", property.reference_class.as_ref().map(CimName::as_str)),
                ("ARRAYSIZE", size.as_deref()),
                ("CLASSORIGIN", property.origin.as_ref().map(CimName::as_str)),
                ("PROPAGATED", property.propagated.then_some("true")),
            ],
        );
        self.qualifiers(&property.qualifiers);
        self.value(&property.default, property.ty);
        self.close(&element);
    }

    fn method(&mut self, method: &ClassMethod) {
        self.open(
            "METHOD",
            &[
                ("NAME", Some(method.name.as_str())),
                ("TYPE", method.return_type.map(CimType::keyword)),
                ("CLASSORIGIN", method.origin.as_ref().map(CimName::as_str)),
                ("PROPAGATED", method.propagated.then_some("true")),
            ],
        );
        self.qualifiers(&method.qualifiers);
        method.parameters.iter().for_each(|parameter| self.parameter(parameter));
        self.close("METHOD");
    }

    fn parameter(&mut self, parameter: &ClassParameter) {
        let size = parameter.array_size.map(|size| size.to_string());
        let element = match (parameter.ty == CimType::Reference, parameter.is_array) {
            (true, true) => "PARAMETER.REFARRAY",
            (true, false) => "PARAMETER.REFERENCE",
            (false, true) => "PARAMETER.ARRAY",
            (false, false) => "PARAMETER",
        };
        self.open(
            element,
            &[
                ("NAME", Some(parameter.name.as_str())),
                ("TYPE", Some(parameter.ty.keyword()).filter(|_| parameter.ty != CimType::Reference)),
                ("REFERENCECLASS", parameter.reference_class.as_ref().map(CimName::as_str)),
                ("ARRAYSIZE", size.as_deref()),
            ],
        );
        self.qualifiers(&parameter.qualifiers);
        self.close(element);
    }

    fn qualifiers(&mut self, list: &[Qualifier]) {
        for qualifier in list {
            let TypedValue { ty, value, .. } = &qualifier.value;
            self.open(
                "QUALIFIER",
                &[
                    ("NAME", Some(qualifier.name.as_str())),
                    ("TYPE", Some(ty.keyword())),
                    ("PROPAGATED", qualifier.propagated.then_some("true")),
                    ("OVERRIDABLE", (!qualifier.flavor.overridable).then_some("false")),
                    ("TOSUBCLASS", (!qualifier.flavor.to_subclass).then_some("false")),
                    ("TRANSLATABLE", qualifier.flavor.translatable.then_some("true")),
                ],
            );
            self.value(value, *ty);
            self.close("QUALIFIER");
        }
    }

    fn qualifier_declaration(&mut self, declaration: &QualifierDeclaration) {
        let QualifierDeclaration { name, ty, is_array, array_size, default, scopes, flavor } = declaration;
        let size = array_size.map(|size| size.to_string());
        self.open(
            "QUALIFIER.DECLARATION",
            &[
                ("NAME", Some(name.as_str())),
                ("TYPE", Some(ty.keyword())),
                ("ISARRAY", is_array.then_some("true")),
                ("ARRAYSIZE", size.as_deref()),
                ("OVERRIDABLE", (!flavor.overridable).then_some("false")),
                ("TOSUBCLASS", (!flavor.to_subclass).then_some("false")),
                ("TRANSLATABLE", flavor.translatable.then_some("true")),
            ],
        );
        let scopes: Vec<String> = scopes.names().into_iter().map(str::to_ascii_uppercase).collect();
        let scopes: Vec<Attribute<'_>> = scopes.iter().map(|scope| (scope.as_str(), Some("true"))).collect();
        self.tag("SCOPE", &scopes);
        self.out.push_str("/>\n");
        self.value(default, *ty);
        self.close("QUALIFIER.DECLARATION");
    }

    fn instance(&mut self, instance: &CimInstance) {
        self.open("INSTANCE", &[("CLASSNAME", Some(instance.class.as_str()))]);
        self.qualifiers(&instance.qualifiers);
        instance.properties.iter().for_each(|property| self.property(property));
        self.close("INSTANCE");
    }

    fn property(&mut self, property: &InstanceProperty) {
        let TypedValue { ty, is_array, value } = &property.value;
        let element = element_of(*ty, *is_array, "PROPERTY");
        let embedded = property.embedded.map(|kind| match kind {
            EmbeddedKind::Instance => "instance",
            EmbeddedKind::Object => "object",
        });
        self.open(
            &element,
            &[
                ("NAME", Some(property.name.as_str())),
                ("TYPE", Some(ty.keyword()).filter(|_| *ty != CimType::Reference)),
                ("REFERENCECLASS", property.reference_class.as_ref().map(CimName::as_str)),
                ("EmbeddedObject", embedded),
            ],
        );
        self.value(value, *ty);
        self.close(&element);
    }

    /// A value; NULL is no element at all.
    fn value(&mut self, value: &CimValue, ty: CimType) {
        match value {
            CimValue::Null => {}
            CimValue::Array(items) => {
                let element = if ty == CimType::Reference { "VALUE.REFARRAY" } else { "VALUE.ARRAY" };
                self.open(element, &[]);
                for item in items {
                    match item {
                        CimValue::Null => {
                            self.tag("VALUE.NULL", &[]);
                            self.out.push_str("/>\n");
                        }
                        item => self.value(item, ty),
                    }
                }
                self.close(element);
            }
            CimValue::Reference(path) => {
                self.open("VALUE.REFERENCE", &[]);
                self.reference(path);
                self.close("VALUE.REFERENCE");
            }
            value => self.text("VALUE", &[], &scalar(value, ty)),
        }
    }

    fn reference(&mut self, path: &ObjectPath) {
        match (&path.host, &path.namespace) {
            (Some(host), Some(namespace)) => {
                self.open("INSTANCEPATH", &[]);
                self.open("NAMESPACEPATH", &[]);
                self.text("HOST", &[], host);
                self.namespace(namespace.parts());
                self.close("NAMESPACEPATH");
                self.instance_name(path);
                self.close("INSTANCEPATH");
            }
            (None, Some(namespace)) => {
                self.open("LOCALINSTANCEPATH", &[]);
                self.namespace(namespace.parts());
                self.instance_name(path);
                self.close("LOCALINSTANCEPATH");
            }
            _ => self.instance_name(path),
        }
    }

    fn namespace<'a>(&mut self, parts: impl Iterator<Item = &'a str>) {
        self.open("LOCALNAMESPACEPATH", &[]);
        for part in parts {
            self.tag("NAMESPACE", &[("NAME", Some(part))]);
            self.out.push_str("/>\n");
        }
        self.close("LOCALNAMESPACEPATH");
    }

    fn instance_name(&mut self, path: &ObjectPath) {
        self.open("INSTANCENAME", &[("CLASSNAME", Some(path.class.as_str()))]);
        for key in &path.keys {
            self.open("KEYBINDING", &[("NAME", Some(key.name.as_str()))]);
            let (kind, text) = match &key.value {
                KeyValue::Bool(value) => ("boolean", if *value { "TRUE" } else { "FALSE" }.to_owned()),
                KeyValue::UInt(value) => ("numeric", value.to_string()),
                KeyValue::SInt(value) => ("numeric", value.to_string()),
                KeyValue::Real(value) => ("numeric", real_text(*value, CimType::Real64)),
                KeyValue::String(text) => ("string", text.to_string()),
                KeyValue::Reference(path) => {
                    self.open("VALUE.REFERENCE", &[]);
                    self.reference(path);
                    self.close("VALUE.REFERENCE");
                    self.close("KEYBINDING");
                    continue;
                }
            };
            self.text("KEYVALUE", &[("VALUETYPE", Some(kind))], &text);
            self.close("KEYBINDING");
        }
        self.close("INSTANCENAME");
    }
}

/// `base`, or the element DSP0201 has for arrays and references of it.
fn element_of(ty: CimType, is_array: bool, base: &str) -> String {
    match (ty == CimType::Reference, is_array) {
        (true, _) => format!("{base}.REFERENCE"),
        (false, true) => format!("{base}.ARRAY"),
        (false, false) => base.to_owned(),
    }
}

fn scalar(value: &CimValue, ty: CimType) -> String {
    match value {
        CimValue::Bool(value) => if *value { "TRUE" } else { "FALSE" }.to_owned(),
        CimValue::UInt(value) => value.to_string(),
        CimValue::SInt(value) => value.to_string(),
        CimValue::Real(value) => real_text(*value, ty),
        CimValue::Char16(unit) => char16_text(*unit),
        CimValue::String(text) | CimValue::Untyped(text) => text.to_string(),
        CimValue::DateTime(value) => value.to_string(),
        CimValue::Instance(embedded) => {
            let mut xml = Xml::default();
            xml.instance(embedded);
            xml.out
        }
        CimValue::Class(embedded) => class(embedded),
        CimValue::Null | CimValue::Array(_) | CimValue::Reference(_) => String::new(),
    }
}

/// `text` with markup and what must not reach a terminal as references. XML 1.0 cannot hold other control characters at
/// all; U+FFFD stands for them.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\r' | '\t' => drop(write!(out, "&#{};", u32::from(c))),
            c if u32::from(c) < 0x20 || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c if is_unsafe_for_terminal(c) => drop(write!(out, "&#{};", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}
