"""Where bytes come from: opened drives and images as Sources, and what a drive says of itself.

Only `hakushi.media.device` holds a writable handle, and only ``sanitize`` and the wiring may
import it.
"""

from hakushi.media.image import File, Joined, Medium, Memory, Runs, Window, open_path

__all__ = ["File", "Joined", "Medium", "Memory", "Runs", "Window", "open_path"]
