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
fails(pywbem.CIM_ERR_NOT_SUPPORTED, peer.AssociatorNames, "LC_Process")

me["Handle"] = str(os.getpid())
declared = {one.name: one for one in peer.EnumerateQualifiers()}
assert declared["Key"] == peer.GetQualifier("Key") and declared["Key"].scopes["REFERENCE"], declared["Key"]
fails(pywbem.CIM_ERR_NOT_FOUND, peer.GetQualifier, "NoSuch")

# A connection that must pull: without the operations it would fail, not fall back.
puller = pywbem.WBEMConnection(
    url, (user, password), default_namespace="root/cimv2", timeout=30, use_pull_operations=True
)
handle_filter = {"FilterQueryLanguage": "DMTF:FQL", "FilterQuery": f"Handle = '{me['Handle']}'"}
pulled = list(puller.IterEnumerateInstances("CIM_Process", MaxObjectCount=3))
assert me["Handle"] in [one["Handle"] for one in pulled] and all(one.path.host for one in pulled)
assert me["Handle"] in [path["Handle"] for path in puller.IterEnumerateInstancePaths("CIM_Process", MaxObjectCount=3)]
(filtered,) = puller.IterEnumerateInstances("CIM_Process", MaxObjectCount=3, **handle_filter)
assert filtered["Handle"] == me["Handle"] and isinstance(filtered["WorkingSetSize"], pywbem.Uint64)
(up,) = puller.IterAssociatorInstances(me, MaxObjectCount=1)
assert up.path.classname == "LC_OperatingSystem" and up["Name"] == system["Name"]
assert [path.classname for path in puller.IterAssociatorInstancePaths(me, MaxObjectCount=1)] == ["LC_OperatingSystem"]
assert next(puller.IterReferenceInstances(me, MaxObjectCount=1))["PartComponent"]["Handle"] == me["Handle"]
assert [path.classname for path in puller.IterReferenceInstancePaths(me, MaxObjectCount=1)] == ["LC_OSProcess"]
query = f"SELECT Handle, Name FROM LC_Process WHERE Handle = '{me['Handle']}'"
(asked,) = puller.IterQueryInstances("WQL", query, MaxObjectCount=2).generator
assert sorted(asked.keys()) == ["Handle", "Name"], asked.keys()
(asked,) = peer.ExecQuery("WQL", query)
assert asked["Handle"] == me["Handle"]

opened = peer.OpenEnumerateInstances("LC_Process", MaxObjectCount=1, OperationTimeout=30)
assert len(opened.instances) == 1 and not opened.eos and opened.context
more = peer.PullInstancesWithPath(opened.context, MaxObjectCount=1)
assert len(more.instances) == 1 and more.instances[0].path != opened.instances[0].path
fails(pywbem.CIM_ERR_INVALID_ENUMERATION_CONTEXT, peer.PullInstancePaths, more.context, MaxObjectCount=1)
peer.CloseEnumeration(more.context)
fails(pywbem.CIM_ERR_INVALID_ENUMERATION_CONTEXT, peer.PullInstancesWithPath, more.context, MaxObjectCount=1)
fails(pywbem.CIM_ERR_INVALID_OPERATION_TIMEOUT, peer.OpenEnumerateInstances, "LC_Process", OperationTimeout=100_000)
fails(pywbem.CIM_ERR_QUERY_LANGUAGE_NOT_SUPPORTED, peer.ExecQuery, "DMTF:CQL", query)
fails(pywbem.CIM_ERR_INVALID_QUERY, peer.ExecQuery, "WQL", "SELEKT *")

try:
    pywbem.WBEMConnection(url, (user, password + "x")).EnumerateClassNames()
except pywbem.AuthError:
    pass
else:
    sys.exit("a wrong password was let in")
print(f"pywbem {pywbem.__version__}: {len(names)} classes, {len(peer.EnumerateInstanceNames('LC_Process'))} processes")
