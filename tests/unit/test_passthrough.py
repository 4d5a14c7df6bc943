"""What goes to the kernel, byte for byte, and what comes back from it."""

import ctypes
import errno
import fcntl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hakushi.media import ata, nvme, passthrough, scsi
from hakushi.media.commands import Ata, Nvme, Scsi, ScsiReply, progress_of, sense_of
from hakushi.media.passthrough import Passthrough, ata16, ata_reply
from hakushi.model import Malformed


@pytest.mark.parametrize(
    ("command", "cdb"),
    [
        (ata.IDENTIFY, "85 08 0e 00 00 00 01 00 00 00 00 00 00 40 ec 00"),
        (ata.sanitize(ata.Sanitize.STATUS), "85 07 20 00 00 00 00 00 00 00 00 00 00 40 b4 00"),
        (ata.sanitize(ata.Sanitize.BLOCK), "85 07 20 00 12 00 00 42 72 00 45 00 6b 40 b4 00"),
        (ata.sanitize(ata.Sanitize.OVERWRITE), "85 07 20 00 14 00 00 00 00 57 00 4f 00 40 b4 00"),
        (ata.NATIVE_MAX, "85 07 20 00 00 00 00 00 00 00 00 00 00 40 27 00"),
        (ata.erase_prepare(), "85 06 20 00 00 00 00 00 00 00 00 00 00 40 f3 00"),
        (ata.erase_unit(enhanced=True), "85 0a 06 00 00 00 01 00 00 00 00 00 00 40 f4 00"),
    ],
)
def test_ata_pass_through(command, cdb):
    """SAT-4 §12.2.2: protocol, flags, high and low bytes of each register in turn."""
    assert ata16(command) == bytes.fromhex(cdb)


def test_the_registers_come_back_in_sense_data():
    sense = bytes.fromhex("72 01 00 1d 00 00 00 0e 09 0c 01 00 c0 00 11 44 22 55 33 66 40 50")
    reply = ata_reply(ScsiReply(2, sense))
    assert (reply.status, reply.error, reply.count, reply.lba) == (0x50, 0, 0xC000, 0x332211665544)
    assert reply.ok
    assert ata.state_of(reply).done
    with pytest.raises(OSError, match="no registers"):
        ata_reply(ScsiReply(2, b""))


def test_an_aborted_command_is_an_answer_in_fixed_format_too():
    """SAT-4 §12.2.2.7: ERROR and STATUS in the information field; so Linux tells of an abort."""
    sense = bytes.fromhex("f0 00 0b 04 51 40 00 0a 00 00 00 00 00 00 00 00 00 00")
    reply = ata_reply(ScsiReply(2, sense))
    assert (reply.status, reply.error, reply.ok) == (0x51, 4, False)


def test_an_aborted_command_as_linux_before_6_11_lays_it_out():
    """Seen on 6.1 over an emulated drive: status at byte 9, no valid bit."""
    sense = bytes.fromhex("70 00 0b 00 00 00 00 0a 04 51 40 01 00 00 00 00 00 00")
    reply = ata_reply(ScsiReply(2, sense))
    assert (reply.status, reply.error, reply.ok) == (0x51, 4, False)
    told = bytes.fromhex("70 00 0b 00 00 00 00 0a 00 58 40 01 00 00 00 00 00 00")
    assert ata_reply(ScsiReply(2, told, b"x")).ok


def test_half_of_the_registers_is_no_answer():
    sense = bytes.fromhex("f0 00 0b 00 50 40 00 0a 60 00 00 00 00 00 00 00 00 00")
    with pytest.raises(OSError, match="low halves"):
        ata_reply(ScsiReply(2, sense))


def test_an_aborted_command_without_registers_is_no_success():
    reply = ata_reply(ScsiReply(2, bytes.fromhex("70 00 0b 00 00 00 00 0a" + "00" * 10)))
    assert not reply.ok
    with pytest.raises(OSError, match="no registers"):
        ata_reply(ScsiReply(2, bytes.fromhex("70 00 05 00 00 00 00 0a" + "00" * 10)))


class Kernel:
    """Stands for the kernel's side of the two ioctls; sees what it is given."""

    def __init__(self, answer) -> None:
        self.answer, self.seen = answer, []

    def ioctl(self, _fd, request, given):
        return self.answer(self, request, given)


@pytest.fixture
def kernel(monkeypatch):
    def use(answer) -> Kernel:
        made = Kernel(answer)
        monkeypatch.setattr(fcntl, "ioctl", made.ioctl)
        return made

    return use


def test_scsi_goes_out_and_comes_back(kernel):
    def answer(me, request, header):
        assert request == passthrough.SG_IO
        assert header.interface_id == ord("S")
        assert ctypes.sizeof(header) == 88
        me.seen.append(ctypes.string_at(header.cmdp, header.cmd_len))
        ctypes.memmove(header.dxferp, b"answer", 6)
        header.resid = header.dxfer_len - 6
        return 0

    me = kernel(answer)
    reply = Passthrough(0).scsi(scsi.INQUIRY)
    assert me.seen == [scsi.INQUIRY.cdb]
    assert (reply.ok, reply.data) == (True, b"answer")


def test_an_answer_that_got_lost_is_no_success(kernel):
    """sg_sanitize took a transport error for success (see docs/lying-drives.md)."""

    def answer(_me, _request, header):
        header.host_status = 7
        return 0

    kernel(answer)
    with pytest.raises(OSError, match="host status 7"):
        Passthrough(0).scsi(scsi.sanitize(scsi.Sanitize.BLOCK))


def test_nvme_goes_out_and_comes_back(kernel):
    def answer(me, request, packed):
        assert request == passthrough.NVME_ADMIN
        assert len(packed) == 72
        me.seen.append((packed[0], packed[40:48].hex()))
        packed[68:72] = (5).to_bytes(4, "little")
        return 0x4002

    me = kernel(answer)
    reply = Passthrough(0).nvme(nvme.format(nvme.Erase.CRYPTO, 3))
    assert me.seen == [(0x80, "0304000000000000")]
    assert (reply.ok, reply.status, reply.result) == (False, 2, 5)


def test_a_kernel_that_says_no_is_an_error(kernel):
    def answer(_me, _request, _given):
        raise OSError(errno.ENOTTY, "no")

    kernel(answer)
    for send in (
        lambda: Passthrough(0).scsi(Scsi(bytes(6))),
        lambda: Passthrough(0).ata(Ata(0xEC, wants=512)),
        lambda: Passthrough(0).nvme(Nvme(6)),
    ):
        with pytest.raises(OSError, match="no"):
            send()


@given(st.binary(max_size=5000))
def test_any_answer_is_read_or_malformed(data):
    """A drive's answers are hostile: short, long, full of control characters."""
    for read in (
        ata.identity_of,
        scsi.size_of,
        scsi.supported_of,
        nvme.identity_of,
        nvme.namespace_of,
        nvme.block_of,
        nvme.state_of,
        lambda one: scsi.identity_of(one, one),
    ):
        try:
            found = read(data)
        except Malformed:
            continue
        for name in ("serial", "model", "firmware"):
            assert getattr(found, name, "").isprintable()
    sense_of(data)
    progress_of(data)


def batched_pairs(text: str) -> list[str]:
    return [text[i : i + 2] for i in range(0, len(text), 2)]


def test_what_a_drive_identifies_as():
    words = bytearray(512)
    words[20:40] = "".join(b + a for a, b in batched_pairs("S/N 12345".ljust(20))).encode()
    words[118:120] = (0xF000).to_bytes(2, "little")
    words[256:258] = (0b101001).to_bytes(2, "little")
    words[166:168] = (1 << 10).to_bytes(2, "little")
    words[200:208] = (1 << 33).to_bytes(8, "little")
    words[434:436] = (1).to_bytes(2, "little")
    words[510] = 0xA5
    words[511] = -sum(words) % 256
    told = ata.identity_of(bytes(words))
    assert told.serial == "S/N 12345"
    assert told.sanitize == {ata.Sanitize.BLOCK, ata.Sanitize.CRYPTO, ata.Sanitize.OVERWRITE}
    assert (told.sectors, told.rotational, told.sound) == (1 << 33, False, True)
    assert (told.security, told.frozen, told.enhanced) == (True, True, True)
    words[511] ^= 1
    assert not ata.identity_of(bytes(words)).sound


@pytest.mark.parametrize(
    ("command", "hours"), [(ata.IDENTIFY, False), (ata.erase_unit(enhanced=False), True)]
)
def test_only_an_erasure_is_waited_for_by_the_hour(kernel, command, hours):
    seen: list[int] = []

    def answer(_me, _request, header):
        seen.append(header.timeout)
        return 0

    kernel(answer)
    Passthrough(3).ata(command)
    assert (seen[0] > 3_600_000) == hours
