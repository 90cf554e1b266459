"""lazycim reads a server that is not ours, and prints value by value what pywbem's own client is told for the same call."""

import json
import os
import struct
import subprocess
import sys
import time

import pywbem
import pywbem_server

began = time.monotonic()
folder = pywbem_server.captures()
if folder is None:
    print("no lab_classes.mof beside the captured exchanges: set LAZYCIM_CAPTURES", file=sys.stderr)
    sys.exit(1 if os.environ.get("LAZYCIM_REQUIRE_CAPTURES") == "1" else 77)
mock = pywbem_server.repository(folder)
server = pywbem_server.start(mock)
NAMESPACE = pywbem_server.NAMESPACE
# pywbem reads over the wire as well: what the mock holds and what it sends may differ in form.
peer = pywbem.WBEMConnection(f"http://127.0.0.1:{server.server_port}", default_namespace=NAMESPACE, timeout=30)
compared = 0


def run(*arguments, code=0, pull="auto"):
    url = f"cimxml+http://127.0.0.1:{server.server_port}/cimom"
    command = [os.environ["LAZYCIM_PROGRAM"], "--url", url, "-n", NAMESPACE, "--pull", pull, *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == code, f"{arguments}: {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
    return ran


def lines(*arguments, pull="on"):
    """What the command prints: the same rows whether pulled or not, in an array or line by line."""
    if arguments[0] in ("class", "namespaces", "qualifiers"):
        return json.loads(run(*arguments, "-o", "json").stdout)
    array = json.loads(run(*arguments, "-o", "json", pull=pull).stdout)
    told = [json.loads(line) for line in run(*arguments, "-o", "ndjson", pull="off").stdout.splitlines()]
    assert told == array, arguments
    return array


def path_key(path):
    """A path without its host, as something that can be compared and found."""
    path = path.copy()
    path.host = None
    path.namespace = path.namespace or NAMESPACE
    return path.to_wbem_uri(format="canonical")


def told_path(text):
    return path_key(pywbem.CIMInstanceName.from_wbem_uri("/" + text))


def same(told, value, kind, where):
    """Whether the JSON value told is this value of pywbem's, exactly."""
    global compared
    compared += 1
    if value is None or told is None:
        assert told is None and value is None, f"{where}: {told!r}, pywbem: {value!r}"
    elif isinstance(value, list):
        assert isinstance(told, list) and len(told) == len(value), f"{where}: {told!r}, pywbem: {value!r}"
        for at, (ours, theirs) in enumerate(zip(told, value)):
            same(ours, theirs, kind, f"{where}[{at}]")
    elif isinstance(value, pywbem.CIMInstance):
        assert told["class"] == value.classname, where
        same_properties(told["properties"], value, where)
    elif isinstance(value, pywbem.CIMInstanceName):
        assert told_path(told) == path_key(value), f"{where}: {told}, pywbem: {value}"
    elif kind in ("uint64", "sint64"):
        assert told == str(int(value)), f"{where}: {told!r}, pywbem: {value!r}"
    elif kind == "real32":
        assert struct.pack("f", told) == struct.pack("f", value), f"{where}: {told!r}, pywbem: {value!r}"
    elif kind == "datetime":
        assert told == str(value), f"{where}: {told!r}, pywbem: {value!s}"
    else:
        fits = {"boolean": bool, "real64": (int, float), "string": str, "char16": str}.get(kind, int)
        assert isinstance(told, fits) and told == value, f"{where}: {told!r}, pywbem: {value!r}"


def same_properties(told, instance, where):
    """A property the server left out is told as null."""
    left = {name.lower() for name in instance.properties} - {name.lower() for name in told}
    assert not left, f"{where}: pywbem has {left} as well"
    for name, ours in told.items():
        theirs = instance.properties.get(name)
        same(ours, theirs and theirs.value, theirs and theirs.type, f"{where}.{name}")


def same_instances(told, instances, where):
    theirs = {path_key(instance.path): instance for instance in instances}
    assert sorted(theirs) == sorted(told_path(one["path"]) for one in told), where
    for one in told:
        instance = theirs[told_path(one["path"])]
        assert (one["class"], one["namespace"]) == (instance.classname, NAMESPACE), where
        same_properties(one["properties"], instance, one["path"])


def same_paths(told, paths, where):
    assert sorted(told_path(one["path"]) for one in told) == sorted(map(path_key, paths)), where


def same_class(told, theirs):
    where = theirs.classname
    assert (told["class"], told["superclass"]) == (theirs.classname, theirs.superclass), where
    assert [one["name"] for one in told["properties"]] == list(theirs.properties), where
    for ours, (elements, qualified) in [(told, (theirs, where))] + [
        (one, (theirs.properties[one["name"]], f"{where}.{one['name']}")) for one in told["properties"]
    ]:
        assert sorted(ours["qualifiers"]) == sorted(elements.qualifiers), qualified
        for name, qualifier in ours["qualifiers"].items():
            assert qualifier["type"] == elements.qualifiers[name].type, f"{qualified} {name}"
            same(qualifier["value"], elements.qualifiers[name].value, qualifier["type"], f"{qualified} {name}")
    for one in told["properties"]:
        prop = theirs.properties[one["name"]]
        assert (one["type"], one["array"], one["reference_class"]) == (prop.type, prop.is_array, prop.reference_class)
        same(one["default"], prop.value, prop.type, f"{where}.{one['name']}")


spaces = peer.EnumerateInstances("CIM_Namespace", namespace=pywbem_server.INTEROP)
assert {one["namespace"] for one in lines("namespaces")} == {one["Name"] for one in spaces}
names = peer.EnumerateClassNames(DeepInheritance=True)
assert sorted(one["class"] for one in lines("classes", "--deep")) == sorted(names)
for name in names:
    same_class(lines("class", name)[0], peer.GetClass(name, LocalOnly=False, IncludeClassOrigin=True))
    instances = peer.EnumerateInstances(name, LocalOnly=False)
    same_instances(lines("instances", name), instances, name)
    same_paths(lines("instances", name, "--keys-only"), peer.EnumerateInstanceNames(name), name)
    for instance in instances:
        uri = instance.path.copy()
        uri.host = None
        told = lines("get", uri.to_wbem_uri(format="historical"))
        same_instances(told, [instance], uri)

for one in lines("qualifiers"):
    theirs = peer.GetQualifier(one["name"])
    assert (one["type"], one["array"]) == (theirs.type, theirs.is_array), theirs
    assert {scope.upper() for scope in one["scopes"]} == {name for name, stands in theirs.scopes.items() if stands}, theirs
    assert one["overridable"] == (theirs.overridable is not False), theirs
    assert one["to_subclass"] == (theirs.tosubclass is not False), theirs
    same(one["default"], theirs.value, theirs.type, one["name"])

some = next(path for path in peer.EnumerateInstanceNames("LAB_Types") if path["Id"] == "max")
for target, named, pull in ((some, 'LAB_Types.Id="max"', "on"), ("LAB_Types", "LAB_Types", "off")):
    for command, full, brief in (
        ("associators", peer.Associators, peer.AssociatorNames),
        ("references", peer.References, peer.ReferenceNames),
    ):
        for role in (None, "From", "To"):
            more = ["--role", role] if role else []
            told, bare = (lines(command, named, *names, *more, pull=pull) for names in ((), ("--names",)))
            theirs, paths = full(target, Role=role), brief(target, Role=role)
            if target is not some:
                assert sorted(one["class"] for one in told) == sorted(one.classname for _, one in theirs), command
                assert sorted(one["class"] for one in bare) == sorted(one.classname for one in paths), command
                for one in told:
                    same_class(one, dict((found.classname, found) for _, found in theirs)[one["class"]])
            else:
                same_instances(told, theirs, command)
                same_paths(bare, paths, command)

# The mock runs no query; its refusals differ by operation.
for arguments, pull, says in (
    (("query", "SELECT * FROM LAB_Types"), "off", "CIM_ERR_NOT_SUPPORTED"),
    (("query", "SELECT * FROM LAB_Types"), "on", "CIM_ERR_QUERY_LANGUAGE_NOT_SUPPORTED"),
    (("instances", "No_Such"), "off", "CIM_ERR_INVALID_CLASS"),
    (("instances", "No_Such"), "on", "CIM_ERR_INVALID_CLASS"),
    (("class", "No_Such"), "auto", "CIM_ERR_NOT_FOUND"),
    (("get", 'LAB_Types.Id="nobody"'), "auto", "CIM_ERR_NOT_FOUND"),
):
    refused = run(*arguments, code=1, pull=pull).stderr
    assert says in refused, f"{arguments}: {refused}"
contexts = mock._mainprovider.enumeration_contexts
assert not contexts, f"enumerations were left open: {contexts}"
server.shutdown()
used = ", ".join(sorted(set(server.operations)))
for operation in ("OpenEnumerateInstances", "OpenAssociatorInstances", "PullInstancesWithPath", "PullInstancePaths"):
    assert operation in server.operations, f"no {operation} among {used}"
print(f"pywbem_mock {pywbem.__version__}: {compared} values in {time.monotonic() - began:.1f} s; {used}")
