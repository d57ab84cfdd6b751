"""What a live command knows of its exchange and its user, from the environment and the command line."""

from dataclasses import dataclass, field
from pathlib import Path

from runner.domain.pace import Pace
from runner.gateways.binance.keys import Credentials
from runner.gateways.binance.settings import Endpoints, Timings


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """`mode` is demo or live.  `state_home` holds one folder for each mode and account.  `proxy` is a URL, or None."""

    mode: str
    endpoints: Endpoints
    credentials: Credentials
    state_home: Path
    proxy: str | None = None
    timings: Timings = field(default_factory=Timings)
    pace: Pace = field(default_factory=Pace)
