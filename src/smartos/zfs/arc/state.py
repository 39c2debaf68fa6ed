"""What ZFS's ARC is made of: a header for each block it knows, and the states that a header is in.

A header is in `anon` while its block has no address yet, in `mru` or `mfu` while its data are cached, and in one of the
two ghost states when only the header is left. A state knows its `size`, all its bytes, and its `lsize`, those of its
evictable blocks; only these are on its list. The list of a ghost state is in the same order, and its sizes are those
that the data would have.

Left out: the state `l2c_only`, metadata as a kind of its own with a limit of its own, prefetched blocks, several
buffers on one header, checksums and locks. Follows `arc_buf_hdr_t` and `arc_state_t` of illumos' `arc.c` (2011).
"""

from collections import OrderedDict
from dataclasses import dataclass, field

MINBLOCK, MAXBLOCK = 512, 128 * 1024
HZ = 100
ARC_MINTIME = HZ >> 4  # ticks, a sixteenth of a second: a second access makes a block frequent only later
ARC_P_MIN_SHIFT = 4  # p stays above c / 16 when a ghost moves it
ARC_SHRINK_SHIFT = 5  # one shrinking takes 1 / 32 of c
ARC_GROW_RETRY = 60 * HZ  # ticks after the last reclaim before the cache may grow again


class ArcThrottled(RuntimeError):
    """ERESTART: too much of the cache is dirty; the writer must wait for a transaction group to be synced."""


class ArcTooSmall(RuntimeError):
    """ENOMEM: one reservation is larger than the cache may become."""


@dataclass(eq=False)
class State:
    """One of the ARC's states. `blocks` are its evictable headers by address, from the next to go to the latest."""

    name: str
    size: int = 0
    lsize: int = 0
    blocks: "OrderedDict[int, Header]" = field(default_factory=OrderedDict)

    @property
    def ghost(self) -> bool:
        return self.name.endswith("_ghost")

    def __str__(self) -> str:
        return self.name


@dataclass(eq=False)
class Header:
    """What the ARC knows of one block, in the fields of arc_buf_hdr_t: address, bytes, state, holds, last access."""

    b_dva: int
    b_size: int
    b_state: State
    b_refcnt: int = 0
    b_arc_access: int = 0

    def link(self) -> None:
        """Put the header at the young end of its state's list, from where it may be evicted."""
        self.b_state.blocks[self.b_dva] = self
        self.b_state.lsize += self.b_size

    def unlink(self) -> None:
        """Take it off the list."""
        del self.b_state.blocks[self.b_dva]
        self.b_state.lsize -= self.b_size

    def change(self, new: State) -> str:
        """Move to another state (arc_change_state); on the lists only while nobody holds it. The old state's name."""
        old = self.b_state
        evictable = self.b_refcnt == 0
        if evictable and old.name != "anon":
            self.unlink()
        old.size -= self.b_size
        new.size += self.b_size
        self.b_state = new
        if evictable and new.name != "anon":
            self.link()
        return old.name

    def hold(self) -> None:
        """Add a reference; the first takes the block off the list."""
        if self.b_refcnt == 0 and self.b_state.name != "anon":
            self.unlink()
        self.b_refcnt += 1

    def release(self) -> None:
        """Drop a reference; the last puts the block back, at the young end. ValueError when there is none."""
        if self.b_refcnt == 0:
            raise ValueError(f"nobody holds the block at {self.b_dva:#x}")
        self.b_refcnt -= 1
        if self.b_refcnt == 0 and self.b_state.name != "anon":
            self.link()


def check_size(size: int) -> None:
    """Raises ValueError unless `size` is a block size of ZFS: whole sectors, from 512 bytes to 128 KiB."""
    if not MINBLOCK <= size <= MAXBLOCK or size % MINBLOCK:
        raise ValueError(f"a block has 512 to 131,072 bytes in whole sectors of 512, not {size:,}")
