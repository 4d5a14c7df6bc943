"""A signed log of opaque entries; knows nothing of drives. Specified in docs/design/ledger.md."""
