"""What formats share, and grammars too large for one file; formats do not know each other."""
