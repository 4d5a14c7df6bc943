"""Small ext volumes with files deleted or formatted over, for ``tests/images/ext-old``.

    python -m tools.make_images.ext_old FOLDER

Needs root and loop devices: only the kernel writes a journal as drives in use hold it.
"""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import tempfile
from pathlib import Path

VOLUMES = {
    "deleted-ext4": ("-t", "ext4", "-J", "size=2"),
    "deleted-ext3": ("-t", "ext3", "-J", "size=2", "-I", "128"),
    "formatted-ext4": ("-t", "ext4", "-J", "size=2"),
}
FILES = 12
TURNS = 24


def content(number: int, size: int) -> bytes:
    """The bytes of file ``number``: no two blocks of any two files are alike."""
    rows = (b"%03d %011d\n" % (number, n) for n in range(size // 16 + 1))
    return b"".join(rows)[:size]


def size_of(number: int) -> int:
    return 700 + 9000 * number


def path_of(number: int) -> str:
    return f"総務/{'控え/' if number % 3 == 0 else ''}帳票{number}.txt"


def _mkfs(image: Path, options: tuple[str, ...], uuid: str) -> None:
    line = ["mke2fs", "-q", "-F", "-b", "1024", "-E", "nodiscard,lazy_itable_init=1"]
    subprocess.run([*line, "-U", uuid, *options, str(image)], check=True)


def _fill(root: Path) -> None:
    """Files in one piece, and two that are written by turns."""
    (root / "総務/控え").mkdir(parents=True)
    for number in range(FILES):
        (root / path_of(number)).write_bytes(content(number, size_of(number)))
    os.sync()
    torn = {n: (root / f"総務/断片{n}.txt").open("wb", buffering=0) for n in (100, 101)}
    for turn in range(TURNS):
        for number, file in torn.items():
            file.write(content(number, TURNS * 4096)[turn * 4096 : (turn + 1) * 4096])
            os.fsync(file.fileno())
    for file in torn.values():
        file.close()


def _delete(root: Path) -> None:
    """Every other file, and those in pieces."""
    for number in range(0, FILES, 2):
        (root / path_of(number)).unlink()
    for number in (100, 101):
        (root / f"総務/断片{number}.txt").unlink()


def make(name: str, folder: Path) -> None:
    """``NAME.img.gz`` in the folder."""
    with tempfile.TemporaryDirectory() as work:
        image, root = Path(work) / "image", Path(work) / "root"
        root.mkdir()
        with image.open("wb") as file:
            file.truncate(12 << 20)
        options = VOLUMES[name]
        _mkfs(image, options, "00000000-1111-4222-8333-444444444444")
        for step in (_fill, _delete) if name.startswith("deleted") else (_fill,):
            subprocess.run(["mount", "-o", "loop", str(image), str(root)], check=True)
            try:
                step(root)
                os.sync()
            finally:
                subprocess.run(["umount", str(root)], check=True)
        if name.startswith("formatted"):
            _mkfs(image, options, "00000000-1111-4222-8333-555555555555")
        packed = gzip.compress(image.read_bytes(), 9, mtime=0)
        (folder / f"{name}.img.gz").write_bytes(packed)


if __name__ == "__main__":
    for each in VOLUMES:
        make(each, Path(sys.argv[1]))
