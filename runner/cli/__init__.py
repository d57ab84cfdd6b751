"""The command line: click, one command a module, and the one place that maps errors to exit codes."""
