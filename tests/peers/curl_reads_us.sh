#!/usr/bin/env bash
# curl's Digest against the embedded server, over both protocols: SHA-256, which it takes first, and MD5 where that is all there is.
set -euo pipefail

work=$(mktemp -d)
# There before anybody looks into it.
: >"$work/out"
"$LAZYCIM_PROGRAM" serve --auth digest --user "$LAZYCIM_PEER_USER" --password-env LAZYCIM_PEER_PASSWORD >"$work/out" &
server=$!
trap 'kill "$server" && wait "$server" || :; rm -rf "$work"' EXIT
# The first line on stdout is the moment it listens.
read -r line < <(tail -n +1 -f --pid="$server" "$work/out")
origin=${line#*+} origin=${origin%/cimom}

cat >"$work/identify.xml" <<'XML'
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"><s:Body><i:Identify/></s:Body></s:Envelope>
XML
cat >"$work/names.xml" <<'XML'
<?xml version="1.0"?><CIM CIMVERSION="2.0" DTDVERSION="2.0"><MESSAGE ID="1" PROTOCOLVERSION="1.0"><SIMPLEREQ><IMETHODCALL NAME="EnumerateClassNames"><LOCALNAMESPACEPATH><NAMESPACE NAME="root"/><NAMESPACE NAME="cimv2"/></LOCALNAMESPACEPATH></IMETHODCALL></SIMPLEREQ></MESSAGE></CIM>
XML

# asked PASSWORD PATH FILE [OPTION...]: the answer, and on the last line the status.
asked() {
    local password=$1 path=$2 file=$3
    shift 3
    # The password goes through a file, not through the arguments.
    printf 'user = "%s:%s"\n' "$LAZYCIM_PEER_USER" "$password" >"$work/curlrc"
    curl --silent --show-error --config "$work/curlrc" --noproxy '*' --max-time 30 --digest --data-binary "@$file" \
        --write-out '\n%{http_code}' --dump-header "$work/head" "$@" "$origin$path"
}
# has TEXT PATTERN: the answer must hold the pattern.
has() { grep -q -- "$2" <<<"$1" || { printf 'curl: no %s in:\n%s\n' "$2" "${1:0:400}" >&2; exit 1; }; }

soap=(--header 'Content-Type: application/soap+xml;charset=UTF-8')
cim=(--header 'Content-Type: application/xml' --header 'CIMOperation: MethodCall' --header 'CIMMethod: EnumerateClassNames' --header 'CIMObject: root/cimv2')

answer=$(asked "$LAZYCIM_PEER_PASSWORD" /wsman "$work/identify.xml" "${soap[@]}")
has "$answer" '<wsmid:ProductVendor>lazycim<'
has "$answer" '^200$'
has "$(cat "$work/head")" 'algorithm=SHA-256'
has "$(tr '[:upper:]' '[:lower:]' <"$work/head")" 'authentication-info: qop=auth, rspauth='
answer=$(asked "$LAZYCIM_PEER_PASSWORD" /cimom "$work/names.xml" "${cim[@]}")
has "$answer" 'CLASSNAME NAME="CIM_ManagedElement"'
has "$(asked wrong /wsman "$work/identify.xml" "${soap[@]}")" '^401$'
has "$(asked wrong /cimom "$work/names.xml" "${cim[@]}")" '^401$'

# A curl that is told of MD5 alone: the proof is made by hand from the challenge, as md5sum has it.
challenge=$(grep -i 'algorithm=MD5' "$work/head" | tail -n 1)
nonce=${challenge#*nonce=\"} nonce=${nonce%%\"*}
md5() { printf '%s' "$1" | md5sum | cut -d ' ' -f 1; }
key=$(md5 "$LAZYCIM_PEER_USER:lazycim:$LAZYCIM_PEER_PASSWORD")
response=$(md5 "$key:$nonce:00000001:abc:auth:$(md5 'POST:/wsman')")
{
    printf 'header = "Authorization: Digest username=\\"%s\\", realm=\\"lazycim\\", nonce=\\"%s\\", ' "$LAZYCIM_PEER_USER" "$nonce"
    printf 'uri=\\"/wsman\\", algorithm=MD5, qop=auth, nc=00000001, cnonce=\\"abc\\", response=\\"%s\\""\n' "$response"
} >"$work/md5rc"
answer=$(curl --silent --config "$work/md5rc" --noproxy '*' --max-time 30 "${soap[@]}" --data-binary "@$work/identify.xml" "$origin/wsman")
has "$answer" '<wsmid:ProductVendor>lazycim<'
printf 'curl: Digest by SHA-256 over WS-Man and CIM-XML, by MD5 with md5sum\n'
