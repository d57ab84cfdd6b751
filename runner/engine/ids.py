"""Client order ids and link ids: pure functions of what they stand for, and readable back.

A client order id is `<run>.<node>.<round>.<revision>.<attempt>`, the last four in base 36, at most 36 characters of
`[A-Za-z0-9._-]`.  Source of the bound: Binance `newClientOrderId`, `^[.A-Z:/a-z0-9_-]{1,36}$`; `:` and `/` are left
out because form encoding changes them after they were signed.
"""

from typing import NamedTuple

from runner.domain.values import base36
from runner.errors import InternalError

MAX_LENGTH = 36


class OrderKey(NamedTuple):
    """What an order is for.  `node` is the node's index in the graph, `round` that of a repeated step.

    `revision` rises with each replacement, `attempt` only after a known rejection of the same revision.
    """

    run_id: str
    node: int
    round: int
    revision: int
    attempt: int


def client_order_id(key: OrderKey) -> str:
    """The id of an order.

    Raises:
        InternalError: longer than the exchange takes.
    """
    text = ".".join((key.run_id, *map(base36, key[1:])))
    if len(text) > MAX_LENGTH:
        raise InternalError(f"client order id {text!r} has more than {MAX_LENGTH} characters")
    return text


def order_key(client_id: str) -> OrderKey | None:
    """What the id stands for, or None where it is not one of ours."""
    run_id, *numbers = client_id.split(".")
    if len(numbers) != 4 or not run_id:
        return None
    try:
        node, round_, revision, attempt = (int(number, 36) for number in numbers)
    except ValueError:
        return None
    return OrderKey(run_id, node, round_, revision, attempt)


def link_id(prefix: str, run_id: str, step_id: str) -> str:
    """The id that orders of one step share, `OCO-d1f0c2-guard`; empty for steps without a prefix."""
    return f"{prefix}-{run_id}-{step_id}" if prefix else ""
