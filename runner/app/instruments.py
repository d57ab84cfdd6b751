"""The trading rules in force: those shipped, or those of a saved `GET /fapi/v1/exchangeInfo`."""

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from runner.domain.catalog import instruments_from_exchange_info, shipped_instruments
from runner.domain.instrument import Instrument
from runner.errors import EnvironmentFault

_MAX_BYTES = 64 * 1024 * 1024
_HINT = "save the body of GET /fapi/v1/exchangeInfo as it is"


def load_instruments(path: Path | None) -> Mapping[str, Instrument]:
    """The instruments by symbol; without a path the shipped ones.

    Raises:
        EnvironmentFault: the file cannot be read, or is no `exchangeInfo` body.
    """
    if path is None:
        return shipped_instruments()
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise EnvironmentFault(f"{path}: the instruments cannot be read: {reason}", hint=_HINT) from error
    if len(text) > _MAX_BYTES:
        raise EnvironmentFault(f"{path}: the instruments are larger than 64 MiB", hint=_HINT)
    try:
        body = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise EnvironmentFault(f"{path}: the instruments are not JSON: {str(error)[:200]}", hint=_HINT) from error
    try:
        return instruments_from_exchange_info(body)
    except EnvironmentFault as fault:
        raise EnvironmentFault(f"{path}: {fault.message}", hint=fault.hint or _HINT) from fault
