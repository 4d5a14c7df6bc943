"""Tools that are not ours speak to the virtual drives' firmware: they believe it, honest or not.

It holds both sides to something that others wrote: what hdparm, sg3-utils and nvme-cli send is
understood, and what the firmware answers is what they take for success.
"""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from bench import lying_firmware as bench

WANTED = ("gcc", "losetup", "hdparm", "sg_sanitize", "nvme")
MISSING = [tool for tool in WANTED if shutil.which(tool) is None]

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(
        os.geteuid() != 0 or bool(MISSING), reason=f"needs root and {WANTED}; missing: {MISSING}"
    ),
]


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    return bench.built(tmp_path_factory.mktemp("shim"))


@pytest.mark.parametrize("what", bench.TOOLS)
@pytest.mark.parametrize("lies", [False, True])
def test_a_tool_says_success_whatever_becomes_of_the_data(tmp_path, shim, what, lies):
    bus, _, commands = bench.TOOLS[what]
    drive = bench.made(tmp_path, bus, {"says-success": None} if lies else {})
    with bench.shimmed(drive, tmp_path, shim) as (name, env):
        said = bench.theirs(commands, name, env)
    assert said.endswith("exit 0"), said
    assert "progress" not in said
    assert bench.remaining(drive) == (bench.SIZE // 512 if lies else 0)


def test_hdparm_reads_the_identity_that_was_made_up(tmp_path, shim):
    drive = bench.made(tmp_path, "ata", {})
    with bench.shimmed(drive, tmp_path, shim) as (name, env):
        words = ["hdparm", "-I", name]
        told = subprocess.run(words, check=True, capture_output=True, text=True, env=env).stdout
    for text in ("Hakushi simulated ATA", "V1", "BLOCK_ERASE_EXT", "CRYPTO_SCRAMBLE_EXT",
                 "not\tlocked", "not\tfrozen", "supported: enhanced erase", f"LBA48  user addressable sectors: {bench.SIZE // 512:11}"):  # fmt: skip
        assert text in told, told
