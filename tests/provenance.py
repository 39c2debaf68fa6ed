"""What the book says of its own proofs: sentences on what was recorded, measured or compared, and what each rests on.

A sentence with one of these words is a claim about something that is there: a recording, a test, a benchmark, a source.
:data:`CLAIMS` has each of them with its artefact, and `test_provenance.py` looks whether the artefact is what the
sentence says. A sentence that uses such a word and claims nothing of the kind is listed as `Plain`, with the reason.

Left out (detail): claims in other words, which a list of words cannot find.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

import nbformat

from smartos.kvm.recorded import provenance
from tests.site.pages import toc, written
from tests.site.prose import blocks, prose
from tools.paths import ROOT

WORDS = re.compile(
    r"\brecorded (?:on|with|by|at|from)\b|\brecordings?\b|\bmeasured\b"
    r"|\b(?:checked|held|holds?|tested|judged)\b[^.;]{0,60}?\bagainst\b|\bcompare[ds]?\b[^.;]{0,60}?\b(?:against|with)\b"
    r"|\btested with\b"
    r"|\bagree[ds]? with\b|\b(?:book's|our|a) tests? [a-z]+s?\b|`make (?:bench|campaign|test)`",
    re.IGNORECASE,
)
SENTENCE = re.compile(r"(?<=[.?!:])\s+(?=[A-Z`{“\"*\[|])")


@dataclass(frozen=True)
class Held:
    """A test, as `path::name`."""

    name: str

    def fault(self, sentence: str, block: str, page: str) -> str:
        path, _, function = self.name.partition("::")
        there = (ROOT / path).is_file() and f"def {function}(" in (ROOT / path).read_text("utf-8")
        return "" if there else f"there is no test {self.name}"


@dataclass(frozen=True)
class Recording:
    """The recording of a guest, which the sentence takes from the recording itself or calls by its engine's name."""

    guest: str
    computed: str = ""

    def fault(self, sentence: str, block: str, page: str) -> str:
        made = provenance(self.guest)
        if self.computed:
            return "" if self.computed in sentence else f"the engine is typed; take it from {self.computed}"
        named = "/dev/kvm" in sentence, "software CPU" in sentence
        is_so = not any(named) or named == (made.engine == "kvm", made.engine == "unicorn")
        return "" if is_so else f"the recording of {self.guest} was made on {made}"


@dataclass(frozen=True)
class Target:
    """A target of the Makefile that a reader can run."""

    name: str

    def fault(self, sentence: str, block: str, page: str) -> str:
        there = re.search(rf"^{self.name}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
        return "" if there else f"the Makefile has no target {self.name}"


@dataclass(frozen=True)
class Cited:
    """Somebody else's measurement: the paragraph names the source, or the page does, by the key."""

    key: str = ""

    def fault(self, sentence: str, block: str, page: str) -> str:
        there = f"`{self.key}`" in prose(written(page)[0]) if self.key else "{cite}" in block
        return "" if there else f"{self.key or 'a source'} is not cited there"


@dataclass(frozen=True)
class Plain:
    """A sentence that has such a word and speaks of no artefact of the book; why."""

    why: str

    def fault(self, sentence: str, block: str, page: str) -> str:
        return "" if self.why else "say why"


Artefact = Held | Recording | Target | Cited | Plain
SUBJECT = Plain("it is what the page speaks of, and no proof of the book's")
SHOWN = Plain("the cell beside it does so in the reader's sight")
TASK = Plain("the reader is to do it")

# Page, words that one sentence of it has, what that sentence rests on.
CLAIMS: list[tuple[str, str, Artefact]] = [
    ("book/index", "checked against the real thing", Held("tests/unit/test_fidelity.py::test_a_row_is_whole_and_its_test_exists")),
    ("book/the-post", "It can be checked against itself", Cited()),
    ("book/announcement/press-release", "each can be held against something", SUBJECT),
    ("book/announcement/press-release", "What they can be held against", SUBJECT),
    ("book/announcement/press-release", "nothing measured", SUBJECT),
    ("book/announcement/four-technologies", "The zones paper measured four loads", Cited("price2004zones")),
    ("book/announcement/four-technologies", "compares the usual rule", Cited()),
    ("book/announcement/four-technologies", "measured the direct cost of an exit", Cited()),
    ("book/announcement/four-technologies", "GNU compiler it was tested with", Cited()),
    ("book/announcement/oses-booted", "A boot is a test with", SUBJECT),
    ("book/announcement/oses-booted", "and compare it with `post.guests()`", TASK),
    ("book/faq-and-license/faq", "authors of {tech}`zones <zones>` measured", Cited("price2004zones")),
    ("book/faq-and-license/faq", "small price, and it is measured", Cited()),
    ("book/faq-and-license/license", "agreed with its tags", Plain("a reading by eye, and it says so")),
    ("book/slides/zfs", "The book's tests cut the power", Held("tests/unit/test_zfs_campaign.py::test_a_power_cut_after_any_write_leaves_a_committed_state")),
    ("book/slides/zfs", "`make campaign` does it at length", Target("campaign")),
    ("book/slides/zfs-checksums", "has compared what it read with the block pointer", SHOWN),
    ("book/slides/zfs-checksums", "to compare with", SHOWN),
    ("book/slides/zfs-checksums", "its columns are compared with pools that OpenZFS wrote", Held(
        "tests/conformance/test_zfs_raidz_layout.py::test_every_sector_is_where_the_map_says_with_the_parity_that_we_compute")),
    ("book/slides/zfs-checksums", "and its repairs with what `zdb` finds", Held(
        "tests/conformance/test_zfs_zdb.py::test_zdb_finds_a_pool_clean_whose_devices_were_changed")),
    ("book/slides/zfs-on-disk", "compares what it met with the maps of free space", SHOWN),
    ("book/slides/zfs-on-disk", "The book's tests hold the two against each other", Held("tests/conformance/test_zfs_zdb.py::test_zdb_counts_as_we_count")),
    ("book/slides/zfs-on-disk", "and on pools from Sun's own test suite", Held("tests/conformance/test_zfs_images.py::test_the_counts_are_zdb_s")),
    ("book/slides/zfs-on-disk", "a test compares what the table reads", Held("tests/unit/test_explore_label_bytes.py::test_an_uberblock_decodes_as_the_reader_unpacks_it")),
    ("book/slides/os-virtualization", "measured it in 2004", Cited()),
    ("book/slides/dtrace", "since a recording has neither", Recording("modes")),
    ("book/slides/dtrace", "those of a run recorded on", Recording("modes", "{glue:text}`recorded_on`")),
    ("book/slides/dtrace", "All rows agree with the README's", SHOWN),
    ("book/slides/d-language", "is a test of an empty list", SUBJECT),
    ("book/slides/d-language", "`make bench` measures it", Target("bench")),
    ("book/press/coverage", "is a test of the best kind", Cited()),
    ("notebooks/zfs", "Compare with the importer of the book", SHOWN),
    ("notebooks/dtrace", "They come from a recording", Recording("hi")),
    ("notebooks/kvm", "as a recording that comes with the book", Held(
        "tests/unit/test_kvm_vm.py::test_every_recording_is_of_dev_kvm_and_says_of_which")),
    ("notebooks/kvm", "Changed guests cannot be replayed from a recording", Held("tests/unit/test_kvm_vm.py::test_only_the_recorded_guests_can_be_replayed")),
    ("notebooks/kvm", "the engines above agree with that function", Held(
        "tests/unit/test_explore_practice.py::test_the_walk_through_a_guest_agrees_with_a_processor")),
    ("notebooks/kvm", "Compare a formula with guests", SHOWN),
    ("book/reference/fidelity", "A test fails when a row names a test file", Held("tests/unit/test_fidelity.py::test_a_row_is_whole_and_its_test_exists")),
    ("book/reference/fidelity", "A test fails when a module has such a sentence", Held("tests/unit/test_left_out.py::test_the_row_that_a_module_is_filed_under_says_it")),
    ("book/reference/accessibility", "`make test` opens every page", Target("test")),
    ("book/reference/contributing", "Run `make test`", Target("test")),
    ("book/reference/contributing", "names the test which compares it with the real thing", TASK),
    ("book/reference/contributing", "a test looks for numbers that do not", Held("tests/test_prose.py::test_every_number_comes_from_a_cell_or_a_source")),
    ("book/reference/contributing", "run `make campaign` as well", Target("campaign")),
    ("book/reference/contributing", "`make bench` measures how fast", Target("bench")),
    ("book/reference/contributing", "A test presses every Run button and compares", Held("tests/site/test_run.py::test_every_cell_that_can_run_gives_what_the_book_recorded")),
    ("book/reference/contributing", "a test fails when one disappears", Held("tests/site/test_structure.py::test_no_address_disappears")),
]  # fmt: skip


def strings(code: str) -> Iterator[str]:
    """The sentences in the strings of a cell's code: answers, captions."""
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.count(" ") > 3:
            yield " ".join(node.value.split())


def code_cells(page: str) -> list[str]:
    path = written(page)[0]
    if path.suffix == ".ipynb":
        return [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    return re.findall(r"```\{code-cell\}[^\n]*\n(?::[^\n]*\n)*(.*?)```", path.read_text("utf-8"), re.DOTALL)


def claims(page: str) -> Iterator[tuple[str, str]]:
    """The sentences of a page that have such a word, each with the paragraph around it."""
    text = [block.text for block in blocks(prose(written(page)[0]))]
    for block in [*text, *(said for code in code_cells(page) for said in strings(code))]:
        yield from ((sentence, block) for sentence in SENTENCE.split(block) if WORDS.search(sentence))


def pages() -> list[str]:
    return [page for page in toc() if written(page)]
