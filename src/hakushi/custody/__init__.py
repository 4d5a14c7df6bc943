"""What happened to drives: events in a signed log, and the chain of custody that they tell."""
