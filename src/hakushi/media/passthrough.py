"""Linux's way to send commands: SG_IO for SCSI and ATA (SAT), the NVMe admin ioctl. Nothing else.

Tried against an emulated drive under a shim and against made-up answers; on real drives: never.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import struct
import time

from hakushi.media.commands import Ata, AtaReply, Nvme, NvmeReply, Scsi, ScsiReply

SG_IO = 0x2285
NVME_ADMIN = 0xC0484E41
_ASKED_MS, _ERASING_MS = 300_000, 12 * 3600 * 1000
"""A question is given up after minutes: nobody may wait half a day for a temperature."""
_ERASING_ATA, _ERASING_NVME = frozenset({0xF4}), frozenset({0x80})
"""Commands that answer when they are done: SECURITY ERASE UNIT, Format NVM."""
_SENSE = 64
_NONE, _OUT, _IN = -1, -2, -3
_READY, _THERE, _ERR = 0x50, 0x40, 0x01
_UPPER = 0x60
"""In fixed format: the upper halves of count or address are not zero, and are not told."""
_ABORTED = 0x0B
"""Sense key ABORTED COMMAND."""


class _Header(ctypes.Structure):
    """``struct sg_io_hdr`` of <scsi/sg.h>."""

    _fields_ = (
        ("interface_id", ctypes.c_int),
        ("dxfer_direction", ctypes.c_int),
        ("cmd_len", ctypes.c_ubyte),
        ("mx_sb_len", ctypes.c_ubyte),
        ("iovec_count", ctypes.c_ushort),
        ("dxfer_len", ctypes.c_uint),
        ("dxferp", ctypes.c_void_p),
        ("cmdp", ctypes.c_void_p),
        ("sbp", ctypes.c_void_p),
        ("timeout", ctypes.c_uint),
        ("flags", ctypes.c_uint),
        ("pack_id", ctypes.c_int),
        ("usr_ptr", ctypes.c_void_p),
        ("status", ctypes.c_ubyte),
        ("masked_status", ctypes.c_ubyte),
        ("msg_status", ctypes.c_ubyte),
        ("sb_len_wr", ctypes.c_ubyte),
        ("host_status", ctypes.c_ushort),
        ("driver_status", ctypes.c_ushort),
        ("resid", ctypes.c_int),
        ("duration", ctypes.c_uint),
        ("info", ctypes.c_uint),
    )


class Passthrough:
    """A `Transport` over an open block or character device. Does not own the descriptor."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def scsi(self, command: Scsi) -> ScsiReply:
        return self._scsi(command, _ASKED_MS)

    def _scsi(self, command: Scsi, patience: int) -> ScsiReply:
        cdb = ctypes.create_string_buffer(command.cdb, len(command.cdb))
        size = command.wants or len(command.data)
        data = ctypes.create_string_buffer(command.data, max(1, size))
        sense = ctypes.create_string_buffer(_SENSE)
        header = _Header(
            interface_id=ord("S"),
            dxfer_direction=_IN if command.wants else _OUT if command.data else _NONE,
            cmd_len=len(command.cdb),
            mx_sb_len=_SENSE,
            dxfer_len=size,
            dxferp=ctypes.addressof(data),
            cmdp=ctypes.addressof(cdb),
            sbp=ctypes.addressof(sense),
            timeout=patience,
        )
        fcntl.ioctl(self._fd, SG_IO, header)
        if header.host_status:
            # The command did not come to the drive, or its answer not to us: nothing was said.
            raise OSError(errno.EIO, f"host status {header.host_status}")
        got = max(0, command.wants - max(0, header.resid))
        return ScsiReply(header.status, sense.raw[: header.sb_len_wr], data.raw[:got])

    def ata(self, command: Ata) -> AtaReply:
        patience = _ERASING_MS if command.command in _ERASING_ATA else _ASKED_MS
        return ata_reply(self._scsi(Scsi(ata16(command), command.data, command.wants), patience))

    def nvme(self, command: Nvme) -> NvmeReply:
        size = command.wants or len(command.data)
        data = ctypes.create_string_buffer(command.data, max(1, size))
        patience = _ERASING_MS if command.opcode in _ERASING_NVME else _ASKED_MS
        packed = bytearray(
            struct.pack(
                "<BBHIIIQQIIIIIIIIII",
                *(command.opcode, 0, 0, command.nsid, 0, 0, 0),
                ctypes.addressof(data) if size else 0,
                *(0, size, command.cdw10, command.cdw11, 0, 0, 0, 0, patience, 0),
            )
        )
        status = fcntl.ioctl(self._fd, NVME_ADMIN, packed)
        (result,) = struct.unpack_from("<I", packed, 68)
        return NvmeReply(status & 0x7FF, result, data.raw[: command.wants])

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)


def ata16(command: Ata) -> bytes:
    """ATA PASS-THROUGH (16) (SAT-4 §12.2.2): registers out, and back as sense data."""
    protocol = 4 if command.wants else 5 if command.data else 3
    count = command.count or (max(command.wants, len(command.data)) // 512)
    wide = command.feature > 0xFF or count > 0xFF or command.lba >= 1 << 28 or _is_wide(command)
    # Where data come back the registers are not asked for (CK_COND): some layers cannot give both.
    flags = (0x20 if protocol == 3 else 0x06) | (0x08 if command.wants else 0)
    lba = command.lba.to_bytes(6, "little")
    return bytes(
        [
            *(0x85, protocol << 1 | wide, flags),
            *command.feature.to_bytes(2, "big"),
            *count.to_bytes(2, "big"),
            *(lba[3], lba[0], lba[4], lba[1], lba[5], lba[2]),
            *(0x40, command.command, 0),
        ]
    )


def _is_wide(command: Ata) -> bool:
    """Commands that are 48 bits wide by their nature."""
    return command.command in {0xB4, 0x27, 0x37, 0x78}


def ata_reply(reply: ScsiReply) -> AtaReply:
    """The registers out of sense data (SAT-4 §12.2.2.7 and .8): descriptor format, which has all of
    them, or fixed format, in which Linux tells of an aborted command.
    """
    sense = reply.sense
    if len(sense) >= 22 and sense[0] & 0x7F == 0x72 and sense[8] == 0x09:
        d = sense[8:22]
        lba = bytes([d[7], d[9], d[11], d[6], d[8], d[10]])
        return AtaReply(d[13], d[3], d[4] << 8 | d[5], int.from_bytes(lba, "little"), reply.data)
    if reply.ok:
        return AtaReply(_READY, data=reply.data)
    if len(sense) >= 18 and sense[0] & 0x7F == 0x70 and sense[2] & 0x0F == _ABORTED:
        return _fixed(sense, reply.data)
    raise OSError(errno.EIO, f"no registers came back: {reply.said}")


def _fixed(sense: bytes, data: bytes) -> AtaReply:
    """The low halves of the registers out of fixed format sense data.

    Linux before 6.11 lays them at byte 8 instead of 3 and leaves the valid bit out. Without a
    status it is an aborted command, which is an answer, too; with one, the status tells.
    """
    at, flags = (3, sense[8]) if sense[0] & 0x80 else (8, sense[16])
    error, status, _, count = sense[at : at + 4]
    low = sense[9:12] if sense[0] & 0x80 else sense[17:18]
    if not status & _THERE:
        return AtaReply(_READY | _ERR, error)
    if flags & _UPPER and not status & _ERR:
        raise OSError(errno.EIO, "only the low halves of the registers came back")
    return AtaReply(status, error, count, int.from_bytes(low, "little"), data)


def opened(path: str) -> tuple[Passthrough, int]:
    """A transport for asking only, and the descriptor to close."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    return Passthrough(fd), fd
