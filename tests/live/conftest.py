"""One exchange for each test process; each test has its own account on it."""

from collections.abc import Iterator

import pytest

from tests.live.stage import Stage, Trader, staged, troupe


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("exchange")) as made:
        yield made


@pytest.fixture
def trader(stage: Stage) -> Iterator[Trader]:
    with troupe(stage) as made:
        yield made
