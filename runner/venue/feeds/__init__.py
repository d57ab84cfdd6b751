"""Where simulated markets come from: public data files, drawn paths, invented markets."""
