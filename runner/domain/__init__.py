"""The words of the field: values, instruments, orders, positions, and every command and event.  Pure."""
