"""What may go wrong with one request, in the words of those who carry requests."""

from typing import Any, NamedTuple, Protocol

from runner.venue.account import Account
from runner.venue.fapi.errors import ApiError
from runner.venue.fapi.params import Params


class Disturbance(NamedTuple):
    """What is to go wrong with one request.

    `instead`: it is not done, and this is the answer.  `after`: it is done, and this is the answer.  The waits are
    before it is done and before its answer.  `hang`: never an answer, the connection stays open.  `cut`: the connection
    closes without an answer.  Both do the request first, unless `instead` is there too.
    """

    instead: ApiError | None = None
    after: ApiError | None = None
    wait_before_ms: int = 0
    wait_after_ms: int = 0
    hang: bool = False
    cut: bool = False


class Disturber(Protocol):
    """Where faults come from.  `route` is `POST /fapi/v1/order`, or the name of a method of the WebSocket API."""

    @property
    def active(self) -> bool:
        """Whether anything may go wrong at all."""

    def before(self, route: str, account: Account | None, params: Params) -> Disturbance | None:
        """Asked once for each request, after its security; may act on the exchange itself."""

    def after(self, route: str, account: Account | None, params: Params, result: Any) -> Any:
        """The answer, changed or not; raises `Refusal` where there shall be none.  Only asked after a success."""


class Undisturbed:
    """Nothing goes wrong."""

    active = False

    def before(self, route: str, account: Account | None, params: Params) -> Disturbance | None:
        return None

    def after(self, route: str, account: Account | None, params: Params, result: Any) -> Any:
        return result
