"""Configuration from the environment and from a `.env` where the user stands; the real environment wins.

What `.env` says stays in this process: it is not put into the environment, which child processes would inherit.
"""

import os
from pathlib import Path

from runner.cli import console
from runner.errors import EnvironmentFault, UsageError

MODES = ("dryrun", "demo", "live")
KEY, SECRET = "BINANCE_API_KEY", "BINANCE_API_SECRET"
_FILE = Path(".env")
_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")
_READ = (
    "MODE", "DEFAULT_SYMBOL", "DAKSH_STATE_DIR", "DAKSH_TIMINGS", "XDG_STATE_HOME", KEY, SECRET,
    "BINANCE_FUTURES_REST_URL", "BINANCE_FUTURES_WS_URL", *_PROXIES,
)
_of_file: dict[str, str] = {}


def load() -> None:
    """Read `.env`, if there is one."""
    _of_file.clear()
    if not _FILE.is_file():
        return
    from dotenv import dotenv_values

    try:
        values = dotenv_values(_FILE, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentFault(f".env: it cannot be read ({error})") from error
    _of_file.update({name: value for name in _READ if (value := values.get(name))})


def variable(name: str) -> str:
    """The variable's value without space around it, empty where it is not set; a proxy's name may be in small letters
    too, as everywhere."""
    names = (name, name.lower()) if name in _PROXIES else (name,)
    for one in names:
        if one in os.environ:
            return os.environ[one].strip()
    return _of_file.get(name, "").strip()


def mode(option: str | None, default: str = "dryrun") -> str:
    """The mode in force: the option, else `MODE`, else the default.

    Raises:
        UsageError: `MODE` is none.
    """
    wanted = option or variable("MODE") or default
    if wanted not in MODES:
        raise UsageError(f"MODE={wanted[:40]!r} is not one of {', '.join(MODES)}", hint="correct or unset MODE")
    return wanted


def default_symbol() -> str | None:
    """`DEFAULT_SYMBOL`: serves `order` only, never a plan."""
    return variable("DEFAULT_SYMBOL") or None


def state_dir(option: Path | None) -> Path:
    """Where dry runs keep their journals: `--state-dir`, else `DAKSH_STATE_DIR`, else `.daksh` where one stands."""
    return option or Path(variable("DAKSH_STATE_DIR") or ".daksh")


def state_home() -> Path:
    """Where demo and live runs keep theirs, whatever the folder one stands in (XDG Base Directory Specification).

    Raises:
        EnvironmentFault: there is no home folder.
    """
    named = variable("XDG_STATE_HOME")
    if named and Path(named).is_absolute():  # the specification: a relative path is to be ignored
        return Path(named) / "daksh-run"
    try:
        return Path.home() / ".local" / "state" / "daksh-run"
    except RuntimeError as error:
        raise EnvironmentFault("there is no home folder", hint="set XDG_STATE_HOME to a folder") from error


def without_secrets(text: str) -> str:
    """The text without the key and the secret, whatever put them there."""
    for name in (KEY, SECRET):
        for secret in {variable(name), variable(name).replace("\\n", "\n")} - {""}:
            text = text.replace(secret, "[secret]")
    return text


def warn_of_open_files(secret: str) -> None:
    """Say that others can read the secret in `.env`, or the file of a private key that the secret names."""
    if SECRET in _of_file and SECRET not in os.environ and _open_to_others(_FILE):
        console.tell("warning: others on this machine can read .env, and the API secret in it; close it with: "
                     "chmod 600 .env")
    if "\n" not in secret and _open_to_others(Path(secret)):
        console.tell(f"warning: others on this machine can read the private key that {SECRET} names; close it with: "
                     "chmod 600")


def _open_to_others(file: Path) -> bool:
    try:
        return bool(file.expanduser().stat().st_mode & 0o044)
    except (OSError, ValueError, RuntimeError):
        return False
