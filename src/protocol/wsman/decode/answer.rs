//! What stands in a body besides instances: who the server is, what a method answered.
//!
//! Owns: Identify (DSP0226 section 11), outputs of methods (DSP0227, DSP0230 section 8). Must not know what was asked.

use quick_xml::events::BytesStart;

use super::value::{self, Declared};
use crate::{
    cim::{CimClass, CimName, CimType, CimValue, ClassMethod, Namespace, TypedValue},
    protocol::xml::{
        fault::DecodeError,
        reader::Read,
        scope::{Qualified, split},
    },
};

/// The most facts kept of a kind, and the most parameters of a method.
const MAX_FACTS: usize = 256;
/// What ends the element's name in which methods answer.
const OUTPUT: &str = "_OUTPUT";
/// The element with what a method returns.
const RETURN_VALUE: &str = "ReturnValue";

/// What a server says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The product's vendor.
    pub vendor: Option<String>,
    /// The product's version.
    pub version: Option<String>,
    /// The namespaces of the protocol versions it speaks.
    pub protocols: Vec<String>,
    /// The security profiles it offers, as it names them.
    pub security_profiles: Vec<String>,
}

/// Reads an IdentifyResponse up to its end. Local names decide: servers put them in different namespaces.
///
/// # Errors
/// Ill-formed XML, a limit.
pub fn identity(xml: &mut Qualified<'_>) -> Read<Identity> {
    let mut identity = Identity::default();
    while let Some(tag) = xml.child()? {
        let local = split(tag.name().as_ref()).1.to_owned();
        if local == "SecurityProfiles" {
            while let Some(tag) = xml.child()? {
                if let Some(text) = fact(xml, &tag)?.filter(|_| identity.security_profiles.len() < MAX_FACTS) {
                    identity.security_profiles.push(text);
                }
            }
            continue;
        }
        let text = fact(xml, &tag)?;
        match local.as_str() {
            "ProductVendor" => identity.vendor = text.or(identity.vendor),
            "ProductVersion" => identity.version = text.or(identity.version),
            "ProtocolVersion" if identity.protocols.len() < MAX_FACTS => identity.protocols.extend(text),
            _ => {}
        }
    }
    Ok(identity)
}

fn fact(xml: &mut Qualified<'_>, tag: &BytesStart<'_>) -> Read<Option<String>> {
    if xml.xml.has_child() {
        xml.skip(tag)?;
        return Ok(None);
    }
    let text = xml.content(tag)?;
    Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
}

/// What a method answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Output {
    /// What it returned.
    pub value: Option<TypedValue>,
    /// Its output parameters in order.
    pub parameters: Vec<(CimName, TypedValue)>,
}

/// The method whose output the element called `local` is, where the class tells it: `Method_OUTPUT`, or the bare name. Some
/// servers name their class instead; then the parameters decide.
fn method<'c>(class: Option<&'c CimClass>, local: &str) -> Option<&'c ClassMethod> {
    class?.method(local.strip_suffix(OUTPUT).unwrap_or(local))
}

/// Reads the output of a method, the element called `local`, up to its end. `called` is the method, if the caller knows it.
///
/// # Errors
/// Ill-formed XML, a limit.
pub fn output(
    xml: &mut Qualified<'_>,
    local: &str,
    class: Option<&CimClass>,
    called: Option<&CimName>,
    namespace: Option<&Namespace>,
) -> Read<Output> {
    let known = called.and_then(|called| class?.method(called.as_str())).or_else(|| method(class, local));
    let mut output = Output::default();
    while let Some(tag) = xml.child()? {
        let local = split(tag.name().as_ref()).1.to_owned();
        xml.xml.check_name(&local)?;
        if local == RETURN_VALUE {
            let declared = Declared { ty: known.and_then(|method| method.return_type), is_array: false };
            let (found, ty) = value::element(xml, &tag, declared, namespace)?;
            let ty = ty.or(declared.ty).unwrap_or(CimType::String);
            match &mut output.value {
                Some(value) => value::add(value, found),
                None => {
                    output.value = Some(TypedValue { ty, is_array: matches!(found, CimValue::Array(_)), value: found })
                }
            }
            continue;
        }
        let parameter = known.and_then(|method| method.parameters.iter().find(|parameter| parameter.name == *local));
        let declared = Declared {
            ty: parameter.map(|parameter| parameter.ty),
            is_array: parameter.is_some_and(|parameter| parameter.is_array),
        };
        let (found, ty) = value::element(xml, &tag, declared, namespace)?;
        let ty = ty.or(declared.ty).unwrap_or(CimType::String);
        let is_full = output.parameters.len() >= MAX_FACTS;
        match output.parameters.last_mut().filter(|last| last.0.as_str() == local) {
            Some((_, value)) => value::add(value, found),
            None if is_full => {
                let message = format!("a method answers more than {MAX_FACTS} parameters");
                return Err(DecodeError::limit(xml.xml.offset(), "shapes", message));
            }
            None => output.parameters.push((CimName::new(&local), first(ty, declared.is_array, found))),
        }
    }
    Ok(output)
}

/// The first value of a parameter: an array of one where an array is declared.
fn first(ty: CimType, is_array: bool, value: CimValue) -> TypedValue {
    match value {
        CimValue::Array(_) => TypedValue { ty, is_array: true, value },
        CimValue::Null => TypedValue { ty, is_array, value },
        value if is_array => TypedValue { ty, is_array, value: CimValue::Array(vec![value]) },
        value => TypedValue { ty, is_array, value },
    }
}
