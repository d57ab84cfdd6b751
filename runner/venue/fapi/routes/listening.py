"""Listen keys of the user data stream.  Source: Binance USDⓈ-M "User Data Streams"."""

from runner.venue.fapi.calls import Call


def start(call: Call) -> dict[str, object]:
    return {"listenKey": call.door.listen_keys.open(call.account.name, call.front_ms).text}


def keep_alive(call: Call) -> dict[str, object]:
    return {"listenKey": call.door.listen_keys.renew(call.account.name, call.front_ms).text}


def close(call: Call) -> dict[str, object]:
    call.door.listen_keys.close(call.account.name, call.front_ms)
    return {}
