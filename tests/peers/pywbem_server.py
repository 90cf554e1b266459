"""A CIM server that is not ours: pywbem's mock behind HTTP, and the lab's classes and instances in it.

Requests are parsed by pywbem's own parser and answered with pywbem's own XML objects, so nothing of lazycim is in what its
client reads here, except for the qualifier types, of which pywbem brings none.
"""

import http.server
import os
import pathlib
import re
import threading

import pywbem
import pywbem_mock
from pywbem import _cim_xml as xml
from pywbem._tupleparse import TupleParser
from pywbem._tupletree import xml_to_tupletree_sax

NAMESPACE = "root/lab"
INTEROP = "root/interop"
# The one qualifier the lab uses and our schema does not (DSP0004).
OCTET_STRING = "Qualifier OctetString : boolean = false, Scope(property, method, parameter), Flavor(DisableOverride);"
ASSETS = pathlib.Path(__file__).parents[2] / "assets"


def captures():
    """The folder of the captured exchanges, or None."""
    beside = pathlib.Path(__file__).parents[3] / "shared" / "captures"
    folder = pathlib.Path(os.environ.get("LAZYCIM_CAPTURES") or beside)
    return folder if (folder / "lab_classes.mof").is_file() else None


def repository(folder):
    """The mock with all of the lab in it."""
    mock = pywbem_mock.FakedWBEMConnection(default_namespace=NAMESPACE)
    mock.add_namespace(INTEROP)
    for name in ("qualifiers", "core", "interop"):
        mock.compile_mof_file(str(ASSETS / f"{name}.mof"), namespace=INTEROP)
    for name in (NAMESPACE, INTEROP):
        space = pywbem.CIMInstance("LC_Namespace", path=pywbem.CIMInstanceName("LC_Namespace", namespace=INTEROP))
        for key, value in (
            ("SystemCreationClassName", "LC_ComputerSystem"),
            ("SystemName", "lab"),
            ("ObjectManagerCreationClassName", "LC_ObjectManager"),
            ("ObjectManagerName", "pywbem_mock"),
            ("CreationClassName", "LC_Namespace"),
            ("Name", name),
        ):
            space[key] = space.path[key] = value
        mock.add_cimobjects(space, namespace=INTEROP)
    mock.compile_mof_file(str(ASSETS / "qualifiers.mof"), namespace=NAMESPACE)
    mock.compile_mof_string(OCTET_STRING, namespace=NAMESPACE)
    mock.compile_mof_file(str(folder / "lab_classes.mof"), namespace=NAMESPACE)
    # pywbem's MOF compiler keeps the quotes of a character, so characters are given as texts.
    instances = (folder / "lab_instances.mof").read_text("utf-8")
    instances = re.sub(r"""([={,] ?)'(.)'(?=[,;}])""", lambda at: at[1] + '"' + at[2].replace('"', r"\"") + '"', instances)
    mock.compile_mof_string(instances, namespace=NAMESPACE)
    # The mock looks an end up in the namespace its reference names, so each must name one.
    links = (folder / "lab_links.mof").read_text("utf-8").replace('"LAB_Types.', f'"{NAMESPACE}:LAB_Types.')
    mock.compile_mof_string(links, namespace=NAMESPACE)
    inner = pywbem.CIMInstance("LAB_Inner", {"Name": 'in "quotes" & <angles>', "Count": pywbem.Uint32(7)})
    inner["Text"] = pywbem.CIMProperty("Text", None, "string")
    outer = pywbem.CIMInstance("LAB_Types", path=pywbem.CIMInstanceName("LAB_Types", {"Id": "nest"}, namespace=NAMESPACE))
    outer["Id"] = "nest"
    outer.properties["Inner"] = pywbem.CIMProperty("Inner", inner, "string", embedded_object="instance")
    outer.properties["Inners"] = pywbem.CIMProperty(
        "Inners", [inner, inner], "string", is_array=True, embedded_object="instance"
    )
    # NULL, an empty text, an empty array and NULL in an array are four things.
    outer["Empty"] = ""
    outer["NoValue"] = pywbem.CIMProperty("NoValue", None, "string")
    outer["AText"] = pywbem.CIMProperty("AText", ["a", None, ""], "string", is_array=True)
    outer["AEmpty"] = pywbem.CIMProperty("AEmpty", [], "string", is_array=True)
    mock.add_cimobjects(outer, namespace=NAMESPACE)
    return mock


def plain(mock, namespace, value, name):
    """A parameter as the mock wants it: typed, whatever the parser left as text."""
    if isinstance(value, pywbem.CIMInstanceName):
        # DSP0201 has no VALUETYPE for a datetime: only the class tells that the text of a key is one.
        for key, declared in mock.GetClass(value.classname, namespace=namespace, LocalOnly=False).properties.items():
            if declared.type == "datetime" and key in value.keybindings:
                value.keybindings[key] = pywbem.CIMDateTime(str(value.keybindings[key]))
    if name == "MaxObjectCount" and value is not None:
        # Never more than two to an answer, which a server may decide: so that pulling takes several.
        return min(int(value), 2)
    if name == "OperationTimeout" and value is not None:
        # The mock breaks while it words this error.
        if int(value) > pywbem_mock.config.OPEN_MAX_TIMEOUT:
            longest = pywbem_mock.config.OPEN_MAX_TIMEOUT
            raise pywbem.CIMError(pywbem.CIM_ERR_INVALID_OPERATION_TIMEOUT, f"at most {longest} seconds")
        return int(value)
    if name in ("ContinueOnError", "ReturnQueryResultClass") and value is not None:
        return value.lower() == "true"
    return value


def located(path):
    """The path in its longest form; the mock leaves the host out of some."""
    path = path.copy()
    path.host, path.namespace = path.host or "lab", path.namespace or NAMESPACE
    return path.tocimxml()


def declared(qualifier):
    """A declaration with its scopes one by one: DSP0201 has no attribute for `any`, which pywbem writes."""
    qualifier = qualifier.copy()
    anywhere = qualifier.scopes.pop("ANY", False)
    for name in ("CLASS", "ASSOCIATION", "REFERENCE", "PROPERTY", "METHOD", "PARAMETER", "INDICATION"):
        qualifier.scopes[name] = anywhere or qualifier.scopes.get(name, False)
    return qualifier.tocimxml()


def element(operation, item):
    """One returned object, in the element that DSP0200 gives to the operation."""
    along = operation.startswith(("Associator", "Reference"))
    if along:
        item = item[2]
    if isinstance(item, tuple):
        return xml.VALUE_OBJECTWITHPATH(located(item[0]), item[1].tocimxml())
    if isinstance(item, (pywbem.CIMInstanceName, pywbem.CIMClassName)):
        if along:
            return xml.OBJECTPATH(located(item))
        return located(item) if operation.startswith(("Open", "Pull")) else item.tocimxml(ignore_namespace=True)
    if isinstance(item, pywbem.CIMInstance) and operation != "GetInstance":
        bare = item.tocimxml(ignore_path=True)
        if along:
            return xml.VALUE_OBJECTWITHPATH(located(item.path), bare)
        if operation.startswith(("Open", "Pull")):
            return xml.VALUE_INSTANCEWITHPATH(located(item.path), bare)
        return xml.VALUE_NAMEDINSTANCE(item.path.tocimxml(ignore_namespace=True), bare)
    if isinstance(item, pywbem.CIMQualifierDeclaration):
        return declared(item)
    return item.tocimxml(ignore_path=True) if isinstance(item, pywbem.CIMInstance) else item.tocimxml()


def answered(mock, operation, namespace, params):
    """What stands in IMETHODRESPONSE."""
    try:
        if not hasattr(mock, f"_imeth_{operation}"):
            raise pywbem.CIMError(pywbem.CIM_ERR_NOT_SUPPORTED, operation)
        params = {name: plain(mock, namespace, value, name) for name, value in params}
        result = mock._mock_imethodcall(operation, namespace, **params) or []
    except pywbem.CIMError as error:
        return [xml.ERROR(str(error.status_code), error.status_description)]
    children = []
    for name, _, value in result:
        if name == "IRETURNVALUE":
            children.append(xml.IRETURNVALUE([element(operation, item) for item in value]))
        elif value is not None:
            children.append(xml.PARAMVALUE(name, xml.VALUE(value)))
    return children


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):  # noqa: N802, the name http.server wants
        body = self.rfile.read(int(self.headers["Content-Length"]))
        _, _, (_, message, (_, _, call)) = TupleParser().parse_cim(xml_to_tupletree_sax(body, "request"))
        _, attributes, namespace, params = call
        with self.server.lock:
            self.server.operations.append(attributes["NAME"])
            children = answered(self.server.mock, attributes["NAME"], namespace, params)
        response = xml.SIMPLERSP(xml.IMETHODRESPONSE(attributes["NAME"], children))
        text = xml.CIM(xml.MESSAGE(response, message["ID"], "1.0"), "2.0", "2.0").toxml()
        content = ('<?xml version="1.0" encoding="utf-8" ?>\n' + text).encode()
        self.send_response(200)
        self.send_header("Content-Type", 'application/xml; charset="utf-8"')
        self.send_header("CIMOperation", "MethodResponse")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Says nothing: what a peer test prints is its result."""


def start(mock):
    """Serves `mock` on a free port of this machine; the caller shuts it down."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.mock, server.lock, server.operations = mock, threading.Lock(), []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
