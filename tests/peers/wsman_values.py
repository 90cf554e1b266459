"""What the peers that speak WS-Man share: envelopes written by hand, and values compared with what pywbem is told of the same."""

import datetime
import os
import re
import uuid
import xml.etree.ElementTree as ET

import pywbem

ORIGIN = os.environ["LAZYCIM_PEER_URL"].split("+", 1)[-1].removesuffix("/cimom")
USER, PASSWORD = os.environ["LAZYCIM_PEER_USER"], os.environ["LAZYCIM_PEER_PASSWORD"]
PORT = int(ORIGIN.rsplit(":", 1)[-1])
HOST = ORIGIN.split("//", 1)[1].rsplit(":", 1)[0]

SPACES = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "n": "http://schemas.xmlsoap.org/ws/2004/09/enumeration",
    "x": "http://schemas.xmlsoap.org/ws/2004/09/transfer",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "b": "http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd",
    "p": "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "cim": "http://schemas.dmtf.org/wbem/wscim/1/common",
    "f": "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault",
}
CLASSES = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"
SCHEMA = "http://schemas.dmtf.org/wbem/cim-xml/2/cim-schema/2/*"
GET, ENUMERATE = SPACES["x"] + "/Get", SPACES["n"] + "/Enumerate"
PULL, RELEASE = SPACES["n"] + "/Pull", SPACES["n"] + "/Release"

# What moves between two reads.
MOVING = (
    "FreePhysicalMemory", "FreeSpaceInPagingFiles", "FreeVirtualMemory", "LocalDateTime", "NumberOfProcesses",
    "NumberOfUsers", "UpTime",
)

cim_xml = pywbem.WBEMConnection(ORIGIN, (USER, PASSWORD), default_namespace="root/cimv2", timeout=30)


def envelope(action, uri, selectors=(), body="", headers=""):
    """A request as WinRM's own clients lay it out."""
    declared = " ".join(f'xmlns:{prefix}="{space}"' for prefix, space in SPACES.items())
    chosen = "".join(f'<w:Selector Name="{name}">{value}</w:Selector>' for name, value in selectors)
    return (
        f"<s:Envelope {declared}><s:Header><a:To>{ORIGIN}/wsman</a:To>"
        f'<w:ResourceURI s:mustUnderstand="true">{uri}</w:ResourceURI><a:ReplyTo><a:Address s:mustUnderstand="true">'
        "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo>"
        f'<a:Action s:mustUnderstand="true">{action}</a:Action>'
        f'<w:MaxEnvelopeSize s:mustUnderstand="true">153600</w:MaxEnvelopeSize><a:MessageID>uuid:{uuid.uuid4()}</a:MessageID>'
        f'<w:Locale xml:lang="en-US" s:mustUnderstand="false"/>{headers}<w:SelectorSet>{chosen}</w:SelectorSet>'
        f"<w:OperationTimeout>PT60S</w:OperationTimeout></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )


def find(root, path):
    return root.find(path, SPACES)


def local(element):
    return element.tag.rsplit("}", 1)[-1]


def is_null(element):
    return element.get("{%s}nil" % SPACES["xsi"]) == "true"


def items(root):
    found = root.find(".//w:Items", SPACES)
    return list(found if found is not None else root.find(".//n:Items", SPACES))


def moment(element):
    """A datetime or an interval as pywbem has it."""
    point, span = find(element, "cim:Datetime"), find(element, "cim:Interval")
    if point is not None:
        return datetime.datetime.fromisoformat(point.text.replace("Z", "+00:00"))
    days, hours, minutes, seconds = re.fullmatch(r"P(\d+)DT(\d+)H(\d+)M([\d.]+)S", span.text).groups()
    whole, fraction = seconds.split(".")
    return datetime.timedelta(
        days=int(days), hours=int(hours), minutes=int(minutes), seconds=int(whole), microseconds=int(fraction)
    )


def same_value(element, kind, value):
    """Whether an element holds this one value of pywbem's."""
    if value is None:
        return is_null(element)
    if kind == "reference":
        told = {one.get("Name"): one.text for one in element.iterfind(".//w:Selector", SPACES)}
        assert told.pop("__cimnamespace") == value.namespace
        return told == {name: str(key) for name, key in value.keybindings.items()}
    if kind == "datetime":
        when = value.datetime if value.datetime is not None else value.timedelta
        return moment(element) == when
    if kind == "boolean":
        return element.text == ("true" if value else "false")
    if kind.startswith("real"):
        return float(element.text) == value
    if kind == "string":
        return (element.text or "") == value
    return int(element.text) == value


def same(told, instance):
    """Compares an instance with pywbem's, property by property, but for what moves; how many values were."""
    compared = 0
    for name, known in instance.properties.items():
        if name in MOVING:
            continue
        found = [child for child in told if local(child) == name]
        values = known.value if known.is_array and known.value is not None else [known.value]
        assert len(found) == len(values), f"{name}: {len(found)} elements for {known.value!r}"
        for element, value in zip(found, values):
            assert same_value(element, known.type, value), f"{name}: {ET.tostring(element)} for {value!r}"
            compared += 1
    assert {local(child) for child in told} <= set(instance.properties.keys())
    return compared
