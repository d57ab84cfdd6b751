"""Configuration from the environment and from a `.env` where the user stands; the real environment wins."""

import os
from pathlib import Path

from runner.errors import EnvironmentFault, Refused, UsageError

MODES = ("dryrun", "demo", "live")
_READ = ("MODE", "DEFAULT_SYMBOL", "DAKSH_STATE_DIR")


def load() -> None:
    """Read `.env`, if there is one."""
    file = Path(".env")
    if not file.is_file():
        return
    from dotenv import dotenv_values

    try:
        values = dotenv_values(file, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentFault(f".env: it cannot be read ({error})") from error
    for name in _READ:
        if value := values.get(name):
            os.environ.setdefault(name, value)


def require_dry_run(mode: str | None) -> None:
    """Go on only where the mode in force (the option, else `MODE`, else dryrun) is a dry run."""
    wanted = mode or os.environ.get("MODE") or "dryrun"
    if wanted not in MODES:
        raise UsageError(f"MODE={wanted!r} is not one of {', '.join(MODES)}", hint="correct or unset MODE")
    if wanted != "dryrun":
        raise Refused(
            f"mode {wanted} is not built yet, so nothing was sent",
            hint="use --mode dryrun (also if MODE is set in the environment or in .env)",
        )


def default_symbol() -> str | None:
    """`DEFAULT_SYMBOL`: serves `order` only, never a plan."""
    return os.environ.get("DEFAULT_SYMBOL") or None


def state_dir(option: Path | None) -> Path:
    """Where dry runs keep their journals: `--state-dir`, else `DAKSH_STATE_DIR`, else `.daksh` where one stands."""
    return option or Path(os.environ.get("DAKSH_STATE_DIR") or ".daksh")
