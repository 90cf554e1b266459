"""The WS-Man client of python-dracclient, made for iDRAC, reads the embedded server: it names no content type, no
namespace, and asks for a number of elements in a Pull by the element of an Enumerate."""

import dracclient.exceptions
import dracclient.wsman

from wsman_values import CLASSES, HOST, PASSWORD, PORT, USER
from wsman_values import cim_xml, find, items, same


def connected(password):
    return dracclient.wsman.Client(HOST, USER, password, port=PORT, protocol="http", ssl_retries=1)


peer = connected(PASSWORD)
(told,) = items(peer.enumerate(CLASSES + "LC_OperatingSystem"))
(known,) = cim_xml.EnumerateInstances("LC_OperatingSystem", LocalOnly=False)
compared = same(told, known)

# Batch by batch, merged by the client.
known = {one["Name"] for one in cim_xml.EnumerateInstances("LC_LocalFileSystem", LocalOnly=False)}
merged = items(peer.enumerate(CLASSES + "LC_LocalFileSystem", max_elems=1))
assert {find(one, "{*}Name").text for one in merged} == known, (merged, known)

query = "SELECT Handle FROM LC_Process WHERE Handle = '1'"
for dialect in ("cql", "wql"):
    told = items(peer.enumerate(CLASSES + "LC_Process", filter_query=query, filter_dialect=dialect))
    assert [[child.text for child in one] for one in told] == [["1"]], (dialect, told)

for client, uri in ((connected("wrong"), CLASSES + "LC_Process"), (peer, CLASSES + "No_Such")):
    try:
        client.enumerate(uri)
        raise SystemExit(f"dracclient: {uri} was enumerated")
    except dracclient.exceptions.WSManInvalidResponse as refused:
        assert "401" in str(refused) if client is not peer else "500" in str(refused), refused

print(f"dracclient: {compared} values, {len(merged)} file systems one by one, a query in two languages")
