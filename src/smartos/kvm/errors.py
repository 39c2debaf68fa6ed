"""What can go wrong when a guest is run, one name for each cause."""


class KvmError(RuntimeError):
    """Anything that this package raises."""


class NoEngine(KvmError):
    """The engine asked for cannot run here; the message says what it lacks."""


class NoKVM(NoEngine):
    """The kernel's KVM cannot be used: no /dev/kvm, no permission, another API version."""


class NoUnicorn(NoEngine):
    """The package unicorn, the software CPU, is not installed."""


class NoRecording(NoEngine):
    """There is no recorded run of exactly this guest."""


class BadEngine(KvmError, ValueError):
    """The engine's name is none that exists."""


class AlreadyRun(KvmError):
    """A virtual machine was to run that has run, or was closed."""


class GuestTooLarge(KvmError, ValueError):
    """The guest's image does not fit into its memory."""


class GuestFault(KvmError):
    """The guest did what its machine has nothing for; `exits` are those it made before."""

    def __init__(self, message: str, exits: tuple = ()) -> None:
        super().__init__(message)
        self.exits = exits
