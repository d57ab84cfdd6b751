"""The run's memory: an append-only SQLite file of every event and command, chained by hashes."""
