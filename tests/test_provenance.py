"""Every sentence on what was recorded, measured or compared rests on something that is there and is what it says."""

import re

import pytest

from smartos.fidelity import MODELS, Entry, ledger
from smartos.kvm import GUESTS
from smartos.kvm.recorded import provenance
from tests.provenance import CLAIMS, Cited, Held, Recording, claims, pages
from tools.paths import ROOT

ROWS = [entry for model in MODELS for entry in ledger(model)]
PEERS = {
    "zdb": "zdb", "zfs-fuse": "fuse", "GRUB": "grub", "zstream": "zstream", "libcachesim": "libcachesim",
    "the interpreter": "interpret", "the software CPU": "unicorn", "the kernel's own counters": "kernel",
}  # fmt: skip


@pytest.mark.parametrize("page", pages())
def test_every_claim_of_a_page_rests_on_what_it_says(page: str) -> None:
    found = []
    for sentence, block in claims(page):
        artefacts = [artefact for where, words, artefact in CLAIMS if where == page and words in sentence]
        faults = [fault for artefact in artefacts if (fault := artefact.fault(sentence, block, page))]
        if not artefacts:
            faults = ["give it its artefact in tests/provenance.py"]
        found += [f"{fault}: {sentence}" for fault in faults]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(("page", "words"), [(page, words) for page, words, _ in CLAIMS])
def test_every_line_of_the_list_still_has_its_sentence(page: str, words: str) -> None:
    assert any(words in sentence for sentence, _ in claims(page)), f"no claim of {page} has: {words}"


@pytest.mark.parametrize("entry", ROWS, ids=lambda entry: entry.part)
def test_a_row_that_names_a_peer_has_a_test_that_knows_it(entry: Entry) -> None:
    text = "".join(map(with_its_helpers, entry.tests)).lower()
    lacking = [peer for peer, word in PEERS.items() if peer in entry.modelled and word not in text]
    assert not lacking, f"{entry.part}: {', '.join(entry.tests)} knows nothing of {', '.join(lacking)}"


def with_its_helpers(test: str) -> str:
    """A test's text, with that of the modules beside it that it imports."""
    path = ROOT / test
    text = path.read_text("utf-8")
    for name in re.findall(r"^from ([\w.]+) import", text, re.MULTILINE):
        beside = path.parent / f"{name.rpartition('.')[2]}.py"
        text += beside.read_text("utf-8") if beside.is_file() else ""
    return text


def test_the_ledger_says_of_the_recordings_what_they_say() -> None:
    row = next(entry for entry in ledger("kvm") if entry.part == "Recorded run")
    made = [provenance(name) for name in GUESTS]
    assert ("/dev/kvm" in row.modelled) == all(one.engine == "kvm" for one in made)
    without = [("without the processor's own virtualization" in one.host) for one in made]
    assert ("does without the processor's own virtualization" in row.modelled) == all(without)


def test_the_rules_find_what_is_false() -> None:
    assert Recording("hi").fault("It was recorded on the software CPU.", "", "") == f"the recording of hi was made on {provenance('hi')}"
    assert Recording("hi", "{glue:text}`on`").fault("It was recorded on `/dev/kvm`.", "", "")
    assert Held("tests/unit/test_kvm_vm.py::test_of_nothing").fault("", "", "").startswith("there is no test")
    assert Cited().fault("The paper measured it.", "The paper measured it.", "")
