"""What other programs say of a drive, beside what it told us: each difference is shown.

``lsblk``, ``smartctl`` and ``nvme`` are asked where they are installed, as second opinions: nothing
is decided by them.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hakushi.media.linux import printable
from hakushi.model import Drive

_SECONDS = 20
_MOST = 1 << 20
"""Bytes of an answer that are read."""

Said = dict[str, int | str]


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one program says, and in what it differs; ``why``: it did not say anything."""

    tool: str
    says: Said
    differs: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Tool:
    name: str
    arguments: tuple[str, ...]
    read: Callable[[Any], Said]
    transports: frozenset[str] = frozenset()
    """Of which drives it is asked; of all where empty."""


def opinions(drive: Drive) -> tuple[Opinion, ...]:
    """Each program's word on a block device; nothing for a file or a virtual drive."""
    if not Path(drive.path).is_block_device():
        return ()
    fit = (t for t in _TOOLS if not t.transports or drive.transport in t.transports)
    return tuple(_ask(tool, drive) for tool in fit)


def opinion_json(one: Opinion) -> dict[str, Any]:
    return {"tool": one.tool, "says": one.says, "differs": list(one.differs), "why": one.why}


def _ask(tool: _Tool, drive: Drive) -> Opinion:
    program = shutil.which(tool.name, path="/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin")
    if program is None:
        return Opinion(tool.name, {}, why="not installed")
    try:
        done = subprocess.run(
            [program, *tool.arguments, drive.path],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            env={"LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            check=False,
        )
        # smartctl's exit code is a set of findings; what it printed is the answer.
        said = tool.read(json.loads(done.stdout[:_MOST]))
    except subprocess.TimeoutExpired:
        return Opinion(tool.name, {}, why=f"no answer in {_SECONDS} s")
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        return Opinion(tool.name, {}, why="an answer that cannot be read")
    said = {k: printable(v)[:200] if isinstance(v, str) else v for k, v in said.items()}
    return Opinion(tool.name, said, differences(drive, said))


def differences(drive: Drive, said: Mapping[str, int | str]) -> tuple[str, ...]:
    """In what a program's word differs from what the drive told us."""
    ours: Said = {
        "serial": drive.serial,
        "size": drive.size,
        "model": drive.model,
        "firmware": drive.firmware,
        "logical_sector": drive.logical_sector,
        **{k: v for k, v in drive.health if k in ("status", "power_on_hours")},
    }
    out = []
    for name, value in said.items():
        mine = ours.get(name)
        if mine in (None, "") or value in ("", mine):
            continue
        if isinstance(mine, str) and isinstance(value, str) and _alike(mine, value):
            continue
        out.append(f"{name}: {value}, not {mine}")
    return tuple(out)


def _alike(one: str, other: str) -> bool:
    """The same string but for blanks, case, and an end that one of them leaves out."""
    a, b = ("".join(text.split()).lower().replace("_", "") for text in (one, other))
    return bool(a and b) and (a.startswith(b) or b.startswith(a))


def _lsblk(told: Any) -> Said:
    (device,) = told["blockdevices"]
    out: Said = {"size": int(device["size"]), "logical_sector": int(device["log-sec"])}
    for name, field in (("serial", "serial"), ("model", "model"), ("firmware", "rev")):
        if device.get(field):
            out[name] = str(device[field])
    return out


def _smartctl(told: Any) -> Said:
    out: Said = {}
    for name, field in (
        ("serial", "serial_number"),
        ("model", "model_name"),
        ("firmware", "firmware_version"),
        ("logical_sector", "logical_block_size"),
    ):
        if isinstance(told.get(field), int | str):
            out[name] = told[field]
    size = told.get("user_capacity", {}).get("bytes")
    if isinstance(size, int):
        out["size"] = size
    passed = told.get("smart_status", {}).get("passed")
    if isinstance(passed, bool):
        out["status"] = "passed" if passed else "failing"
    hours = told.get("power_on_time", {}).get("hours")
    if isinstance(hours, int):
        out["power_on_hours"] = hours
    if not out:
        raise ValueError("it says nothing of the drive")
    return out


def _nvme(told: Any) -> Said:
    fields = (("serial", "sn"), ("model", "mn"), ("firmware", "fr"))
    return {name: str(told[field]) for name, field in fields}


_TOOLS = (
    _Tool("lsblk", ("-J", "-b", "-d", "-o", "NAME,SIZE,SERIAL,MODEL,REV,LOG-SEC"), _lsblk),
    _Tool(
        "smartctl",
        ("-j", "-i", "-H", "-A"),
        _smartctl,
        frozenset({"ata", "usb", "scsi", "nvme"}),
    ),
    _Tool("nvme", ("id-ctrl", "-o", "json"), _nvme, frozenset({"nvme"})),
)
