"""The commands on a command line: `python -m smartos zpool status`."""

import sys

from smartos.commands import COMMANDS, run


def main() -> int:
    """Run the command that argv names; its streams become ours, its status is returned."""
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        print(f"usage: python -m smartos {{{','.join(COMMANDS)}}} …", file=sys.stderr)
        return 0 if len(sys.argv) > 1 else 2
    stdin = None if sys.stdin is None or sys.stdin.isatty() else sys.stdin.buffer.read
    done = run(sys.argv[1:], stdin=stdin, terminal=sys.stdout.isatty(), stdout=sys.stdout.buffer.write)
    sys.stdout.buffer.write(done.stdout)
    sys.stdout.flush()
    sys.stderr.write(done.err)
    return done.status


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)  # as a shell says of a command that SIGINT ended; what was on disk is whole
