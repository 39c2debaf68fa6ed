#!/bin/sh
# What test_zfs_fuse.py has zfs-fuse do, in mount and process spaces of its own: fuse_session.sh SCRIPT, with the peer's
# programs first in PATH. /run and /etc/zfs are its own; when it ends, the kernel ends the daemon with the space.
set -e
mount -t tmpfs tmpfs /run
mkdir -p /run/zfs /run/lock /run/mnt
if [ -d /etc/zfs ]; then mount -t tmpfs tmpfs /etc/zfs; fi
zfs-fuse -n -p /run/zfs-fuse.pid > /run/zfs-fuse.log 2>&1 &
tries=0
until zpool list > /dev/null 2>&1; do
    tries=$((tries + 1))
    if [ $tries -gt 50 ]; then echo "zfs-fuse does not answer"; cat /run/zfs-fuse.log; exit 99; fi
    sleep 0.2
done
. "$1"
