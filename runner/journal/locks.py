"""Kernel locks on files: each is gone with the process that held it, so that none is ever stale."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runner.errors import EnvironmentFault, LockedElsewhere

_PATIENCE_S = 1.0
"""Longer than `is_held` looks at a lock that nobody else holds."""


@contextmanager
def held(path: Path, whose: LockedElsewhere) -> Iterator[None]:
    """Hold the lock at `path`; the file stays when it is let go, since whoever waits for it has it open.

    Raises:
        LockedElsewhere: `whose`, where another process holds it.
        EnvironmentFault: there can be no kernel lock at this place.
    """
    from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

    lock: BaseFileLock = FileLock(path, timeout=_PATIENCE_S)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
        if isinstance(lock, SoftFileLock):  # filelock's own way out where the kernel cannot lock: it would outlive us
            lock.release()
            raise EnvironmentFault(
                f"{path}: this file system cannot lock files", hint="set XDG_STATE_HOME to a folder on a local disk",
            )
    except Timeout:
        raise whose from None
    except (OSError, NotImplementedError) as error:
        reason = (error.strerror if isinstance(error, OSError) else "") or str(error)
        raise EnvironmentFault(
            f"{path} cannot be locked: {reason}", hint="make its folder writable, or set XDG_STATE_HOME",
        ) from error
    try:
        yield
    finally:
        lock.release()


def is_held(path: Path) -> bool:
    """Whether some process holds the lock now; a lock that nobody ever held has no file."""
    from filelock import FileLock, Timeout

    if not path.exists():
        return False
    try:
        with FileLock(path, blocking=False):
            return False
    except Timeout:
        return True
    except (OSError, NotImplementedError):
        return False
