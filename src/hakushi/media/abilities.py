"""What a drive says that it can do, and how large it really is: asked over its own commands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from hakushi.media import ata, health, nvme, opal, scsi
from hakushi.media.commands import Transport
from hakushi.model import Ability, Drive, Malformed, Message, message

_NO_COMMAND = message("The drive says that it has no such command.")
_FROZEN = message(
    "The drive is frozen: this computer's firmware locked it; sleep and wake it, or replug it."
)
_PASSWORD = message("The drive is locked with an ATA password.")
_NO_OPAL = message("The drive speaks no Opal.")
_PYRITE = message("The drive's Opal locks and does not encrypt: there is no key to forget.")
_BLOCKED = message(
    "This computer's firmware blocked the owner's password until the power is taken away."
)
_OWNED = message("Somebody set an Opal password; the PSID on the label still opens the drive.")


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
        drive = ask(drive, transport)
    except (OSError, Malformed) as error:
        why = str(error)[:120]
        return replace(drive, said_by=(*drive.said_by, ("abilities", f"not answered: {why}")))
    sed = _facts(lambda: _locking(drive, transport))
    return replace(
        drive,
        abilities=(*drive.abilities, *_opal(sed)),
        health=health_of(drive, transport),
        sed=sed,
    )


def health_of(drive: Drive, transport: Transport) -> health.Facts:
    """What it says of its health now; nothing where it does not answer."""
    return _facts(lambda: _health(drive, transport))


def _facts(ask: Callable[[], health.Facts]) -> health.Facts:
    """What an answer says; a drive that does not answer these, or nonsense, says nothing."""
    try:
        return ask()
    except (OSError, Malformed):
        return ()


def _health(drive: Drive, transport: Transport) -> health.Facts:
    if drive.transport == "nvme":
        log = transport.nvme(health.NVME_LOG)
        return health.nvme(log.data) if log.ok else ()
    if drive.transport == "scsi":
        pages = (health.EXCEPTIONS, health.TEMPERATURE, health.GROWN)
        answers = [transport.scsi(page) for page in pages]
        return health.scsi(*(one.data if one.ok else b"" for one in answers))
    told = transport.ata(health.SMART_DATA)
    return health.ata(told.data, transport.ata(health.SMART_STATUS)) if told.ok else ()


def _locking(drive: Drive, transport: Transport) -> health.Facts:
    return opal.discovered(opal.Channel(transport, drive.transport).receive())


def _opal(sed: health.Facts) -> Iterator[Ability]:
    """What its TCG protocol can do, from level 0 discovery alone."""
    told = dict(sed)
    steered = "comid" in told and str(told.get("protocol", "")).startswith(("Opal", "Ruby"))
    why = None if steered else _NO_OPAL
    if steered and not told.get("locking_encrypts"):
        why = _PYRITE
    yield _one("tcg-opal-psid-revert", why is None, why)
    if why is None and told.get("sid_blocked"):
        why = _BLOCKED
    if why is None and told.get("sid_changed"):
        why = _OWNED
    yield _one("tcg-opal-revert", why is None, why)
    yield _one("tcg-opal-genkey", why is None, why)


def can(drive: Drive, name: str) -> Ability:
    """One ability; unknown where the drive did not say."""
    for one in drive.abilities:
        if one.name == name:
            return one
    return Ability(name, supported=None, why="not asked")


def _ata(drive: Drive, transport: Transport) -> Drive:
    told = ata.identity_of(transport.ata(ata.IDENTIFY).data)
    abilities = [
        _one(f"ata-sanitize-{one.name.lower()}", one in told.sanitize)
        for one in (ata.Sanitize.BLOCK, ata.Sanitize.CRYPTO, ata.Sanitize.OVERWRITE)
    ]
    state = transport.ata(ata.sanitize(ata.Sanitize.STATUS)) if told.sanitize else None
    if state is not None and state.ok and ata.state_of(state).frozen:
        abilities = [replace(one, supported=False, why=_FROZEN.id) for one in abilities]
    why = _FROZEN if told.frozen else _PASSWORD if told.locked else None
    abilities += [
        _one("ata-security-erase", told.security and why is None, why),
        _one("ata-security-erase-enhanced", told.enhanced and why is None, why),
    ]
    said = [*drive.said_by, ("abilities", "IDENTIFY DEVICE")]
    answers = list(_largest(told, transport))
    size = max((n for _, n in answers), default=0) * drive.logical_sector or None
    if any(sectors == 0 for _, sectors in answers):
        size = None  # one that knows of a hidden area answered nonsense
    said += [("native_size", f"{name}: {sectors or 'nonsense'}") for name, sectors in answers]
    if not told.sound:
        said.append(("identity", "IDENTIFY DEVICE with a wrong checksum"))
    if told.serial and told.serial != drive.serial:
        said.append(("serial in IDENTIFY", told.serial))
    return replace(
        drive,
        abilities=tuple(abilities),
        native_size=size,
        said_by=tuple(said),
    )


def _largest(told: ata.Identity, transport: Transport) -> Iterator[tuple[str, int]]:
    """How many sectors there are, by each command that knows of a hidden area: HPA, AMA, DCO. None
    at all (0) where the answer is broken.
    """
    native = transport.ata(ata.NATIVE_MAX)
    if native.ok:
        yield "READ NATIVE MAX ADDRESS EXT", native.lba + 1
    if told.accessible:
        accessible = transport.ata(ata.ACCESSIBLE_MAX)
        if accessible.ok:
            yield "GET NATIVE MAX ADDRESS EXT", accessible.lba + 1
    if told.overlay:
        overlay = transport.ata(ata.CONFIGURATION)
        if overlay.ok:
            try:
                sectors = ata.overlaid(overlay.data)
            except Malformed:
                sectors = 0
            yield "DEVICE CONFIGURATION IDENTIFY", sectors


def _usb(drive: Drive, transport: Transport) -> Drive:
    """A bridge that passes ATA on is asked as an ATA drive (SAT)."""
    return _ata(drive, transport)


def _scsi(drive: Drive, transport: Transport) -> Drive:
    reply = transport.scsi(scsi.SUPPORTED)
    there = scsi.supported_of(reply.data) if reply.ok else frozenset()
    order = (scsi.Sanitize.BLOCK, scsi.Sanitize.CRYPTO, scsi.Sanitize.OVERWRITE)
    abilities = tuple(_one(f"scsi-sanitize-{one.name.lower()}", one in there) for one in order)
    said = (*drive.said_by, ("abilities", "REPORT SUPPORTED OPERATION CODES"))
    return replace(drive, abilities=abilities, said_by=said)


def _nvme(drive: Drive, transport: Transport) -> Drive:
    told = nvme.identity_of(transport.nvme(nvme.CONTROLLER).data)
    order = (nvme.Sanitize.BLOCK, nvme.Sanitize.CRYPTO, nvme.Sanitize.OVERWRITE)
    abilities = [_one(f"nvme-sanitize-{o.name.lower()}", o in told.sanitize) for o in order]
    abilities += [
        _one("nvme-format-user", told.format),
        _one("nvme-format-crypto", told.format and told.crypto_format),
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


def _one(name: str, there: bool, why: Message | None = None) -> Ability:
    return Ability(name, supported=there, why="" if there else (why or _NO_COMMAND).id)
