"""pywinrm's transport reads the embedded server over WS-Man, with envelopes written by hand: every value pywbem is told."""

import xml.etree.ElementTree as ET

import winrm.protocol
from winrm.exceptions import InvalidCredentialsError, WSManFaultError

from wsman_values import CLASSES, ENUMERATE, GET, ORIGIN, PASSWORD, PULL, RELEASE, SCHEMA, USER
from wsman_values import cim_xml, envelope, find, items, local, same

HERE = [("__cimnamespace", "root/cimv2")]
peer = winrm.protocol.Protocol(f"{ORIGIN}/wsman", transport="plaintext", username=USER, password=PASSWORD)
compared = 0


def ask(*arguments, **named):
    return ET.fromstring(peer.send_message(envelope(*arguments, **named)))


def enumerated(name, inner="", namespace="root/cimv2"):
    """Every item of an enumeration, pulled a few at a time."""
    body = f"<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>3</w:MaxElements>{inner}</n:Enumerate>"
    where = [("__cimnamespace", namespace)]
    root = ask(ENUMERATE, CLASSES + name, where, body)
    found = items(root)
    ended = root.find(".//w:EndOfSequence", {"w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"}) is not None
    context = find(root, ".//n:EnumerationContext").text
    while not ended:
        pull = f"<n:Pull><n:EnumerationContext>{context}</n:EnumerationContext><n:MaxElements>3</n:MaxElements></n:Pull>"
        root = ask(PULL, CLASSES + name, where, pull)
        found += items(root)
        ended = find(root, ".//n:EndOfSequence") is not None
        context = getattr(find(root, ".//n:EnumerationContext"), "text", None)
    return found


# One instance of each class that does not move, value by value.
for name in ("LC_OperatingSystem", "LC_ComputerSystem", "LC_RunningOS"):
    (told,) = enumerated(name)
    (known,) = cim_xml.EnumerateInstances(name, LocalOnly=False)
    compared += same(told, known)
(system,) = cim_xml.EnumerateInstanceNames("LC_OperatingSystem")
got = find(ask(GET, CLASSES + "LC_OperatingSystem", HERE + list(system.keybindings.items())), "s:Body")[0]
compared += same(got, cim_xml.GetInstance(system, LocalOnly=False))

namespaces = enumerated("CIM_Namespace", namespace="root/interop")
assert sorted(find(one, "{*}Name").text for one in namespaces) == ["root/cimv2", "root/interop"]
below = enumerated("__Namespace", namespace="root")
assert sorted(one[0].text for one in below) == ["cimv2", "interop"]

# A class, by the elements pywbem gets of it.
options = "".join(
    f'<w:Option Name="{name}">true</w:Option>' for name in ("IncludeInheritedElements", "IncludeQualifiers")
)
answer = ask(GET, SCHEMA, HERE + [("ClassName", "LC_Process")], headers=f"<w:OptionSet>{options}</w:OptionSet>")
declared = answer.find(".//CLASS")
known = cim_xml.GetClass("LC_Process", LocalOnly=False, IncludeQualifiers=True)
assert declared.get("SUPERCLASS") == known.superclass
properties = [child.get("NAME") for child in declared if child.tag.startswith("PROPERTY")]
assert properties == list(known.properties.keys()), properties

# Released is gone.
root = ask(ENUMERATE, CLASSES + "LC_Process", HERE, "<n:Enumerate/>")
context = find(root, ".//n:EnumerationContext").text
ask(RELEASE, CLASSES + "LC_Process", HERE, f"<n:Release><n:EnumerationContext>{context}</n:EnumerationContext></n:Release>")
pull = f"<n:Pull><n:EnumerationContext>{context}</n:EnumerationContext></n:Pull>"
for call, subcode, code in [
    ((PULL, CLASSES + "LC_Process", HERE, pull), "n:InvalidEnumerationContext", 0x8033801B),
    ((GET, CLASSES + "No_Such", HERE), "a:DestinationUnreachable", 0x80338000),
    ((GET, CLASSES + "LC_OperatingSystem", HERE), "w:InvalidSelectors", 0x8033803D),
]:
    try:
        ask(*call)
    except WSManFaultError as error:
        assert (error.fault_subcode, error.wsman_fault_code) == (subcode, code), error
    else:
        raise AssertionError(f"{call} succeeded")
wrong = winrm.protocol.Protocol(f"{ORIGIN}/wsman", transport="plaintext", username=USER, password="wrong")
try:
    wrong.send_message(envelope(GET, CLASSES + "LC_Process", HERE))
except InvalidCredentialsError:
    pass
else:
    raise AssertionError("a wrong password was let in")
print(f"pywinrm: {compared} values, {len(enumerated('LC_Process'))} processes")
