"""A volume whose partition table is gone: what lives in it comes back like what was deleted."""

import json
import lzma
from pathlib import Path

import pytest

from hakushi.app import assess
from hakushi.app.case import artifacts
from hakushi.app.settings import AssessOptions

IMAGES = Path(__file__).parents[1] / "images"


def planted(kind: str) -> set[str]:
    told = json.loads((IMAGES / kind / "manifest.json").read_text(encoding="utf-8"))
    # The sparse file's content, zeros with words behind them, bears out nothing: never complete.
    return {d for path, (d, state) in told.items() if state == "live" and path != "sparse.bin"}


@pytest.mark.parametrize("kind", ["btrfs", "xfs"])
def test_every_live_file_of_a_lost_volume_is_told(tmp_path, kind):
    data = lzma.decompress((IMAGES / kind / "deleted.img.xz").read_bytes())
    image = tmp_path / "disk.img"
    image.write_bytes(bytes(3 << 20) + data + bytes(1 << 20))
    case = tmp_path / "disk.case"
    assess.assess_source(str(image), AssessOptions(jobs=2), case)
    rows = [json.loads(line) for line in artifacts(case, "jsonl")]
    whole = {row["sha256"] for row in rows if row["complete"]}
    assert planted(kind) <= whole
    assert not any(row["state"] == "live" for row in rows)
