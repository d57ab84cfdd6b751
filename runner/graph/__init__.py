"""From a `Plan` to an `ExecutionGraph`: nodes, edges and groups.  No later room knows what a bracket is.  Pure."""
