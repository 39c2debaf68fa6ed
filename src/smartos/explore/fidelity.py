"""The ledger of the figures that have a model of their own: what each invents or leaves out.

Most figures show what another model did, and have its rows. Here are those behind which something else stands: a
queue, a hand-written list, a drawing, a guest's file system, samples.
"""

from smartos.fidelity import Entry

SLIDES = "tests/unit/test_explore_slides.py"
D_FIGURES = "tests/unit/test_explore_d_figures.py"

ENTRIES: list[Entry] = [
    Entry(
        "Late answers",
        "One server that answers in order, with a stall now and then: each wait follows from the one before, by Lindley's "
        "recursion.",
        "Randomness (arrivals and stalls are regular, two of them, or drawn for an exercise), several servers, requests "
        "that give up. It is no measurement of any server.",
        "Lindley's recursion; DIRT is Cantrill's word",
        "tests/unit/test_explore_oses.py",
    ),
    Entry(
        "What an exploited QEMU can reach",
        "Things that a zone of the kvm brand closes or leaves open, with the rule of the brand for each.",
        "It is a list written by hand from the brand's two files, not a run of a zone: most devices that the brand lets in "
        "are not drawn, and neither is a fault of the kernel that all zones share.",
        "illumos-joyent at commit c9c7122: config.xml and platform.xml of the kvm brand",
        SLIDES,
    ),
    Entry(
        "One node, drawn",
        "What stands on what in SmartOS at launch, and the way of a packet, a write and others through it.",
        "It is a drawing with written ways; nothing runs. The driver names of an illumos guest, interrupts on the way back, "
        "the boot, everything outside one node; of two places where technologies touch, one.",
        "illumos-kvm 44e36b4, illumos-kvm-cmd 8fa43e8, illumos-joyent c9c7122",
        "tests/unit/test_node_figure.py",
    ),
    Entry(
        "The guest of the heat map",
        "A program that writes as ext3 would while a file is made and removed: groups with bitmaps and inodes, a journal, "
        "data from low to high. The volume and the pool under it are the ZFS model, and D counts its writes.",
        "The file system itself: nothing can be read back, the layout is scaled down, and times and sizes are drawn from a "
        "seed. Reads, and the times that writes take.",
        "page 28 of the deck; ext3's layout",
        D_FIGURES,
    ),
    Entry(
        "Samples of quantize and its kin",
        "Buckets, rows and bars are the D model's own. One sample is the table that the README of illumos-kvm prints, from "
        "its counts.",
        "The other sample is invented: reads from memory, flash and disk, drawn from a seed. Zero and negative values, "
        "weights other than a count, the empty rows that DTrace prints at either end; llquantize() has its own figure.",
        "illumos-kvm at commit 44e36b4, README",
        D_FIGURES,
        also=(SLIDES,),
    ),
    Entry(
        "kvmstat and exits by reason",
        "The numbers of pages 24 and 26 of the deck, as printed.",
        "The seconds before and after. The cost of an exit is that of another machine, the same for every reason.",
        "the deck; SplitX, WIOV 2011",
        SLIDES,
    ),
    Entry(
        "The story of the port",
        "Fences, comments, probes and lines at each commit, counted in the repository's whole history.",
        "Branches: the log is read as one line. Commits after the talk.",
        "illumos-kvm, 442 commits",
        SLIDES,
    ),
    Entry(
        "Guests and timeline",
        "The systems that the post names, and what became of them and of SmartOS, from the sources named beside each.",
        "Versions that the post does not give; how far each system ran after it booted; whatever no source gave.",
        "the post, the port's log, the bibliography",
        "tests/unit/test_explore_oses.py",
    ),
    Entry(
        "Licences",
        "Notices in the sources at launch, by file, and what each licence asks, by its clauses.",
        "Files that are not source, notices below the first 8 KiB, a licence file beside a source file; law outside the "
        "licences' own words, patents, trademarks, warranty. A disputed reach is drawn as disputed.",
        "the four repositories at launch; the licences' texts",
        "tests/unit/test_explore_licences.py",
    ),
    Entry(
        "The tree of a pool, drawn",
        "Blocks, pointers, labels and uberblocks of real pools of the ZFS model, at each step of one transaction group.",
        "Most of the MOS is only counted, second and third addresses only numbered; pointers that lead elsewhere, labels "
        "of a big-endian machine, time, the intent log. The power fails on one disk, mostly without torn writes.",
        "the ZFS model's events",
        "tests/unit/test_explore_cow.py",
        also=("tests/unit/test_explore_label_bytes.py", "tests/unit/test_explore_ring.py"),
    ),
    Entry(
        "Columns, the write hole and the mirror, drawn",
        "RAID-Z's map for blocks of any size; RAID-5 and RAID-Z cut after each write; a mirror that heals.",
        "Offsets other than the first sector, so the change of places that P makes in every second mebibyte; the tree "
        "between the uberblock and the block; everything above the vdev; writes in another order.",
        "the ZFS model",
        "tests/unit/test_explore_zfs_raid.py",
    ),
    Entry(
        "A D program, step by step",
        "Text, tree, instructions and registers of the D model; ways of doing harm that are tried; a speculation.",
        "The tables of a DIF object, relocations, the actions' records, user loads and translators; several CPUs; "
        "privileges.",
        "the D model",
        "tests/unit/test_explore_d_pipeline.py",
        also=(D_FIGURES,),
    ),
    Entry(
        "Practice",
        "Problems from a seed, each with an answer that a model or a few lines of code compute and a worked solution.",
        "A choice of difficulty, a count of what was right. Each leaves out what would make it long: caches of more than "
        "four pages, the third parity R and two missing columns, metadata and holes, strings, flags and memory of a guest, "
        "stalls that run into each other, an uberblock whose tree cannot be read, fractions and spelling in a reply, "
        "programs that print the right thing for the wrong reason.",
        "the models",
        "tests/unit/test_explore_practice.py",
        also=("tests/unit/test_explore_practice_column.py", "tests/unit/test_explore_practice_zfs.py",
              "tests/unit/test_explore_d_practice.py"),
    ),
]  # fmt: skip
