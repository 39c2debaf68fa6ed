"""What `make bench` says of the ZFS model: it measures what it names, and an aim that is missed is said to be."""

from pathlib import Path

from smartos.zfs.format import lz4
from tools import bench_rates, bench_zfs

RATES = {
    "fletcher-4": 100.0, "fletcher-4, word by word": 20.0, "sha256": 900.0, "lz4, compress": 5.0, "lz4, decompress": 9.0,
}  # fmt: skip
RESULT = {
    "rates": RATES, "numpy": "numpy==2: no index", "page": {name: rate / 2 for name, rate in RATES.items()},
    "written": {"files": 100, "create s": 1.0, "sync s": 0.5, "s": 1.5},
    "walks": [{"blocks": n, "copies": n, "bytes": n * 1000, "s": n / 5000, "cpu s": n / 6000} for n in (25, 50, 100)],
    "zdb": {"blocks": 100.0, "s": 0.5, "open s": 0.1}, "resilver": {"bytes": 10**6, "s": 0.5},
    "commands": {version: {"count": 50, "s": 5.0, "first s": 1.0, "last s": 1.2} for version in (23, 28)},
}  # fmt: skip


def test_the_plain_decoder_is_a_decoder() -> None:
    text = bench_rates.text(5000)
    assert text == bench_rates.text(5000) and len(text) == 5000
    assert bench_rates.plain_lz4(lz4.lz4_compress(text, 5000)) == text


def test_a_rate_is_bytes_by_seconds(monkeypatch) -> None:  # noqa: ANN001
    """On a clock of our own that goes on by a tenth of a second with each call."""
    now = iter(range(10**6))
    monkeypatch.setattr(bench_rates.time, "perf_counter", lambda: next(now) / 10)
    assert round(bench_rates.rate(lambda: None, 1_000_000), 6) == 10


def test_pools_are_written_and_walked(tmp_path: Path) -> None:
    path = tmp_path / "pool" / "d0"
    made, walked = bench_zfs.written(path, 150), bench_zfs.walked(path)
    assert made["s"] >= made["sync s"] > 0
    assert walked["blocks"] > 150 and walked["copies"] > walked["blocks"] and walked["bytes"] > 150 * 2000


def test_snapshots_are_taken_by_command(tmp_path: Path) -> None:
    found = bench_zfs.commanded(tmp_path / "pool", 23, 5)
    assert found["count"] == 5 and found["s"] >= found["first s"] + found["last s"] > 0


def test_aims_are_said_to_be_met_or_missed() -> None:
    text = "\n".join(bench_zfs.lines(RESULT))
    assert "fletcher-4 here: 100 MB/s, same digits, 5.0 times the loop (aim: 4 times: met)" in text
    assert "fletcher-4 with NumPy: not measured: numpy==2: no index" in text
    assert "5,000 a second" in text and "ours takes 0.04 of its time" in text and "MISSED" not in text
    slow = [{**RESULT["walks"][0]}, {**RESULT["walks"][2], "s": 90.0, "cpu s": 80.0}]
    text = "\n".join(
        bench_zfs.lines({**RESULT, "rates": {**RATES, "fletcher-4": 70.0}, "page": "no book", "walks": slow})
    )
    assert "50 snapshots by command, pool version 23: 100 ms of the processor each, the last fifth 1.20 times" in text
    assert text.count("MISSED") == 3 and "in the page: not measured: no book" in text
