"""Is it there, and what time is it."""

from runner.venue.fapi.calls import Call


def ping(call: Call) -> dict[str, object]:
    del call
    return {}


def server_time(call: Call) -> dict[str, object]:
    return {"serverTime": call.front_ms}
