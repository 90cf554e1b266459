#!/usr/bin/env bash
# wbemcli (sblim) reads the embedded server: namespaces, classes, instances.
set -euo pipefail

place=${LAZYCIM_PEER_URL#*+}
place=${place%/cimom}
scheme=${place%%://*} host=${place#*://}
base="$scheme://$LAZYCIM_PEER_USER:$LAZYCIM_PEER_PASSWORD@$host"

# has TEXT PATTERN: the answer must hold the pattern.
has() { grep -q -- "$2" <<<"$1" || { printf 'wbemcli: no %s in:\n%s\n' "$2" "${1:0:400}" >&2; exit 1; }; }

spaces=$(wbemcli ei "$base/root/interop:CIM_Namespace")
has "$spaces" 'Name="root/cimv2"'
has "$spaces" 'Name="root/interop"'
names=$(wbemcli ecn "$base/root/cimv2")
has "$names" ':LC_Process$'
has "$(wbemcli ec "$base/root/cimv2")" ':CIM_ManagedElement '
has "$(wbemcli gc "$base/root/cimv2:LC_Process")" 'WorkingSetSize='
has "$(wbemcli ei "$base/root/cimv2:CIM_OperatingSystem")" 'OSType=36'
paths=$(wbemcli ein "$base/root/cimv2:LC_Process")
path=$(head -n 1 <<<"$paths")
process=$(wbemcli gi "$scheme://$LAZYCIM_PEER_USER:$LAZYCIM_PEER_PASSWORD@${path#*://}")
# NULL stands as nothing after the equals sign; the parser of wbemcli stops at a self-closed PROPERTY.
has "$process" 'TerminationDate=,'
has "$process" 'VirtualSize='
has "$(wbemcli ein "$base/root/cimv2:LC_OSProcess")" 'PartComponent='
if wrong=$(wbemcli ei "$base/root/cimv2:No_Such" 2>&1); then
    printf 'wbemcli: a class that is not there was enumerated: %s\n' "$wrong" >&2
    exit 1
fi
printf 'wbemcli: %s classes, %s processes\n' "$(wc -l <<<"$names")" "$(wc -l <<<"$paths")"
