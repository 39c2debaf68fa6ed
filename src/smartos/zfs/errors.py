"""What can go wrong with a pool, one name for each cause.

Everything that this package raises on account of what is on the disks is a :class:`ZfsError`; damaged or hostile bytes
give one of these and nothing else. Where the real code has an errno for the cause, the class says which. Left out: the
errors of operations that this package does not have.
"""


class ZfsError(Exception):
    """Anything that this package raises."""


class NotAPool(ZfsError):
    """No label of the device describes a pool (ENXIO)."""


class CorruptPool(ZfsError):
    """The bytes passed their checksum, or have none, and yet make no sense (EINVAL, EIO)."""


class ChecksumError(ZfsError):
    """A block's bytes do not give the checksum that its block pointer holds (ECKSUM)."""


class PoolFaulted(ZfsError):
    """More devices are missing or damaged than the pool's redundancy covers (EIO, ENXIO)."""


class HostFull(PoolFaulted):
    """The host has no room for what is written to the file of a device (ENOSPC); the disks are in order."""


class DeviceError(ZfsError):
    """One device cannot be read or written there: it is gone, too short, or told to fail (EIO)."""


class Unsupported(ZfsError):
    """The pool uses something that this package does not do; the message says what (ENOTSUP)."""


class NoSuchObject(ZfsError):
    """The object set has no object of that number, or the object has no block there (ENOENT)."""


class NoSuchName(ZfsError):
    """There is no such dataset, snapshot, file, attribute or entry (ENOENT)."""


class InvalidName(ZfsError):
    """A name that nothing can have: of characters that names do not have, or reserved (EINVAL)."""


class NameTooLong(ZfsError):
    """A name or value has more bytes than there can be (ENAMETOOLONG, E2BIG)."""


class Exists(ZfsError):
    """The name is taken (EEXIST)."""


class NoSpace(ZfsError):
    """The pool, the dataset's quota or the structure is full (ENOSPC, EDQUOT)."""


class Busy(ZfsError):
    """Something depends on it: a clone on its snapshot, a child on its parent (EBUSY)."""


class ReadOnly(ZfsError):
    """A write to a snapshot, or to a pool that was opened for reading (EROFS)."""
