"""From YAML text to a frozen `Plan`, with every fault placed by line and column.  Pure."""
