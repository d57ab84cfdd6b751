"""What the exchange was asked, numbered, for those who watch it from the control side."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

KEPT = 5_000
_NAMES = ("newClientOrderId", "origClientOrderId", "clientAlgoId", "orderId", "algoId", "symbol")


@dataclass(slots=True)
class Asked:
    """One request.  `account` is empty where no key was asked for or none was known; `named` are its symbol and the ids
    that it names orders by.  `status` and `code` are those of the answer, 0 before there is one, and where a fault made
    that there never is one."""

    number: int
    at_ms: int
    route: str
    named: dict[str, str]
    account: str = ""
    status: int = 0
    code: int = 0

    def shown(self) -> dict[str, object]:
        return {
            "number": self.number, "at_ms": self.at_ms, "account": self.account, "route": self.route, **self.named,
            "status": self.status, "code": self.code,
        }


class RequestLog:
    """The last requests, whatever became of them.  `at_ms` is by the front's clock."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept: deque[Asked] = deque(maxlen=kept)
        self._number = 0

    @property
    def last(self) -> int:
        """The number of the last request, 0 before the first."""
        return self._number

    def add(self, at_ms: int, route: str, values: Mapping[str, str]) -> Asked:
        """A request has arrived; its account and its answer are filled in as they become known."""
        self._number += 1
        named = {name: values[name] for name in _NAMES if name in values}
        asked = Asked(self._number, at_ms, route, named)
        self._kept.append(asked)
        return asked

    def after(self, number: int, most: int) -> list[Asked]:
        """At most so many of those that came after that number, the oldest first."""
        missing = self._number - number
        if missing <= 0:
            return []
        start = max(0, len(self._kept) - missing)
        return [self._kept[place] for place in range(start, min(start + most, len(self._kept)))]
