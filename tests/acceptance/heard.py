"""What a user stream has brought, and waiting for what it still must."""

import asyncio
from collections.abc import Callable
from typing import Any

PATIENCE_S = 5.0


class Heard:
    """Events in the order of their arrival, as Binance's plain JSON objects."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self._news = asyncio.Event()

    def hear(self, event: dict[str, Any]) -> None:
        self.events.append(event)
        self._news.set()

    def all(self, kind: str, **fields: Any) -> list[dict[str, Any]]:
        """The events of a kind (`e`) whose body has these fields; of orders that is what stands under `o`."""
        return [event for event in self.events if event.get("e") == kind and _has(_body(event), fields)]

    async def until(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The body of the first such event, as soon as it has come."""
        found = await self._until(lambda: self.all(kind, **fields), f"{kind} with {fields}")
        return _body(found[0])

    async def until_stream(self, name: str) -> dict[str, Any]:
        """The first event of a combined stream."""
        found = await self._until(lambda: [event for event in self.events if event.get("stream") == name], name)
        return found[0]

    async def _until(self, search: Callable[[], list[dict[str, Any]]], what: str) -> list[dict[str, Any]]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE_S
        while not (found := search()):
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), deadline - loop.time())
            except TimeoutError:
                came = [_brief(event) for event in self.events[-30:]]
                raise AssertionError(f"no {what}; the last that came: {came}") from None
        return found


def _body(event: dict[str, Any]) -> dict[str, Any]:
    for key in ("o", "a", "ac", "ai"):
        body = event.get(key)
        if isinstance(body, dict):
            return body
    return event


def _brief(event: dict[str, Any]) -> str:
    body = _body(event)
    told = {name: body[name] for name in ("s", "c", "caid", "m", "x", "X", "z", "rm", "er") if name in body}
    return f"{event.get('e') or event.get('stream')} {told}"


def _has(body: dict[str, Any], fields: dict[str, Any]) -> bool:
    return all(body.get(name) == value for name, value in fields.items())
