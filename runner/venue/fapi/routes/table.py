"""Every route of the REST API, literally: method, path, what does it, what it must show, weight, order counts.

Source: Binance USDⓈ-M REST documentation; the reference's sections 1, 2, 3, 7 and 8.
"""

from runner.venue.fapi.calls import Route, Security
from runner.venue.fapi.routes import general

_NONE, _KEY, _SIGNED = Security.NONE, Security.KEY, Security.SIGNED

ROUTES: tuple[Route, ...] = (
    Route("GET", "/fapi/v1/ping", general.ping, _NONE),
    Route("GET", "/fapi/v1/time", general.server_time, _NONE),
)
