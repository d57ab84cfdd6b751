"""One request to the exchange, free of how it came, and what kinds of request there are."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple, Union

from runner.venue.account import Account
from runner.venue.exchange import Exchange
from runner.venue.fapi.door import Door
from runner.venue.fapi.params import Params
from runner.venue.margin import Venue


class Security(Enum):
    """What a request must show: nothing, a known API key, or a key and a signature in time."""

    NONE = 0
    KEY = 1
    SIGNED = 2


@dataclass(slots=True)
class Call:
    """`who` is the account of the API key, None where the route asks for none.  `front_ms` is the wall clock's instant
    of arrival, `at_ms` the exchange's."""

    door: Door
    params: Params
    front_ms: int
    at_ms: int
    who: Account | None = None

    @property
    def account(self) -> Account:
        """Of a route that asks for a key."""
        assert self.who is not None
        return self.who

    @property
    def exchange(self) -> Exchange:
        return self.door.exchange

    @property
    def venue(self) -> Venue:
        """Marks and contracts, as the account's figures are reckoned with."""
        return self.door.exchange.venue


Handler = Callable[[Call], Any]
"""Does what is asked and gives a value for JSON, decimals as texts.  Raises `Refusal` or `ApiError`.  Never waits."""

Weight = Union[int, Callable[[Params], int]]


class Route(NamedTuple):
    """One row of the route table.  `orders` is what it counts in 10 seconds and in a minute."""

    method: str
    path: str
    handler: Handler
    security: Security
    weight: Weight = 1
    orders: tuple[int, int] = (0, 0)

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    def weighs(self, params: Params) -> int:
        return self.weight if isinstance(self.weight, int) else self.weight(params)
