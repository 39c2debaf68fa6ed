"""The commands on a command line: `python -m smartos zpool status`.

What cannot be written is said like any other failure: a full disk with a message, a closed pipe with the status that a
shell gives to a process that SIGPIPE ends. ^C ends a command without a word, as it ends the real ones.
"""

import errno
import os
import sys

KILLED = 128  # and the number of a signal: the status of a process that it ended
SIGINT, SIGPIPE = 2, 13
SUMMARIES = {
    "zpool": "make pools of disks, change them and say how they are",
    "zfs": "make filesystems, volumes, snapshots and clones, send and receive them",
    "zdb": "read labels, uberblocks, objects and blocks from the disks",
    "dtrace": "run programs in D over this system",
    "mkfile": "make files of a size, to be disks",
    "cat": "print files of filesystems",
    "cp": "copy files into filesystems, out of them and between them",
    "ls": "list files and directories of filesystems",
    "mkdir": "make directories",
    "rm": "remove files, or with -f pull a disk",
}


def main() -> int:
    """Run the command that argv names; its streams become ours, its status is returned."""
    try:
        from smartos.commands import Output, run

        words = sys.argv[1:]
        if not words or words[0] in ("-h", "--help"):
            done = Output(usage()) if words else Output(err=usage(), status=2)
        elif words[0] == "--version":
            done = Output(version())
        else:
            terminal = sys.stdout is not None and sys.stdout.isatty()
            done = run(words, stdin=_stdin(), terminal=terminal, stdout=lambda data: _put(sys.stdout, 1, data))
        return _write(done, words[0] if words and words[0][0] != "-" else "smartos")
    except KeyboardInterrupt:
        return KILLED + SIGINT


def usage() -> str:
    """How to call this, with all commands."""
    rows = "".join(f"  {name:8}{what}\n" for name, what in SUMMARIES.items())
    return f"usage: python -m smartos COMMAND [ARGUMENT …]\n       python -m smartos --version\n\ncommands:\n{rows}"


def version() -> str:
    """The package's name and version."""
    from smartos import __version__

    return f"smartos {__version__}\n"


def _stdin():  # noqa: ANN202 - a function that reads so many bytes, or None
    return None if sys.stdin is None or sys.stdin.isatty() else sys.stdin.buffer.read


def _write(done, name: str) -> int:  # noqa: ANN001 - an Output
    """Write both streams; the command's status, or that of a write that failed."""
    status = done.status
    try:
        _put(sys.stdout, 1, done.stdout)
    except BrokenPipeError:
        status = KILLED + SIGPIPE
    except OSError as error:
        done, status = type(done)(err=f"{done.err}{name}: failed to write to <stdout>: {error.strerror}\n"), 1
    try:
        _put(sys.stderr, 2, done.err.encode("utf-8", "backslashreplace"))
    except OSError:
        status = status or 1  # there is nobody left to tell
    return status


def _put(stream, number: int, data: bytes) -> None:  # noqa: ANN001 - a stream, or None where it is closed
    """Write all of it. A stream that fails is sent nowhere, lest Python try again when it ends."""
    if not data:
        return
    try:
        if stream is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        stream.buffer.write(data)
        stream.flush()
    except OSError:
        if stream is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), number)
        raise


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)  # as a shell says of a command that SIGINT ended; what was on disk is whole
