"""Look for what is left, and judge it."""
