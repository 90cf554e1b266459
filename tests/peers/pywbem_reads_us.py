"""pywbem reads the embedded server: namespaces, classes, instances, and each error where it belongs."""

import os
import sys

import pywbem

url = os.environ["LAZYCIM_PEER_URL"].split("+", 1)[-1].removesuffix("/cimom")
user, password = os.environ["LAZYCIM_PEER_USER"], os.environ["LAZYCIM_PEER_PASSWORD"]
peer = pywbem.WBEMConnection(url, (user, password), default_namespace="root/cimv2", timeout=30)


def fails(code, call, *args, **named):
    try:
        call(*args, **named)
    except pywbem.CIMError as error:
        assert error.status_code == code, f"{error.status_code} where {code} belongs"
    else:
        raise AssertionError(f"{call.__name__} succeeded where status {code} belongs")


server = pywbem.WBEMServer(peer)
assert sorted(server.namespaces) == ["root/cimv2", "root/interop"], server.namespaces
assert server.interop_ns == "root/interop"

names = peer.EnumerateClassNames(DeepInheritance=True)
top = peer.EnumerateClassNames()
assert set(top) < set(names) and "LC_Process" in names and "LC_Process" not in top
classes = peer.EnumerateClasses(DeepInheritance=True, LocalOnly=False, IncludeQualifiers=True, IncludeClassOrigin=True)
assert [one.classname for one in classes] == names
process = peer.GetClass("LC_Process", LocalOnly=False, IncludeQualifiers=True, IncludeClassOrigin=True)
assert process.superclass == "CIM_Process"
keys = [name for name, prop in process.properties.items() if "Key" in prop.qualifiers]
assert keys == ["CSCreationClassName", "CSName", "OSCreationClassName", "OSName", "CreationClassName", "Handle"], keys
assert process.properties["WorkingSetSize"].type == "uint64"

for name in names:
    for instance in peer.EnumerateInstances(name, LocalOnly=False):
        assert instance.path.classname.startswith("LC_"), instance.path
    peer.EnumerateInstanceNames(name)

me = next(path for path in peer.EnumerateInstanceNames("LC_Process") if path["Handle"] == str(os.getpid()))
mine = peer.GetInstance(me, LocalOnly=False)
assert mine["Handle"] == str(os.getpid()) and mine["WorkingSetSize"] > 0
assert any("pywbem_reads_us" in word for word in mine["Parameters"]), mine["Parameters"]
assert mine["TerminationDate"] is None
few = peer.GetInstance(me, LocalOnly=False, PropertyList=["Name"])
assert list(few.keys()) == ["Name"], few.keys()
link = peer.EnumerateInstances("LC_RunningOS")[0]
assert peer.GetInstance(link["Dependent"])["Name"] == me["CSName"]

system = link["Antecedent"]
assert [path.classname for path in peer.ReferenceNames(me)] == ["LC_OSProcess"]
assert [path.classname for path in peer.AssociatorNames(me)] == ["LC_OperatingSystem"]
assert peer.Associators(me, ResultRole="GroupComponent")[0]["Name"] == system["Name"]
assert peer.References(me)[0]["PartComponent"]["Handle"] == me["Handle"]
(computer,) = peer.Associators(system, AssocClass="CIM_RunningOS", PropertyList=["Name"])
assert computer["Name"] == me["CSName"] and list(computer.keys()) == ["Name"], computer.tomof()
assert computer.path.namespace == "root/cimv2" and computer.path.host, computer.path
handles = {path["Handle"] for path in peer.AssociatorNames(system, ResultClass="CIM_Process")}
assert me["Handle"] in handles
assert peer.ReferenceNames(system, Role="PartComponent") == []

fails(pywbem.CIM_ERR_INVALID_NAMESPACE, peer.EnumerateClassNames, namespace="root/nowhere")
fails(pywbem.CIM_ERR_INVALID_CLASS, peer.EnumerateInstances, "No_Such")
fails(pywbem.CIM_ERR_NOT_FOUND, peer.GetClass, "No_Such")
me["Handle"] = "0"
fails(pywbem.CIM_ERR_NOT_FOUND, peer.GetInstance, me)
fails(pywbem.CIM_ERR_NOT_SUPPORTED, peer.DeleteInstance, me)
fails(pywbem.CIM_ERR_NOT_SUPPORTED, peer.OpenEnumerateInstances, "LC_Process")
fails(pywbem.CIM_ERR_NOT_SUPPORTED, peer.ExecQuery, "WQL", "SELECT * FROM LC_Process")
fails(pywbem.CIM_ERR_NOT_SUPPORTED, peer.AssociatorNames, "LC_Process")

try:
    pywbem.WBEMConnection(url, (user, password + "x")).EnumerateClassNames()
except pywbem.AuthError:
    pass
else:
    sys.exit("a wrong password was let in")
print(f"pywbem {pywbem.__version__}: {len(names)} classes, {len(peer.EnumerateInstanceNames('LC_Process'))} processes")
