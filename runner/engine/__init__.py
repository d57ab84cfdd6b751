"""The pure machine: facts in, intents out.  No clock, no randomness, no I/O, no notion of live or dry run."""
