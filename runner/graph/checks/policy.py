"""What a mode asks of a plan beyond what makes it valid: a value, so that no later stage asks for the mode."""

from runner.domain.value import Value


class Policy(Value, frozen=True):
    """`require_protection`: a step that may open without a stop is invalid unless it says `unprotected: allow`."""

    require_protection: bool = False


LENIENT = Policy()
