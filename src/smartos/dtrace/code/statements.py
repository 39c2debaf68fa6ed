"""A clause in the making: its statements and actions, and which actions may follow which.

Follows `dt_stmt_create`, `dt_stmt_action` and `dt_stmt_append` of libdtrace's `dt_cc.c`: whether a clause's actions go
together is asked after every statement, so that an error is reported at the first line where they do not. The real
one asks of all of them each time.
"""

from dataclasses import dataclass, field

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
    order: "Order" = field(default_factory=lambda: Order())

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
        self.order.check(self.ecb.actions, node.line)
        self.ecb.statements.append(statement)


@dataclass
class Order:
    """Which actions of a clause have gone by, so that each is looked at once.

    speculate() comes before all data and commit() has none beside it; aggregations, exit() and destructive actions
    cannot be speculative.
    """

    seen: int = 0
    commit: bool = False
    speculate: bool = False
    data: bool = False

    def check(self, actions: list[Action], line: int) -> None:
        """Hold the actions that are new against those before them.

        Raises DError at `line`: D_COMM_*, D_SPEC_*, D_AGG_*, D_ACT_SPEC, D_EXIT_SPEC, D_DREC_COMM.
        """
        new, self.seen = actions[self.seen :], len(actions)
        if self.commit and any(is_aggregating(action.kind) for action in new):
            raise _refusal("D_AGG_COMM", "aggregating actions", "commit( )", line)
        for at, action in enumerate(new):
            if action.kind is Act.COMMIT:
                self._commit(new[at:], line)
            elif action.kind is Act.SPECULATE:
                self._speculate(line)
            elif is_aggregating(action.kind):
                if self.speculate:
                    raise _refusal("D_AGG_SPEC", "aggregating actions", "speculate( )", line)
                self.data = True
            else:
                self._other(action, line)

    def _commit(self, following: list[Action], line: int) -> None:
        if self.commit:
            raise _refusal("D_COMM_COMM", "commit( )", "commit( )", line)
        if self.data:
            raise _refusal("D_COMM_DREC", "commit( )", "data-recording action(s)", line)
        if any(is_aggregating(later.kind) for later in following):
            raise _refusal("D_AGG_COMM", "aggregating actions", "commit( )", line)
        self.commit = True

    def _speculate(self, line: int) -> None:
        if self.speculate:
            raise _refusal("D_SPEC_SPEC", "speculate( )", "speculate( )", line)
        if self.commit:
            raise _refusal("D_SPEC_COMM", "speculate( )", "commit( )", line)
        if self.data:
            raise _refusal("D_SPEC_DREC", "speculate( )", "data-recording action(s)", line)
        self.speculate = True

    def _other(self, action: Action, line: int) -> None:
        if self.speculate and is_destructive(action):
            raise _refusal("D_ACT_SPEC", "destructive actions", "speculate( )", line)
        if self.speculate and action.kind is Act.EXIT:
            raise _refusal("D_EXIT_SPEC", "exit( )", "speculate( )", line)
        if records_nothing(action):
            return
        if self.commit:
            raise _refusal("D_DREC_COMM", "data-recording actions", "commit( )", line)
        self.data = self.data or not self.speculate


def _refusal(tag: str, what: str, after: str, line: int) -> DError:
    return DError(tag, f"{what} may not follow {after}", line)
