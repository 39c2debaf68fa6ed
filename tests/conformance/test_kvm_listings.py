"""The guests' machine code against two assemblers that we did not write: keystone, and NASM where it is installed.

Keystone gets one line at a time with labels replaced by their addresses; NASM gets the whole source.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from smartos.kvm import GUESTS, Guest
from smartos.kvm.guests import ORIGIN

try:
    import keystone
except ImportError:  # where there is no wheel of it
    keystone = None
needs_keystone = pytest.mark.skipif(
    keystone is None, reason="keystone-engine is not installed; it has wheels for x86-64 only"
)

WIDTHS = {"db": 1, "dw": 2, "dd": 4, "dq": 8}


def code_of(source: str) -> str:
    return source.split(";")[0].strip()


def labels(guest: Guest) -> dict[str, int]:
    """The address that each label stands for: that of the next line with code."""
    found, waiting = {}, []
    for line in guest.lines:
        if line.code:
            found.update(dict.fromkeys(waiting, line.address))
            waiting = []
        elif code_of(line.source).endswith(":"):
            waiting.append(code_of(line.source)[:-1])
    return found


def resolved(source: str, known: dict[str, int]) -> str:
    return re.sub(r"\b[a-z]\w*\b", lambda word: hex(known[word[0]]) if word[0] in known else word[0], source)


def data(source: str) -> bytes | None:
    """The bytes of a data line, None for an instruction."""
    directive, _, items = source.partition(" ")
    if directive not in WIDTHS:
        return None
    values = b""
    for item in re.findall(r"'[^']*'|[^,\s]+", items):
        values += item[1:-1].encode() if item[0] == "'" else int(item, 0).to_bytes(WIDTHS[directive], "little")
    return values


def assembler(bits: str) -> "keystone.Ks":
    """Keystone for one mode of the processor, in NASM's syntax."""
    made = keystone.Ks(keystone.KS_ARCH_X86, getattr(keystone, f"KS_MODE_{bits}"))
    made.syntax = keystone.KS_OPT_SYNTAX_NASM
    return made


@needs_keystone
@pytest.mark.parametrize("name", GUESTS)
def test_keystone_gives_the_same_bytes(name: str) -> None:
    guest, mode, different = GUESTS[name], None, []
    known = labels(guest)
    for line in guest.lines:
        source = resolved(code_of(line.source), known)
        if source.startswith("bits "):
            mode = assembler(source.split()[1])
        elif line.code:
            bytes_ = data(source)
            if bytes_ is None:
                bytes_ = bytes(mode.asm(source, line.address)[0] or b"")
            if bytes_ != line.code:
                different.append(f"{line.address:04x}: {line.source}: {bytes_.hex()}, not {line.code.hex()}")
    assert different == []


@pytest.mark.parametrize("name", GUESTS)
@pytest.mark.skipif(shutil.which("nasm") is None, reason="the assembler nasm is not installed on this machine")
def test_nasm_gives_the_same_image(name: str, tmp_path: Path) -> None:
    guest = GUESTS[name]
    source, image = tmp_path / "guest.asm", tmp_path / "guest.bin"
    source.write_text("\n".join([f"org {ORIGIN:#x}", *(line.source for line in guest.lines)]) + "\n")
    subprocess.run(["nasm", "-f", "bin", source, "-o", image], check=True)
    assert image.read_bytes() == guest.image


@needs_keystone
def test_a_wrong_byte_would_be_found() -> None:
    """The check can fail: `mov al, 'i'` is not the bytes of `mov al, 'o'`."""
    assert bytes(assembler("16").asm("mov al, 'o'", ORIGIN)[0]) != GUESTS["hi"].image[6:8]
