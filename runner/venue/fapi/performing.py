"""Does one call; the same for HTTP and for the WebSocket API."""

from typing import Any

from runner.venue.fapi.calls import Call, Handler
from runner.venue.fapi.errors import ApiError
from runner.venue.refusals import Refusal


def perform(route: str, handler: Handler, call: Call) -> Any:
    """Do it, tell the audience what happened by it, and give the answer; every refusal is an `ApiError`.

    `route` is the name that faults know it by.
    """
    door = call.door
    try:
        result = handler(call)
        if door.disturber.active:
            result = door.disturber.after(route, call.who, call.params, result)
        return result
    except Refusal as refusal:
        raise ApiError(refusal.code, refusal.message) from None
    finally:
        door.publish()
