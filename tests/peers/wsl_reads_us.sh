#!/usr/bin/env bash
# wsl, the shell client for iDRAC, reads the embedded server over WS-Man: it names no namespace in a Pull, and takes an
# empty context for the end.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
program=$(realpath "$LAZYCIM_PROGRAM")
place=${LAZYCIM_PEER_URL#*://}
# It keeps its settings in the home directory, and what it asked and was answered where it runs.
export HOME=$work WSENDPOINT=${place%/cimom} WSNOSSL=true WSUSER=$LAZYCIM_PEER_USER WSPASS=$LAZYCIM_PEER_PASSWORD
export KEEPHISTORY=0 OUTLEVEL=0 no_proxy='*'
cd "$work"
schema=http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2

# asks COMMAND...: runs wsl; afterwards request-N.xml and response-N.xml are those of this command alone.
asks() {
    rm -f request-*.xml response-*.xml
    wsl "$@" </dev/null >out 2>&1 || { printf 'wsl: %s failed: %s\n' "$*" "$(tail -n 5 out log.txt)" >&2; exit 1; }
}
# counts XPATH: how many of it there are in all answers together.
counts() {
    local file sum=0
    for file in response-*.xml; do sum=$((sum + $(xmllint --xpath "count($1)" "$file"))); done
    printf '%s' "$sum"
}
# is WHAT FOUND EXPECTED
is() { [ "$2" = "$3" ] || { printf 'wsl: %s: %s instead of %s\n' "$1" "$2" "$3" >&2; exit 1; }; }
ours() {
    "$program" --url "wsman+http://$LAZYCIM_PEER_USER@$WSENDPOINT/wsman" --password-env LAZYCIM_PEER_PASSWORD "$@"
}
item="*[local-name()='Items']/*"

asks id check
is vendor "$(xmllint --xpath "string(//*[local-name()='ProductVendor'])" response-1.xml)" lazycim

# Classes do not come and go between the two, as processes do.
classes=$(ours --namespace root/interop instances CIM_Namespace -o ndjson | wc -l)
for mode in obj epr objepr; do
    asks enum $schema/CIM_Namespace -ns root/interop -mode $mode -opti 1
    is "namespaces as $mode" "$(counts "//$item")" "$classes"
    # The answer that ends it may be the one with the last, or one of its own.
    requests=$(find . -name 'request-*.xml' | wc -l)
    [ "$requests" -ge "$classes" ] || { printf 'wsl: %s requests, one element each\n' "$requests" >&2; exit 1; }
    is "contexts left open" "$(xmllint --xpath "string(//*[local-name()='EnumerationContext'])" "response-$requests.xml")" ''
done

asks enum CIM_OperatingSystem -ns root/cimv2 -filter "select Name from CIM_OperatingSystem"
is 'properties of a query' "$(counts "//$item/*")" 1
asks enum CIM_OperatingSystem -ns root/cimv2 -dialect http://schemas.dmtf.org/wbem/wsman/1/wsman/SelectorFilter -filter Name=Linux
is 'selected by selector' "$(counts "//$item")" 1
asks enum CIM_OperatingSystem -ns root/cimv2 -dialect http://schemas.dmtf.org/wbem/wsman/1/wsman/SelectorFilter -filter Name=Other
is 'not selected' "$(counts "//$item")" 0

asks enum CIM_OperatingSystem -ns root/cimv2 -mode epr
keys=()
for key in CSCreationClassName CSName CreationClassName Name; do
    keys+=("$key=$(xmllint --xpath "string(//*[local-name()='Selector'][@Name='$key'])" response-1.xml)")
done
asks get $schema/LC_OperatingSystem "${keys[@]}"
for property in OSType Caption Version; do
    told=$(ours instances LC_OperatingSystem -p $property -o csv | tail -n 1 | tr -d '"\r')
    is $property "$(xmllint --xpath "string(//*[local-name()='$property'])" response-1.xml)" "$told"
done
# What the client calls references are the instances at the far ends.
asks enum $schema/LC_OperatingSystem -ns root/cimv2 -references "${keys[@]}"
path=$(ours instances LC_OperatingSystem -o ndjson | sed 's/.*"path": *"\(\([^"\\]\|\\.\)*\)".*/\1/; s/\\"/"/g')
[ "$(counts "//*[local-name()='LC_ComputerSystem']")" -eq 1 ] || { printf 'wsl: no computer system beside the operating system\n' >&2; exit 1; }
is 'computer systems we find' "$(ours associators "$path" --result LC_ComputerSystem -o ndjson | wc -l)" 1

if (asks enum $schema/No_Such -ns root/cimv2) 2>no_such; then
    printf 'wsl: a class that is not there was enumerated\n' >&2
    exit 1
fi
printf 'wsl: %s namespaces in three modes, a query, selectors, a Get and associations\n' "$classes"
