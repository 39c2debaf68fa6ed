"""The ledger of this model: what it does as ZFS does, what it leaves out, and which test holds it to that."""

from smartos.fidelity import Entry

ILLUMOS = "illumos-joyent at commit c9c7122 (12 August 2011)"
OPENZFS = "OpenZFS, the source beside its zdb"
IMAGES = "tests/conformance/test_zfs_images.py"
ZDB = "tests/conformance/test_zfs_zdb.py"
FUSE = "tests/conformance/test_zfs_fuse.py"

ENTRIES: list[Entry] = [
    Entry(
        "Labels, nvlists, uberblocks",
        "Four labels a device with the configuration as an XDR nvlist, written back byte for byte as read; the uberblock "
        "ring; labels in two phases around the uberblock, so that two of four agree whenever the power fails.",
        "nvlists written in native encoding (a history in it is read); boot blocks; multihost beyond its fields; hostids. An uberblock goes to every "
        "top-level vdev, where ZFS takes three.",
        f"{OPENZFS}; Sun's ZFS On-Disk Specification, chapter 1",
        IMAGES,
    ),
    Entry(
        "Block pointers",
        "All 128 bytes, in both byte orders: three addresses, holes, gang blocks, pointers that hold their block; said in "
        "zdb's notation. Gang blocks are written where no range is long enough.",
        "What an encrypted block's pointer means: its bits are kept, its block is refused.",
        f"{OPENZFS}, spa.h and blkptr.c",
        ZDB,
    ),
    Entry(
        "Checksums",
        "fletcher-2, fletcher-4, sha256, SHA-512/256, and the trailers of labels, gang headers and log blocks, which say "
        "where a block belongs. In lanes of large integers or with NumPy the digits are those of the plain loop.",
        "skein, edonr, blake3: blocks under them are counted as unjudged. sha512 where Python's hashlib lacks it.",
        f"{OPENZFS}, zfs_fletcher.c, sha2_zfs.c, zio_checksum.c",
        "tests/unit/test_zfs_checksum.py",
    ),
    Entry(
        "Compression",
        "lzjb with the real encoder's output; zle; gzip-1 to gzip-9; lz4 and zstd read. A block is kept compressed "
        "only if that saves an eighth.",
        "Writing zstd; lz4 is not among the properties of a pool of 2011, and our encoder finds other matches than the "
        "reference. zstd needs a Python that has it.",
        f"{OPENZFS}, lzjb.c, zle.c, lz4_zfs.c, zfs_zstd.c",
        "tests/unit/test_zfs_compress.py",
    ),
    Entry(
        "Dnodes and object sets",
        "Trees of up to seven levels, holes, bonus buffers, spill blocks; large dnodes read; objects created, changed, "
        "cut and freed; space counted by owner and group.",
        "The cache of dbufs and holds on them; writing large dnodes. A meta-dnode gains its levels as it grows, where ZFS begins with all.",
        f"dnode.c, dbuf.c, dmu_objset.c of {ILLUMOS}",
        ZDB,
    ),
    Entry(
        "ZAP",
        "Micro and fat tables, the hash, leaves that split, a pointer table of its own, names of equal hash; zdb and "
        "zfs-fuse read what is written.",
        "Lookup under Unicode normalization; a leaf changed in place: a table is packed anew, and blocks that did not "
        "change are not written.",
        f"zap.c, zap_micro.c, zap_leaf.c of {ILLUMOS}",
        "tests/unit/test_zfs_zap.py",
        also=(ZDB, FUSE),
    ),
    Entry(
        "MOS and DSL",
        "The object directory; directories of datasets with their accounts; heads, snapshots and their chains; $MOS, "
        "$FREE, $ORIGIN. Every object of the MOS is reached: zdb reports none that leaks.",
        "Bookmarks, user holds, deferred destruction, delegation beyond its objects, the history log.",
        f"dsl_pool.c, dsl_dir.c, dsl_dataset.c of {ILLUMOS}",
        ZDB,
    ),
    Entry(
        "Space maps and allocation",
        "The log of allocations and frees per metaslab, condensed; weights, rotor and first fit by a cursor; what is "
        "freed waits two more transaction groups. zdb finds that the block sum matches the space maps exactly.",
        "Best fit when a metaslab is nearly full, loading and unloading, bias between vdevs. Log space maps are read, "
        "and not written.",
        f"metaslab.c, space_map.c of {ILLUMOS}",
        ZDB,
    ),
    Entry(
        "Files (ZPL)",
        "Directories, files, hard and symbolic links, sparse files, modes with their trivial ACL, times; znodes at "
        "version 4, system attributes at version 5, a long link's target in the link's block or in a spill block. "
        "zfs-fuse mounts them and reads and writes every file.",
        "Other ACLs and extended attributes beyond keeping them; permissions, open files, access times, case folding, "
        "device nodes, ephemeral owners.",
        f"zfs_vnops.c, zfs_znode.c, zfs_dir.c, sa.c of {ILLUMOS}",
        FUSE,
    ),
    Entry(
        "Volumes",
        "A disk of a given size and block size as object 1 of its object set, with a reservation unless it is sparse.",
        "The device node, changing the size, the dump device.",
        f"zvol.c of {ILLUMOS}",
        "tests/unit/test_zfs_zpl.py",
    ),
    Entry(
        "Intent log",
        "fsync, O_SYNC, a volume's flush and sync=always write it, in chained blocks of both formats; an import claims and "
        "replays it, and may itself be cut off. zdb -i prints ours line for line, zfs-fuse replays ours, and ours replays "
        "what it left when it was killed.",
        "Log devices, logbias, one block for several writers; records of ACLs and extended attributes are refused by name. A pool that is only read is shown as it was before "
        "its log.",
        f"zil.c, zfs_log.c, zfs_replay.c, zvol.c of {ILLUMOS}",
        "tests/conformance/test_zfs_intent_log.py",
    ),
    Entry(
        "Mirrors and self-healing",
        "A copy that does not verify is mended from one that does, and no good copy is ever rewritten; copies and ditto "
        "blocks likewise. Errors are counted per device as zpool status shows them.",
        "I/O queues, aggregation, retries, the vdev cache; the probe of a failing disk. Of a block's addresses the first "
        "is read first, where ZFS takes one by chance.",
        f"vdev_mirror.c, zio.c of {ILLUMOS}",
        "tests/unit/test_zfs_vdev.py",
    ),
    Entry(
        "RAID-Z1 to RAID-Z3",
        "The map of columns, skipped sectors and parity P, Q and R of pools that ZFS wrote, sector by sector; any loss "
        "the parity allows comes back, and disks that lie are found by the checksum.",
        "Expansion, dRAID, vector code; the writes to skipped sectors that let ZFS join neighbouring I/O.",
        f"vdev_raidz.c of {ILLUMOS}",
        "tests/conformance/test_zfs_raidz_layout.py",
    ),
    Entry(
        "Devices changed",
        "add, attach, detach, replace, offline, online, clear, hot spares; a disk that was away gets the transaction "
        "groups that it missed (its dirty time log, kept over an import) and no more. A top-level vdev is known by its "
        "place, so that a mirror made of a disk takes over its metaslabs, and with one disk left that has the mirror's "
        "guid. Walks by chance over all these changes; zdb finds the pools clean in which they end.",
        "Log and cache devices, splitting, removal and growth of vdevs; a hot spare has to be called for, as there is no "
        "retire agent. Vdevs that OpenZFS removed are read, which has no test of its own.",
        f"spa.c, vdev.c of {ILLUMOS}",
        "tests/unit/test_zfs_vdev_walk.py",
        also=(ZDB,),
    ),
    Entry(
        "Transaction groups",
        "Open, quiescing, syncing; sync passes until nothing changes, frees put off from the second on and compression "
        "off after the fourth; all flushed before the uberblock. zdb finds a pool clean in the middle of its life.",
        "The three threads and their timing, the write throttle. A destroyed dataset is freed in one group.",
        f"txg.c, spa.c (spa_sync), dsl_pool.c of {ILLUMOS}",
        "tests/unit/test_zfs_spa.py",
        also=(ZDB,),
    ),
    Entry(
        "Snapshots and clones",
        "Snapshot, clone, rollback, promote, rename, destroy; dead lists in one piece before version 26, split by "
        "transaction group from then on; a snapshot costs the same however large the dataset is.",
        "Holds, deferred destruction; a rollback changes the head itself, where zfs swaps in a temporary clone.",
        f"dsl_dataset.c, dsl_deadlist.c, bpobj.c of {ILLUMOS}",
        "tests/unit/test_zfs_snapshots.py",
    ),
    Entry(
        "Properties, quotas, reservations",
        "Inheritance; compression, checksum, copies and recordsize take effect; quota, refquota, reservation and "
        "refreservation are enforced when a write is let in.",
        "Received values, user and group quotas, delegation. A write's worst case is estimated by its size, not by six "
        "times that. All other properties are kept and do nothing.",
        f"dsl_prop.c, dsl_dir.c, zfs_prop.c of {ILLUMOS}",
        "tests/unit/test_zfs_dsl.py",
    ),
    Entry(
        "Names and their limits",
        "What pools, datasets, snapshots, users' own properties and files may be called, how long names, values and "
        "targets of links may be, which numbers there are: refused in the words of libzfs before anything has changed, "
        "as zfs-fuse's tools refuse them.",
        "Case folding, normalization and utf8only, names of permission sets; a path's own length. Of a property's value "
        "that is too long the real tools say an internal error and break off.",
        f"zfs_namecheck.c, zfs_prop.c, dsl_prop.c, libzfs_dataset.c of {ILLUMOS}",
        "tests/unit/test_zfs_limits.py",
        ("tests/conformance/test_zfs_commands_fuse.py",),
    ),
    Entry(
        "Scrub and resilver",
        "A scrub reads every copy of every block that is in use and mends what does not verify; a resilver passes by "
        "whole trees that are older than what a disk missed. zfs-fuse's scrub of our pools finds nothing.",
        "A scan that goes on after an import: a resilver begins anew, a scrub is forgotten. Throttling.",
        f"dsl_scan.c of {ILLUMOS}",
        "tests/unit/test_zfs_scrub.py",
    ),
    Entry(
        "Error log",
        "Blocks that could not be read, by a scrub or by anybody, are kept in the two tables of the MOS where the real "
        "one has them; a scrub that does not find one any more ends it, zpool clear does not.",
        "Names kept with the errors; errors met while a pool is being opened; the level of a block above the one that was "
        "wanted.",
        f"spa_errlog.c of {ILLUMOS}",
        "tests/unit/test_commands_errors.py",
    ),
    Entry(
        "Send and receive",
        "Full and incremental streams of filesystems, volumes and clones, sent and received piece by piece, the latter "
        "into a hidden clone; what is damaged, cut or hostile leaves the target as it was. zfs-fuse receives ours, ours "
        "receives its, and OpenZFS's zstream reads ours.",
        "Streams of trees (-R), deduplicated, compressed, resumable and big-endian ones, and spill blocks in them.",
        f"dmu_send.c of {ILLUMOS}",
        FUSE,
        also=("tests/conformance/test_zfs_zstream.py",),
    ),
    Entry(
        "ARC, the paper's",
        "ARC and LRU answer each of 225,000 requests as libcachesim does.",
        "The traces of the paper, which cannot be had; the time that a miss costs.",
        "Megiddo and Modha, FAST 2003, Figure 4",
        "tests/conformance/test_zfs_arc_peer.py",
    ),
    Entry(
        "ARC, ZFS's",
        "mru, mfu and their ghosts in bytes, blocks that are held, a target that memory pressure moves, the throttle on "
        "writers, with the probes of arc.c.",
        "L2ARC, metadata as a kind with a limit, prefetch, locks; memory pressure from more than free pages. No "
        "peer runs this: the test has what the source says.",
        f"arc.c of {ILLUMOS}",
        "tests/unit/test_zfs_arc.py",
    ),
    Entry(
        "Versions and features read",
        "Pool versions 1 to 28, and 5000 with every feature that changes how a pool is read and that OpenZFS 2.4 has in a "
        "new pool, of either byte order or of both. Pools of Sun's code and of OpenZFS are walked without a leak or a bad "
        "block.",
        "Encrypted contents, checkpoints as a place to open at, dRAID, expanded RAID-Z, gang headers of more than a "
        "sector: refused, and named. zstd wants a library; skein, Edon-R and BLAKE3 are named, and not verified.",
        f"{OPENZFS}, zfeature_common.c",
        IMAGES,
    ),
    Entry(
        "Pools that libzpool makes",
        "Pools written by OpenZFS's own library, of 2.1 and of 2.4 with all its features, and one that ztest was killed "
        "over: read to the last byte.",
        "Deduplicated blocks are read and their reference counts are not checked.",
        OPENZFS,
        "tests/conformance/test_zfs_libzpool.py",
    ),
    Entry(
        "Versions written",
        "Pools of versions 15 to 28, which zdb, zfs-fuse and GRUB's reader open.",
        "Versions before 15, feature flags, big-endian pools, deduplication, upgrades from one version to another.",
        f"spa.c, zfs_ioctl.c of {ILLUMOS}",
        "tests/conformance/test_zfs_grub.py",
        also=(ZDB, FUSE),
    ),
    Entry(
        "Fault models",
        "Writes lost, torn or misdirected, bits that rot, unreadable sectors, disks that are gone, and power that fails "
        "with a volatile cache: each declared, each decided by a seed.",
        "Slow disks, reads from the wrong place, bad memory and cables, and how often each fault happens.",
        "Zhang et al., FAST 2010, for the kinds; no rates are taken from anywhere",
        "tests/unit/test_zfs_faults.py",
    ),
    Entry(
        "Crash campaign",
        "The power fails after every write of a workload, and at many points with unflushed writes lost, torn and "
        "reordered: the pool opens and holds a committed state, none older than the last that was safe; and with an intent "
        "log all that fsync promised, and nothing by halves, even when the import is cut off too.",
        "Power that fails during an import without a log; disks that lie about a flush, which fail it, as they must.",
        "our own; in the manner of ztest",
        "tests/unit/test_zfs_campaign.py",
    ),
    Entry(
        "Process campaign",
        "Pairs of commands at once on one pool in files, each a process, some ended by SIGKILL: what was acknowledged is "
        "there with every byte, every block verifies, the next command finds the pool; zdb -bcc on a sample.",
        "A host that crashes meanwhile; several hosts; attach, detach and replace among the commands.",
        "our own",
        "tests/unit/test_zfs_campaign.py",
        also=(ZDB,),
    ),
    Entry(
        "Fault campaign",
        "Thousands of faults of one disk of a redundant pool, one at a time: no byte read afterwards is wrong, and after "
        "a scrub every copy is right. make test runs a short form, make campaign the long one.",
        "Faults of two disks at once, which RAID-Z2 and RAID-Z3 stand and tests/unit/test_zfs_raidz.py covers; faults of "
        "memory and of software.",
        "Zhang et al., FAST 2010, for the question",
        "tests/unit/test_zfs_campaign.py",
    ),
    Entry(
        "zpool and zfs",
        "Creation, devices, scrub, import, export, history, datasets, snapshots, clones, properties, send and receive on "
        "files as vdevs: formats, refusals and exit statuses as zfs-fuse's tools give them for the same pool. Pools live "
        "on in a cache file in the real format.",
        "Mounting and sharing; iostat, split, log and cache devices, upgrades of a pool; holds, allow, userspace, diff, "
        "send -R. Usage texts are our own. ls, cp, cat, rm and mkdir on dataset:/path stand "
        "in for a mount.",
        f"cmd/zpool, cmd/zfs and libzfs of {ILLUMOS}",
        "tests/conformance/test_zfs_commands_fuse.py",
    ),
    Entry(
        "Several commands at once",
        "One writer at a time, readers together, by flock(2) on the disks' files and the cache file's folder: the lock "
        "ends with its process. The real system has one kernel that serialises; error counters, which it keeps in memory, "
        "are in the cache file here, and outlive a reboot; export and clear end them.",
        "Turns for one pool of several; Python that uses a pool without a command; platforms without flock (Windows, a "
        "browser), where there is one process.",
        "our own; the manual page of flock(2)",
        "tests/unit/test_commands_lock.py",
    ),
    Entry(
        "Finding a pool and taking it into use",
        "Import by the labels of the disks or by the cache file; the newest uberblock that verifies; -f for a pool of "
        "another system.",
        "Going back to an earlier transaction group (-F), importing for reading only, clear -F; several cache files of one system.",
        f"zpool_main.c, libzfs_import.c of {ILLUMOS}",
        "tests/unit/test_commands_zpool.py",
    ),
    Entry(
        "Disks",
        "Files, or memory, as disks in sectors of 512 bytes, with a volatile cache that is flushed.",
        "Time, queues and priorities; other sector sizes than 512 bytes, partitions and swap, device ids, whole disks "
        "against slices.",
        "our own",
        "tests/unit/test_zfs_disk.py",
    ),
    Entry(
        "The shell around the commands",
        "A line with one command, or two joined by `|`, with `<` and `>`; ls, cp, cat, rm and mkdir on files of the folder "
        "and of a dataset.",
        "The rest of a shell: appending, variables, patterns, several commands in a line; most options, whole trees, other "
        "kinds of files.",
        "our own",
        "tests/unit/test_commands_run.py",
    ),
    Entry(
        "zdb",
        "Labels, uberblocks, configuration, datasets, objects, block pointers, metaslabs, block statistics, leaks, "
        "checksums, history and raw blocks, line for line as OpenZFS's zdb prints them for the same pools.",
        "The options that it names as not done; statistics of zdb's own reads; livelists' and redaction's listings; block "
        "statistics of pools with a removed vdev or a checkpoint.",
        f"{OPENZFS}, cmd/zdb",
        "tests/conformance/test_zdb_command.py",
    ),
    Entry(
        "Pool history",
        "Each command and the kernel's own notes, in the ring object of the pool, as zpool history and zdb -h show them.",
        "The user's name other than root, and the zone.",
        f"spa_history.c of {ILLUMOS}",
        "tests/conformance/test_zfs_commands_fuse.py",
    ),
    Entry(
        "RAID-5 and mirrors without checksums",
        "The counter-examples: left-symmetric parity, read-modify-write, the write hole, a mirror that cannot tell which "
        "copy is right.",
        "What real arrays do against it: journals, bitmaps, batteries, resync after a crash.",
        "the layout that Linux' md calls left-symmetric",
        "tests/unit/test_explore_zfs_raid.py",
    ),
    Entry(
        "Probes",
        "A hundred probes with the providers, modules, functions and names of illumos: function boundaries, arc.c's "
        "and dsl_pool.c's own, the io provider; structures with the member names of zio_t and vdev_t.",
        "All others. Function boundaries have the arguments that the model has, null where it has none, and no return "
        "values but three.",
        f"the functions of {ILLUMOS}; libdtrace/common/io.d",
        "tests/unit/test_zfs_vdev_tree.py",
    ),
]
