"""What a drive says of itself, and its bytes: block devices, image files and ``sim:`` drives.

Probing changes nothing: sysfs tells without waking a drive, and only what is probed by name is
asked for its abilities over its own commands, where we may. Each value is a claim;
`hakushi.media.device.claim` asks again through the handle that it will write to.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from hakushi.media import linux
from hakushi.media.abilities import asked
from hakushi.media.direct import Direct
from hakushi.media.image import Medium, open_path
from hakushi.media.linux import Node, node_of, printable
from hakushi.media.passthrough import opened
from hakushi.media.simulated import open_source, path_of
from hakushi.model import SECTOR, Drive, Locator, Message, Refused, message

HIDING = frozenset({"ata", "scsi", "nvme", "usb"})
"""Transports whose drives may hold more than they address."""


def probe(name: str | Path) -> Drive:
    """The drive behind a device path, an image file or ``sim:PATH``.

    Refuses what is none of these. A loop device's serial is its kernel name, a file's its name.
    """
    simulated = path_of(name)
    if simulated is not None:
        return open_source(simulated).identify()
    path = Path(name)
    try:
        info = path.stat()
    except OSError as error:
        raise Refused(
            message(
                "{path} cannot be looked at: {why}. Check the name and your permission.",
                path=printable(str(path)),
                why=error.strerror or "?",
            )
        ) from None
    drive = told(path, info)
    if stat.S_ISBLK(info.st_mode) and linux.speaks(info.st_rdev):
        return _asked(drive)
    return drive


def _asked(drive: Drive) -> Drive:
    """Over its own commands; who may not open it learns that they are not known."""
    try:
        transport, fd = opened(drive.path)
    except OSError as error:
        why = f"not asked: {error.strerror}"
        return replace(drive, said_by=(*drive.said_by, ("abilities", why)))
    try:
        return asked(drive, transport)
    finally:
        os.close(fd)


def told(path: Path, info: os.stat_result) -> Drive:
    """The drive behind a path of which ``info`` was asked: by name, or through a handle."""
    if stat.S_ISBLK(info.st_mode):
        return _block(path, node_of(info.st_rdev))
    if stat.S_ISREG(info.st_mode):
        return _file(path, info)
    raise Refused(
        message("{path} is neither a drive nor an image file; name one.", path=printable(str(path)))
    )


def probe_all() -> Iterator[Drive]:
    """Every drive that the kernel knows and that has a size."""
    for path in linux.drives():
        yield told(path, path.stat())


def hidden(drive: Drive) -> Message | None:
    """Why a drive may hold more than can be addressed; None where it cannot.

    Law: what this names is never clean, whatever its readable bytes are.
    """
    if veiled(drive):
        return message(
            "The drive's Opal locking is closed: what is read need not be what lies there."
        )
    if drive.native_size is not None and drive.native_size > drive.size:
        return message(
            "A hidden area of {bytes:,} bytes lies behind the addressable ones.",
            bytes=drive.native_size - drive.size,
        )
    if drive.native_size is None and drive.transport in HIDING:
        return message("The drive's native size is unknown; it may have a hidden area.")
    return None


def veiled(drive: Drive) -> bool:
    """Whether its TCG locking stands before its bytes: locked, or a shadow in their place.

    While a shadow MBR is shown a drive may give zeros for all the rest (Opal 2.01 §4.3.5.4).
    """
    sed = dict(drive.sed)
    shadow = sed.get("locking_shadow_mbr") and not sed.get("locking_shadow_mbr_done")
    return bool(sed.get("locking_locked") or shadow)


def hidden_bytes(drive: Drive) -> int | None:
    """Bytes beyond the addressable ones; None where the drive may have some and does not say."""
    if drive.native_size is None:
        return None if drive.transport in HIDING else 0
    return max(0, drive.native_size - drive.size)


def open_medium(name: str | Path) -> Medium:
    """Opens a drive or image for reading: ``sim:PATH``, a device (O_DIRECT), or a raw image."""
    simulated = path_of(name)
    if simulated is not None:
        return Medium(open_source(simulated), device=True)
    medium = open_path(Path(name))
    if not medium.device:
        return medium
    drive = probe(name)
    root = Locator.root("drive", drive.wwn or drive.serial)
    return Medium(Direct(Path(name), medium.source.size, root, drive.logical_sector), device=True)


def _file(path: Path, info: os.stat_result) -> Drive:
    return Drive(
        path=str(path),
        serial=printable(path.name),
        size=info.st_size,
        model="image file",
        transport="file",
        read_only=not os.access(path, os.W_OK),
        held_by=linux.loops_over(path),
        said_by=(("instance", f"inode {info.st_dev}:{info.st_ino}"),),
    )


def _block(path: Path, node: Node) -> Drive:
    whole = node.whole
    serial, said = _serial(whole)
    queue = whole.folder / "queue"
    size = _number(node.attribute("size")) * SECTOR
    return Drive(
        path=str(path),
        serial=serial or node.name,
        size=size,
        model=_first(whole, "device/model") or _first(whole, "loop/backing_file"),
        wwn=_first(whole, "wwid", "device/wwid"),
        firmware=_first(whole, "device/firmware_rev", "device/rev"),
        transport=_transport(whole),
        logical_sector=_number(_text(queue / "logical_block_size")) or SECTOR,
        physical_sector=_number(_text(queue / "physical_block_size")) or SECTOR,
        zoned={"none": ""}.get(zoned := _text(queue / "zoned"), zoned),
        rotational={"0": False, "1": True}.get(_text(queue / "rotational")),
        read_only=node.attribute("ro") == "1",
        held_by=linux.users(node),
        said_by=(
            ("serial", said),
            ("size", "sysfs size"),
            ("instance", f"diskseq {whole.attribute('diskseq')}"),
        ),
    )


def _serial(node: Node) -> tuple[str, str]:
    """The serial number, and which attribute told it."""
    for name in ("serial", "device/serial"):
        if text := node.attribute(name):
            return text, f"sysfs {name}"
    # Unit serial number VPD page (SPC-5 7.7.17): four bytes of header, then the number.
    if text := printable(node.raw("device/vpd_pg80")[4:]):
        return text, "sysfs device/vpd_pg80"
    return "", "kernel name"


def _transport(node: Node) -> str:
    where = str(node.folder)
    if node.name.startswith(("loop", "nvme", "mmc")):
        return re.match(r"[a-z]+", node.name)[0]  # type: ignore[index]
    # USB first: a bridge's drive may show an ATA link further down.
    for transport in ("usb", "ata"):
        if re.search(rf"/{transport}\d+/", where):
            return transport
    if node.name.startswith("vd"):
        return "virtio"  # a SCSI drive may lie behind a virtio adapter, too
    return "scsi" if (node.folder / "device" / "vendor").exists() else "virtual"


def _first(node: Node, *names: str) -> str:
    return next((text for name in names if (text := node.attribute(name))), "")


def _text(path: Path) -> str:
    try:
        return printable(path.read_bytes()[:64])
    except OSError:
        return ""


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
