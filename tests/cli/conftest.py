from pathlib import Path

import pytest

from tests.cli.session import Session


@pytest.fixture
def daksh(tmp_path: Path) -> Session:
    """`daksh("validate", "plan.yaml")` in an empty folder."""
    return Session(tmp_path)
