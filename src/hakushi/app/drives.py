"""The verbs about drives themselves: list, show, policies, and making virtual ones."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hakushi.app.words import current, tell
from hakushi.media import linux, probe, simulated, tper
from hakushi.model import Ability, Drive, Message, Refused, message
from hakushi.sanitize import Policy, all_techniques, builtin_policies, find_policy

_UNITS = {"": 1, "K": 10, "M": 20, "G": 30, "T": 40}


def all_drives() -> Iterator[Drive]:
    """Every drive of this machine."""
    return probe.probe_all()


def one_drive(name: str) -> Drive:
    """The drive behind a device, an image file or ``sim:PATH``."""
    return probe.probe(name)


def locate(name: str, *, on: bool) -> int:
    """Lights a drive's locate lights, or puts them out; how many. Refused where it has none."""
    path = Path(name)
    if not path.is_block_device():
        raise Refused(message("{path} is no drive of this machine.", path=name))
    lights = linux.locate_lights(path.stat().st_rdev)
    if not lights:
        raise Refused(message("{path} has no locate light that this machine can reach.", path=name))
    for light in lights:
        try:
            light.write_text("1" if on else "0")
        except OSError as error:
            raise Refused(
                message(
                    "The locate light of {path} cannot be switched: {why}.",
                    path=name,
                    why=error.strerror or "?",
                )
            ) from None
    return len(lights)


def drive_json(drive: Drive) -> dict[str, Any]:
    """What is known of a drive; null is what nobody said or what is not asked for yet."""
    why = probe.hidden(drive)
    return {
        "path": drive.path,
        "model": drive.model,
        "serial": drive.serial,
        "wwn": drive.wwn,
        "firmware": drive.firmware,
        "transport": drive.transport,
        "logical_sector": drive.logical_sector,
        "physical_sector": drive.physical_sector,
        "size": drive.size,
        "native_size": drive.native_size,
        "hidden": {"bytes": probe.hidden_bytes(drive), "why": tell(why) if why else ""},
        "rotational": drive.rotational,
        "read_only": drive.read_only,
        "held_by": list(drive.held_by),
        "abilities": [
            *({"name": a.name, "supported": a.supported, "why": a.why} for a in _others(drive)),
            *_techniques(drive),
        ],
        "zoned": drive.zoned or None,
        "health": dict(drive.health) or None,
        "sed": dict(drive.sed) or None,
        "said_by": dict(drive.said_by),
    }


def _others(drive: Drive) -> Iterator[Ability]:
    """What it can do besides the techniques that there are here."""
    known = {technique.id for technique in all_techniques()}
    return (one for one in drive.abilities if one.name not in known)


def _techniques(drive: Drive) -> Iterator[dict[str, Any]]:
    """Each sanitize technique as an ability: whether it serves this drive, and why not."""
    for technique in all_techniques():
        why = technique.unfit(drive)
        yield {
            "name": technique.id,
            "supported": why is None,
            "why": tell(why) if why else "",
        }


# --- policies ----------------------------------------------------------------------------


def policies() -> tuple[Policy, ...]:
    """The policies that ship."""
    return builtin_policies()


def policy(name: str) -> Policy:
    """A policy by its name, or by the path of a ``.toml`` file."""
    return find_policy(name)


def policy_json(one: Policy) -> dict[str, Any]:
    return {
        "id": one.id,
        "title": one.title.of(current()),
        "why": one.why.of(current()),
        "standard": one.standard,
        "method": one.method.value,
        "techniques": list(one.techniques),
        "zeros_after": one.zeros_after,
        "power_cycle": one.power_cycle.value,
        "operators": one.operators,
        "read_back": one.read_back.value,
    }


# --- virtual drives ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FaultInfo:
    """A fault that a virtual drive can have; ``argument`` names what it is given, or is empty."""

    name: str
    argument: str
    about: Message


def faults() -> tuple[FaultInfo, ...]:
    """Every fault that is modelled."""
    return tuple(FaultInfo(f.name, f.argument, f.about) for f in simulated.FAULTS)


def new_virtual(
    path: Path,
    size: str,
    bus: str = "ata",
    serial: str | None = None,
    content: str | None = None,
    wanted: Sequence[str] = (),
) -> Drive:
    """Makes a virtual drive; ``content`` is any source that can be assessed (an E01's inside)."""
    source = None
    if content is not None:
        from hakushi.assess.medium import open_medium

        source = open_medium(content).source
    identity = simulated.create(
        path,
        parse_size(size),
        bus=bus,
        serial=serial,
        content=source,
        faults=dict(_fault(text) for text in wanted),
    )
    return Drive(f"{simulated.PREFIX}{path}", identity.serial, identity.addressable)


def surface(name: str) -> Path:
    """The file that holds a virtual drive's surface as it really is."""
    path = Path(name.removeprefix(simulated.PREFIX))
    simulated.load(path)
    return simulated.surface(path)


def label(name: str) -> tuple[str, str]:
    """What stands on a virtual drive's label: its serial, and the PSID that reverts it."""
    serial = simulated.load(Path(name.removeprefix(simulated.PREFIX))).serial
    return serial, tper.psid(serial)


def power_cycle(name: str) -> None:
    """Takes a virtual drive's power away and gives it back."""
    drive = simulated.Simulated(Path(name.removeprefix(simulated.PREFIX)), writable=True)
    drive.power_cycle()
    drive.close()


def remove_virtual(name: str) -> None:
    """Removes a virtual drive's files. Refused for anything else."""
    path = Path(name.removeprefix(simulated.PREFIX))
    simulated.load(path)
    simulated.remove(path)


def _fault(text: str) -> tuple[str, int | None]:
    name, equals, value = text.partition("=")
    return name, parse_size(value) if equals else None


def parse_size(text: str) -> int:
    """A number of bytes: ``1048576``, ``1M`` or ``1MiB`` (units are powers of 1024)."""
    match = re.fullmatch(r"([0-9]{1,20})([KMGT]?)(?:i?B)?", text.strip())
    if not match:
        raise Refused(message("{text} is no size; write bytes, or 64MiB.", text=text[:40]))
    return int(match[1]) * (1 << _UNITS[match[2]] if match[2] else 1)
