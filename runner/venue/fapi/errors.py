"""Binance's answers to what it does not do, as far as the wire itself gives them.

The exchange's own refusals are `runner.venue.refusals.Refusal`; they become HTTP 400.  Source: Binance USDⓈ-M "Error
codes" and "General info: HTTP return codes".
"""

from collections.abc import Mapping

from runner.venue.refusals import Refusal


class ApiError(Exception):
    """A request that is answered with `{"code": code, "msg": message}` and this HTTP status.

    Without a code the body is `{"msg": message}`.
    """

    def __init__(
        self, code: int | None, message: str, http: int = 400, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.http = http
        self.headers = headers or {}

    @property
    def body(self) -> dict[str, object]:
        return {"msg": self.message} if self.code is None else {"code": self.code, "msg": self.message}


def unknown_path(path: str) -> ApiError:
    return ApiError(-5000, f"Path {path}, Method is invalid", 404)


def internal() -> ApiError:
    """A defect of this exchange."""
    return ApiError(-1000, "An unknown error occurred while processing the request.", 500)


def empty(name: str) -> Refusal:
    return Refusal(-1105, f"Parameter '{name}' was empty.")


def illegal(name: str, legal: str) -> Refusal:
    return Refusal(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")


def not_valid(name: str) -> Refusal:
    return Refusal(-1130, f"Data sent for parameter '{name}' is not valid.")
