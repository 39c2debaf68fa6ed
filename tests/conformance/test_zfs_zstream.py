"""OpenZFS's zstream on the streams that ours sends: it reads every record, and the checksum at the end is right."""

import subprocess

from smartos.zfs.disk.disk import MemoryDisk
from smartos.zfs.spa.spa import Spa
from tests.conformance.zfs_scenarios import tool


def test_zstream_reads_our_streams_and_their_checksums() -> None:
    spa = Spa.create("tank", [MemoryDisk(64 << 20)])
    fs = spa.create("tank/a")
    for number in range(10):
        fs.write(f"/f{number}", bytes([number]) * 5000)
    fs.symlink("/long", "to/" * 200)  # in a spill block
    spa.snapshot("tank/a@1")
    fs.unlink("/f3")
    fs.write("/f4", b"changed")
    spa.snapshot("tank/a@2")
    program = tool("zfs")
    for stream in (spa.send("tank/a@1"), spa.send("tank/a@2", "1")):
        command = [str(program.find("**/sbin/zstream")), "dump", "-v"]
        done = subprocess.run(command, env=program.environment, input=stream, capture_output=True, timeout=60)
        text = done.stdout.decode()
        assert done.returncode == 0, done.stderr.decode()
        assert f"Total stream length = {len(stream)}" in text and "toname = tank/a@" in text
        assert "Total DRR_SPILL records = 1" in text
        assert "Total DRR_END records = 1" in text and "incorrect" not in text.lower()
