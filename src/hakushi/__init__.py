"""Hakushi: proves that a retired drive can no longer tell anything."""

__version__ = "0.1.0"
