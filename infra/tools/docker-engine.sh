#!/bin/sh
# Runs a Docker engine of its own in namespaces of its own (unshare made them): nothing of it shows in the network, the
# mounts or the processes of this machine, and all of it ends with this process.
# Arguments: the directory with its programs, the directory of its state.
set -eu
programs=$1
state=$2
export PATH="$state/bin:$programs/usr/bin:$programs/usr/sbin:$programs/bin:$programs/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
export LD_LIBRARY_PATH="$programs/usr/lib/x86_64-linux-gnu"
export XTABLES_LIBDIR="$programs/usr/lib/x86_64-linux-gnu/xtables"
mkdir -p "$state/bin"
for name in iptables ip6tables iptables-save iptables-restore ip6tables-save ip6tables-restore; do
  ln -sf "$programs/usr/sbin/xtables-nft-multi" "$state/bin/$name"
done
mount --make-rprivate /
mount -t tmpfs tmpfs /run
ip link set lo up
exec dockerd -H "unix://$state/docker.sock" --data-root "$state/data" --exec-root "$state/exec" \
  --pidfile "$state/docker.pid" --storage-driver overlay2 --log-level warn
