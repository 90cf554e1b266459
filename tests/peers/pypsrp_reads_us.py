"""pypsrp's WSMan reads the embedded server with its own headers, and every value pywbem is told."""

import xml.etree.ElementTree as ET

import pypsrp.wsman
from pypsrp.exceptions import AuthenticationError, WSManFaultError

from wsman_values import CLASSES, ENUMERATE, GET, HOST, PASSWORD, PORT, PULL, SPACES, USER
from wsman_values import cim_xml, find, items, same



def connected(password):
    return pypsrp.wsman.WSMan(
        HOST, port=PORT, username=USER, password=password, ssl=False, auth="basic", encryption="never", no_proxy=True
    )


def selectors(pairs=()):
    chosen = pypsrp.wsman.SelectorSet()
    for name, value in (("__cimnamespace", "root/cimv2"), *pairs):
        chosen.add_option(name, value)
    return chosen


def element(prefix, name, text=None, children=()):
    made = ET.Element("{%s}%s" % (SPACES[prefix], name))
    made.text = text
    made.extend(children)
    return made


def enumerate_of(max_elements, *more):
    optimised = element("w", "OptimizeEnumeration"), element("w", "MaxElements", str(max_elements))
    return element("n", "Enumerate", children=(*optimised, *more))


peer = connected(PASSWORD)
compared = 0
for name in ("LC_OperatingSystem", "LC_ComputerSystem"):
    (told,) = items(peer.invoke(ENUMERATE, CLASSES + name, enumerate_of(10), selector_set=selectors()))
    (known,) = cim_xml.EnumerateInstances(name, LocalOnly=False)
    compared += same(told, known)
(path,) = cim_xml.EnumerateInstanceNames("LC_OperatingSystem")
got = peer.invoke(GET, CLASSES + "LC_OperatingSystem", None, selector_set=selectors(path.keybindings.items()))
compared += same(find(got, "s:Body")[0], cim_xml.GetInstance(path, LocalOnly=False))

# A query, and what goes along associations.
own = cim_xml.ExecQuery("WQL", "SELECT * FROM LC_Process WHERE Handle = '1'")
wql = element("w", "Filter", "SELECT * FROM LC_Process WHERE Handle = '1'")
wql.set("Dialect", "http://schemas.microsoft.com/wbem/wsman/1/WQL")
answer = peer.invoke(ENUMERATE, "http://schemas.dmtf.org/wbem/wscim/1/*", enumerate_of(10, wql), selector_set=selectors())
assert [find(one, "{*}Handle").text for one in items(answer)] == [one["Handle"] for one in own]

answer = peer.invoke(ENUMERATE, CLASSES + "LC_Process", enumerate_of(2), selector_set=selectors())
seen = [find(one, "{*}Handle").text for one in items(answer)]
context = find(answer, ".//n:EnumerationContext").text
while context is not None:
    children = (element("n", "EnumerationContext", context), element("n", "MaxElements", "50"))
    answer = peer.invoke(PULL, CLASSES + "LC_Process", element("n", "Pull", children=children), selector_set=selectors())
    seen += [find(one, "{*}Handle").text for one in items(answer)]
    context = getattr(find(answer, ".//n:EnumerationContext"), "text", None)
assert find(answer, ".//n:EndOfSequence") is not None
assert len(seen) == len(set(seen)) and "1" in seen

try:
    peer.invoke(GET, CLASSES + "No_Such", None, selector_set=selectors())
except WSManFaultError as error:
    assert error.code == 0x80338000, error
    assert (error.provider, error.reason) == ("lazycim", "no class No_Such in root/cimv2"), error
else:
    raise AssertionError("a class that is not there was got")
try:
    connected("wrong").invoke(GET, CLASSES + "LC_Process", None, selector_set=selectors())
except AuthenticationError:
    pass
else:
    raise AssertionError("a wrong password was let in")
print(f"pypsrp: {compared} values, {len(seen)} processes")
