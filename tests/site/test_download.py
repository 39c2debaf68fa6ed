"""The file that a reader takes home: saved from the page as it is built, and from Python that ran in the page."""

import bz2
from pathlib import Path
from typing import Any

import pytest

from smartos.zfs import MemoryDisk, Pool
from smartos.zfs.read.walk import walk
from tests.site.pages import soup
from tests.site.running import Cell
from tests.site.visit import DESK, visit

LAB = "notebooks/zfs"


def number_of(site: Path) -> int:
    """The number of the cell that offers the file."""
    (link,) = soup(site, f"{LAB}.html").select("[data-cell] a[download]")
    return int(link.find_parent(attrs={"data-cell": True})["data-cell"])


def judged(saved: Any) -> tuple[str, str]:
    """The name of a saved file, and of the pool in it, every block of which is read."""
    image = bz2.decompress(Path(saved.path()).read_bytes())
    disk = MemoryDisk(len(image))
    disk.write(0, image)
    pool = Pool.open([disk])
    assert walk(pool).sound
    return saved.suggested_filename, pool.name


@pytest.mark.parametrize("ran", [False, True], ids=["as built", "after a run in the page"])
def test_the_pool_reaches_the_reader_whole(browser: Any, address: str, site: Path, ran: bool) -> None:
    number = number_of(site)
    with visit(browser, f"{address}/{LAB}.html", DESK, accept_downloads=True) as seen:
        cell = Cell(seen.page, number)
        if ran:
            cell.box.locator(".cell-above").click()
            Cell(seen.page, number - 1).ends("ran")
            cell.run()
        with seen.page.expect_download() as waiting:
            cell.box.locator("a[download]").click()
        assert judged(waiting.value) == ("backup.img.bz2", "backup")
        assert seen.errors + seen.foreign == []
