"""`daksh-run graph`: what a plan compiles to."""
