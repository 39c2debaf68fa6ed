"""The arguments of stack(), ustack() and jstack(), which are the same as statements and as keys of an aggregation.

Follows `dt_action_stack_args` and `dt_action_ustack_args` of libdtrace's `dt_cc.c`.
"""

from smartos.dtrace.check.nodes import is_posconst
from smartos.dtrace.environment import Environment
from smartos.dtrace.errors import DError
from smartos.dtrace.program import Act
from smartos.dtrace.tree import Func, Int

MASK32 = 0xFFFFFFFF


def stack_arguments(env: Environment, call: Func) -> int:
    """The action's argument: how many frames of the kernel's stack, 0 for the kernel's own default."""
    frames = int(env.options.get("stackframes", 0))
    if call.args:
        size = call.args[0]
        if len(call.args) > 1:
            raise DError("D_STACK_PROTO", "stack( ) prototype mismatch: too many arguments", size.line)
        if not is_posconst(size):
            message = "stack( ) size must be a non-zero positive integral constant expression"
            raise DError("D_STACK_SIZE", message, size.line)
        assert isinstance(size, Int)
        frames = size.value
    return frames


def ustack_arguments(env: Environment, call: Func, kind: Act) -> int:
    """The action's argument: frames of the process' stack below, bytes for the strings of a jstack() in the upper half."""
    frames, strings = int(env.options.get("ustackframes", 0)), 0
    if kind is Act.JSTACK:
        frames, strings = int(env.options.get("jstackframes", 0)), int(env.options.get("jstackstrsize", 0))
    if call.args:
        first = call.args[0]
        if not is_posconst(first):
            message = "ustack( ) argument #1 must be a non-zero positive integer constant"
            raise DError("D_USTACK_FRAMES", message, first.line)
        assert isinstance(first, Int)
        frames = first.value
    if len(call.args) > 1:
        second = call.args[1]
        if not isinstance(second, Int) or second.signed and second.value >> 63:
            raise DError("D_USTACK_STRSIZE", "ustack( ) argument #2 must be a positive integer constant", second.line)
        if len(call.args) > 2:
            raise DError("D_USTACK_PROTO", "ustack( ) prototype mismatch: too many arguments", second.line)
        strings = second.value
    return (strings & MASK32) << 32 | frames & MASK32
