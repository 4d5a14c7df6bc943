"""What a run was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class AssessOptions:
    """How an assessment looks; those in `bound` change its result and bind its case."""

    fresh: bool = False
    metadata: bool = True
    sample: str | None = None
    raw: bool = False
    jobs: int = 0
    engine: str = "here"
    digest: bool = False
    keep_key: bool = False
    show_paths: bool = False
    recover: Path | None = None
    second_opinion: str | None = None
    ocr: bool = False
    findings: bool = True
    """Look for personal data in what is found; without, files are restored and listed alone."""
    lang: str = "en"

    @property
    def bound(self) -> dict[str, object]:
        told: dict[str, object] = {
            "metadata": self.metadata,
            "sample": self.sample,
            "raw": self.raw,
        }
        # Cases of before these options keep their binding.
        told |= {"second_opinion": self.second_opinion} if self.second_opinion else {}
        told |= {"ocr": True} if self.ocr else {}
        return told | ({} if self.findings else {"findings": False})
