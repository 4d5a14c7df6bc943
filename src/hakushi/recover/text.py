"""Text out of bytes: characters that remember where they came from."""

from __future__ import annotations

from dataclasses import dataclass

from hakushi.model import Extent


@dataclass(frozen=True, slots=True)
class Text:
    """Characters, with a map back to bytes where there is one, and, for tables, their cells.

    ``offsets``: for each character the byte offset of its first byte in the source, and one more
    entry for the end; None where the text was derived (inflated, laid out), then a character's
    own index stands for its offset. ``cells``: rows of (start, end) character spans; the first row
    is the header where ``header`` is true. Law: every character maps to its bytes.
    """

    chars: str
    offsets: tuple[int, ...] | None = None
    encoding: str = ""
    cells: tuple[tuple[tuple[int, int], ...], ...] = ()
    header: bool = False
    part: str = ""
    """Which part of a document: a sheet, a page, a table."""

    def extent(self, start: int, end: int) -> Extent:
        """The source bytes of ``chars[start:end]``."""
        if self.offsets is None:
            return Extent(start, end - start)
        return Extent(self.offsets[start], self.offsets[end] - self.offsets[start])
