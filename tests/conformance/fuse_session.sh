#!/bin/sh
# What test_zfs_fuse.py has zfs-fuse do, in mount and process spaces of its own: fuse_session.sh SCRIPT, with the peer's
# programs first in PATH. /run and where it keeps its pools' cache file are its own; when it ends, the kernel ends the
# daemon with the space.
set -e
mount -t tmpfs tmpfs /run
mkdir -p /run/zfs /run/lock /run/mnt
for place in /etc/zfs /var/lib/zfs; do if [ -d $place ]; then mount -t tmpfs tmpfs $place; fi; done
zfs-fuse -n -p /run/zfs-fuse.pid > /run/zfs-fuse.log 2>&1 &
tries=0
until zpool list > /dev/null 2>&1; do
    tries=$((tries + 1))
    if [ $tries -gt 50 ]; then echo "zfs-fuse does not answer"; cat /run/zfs-fuse.log; exit 99; fi
    sleep 0.2
done
. "$1"
