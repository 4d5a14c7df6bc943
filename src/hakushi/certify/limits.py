"""What a technique does not reach, and what it was tried on: printed on every certificate.

Words, not sentences, so that a certificate reads in any language. Source: docs/standards.md.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """``not_reached``: parts of a drive; ``proven_on``: what it was seen to work on."""

    not_reached: tuple[str, ...]
    proven_on: tuple[str, ...]


# A certificate is derived again from the log when it is checked: what stands here for a technique
# may not change any more, or the certificates of yesterday fail.
_UNKNOWN = Limits(("hidden-areas", "over-provisioned", "remapped"), ())
_LIMITS = {
    "overwrite": Limits(
        ("hidden-areas", "over-provisioned", "remapped"), ("image-files", "loop", "simulated")
    ),
    # A drive's own commands reach what no address does, by their standards; that cannot be read
    # back, and none was ever tried on a real drive.
    **dict.fromkeys(
        (
            *("ata-sanitize-block", "ata-sanitize-crypto", "ata-sanitize-overwrite"),
            *("nvme-sanitize-block", "nvme-sanitize-crypto", "nvme-sanitize-overwrite"),
            *("scsi-sanitize-block", "scsi-sanitize-crypto", "scsi-sanitize-overwrite"),
            *("tcg-opal-revert", "tcg-opal-genkey", "tcg-opal-psid-revert"),
            *("nvme-format-user", "nvme-format-crypto"),
        ),
        Limits(("unreadable-cells",), ("simulated",)),
    ),
    **dict.fromkeys(
        ("ata-security-erase", "ata-security-erase-enhanced"),
        Limits(("over-provisioned", "remapped"), ("simulated",)),
    ),
}


def limits_of(technique: str) -> Limits:
    """Another tool's technique, or one we know nothing of, reaches nothing beyond doubt."""
    return _LIMITS.get(technique, _UNKNOWN)
