"""The command lines that ours and zfs-fuse's programs are both given: a pool to make, what to show of it, what to refuse.

Folders are {d}, a mount point {m}, a file to copy {text}.
"""

MAKE = """\
zpool create -o version=23 -O canmount=noauto tank mirror {d}/d0 {d}/d1 spare {d}/d2
zfs create -o canmount=noauto -o compression=on tank/home
zfs create -o canmount=noauto tank/home/ann
zfs create -o canmount=noauto -o quota=20m -o mountpoint=/export/ben tank/home/ben
mkdir tank/home:/dir
cp {text} tank/home:/dir/text
cp {text} tank/home/ann:/text
zfs snapshot -r tank@monday
cp {text} tank/home/ann:/more
zfs snapshot tank/home/ann@tuesday
zfs clone -o canmount=noauto tank/home/ann@monday tank/clone
cp {text} tank/clone:/own
zfs set reservation=3m tank/home/ben
zfs set org.example:colour=blue tank/home
zfs set atime=off tank
zfs set refquota=5m tank/clone
zpool set failmode=continue tank
zpool set listsnapshots=on tank
zfs send tank/home/ann@tuesday | zfs receive tank/copy
zfs set canmount=noauto tank/copy
zpool scrub tank
zpool offline tank {d}/d1
"""

SHOW = """\
zpool status
zpool status -x
zpool status -v tank
zpool list
zpool list -H -o name,size,capacity,health,altroot
zpool list -o name,health,guid,version
zpool get all tank
zpool get failmode,listsnapshots,capacity tank
zpool history tank
zpool history -il tank
zpool upgrade
zfs list
zfs list -t all
zfs list -t snapshot
zfs list -o space
zfs list -r -o name,used,quota,reservation,compression,org.example:colour tank/home
zfs list -H -o name,refer,origin,compressratio
zfs list -S used -o name,used
zfs list -s refer -s name -t filesystem -o name,refer
zfs list -d 1 tank
zfs list tank/home/ann@monday
zfs get all tank
zfs get all tank/home
zfs get all tank/home/ben
zfs get all tank/clone
zfs get all tank/home/ann@monday
zfs get -r compression tank
zfs get -r -s local all tank
zfs get -r -s inherited atime,compression tank
zfs get -H -o name,value,source org.example:colour tank/home tank/home/ann
zfs get -p used,available,referenced,quota,creation,compressratio tank/home/ann
zfs upgrade
"""

CASES = """\
zpool create pool {d}/nothing
zpool create pool {d}/small
zpool create pool mirror {d}/e0
zpool create pool raidz2 {d}/e0 {d}/e1
zpool create pool mirror {d}/e0 {d}/e0
zpool create mirror {d}/e0
zpool create log {d}/e0
zpool create c0t0 {d}/e0
zpool create 1pool {d}/e0
zpool create po%ol {d}/e0
zpool create pool/a {d}/e0
zpool create pool
zpool create
zpool create -q pool {d}/e0
zpool create -o foo=bar pool {d}/e0
zpool create -o version=99 pool {d}/e0
zpool create -O compression=foo pool {d}/e0
zpool create pool {d}
zpool create pool spare {d}/e0
zpool create -n pool mirror {d}/e0 {d}/e1 raidz {d}/e2 {d}/e3 {d}/e4
zpool create -n -f pool mirror {d}/e0 {d}/e1 raidz {d}/e2 {d}/e3 {d}/e4 {d}/e5
zpool create pool mirror {d}/e0 {d}/e1 {d}/e2 mirror {d}/e3 {d}/e4
zpool create pool raidz {d}/e0 {d}/e1 {d}/e2 raidz2 {d}/e3 {d}/e4 {d}/e5 {d}/e6
zpool create pool {d}/e3 spare {d}/e4 spare {d}/e5
zpool create -R {m} pool mirror {d}/e0 {d}/e1 spare {d}/e2
zpool create pool {d}/e3
zpool create other {d}/e0
zpool create -f other {d}/e0
zpool create -n other {d}/e2
zpool status pool
zpool get altroot,cachefile pool
zpool add pool raidz {d}/e3 {d}/e4 {d}/e5
zpool add pool mirror {d}/e3 {d}/e4 {d}/e5
zpool add pool
zpool add nope {d}/e3
zpool attach pool {d}/e7 {d}/e3
zpool attach pool {d}/e0
zpool attach pool {d}/e0 {d}/small
zpool attach pool {d}/e0 {d}/e1
zpool detach pool {d}/e7
zpool detach pool
zpool detach pool mirror-0
zpool offline pool {d}/e7
zpool offline pool {d}/e0
zpool offline pool {d}/e1
zpool offline pool {d}/e2
zpool status pool
zpool online pool {d}/e0
zpool online pool {d}/e9
zpool replace pool {d}/e9 {d}/e3
zpool replace pool {d}/e0 {d}/small
zpool remove pool {d}/e0
zpool remove pool {d}/e2
zpool remove pool {d}/e2
zpool status pool
zpool attach pool {d}/e0 {d}/e4
zpool detach pool {d}/e4
zpool scrub nope
zpool scrub
zpool clear pool {d}/e9
zpool clear nope
zpool status nope
zpool list nope
zpool destroy nope
zpool destroy
zpool destroy pool other
zpool export nope
zpool history nope
zpool import nope
zpool import -d {d} pool
zpool get foo pool
zpool get all
zpool set foo=bar pool
zpool set version=10 pool
zpool set size=10 pool
zpool set failmode=bar pool
zpool set delegation pool
zpool frob
zpool
zpool list -o name,foo
zfs create pool/a
zfs create pool/a/b
zfs snapshot pool/a@s1
zfs snapshot pool/a@s2
zfs clone pool/a@s1 pool/cl
zfs create pool/a
zfs create pool/x/y
zfs create pool
zfs create nope/a
zfs create pool/a@b
zfs create pool/a%b
zfs create pool//b
zfs create /pool/b
zfs create pool/b/
zfs create -o foo=bar pool/c
zfs create -o compression=bar pool/c
zfs create -o used=1 pool/c
zfs create -o quota=1x pool/c
zfs create -o recordsize=1000 pool/c
zfs create -V 1000 pool/v
zfs create -V pool/v
zfs create
zfs create a b
zfs create -b 8k pool/v
zfs destroy pool/x
zfs destroy pool/a
zfs destroy pool
zfs destroy pool/a@s1
zfs destroy -r pool/a
zfs destroy -r pool/a@nope
zfs destroy pool/a@nope
zfs destroy
zfs snapshot pool/a@s1
zfs snapshot pool/a
zfs snapshot pool/x@s
zfs snapshot -r pool/a@s1
zfs snapshot
zfs snapshot pool/a@s%
zfs rollback pool/a@s1
zfs rollback pool/a@nope
zfs rollback pool/a
zfs clone pool/a@s1 pool/cl
zfs clone pool/a@nope pool/cl2
zfs clone pool/a pool/cl2
zfs clone pool/a@s1 pool/x/y
zfs clone pool/a@s1
zfs clone pool/a@s1 nope/y
zfs promote pool/a
zfs promote pool/a@s1
zfs promote pool/x
zfs promote
zfs rename pool/x pool/y
zfs rename pool/a pool/cl
zfs rename pool/a pool/a/b/c
zfs rename pool/a nope/a
zfs rename pool/a@s1 pool/cl@s1
zfs rename pool/a@s1 pool/a@s2
zfs rename pool/a pool/q/r
zfs rename pool pool2
zfs rename pool/a
zfs list nope
zfs list pool/x
zfs list -o foo
zfs list -t foo
zfs list -s foo
zfs get foo pool
zfs get all pool/x
zfs get
zfs get -s foo all pool
zfs get -o foo all pool
zfs set foo=bar pool
zfs set compression=foo pool
zfs set compression=on pool/x
zfs set used=1 pool
zfs set quota=1k pool/a
zfs set quota=foo pool/a
zfs set quota=0 pool/a
zfs set reservation=1t pool/a
zfs set compression pool
zfs set compression=on
zfs set
zfs set copies=9 pool/a
zfs set version=1 pool/a
zfs set recordsize=3k pool/a
zfs set mountpoint=foo pool/a
zfs set casesensitivity=mixed pool/a
zfs set volsize=1m pool/a
zfs inherit foo pool
zfs inherit quota pool/a
zfs inherit used pool/a
zfs inherit compression
zfs inherit compression pool/x
zfs inherit
zfs send pool/a > {d}/out
zfs send pool/x@y > {d}/out
zfs send -i s2 pool/a@s1 > {d}/out
zfs send pool/a@nope > {d}/out
zfs send -i pool/b@nope pool/a@s1 > {d}/out
zfs send
zfs send pool/a@s1 > {d}/full
zfs receive pool/a < {d}/full
zfs receive -F pool/cl < {d}/full
zfs receive -nv pool/n < {d}/full
zfs receive -d pool/x < {d}/full
zfs receive pool/new < {d}/small
zfs receive pool/new < {d}/empty
zfs receive
zfs rollback -r pool/a@s1
zfs list -r -t all -o name,origin pool
zfs promote pool/cl
zfs list -r -t all -o name,origin pool
zfs frob
zfs
zpool export pool
zpool import -d {d}
zpool import -R {m} -d {d} pool newpool
zpool list -H -o name,health
zpool destroy newpool
zpool import -d {d}
zpool import -d {d} -D
"""

_LONG = "x" * 250
_LIMITS = f"""\
zpool create _p {{d}}/e6
zpool create mirrored {{d}}/e6
zpool create raidzoo {{d}}/e6
zpool create spares {{d}}/e6
zpool create p@q {{d}}/e6
zfs create pool/{_LONG}x
zfs create /pool/new
zfs create pool/new/
zfs create pool//new
zfs create pool//
zfs create pool/new@s
zfs create pool/a@b@c
zfs create pool/a@@c
zfs create pool/new#
zfs create pool/new%
zfs create -p pool/b/{"x" * 249}
zfs create -V 8m pool/{_LONG}x
zfs rename pool/a pool/{_LONG}x
zfs rename pool/a pool/c#
zfs snapshot pool
zfs snapshot pool@
zfs snapshot pool@a@b
zfs snapshot pool@a/b
zfs snapshot pool@a%
zfs snapshot pool@{_LONG}x
zfs snapshot -r pool@{_LONG}
zfs set org.example:{"x" * 244}=1 pool
zfs create -o org.example:{"x" * 244}=1 pool/new
zfs set org.Example:a=1 pool
zfs set nocolon=1 pool
zfs set sharenfs={"v" * 4096} pool
zfs set mountpoint=/{"v" * 4095} pool
zfs set mountpoint=/a/{"v" * 256}/b pool
zfs set mountpoint=here pool
zfs set quota=16e pool
zfs set quota=18446744073709551616 pool
zfs set quota={"9" * 500} pool
zfs set quota={"9" * 400}.5 pool
zfs set quota=-1 pool
zfs set quota=1kk pool
zfs set quota=1bb pool
zfs set quota=1kib pool
zfs set quota=0 pool
zfs set recordsize=256k pool
zfs set recordsize=3k pool
zfs set copies=4 pool
zfs create -V 0 pool/new
zfs create -V 1000 pool/new
zfs create -V 16e pool/new
zfs create -b 256 -V 8m pool/new
zpool set cachefile=/{"v" * 4095} pool
zpool set cachefile=/nowhere/at/all pool
zpool set cachefile=/tmp/.. pool
zpool set cachefile=/tmp/ pool
zpool set cachefile=here pool
"""
CASES = CASES.replace("zfs create pool/a/b\n", f"zfs create pool/a/b\n{_LIMITS}")
