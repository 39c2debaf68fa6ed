"""A clause in the making: its statements and actions, and which actions may follow which.

Follows `dt_stmt_create`, `dt_stmt_action` and `dt_stmt_append` of libdtrace's `dt_cc.c`: whether a clause's actions go
together is asked anew after every statement, so that an error is reported at the first line where they do not.
"""

from dataclasses import dataclass

from smartos.dtrace import dif
from smartos.dtrace.code.codegen import generate
from smartos.dtrace.dif import Difo
from smartos.dtrace.environment import Environment
from smartos.dtrace.errors import DError
from smartos.dtrace.ident import Stability
from smartos.dtrace.program import AGGREGATION, Act, Action, EcbDesc, Program, Statement
from smartos.dtrace.tree import Node

_CLASS = 0xFF00
_DESTRUCTIVE = (0x200, 0x500)


def is_aggregating(kind: Act) -> bool:
    """Whether an action adds to an aggregation."""
    return kind & _CLASS == AGGREGATION


def is_destructive(action: Action) -> bool:
    """Whether an action changes the traced system, which needs `-w`; an expression does that calls copyout()."""
    if action.kind & _CLASS in _DESTRUCTIVE:
        return True
    return action.kind is Act.DIFEXPR and action.difo is not None and action.difo.destructive


def records_nothing(action: Action) -> bool:
    """Whether an action leaves no data: it is destructive, a discard(), or an expression for its effect."""
    if is_destructive(action) or action.kind is Act.DISCARD:
        return True
    difo = action.difo
    return action.kind is Act.DIFEXPR and difo is not None and difo.type.kind == dif.CTF and difo.type.size == 0


@dataclass(eq=False)
class Builder:
    """The clause at hand. `line` is what an error is reported at that no node is to blame for."""

    env: Environment
    program: Program
    ecb: EcbDesc
    line: int = 0

    def statement(self, attr: Stability, line: int) -> Statement:
        """A new statement of the clause."""
        return Statement(self.ecb, attr=attr, line=line)

    def action(self, statement: Statement, kind: Act, difo: Difo | None = None, arg: int = 0) -> Action:
        """A new action of a statement."""
        action = Action(kind, difo, arg, statement=statement)
        statement.actions.append(action)
        self.ecb.actions.append(action)
        return action

    def generate(self, node: Node) -> Difo:
        """The DIF of an expression of the clause."""
        difo = generate(node, self.env, self.line)
        self.program.difos.append(difo)
        return difo

    def append(self, statement: Statement, node: Node) -> None:
        """End a statement. Raises DError at the node's line if the clause's actions do not go together."""
        check_order(self.ecb.actions, node.line)
        self.ecb.statements.append(statement)


def check_order(actions: list[Action], line: int) -> None:
    """Hold the actions of a clause against each other.

    speculate() comes before all data and commit() has none beside it; aggregations, exit() and destructive actions
    cannot be speculative. Raises DError: D_COMM_*, D_SPEC_*, D_AGG_*, D_ACT_SPEC, D_EXIT_SPEC, D_DREC_COMM.
    """

    def refuse(tag: str, what: str, after: str) -> DError:
        return DError(tag, f"{what} may not follow {after}", line)

    commit = speculate = data = False
    for at, action in enumerate(actions):
        kind = action.kind
        if kind is Act.COMMIT:
            if commit:
                raise refuse("D_COMM_COMM", "commit( )", "commit( )")
            if data:
                raise refuse("D_COMM_DREC", "commit( )", "data-recording action(s)")
            if any(is_aggregating(later.kind) for later in actions[at:]):
                raise refuse("D_AGG_COMM", "aggregating actions", "commit( )")
            commit = True
        elif kind is Act.SPECULATE:
            if speculate:
                raise refuse("D_SPEC_SPEC", "speculate( )", "speculate( )")
            if commit:
                raise refuse("D_SPEC_COMM", "speculate( )", "commit( )")
            if data:
                raise refuse("D_SPEC_DREC", "speculate( )", "data-recording action(s)")
            speculate = True
        elif is_aggregating(kind):
            if speculate:
                raise refuse("D_AGG_SPEC", "aggregating actions", "speculate( )")
            data = True
        else:
            if speculate and is_destructive(action):
                raise refuse("D_ACT_SPEC", "destructive actions", "speculate( )")
            if speculate and kind is Act.EXIT:
                raise refuse("D_EXIT_SPEC", "exit( )", "speculate( )")
            if records_nothing(action):
                continue
            if commit:
                raise refuse("D_DREC_COMM", "data-recording actions", "commit( )")
            data = data or not speculate
