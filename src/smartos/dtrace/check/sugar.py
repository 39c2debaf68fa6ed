"""`if` and `else`, which DTrace's kernel knows nothing of: clauses with predicates take their place.

The statements before, within and after an `if` each become a clause of the same probes, in order. The condition is kept
in a clause-local variable that no program can name, `this->%condition_1`, and each block's clause asks for it. A fault
in one block must stop those after it, as it would stop the rest of a clause; so a fault sets `self->%error`, and every
clause asks for that too. Follows libdtrace's `dt_sugar.c`, clause for clause.
"""

from smartos.dtrace.check.construct import make_int, op1, op2, statement
from smartos.dtrace.environment import Environment
from smartos.dtrace.tree import Clause, If, Name, Node, Op1, Op2, ProbeDesc


def desugar(clause: Clause, env: Environment) -> list[Clause]:
    """The clauses that a clause stands for: itself, if there is no `if` in it."""
    if not any(isinstance(part, If) for part in clause.statements):
        return [clause]
    made = _Sugar(clause, env)
    condition = made.condition(clause.pred, 0, clause.line) if clause.pred is not None else 0
    made.statements(clause.statements, condition)
    if made.conditions:
        made.clauses.insert(0, made.clause(None, [made.set_error(0)]))
    if len(made.clauses) > 1 and not env.has_sugar:
        env.has_sugar = True
        error = ProbeDesc("dtrace", "", "", "ERROR", line=clause.line)
        made.clauses.insert(0, Clause([error], None, [made.set_error(1)], line=clause.line))
    return made.clauses


class _Sugar:
    """The clauses made so far of one, and how many conditions they have."""

    def __init__(self, clause: Clause, env: Environment) -> None:
        self.whole, self.env = clause, env
        self.clauses: list[Clause] = []
        self.conditions = 0
        self.line = clause.line

    def clause(self, pred: Node | None, statements: list[Node]) -> Clause:
        """A clause of the same descriptions."""
        return Clause(list(self.whole.descs), pred, statements, line=self.line)

    def _variable(self, scope: str, name: str) -> Op2:
        return Op2("->", Name(scope, line=self.line), Name(name, line=self.line), line=self.line)

    def _error(self) -> Op2:
        return self._variable("self", "%error")

    def _no_error(self) -> Node:
        return op1(Op1("!", self._error(), line=self.line), self.env)

    def _condition(self, number: int) -> Op2:
        return self._variable("this", f"%condition_{number}")

    def set_error(self, value: int) -> Node:
        """`self->%error = value;`"""
        constant = make_int(value, self.env, line=self.line)
        return statement(Op2("=", self._error(), constant, line=self.line), self.line)

    def condition(self, test: Node, under: int, line: int) -> int:
        """Add the clause that works a condition out, within another (0: none); its number."""
        self.line = line
        self.conditions += 1
        first: Node = self._condition(under) if under else make_int(1, self.env, line=line)
        value = op2(Op2("&&", first, test, line=line), self.env)
        assignment = Op2("=", self._condition(self.conditions), value, line=line)
        self.clauses.append(self.clause(self._no_error(), [statement(assignment, line)]))
        return self.conditions

    def _block(self, under: int, statements: list[Node]) -> None:
        """Add the clause of statements that stand together."""
        self.line = statements[0].line
        pred: Node | None = None
        if under:
            pred = op2(Op2("&&", self._no_error(), self._condition(under), line=self.line), self.env)
        elif self.conditions:
            pred = self._no_error()
        self.clauses.append(self.clause(pred, statements))

    def statements(self, statements: list[Node], under: int) -> None:
        """Add the clauses of a list of statements."""
        block: list[Node] = []
        for part in statements:
            if not isinstance(part, If):
                block.append(part)
                continue
            if block:
                self._block(under, block)
                block = []
            self._if(part, under)
        if block:
            self._block(under, block)

    def _if(self, part: If, under: int) -> None:
        number = self.condition(part.test, under, part.line)
        self.statements(part.body, number)
        if part.other:
            opposite = op1(Op1("!", self._condition(number), line=part.line), self.env)
            self.statements(part.other, self.condition(opposite, under, part.line))
