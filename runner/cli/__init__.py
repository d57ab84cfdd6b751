"""The command line: click, one command a module, and the one place that maps errors to exit codes."""

import gc

# A start builds thousands of objects that live to its end, and next to no garbage: looking for it costs a tenth of it.
gc.set_threshold(50_000)
