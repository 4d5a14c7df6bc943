"""What a drive says that it can do, and how large it really is: asked over its own commands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hakushi.media import ata, nvme, scsi
from hakushi.media.commands import Transport
from hakushi.model import Ability, Drive, Malformed


def asked(drive: Drive, transport: Transport) -> Drive:
    """The drive with its abilities and native size; what it does not answer stays unknown."""
    ask: Callable[[Drive, Transport], Drive] | None = {
        "ata": _ata,
        "usb": _usb,
        "scsi": _scsi,
        "nvme": _nvme,
    }.get(drive.transport)
    if ask is None:
        return drive
    try:
        return ask(drive, transport)
    except (OSError, Malformed) as error:
        why = str(error)[:120]
        return replace(drive, said_by=(*drive.said_by, ("abilities", f"not answered: {why}")))


def can(drive: Drive, name: str) -> Ability:
    """One ability; unknown where the drive did not say."""
    for one in drive.abilities:
        if one.name == name:
            return one
    return Ability(name, supported=None, why="not asked")


def _ata(drive: Drive, transport: Transport) -> Drive:
    told = ata.identity_of(transport.ata(ata.IDENTIFY).data)
    frozen = "frozen: the firmware of this computer locked it; sleep and wake it, or replug it"
    abilities = [
        _one(f"ata-sanitize-{one.name.lower()}", one in told.sanitize, "")
        for one in (ata.Sanitize.BLOCK, ata.Sanitize.CRYPTO, ata.Sanitize.OVERWRITE)
    ]
    state = transport.ata(ata.sanitize(ata.Sanitize.STATUS)) if told.sanitize else None
    if state is not None and state.ok and ata.state_of(state).frozen:
        abilities = [replace(one, supported=False, why=frozen) for one in abilities]
    why = frozen if told.frozen else "locked with a password" if told.locked else ""
    abilities += [
        _one("ata-security-erase", told.security and not why, why),
        _one("ata-security-erase-enhanced", told.enhanced and not why, why),
    ]
    native = transport.ata(ata.NATIVE_MAX)
    size = (native.lba + 1) * drive.logical_sector if native.ok else None
    said = [*drive.said_by, ("abilities", "IDENTIFY DEVICE")]
    if size is not None:
        said.append(("native_size", "READ NATIVE MAX ADDRESS EXT"))
    if not told.sound:
        said.append(("identity", "IDENTIFY DEVICE with a wrong checksum"))
    if told.serial and told.serial != drive.serial:
        said.append(("serial in IDENTIFY", told.serial))
    return replace(
        drive,
        abilities=tuple(abilities),
        native_size=size if size is not None else drive.native_size,
        said_by=tuple(said),
    )


def _usb(drive: Drive, transport: Transport) -> Drive:
    """A bridge that passes ATA on is asked as an ATA drive (SAT)."""
    return _ata(drive, transport)


def _scsi(drive: Drive, transport: Transport) -> Drive:
    reply = transport.scsi(scsi.SUPPORTED)
    there = scsi.supported_of(reply.data) if reply.ok else frozenset()
    order = (scsi.Sanitize.BLOCK, scsi.Sanitize.CRYPTO, scsi.Sanitize.OVERWRITE)
    abilities = tuple(_one(f"scsi-sanitize-{one.name.lower()}", one in there, "") for one in order)
    said = (*drive.said_by, ("abilities", "REPORT SUPPORTED OPERATION CODES"))
    return replace(drive, abilities=abilities, said_by=said)


def _nvme(drive: Drive, transport: Transport) -> Drive:
    told = nvme.identity_of(transport.nvme(nvme.CONTROLLER).data)
    order = (nvme.Sanitize.BLOCK, nvme.Sanitize.CRYPTO, nvme.Sanitize.OVERWRITE)
    abilities = [_one(f"nvme-sanitize-{o.name.lower()}", o in told.sanitize, "") for o in order]
    abilities += [
        _one("nvme-format-user", told.format, ""),
        _one("nvme-format-crypto", told.format and told.crypto_format, ""),
    ]
    said = [*drive.said_by, ("abilities", "Identify Controller")]
    if told.capacity:
        said.append(("native_size", "TNVMCAP"))
    return replace(
        drive,
        abilities=tuple(abilities),
        native_size=told.capacity or drive.native_size,
        said_by=tuple(said),
    )


def _one(name: str, there: bool, why: str) -> Ability:
    return Ability(
        name, supported=there, why="" if there else why or "the drive has no such command"
    )
