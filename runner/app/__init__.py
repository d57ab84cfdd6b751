"""The imperative shell: reads files, puts the parts together, and drives the machine with a gateway's events."""
