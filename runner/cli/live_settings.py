"""What a demo or live command needs to know of the exchange and of its user, read from the environment."""

from urllib.parse import urlsplit

from runner.app.live.options import LiveOptions
from runner.cli import environment, timings
from runner.errors import EnvironmentFault, Refused
from runner.gateways.binance.hosts import REST_VARIABLE, WS_VARIABLE, endpoints_of, is_production
from runner.gateways.binance.keys import Credentials, Secret, load_credentials

_HINT = (
    "make a key at the exchange that may trade futures and not withdraw, and set "
    f"{environment.KEY} and {environment.SECRET} in the environment or in .env"
)


def live_options(mode: str, *, keys_needed: bool = True) -> LiveOptions:
    """Everything but the plan.  Without keys, where they are not needed, the credentials are empty.

    Raises:
        Refused: the host is where real money is.
        EnvironmentFault: no keys, or what cannot be one.
        UsageError: a URL or a time that is none.
    """
    endpoints = endpoints_of(mode, environment.variable(REST_VARIABLE), environment.variable(WS_VARIABLE))
    if keys_needed and is_production(endpoints):
        raise Refused(
            f"{endpoints.rest} is where real money is, and this version does not trade there: its account-wide limits "
            "and its halt are not built yet; nothing was sent",
            hint=f"use --mode demo, or point {REST_VARIABLE} and {WS_VARIABLE} at daksh-run exchange",
        )
    waits, pace = timings.read_timings(environment.variable(timings.VARIABLE))
    credentials = _credentials(needed=keys_needed)
    return LiveOptions(mode, endpoints, credentials, environment.state_home(), _proxy(endpoints.rest), waits, pace)


def _credentials(*, needed: bool) -> Credentials:
    key, secret = environment.variable(environment.KEY), environment.variable(environment.SECRET)
    missing = [name for name, value in ((environment.KEY, key), (environment.SECRET, secret)) if not value]
    if missing and not needed:
        return Credentials(Secret(""), Secret(""))
    if missing:
        raise EnvironmentFault(f"{' and '.join(missing)}: not set, so nothing was sent", hint=_HINT)
    environment.warn_of_open_files(secret)
    return load_credentials(key, secret)


def _proxy(url: str) -> str | None:
    """The proxy that the environment names for this URL, unless NO_PROXY excepts its host."""
    parts = urlsplit(url)
    proxy = environment.variable(f"{parts.scheme.upper()}_PROXY")
    host = parts.hostname or ""
    excepted = [word.strip().lstrip(".").lower() for word in environment.variable("NO_PROXY").split(",")]
    if not proxy or any(word and (word == "*" or host == word or host.endswith(f".{word}")) for word in excepted):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
