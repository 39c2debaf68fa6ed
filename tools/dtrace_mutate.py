"""Programs that people could have written, and what becomes of them when something goes wrong: `mutate(text, random)`.

A mutation takes away, doubles or swaps tokens, puts a number, a name or a string in another's place, cuts the text
short, or puts bytes into it that D has no use for. The programs below are our own; others can be mutated as well.
"""

import random
import re

from tools.dtrace_generate import BINARY, EXTREME, NOWHERE

PROGRAMS = (
    """\
#pragma D option quiet

dtrace:::BEGIN
{
	printf("Tracing... Hit Ctrl-C to end.\\n");
}

io:::start
{
	@bytes[args[1]->dev_statname, execname] = quantize(args[0]->b_bcount);
	start_ns[args[0]->b_edev, args[0]->b_blkno] = timestamp;
}

io:::done
/this->since = start_ns[args[0]->b_edev, args[0]->b_blkno]/
{
	@latency[args[1]->dev_statname] = llquantize((timestamp - this->since) / 1000, 10, 0, 6, 20);
	start_ns[args[0]->b_edev, args[0]->b_blkno] = 0;
}

tick-10ms
{
	exit(0);
}

dtrace:::END
{
	normalize(@bytes, 512);
	printa("%-16s %-12s %@d\\n", @bytes);
	printa(@latency);
}
""",
    """\
syscall::read:entry, syscall::write:entry
/execname != "dtrace" && pid != $pid/
{
	self->began = timestamp;
	self->fd = arg0;
	@calls[probefunc] = count();
}

syscall::read:return, syscall::write:return
/self->began/
{
	this->took = timestamp - self->began;
	@time[probefunc, self->fd] = lquantize(this->took / 1000, 0, 1000, 50);
	@average[probefunc] = avg(this->took);
	self->began = 0;
	self->fd = 0;
}

tick-5ms { exit(0); }
""",
    """\
struct point {
	int x;
	int y : 5;
	char label[12];
};

inline string WHO = "nobody";

BEGIN
{
	this->p = (struct point *)alloca(sizeof (struct point));
	this->p->x = 42;
	this->p->y = -3;
	bcopy("hello", &this->p->label[0], 6);
	printf("%s %d %d %s\\n", WHO, this->p->x, this->p->y, stringof(this->p->label));
	print(*this->p);
	tracemem(this->p, 16);
	exit(this->p->y == -3 ? 0 : 1);
}
""",
    """\
#pragma D option nspec=4
#pragma D option dynvarsize=32k

syscall::open*:entry
{
	self->spec = speculation();
	speculate(self->spec);
	printf("%s %s", execname, copyinstr(arg0));
}

syscall:::return
/self->spec && errno != 0/
{
	commit(self->spec);
	self->spec = 0;
}

syscall:::return
/self->spec && errno == 0/
{
	discard(self->spec);
	self->spec = 0;
}

tick-20ms { exit(0); }
""",
    """\
BEGIN
{
	path = "/usr/sbin/../bin/./dtrace";
	printf("%s %s %s\\n", basename(path), dirname(path), cleanpath(path));
	this->rest = strtok(path, "/");
	this->rest = strtok(NULL, "/");
	printf("%s %d %d\\n", this->rest, index(path, "bin"), rindex(path, "/"));
	printf("%s\\n", json("{\\"a\\": [1, {\\"b\\": 2}]}", "a[1].b"));
	printf("%d %x\\n", strtoll("-0x7f", 16), htons(0x1234));
	printf("%s %s\\n", lltostr(-17), substr("abcdef", -3, 2));
	if (strlen(path) > 10) {
		trace("long");
	} else {
		trace("short");
	}
	exit(0);
}
""",
    """\
profile-997
/arg0/
{
	@kernel[stack(5)] = count();
	@where[func(arg0), mod(arg0)] = sum(1);
}

profile-997
/arg1/
{
	@user[execname, ustack(3)] = count();
}

tick-1ms
/i++ >= 5/
{
	trunc(@kernel, 3);
	printa(@kernel);
	clear(@where);
	exit(0);
}

ERROR
{
	printf("fault %d at %d of action %d of %d\\n", arg4, arg3, arg2, arg1);
}
""",
    """\
struct report { string what; int where; };
translator struct report < int code > {
	what = code == 0 ? "fine" : "bad";
	where = code * 2;
};
BEGIN { trace(xlate <struct report> (0).what); }
""",
)
TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\'[^\']*\'|[A-Za-z_]\w*|\d\w*|\s+|[-+*/%&|^<>=!]=|->|&&|\|\||\+\+|--|.', re.S)
INSERTED = (
    *BINARY, *EXTREME, *NOWHERE, "{", "}", "(", ")", "[", "]", ";", ",", "/", '"', "'", "@", "->", "self->", "this->", "`", "#",
    "\n", "\\", "/*", "*/", "//", "%", "\x00", "\x01", "\x7f", "ÿ", "日", "sizeof", "string", "struct", "int", "translator",
    "inline", "probe", "provider", "xlate", "offsetof", "typedef", "enum", "union", "import", "counter", "if", "else", "$1",
    "$$1", "$target", "$pid", "$$", "BEGIN", "tick-1ms", "printf", "count()", "?", ":", "::", ":::", "*", "...", "void",
)  # fmt: skip


def mutate(text: str, chosen: random.Random, times: int = 3) -> str:
    """The text with up to `times` changes made to it."""
    tokens = TOKEN.findall(text)
    for _ in range(chosen.randrange(1, times + 1)):
        if not tokens:
            break
        at, other = chosen.randrange(len(tokens)), chosen.randrange(len(tokens))
        kind = chosen.randrange(9)
        if kind == 0:
            del tokens[at]
        elif kind == 1:
            tokens.insert(at, tokens[other])
        elif kind == 2:
            tokens[at], tokens[other] = tokens[other], tokens[at]
        elif kind in (3, 4):
            alike = [n for n, token in enumerate(tokens) if re.match(r"\d", token)]
            tokens[chosen.choice(alike) if alike and kind == 3 else at] = chosen.choice(EXTREME)
        elif kind == 5:
            tokens.insert(at, chosen.choice(INSERTED))
        elif kind == 6:
            names = [n for n, token in enumerate(tokens) if re.match(r"[A-Za-z_]", token)]
            if names:
                tokens[chosen.choice(names)] = tokens[chosen.choice(names)]
        elif kind == 7:
            first, last = sorted((at, other))
            tokens[first:last] = tokens[first:last] * 2 if last - first < 40 else []
        else:
            del tokens[at:]
    return "".join(tokens)
