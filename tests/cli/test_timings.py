import re

import pytest

from runner.cli.timings import read_timings
from runner.domain.pace import Pace
from runner.domain.times import duration
from runner.errors import UsageError
from runner.gateways.binance.settings import Timings
from tests.conftest import ROOT


def test_nothing_said_leaves_everything_as_it_is() -> None:
    assert read_timings("") == (Timings(), Pace())


def test_each_name_changes_its_own_field() -> None:
    timings, pace = read_timings("recv_window=300ms, retry_pauses=25ms/50ms/100ms,poll=150ms,trust_after=1m30s,")
    assert timings == Timings(recv_window_ms=300, retry_pauses_ms=(25, 50, 100), poll_ms=150)
    assert pace == Pace(trust_after_ms=90_000)


def test_every_field_of_both_can_be_set_and_no_name_is_in_both() -> None:
    fields = [name.removesuffix("_ms") for kind in (Timings, Pace) for name, _ in kind.fields()]
    assert len(set(fields)) == len(fields)
    timings, pace = read_timings(",".join(f"{name}=7ms" for name in fields))
    for value in (timings, pace):
        for name, _ in value.fields():
            assert getattr(value, name) in (7, (7,)), name


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("pol=3s", "'pol' is none of its names"),
        ("poll", "poll has no value"),
        ("poll=3", "poll: '3' is not a duration above zero"),
        ("poll=0s", "poll: '0s' is not a duration above zero"),
        ("poll=-1s", "not a duration"),
        ("poll=1s,poll=2s", "poll is given twice"),
        ("poll=1s/2s", "poll is one duration, not 2"),
        ("retry_pauses=1s//2s", "retry_pauses: '' is not a duration"),
        ("recv_window=61s", "recv_window is longer than Binance takes"),
        ("x" * 500 + "=1s", "xxx' is none"),
    ],
)
def test_what_is_no_time_is_told_with_its_name(text: str, words: str) -> None:
    with pytest.raises(UsageError) as raised:
        read_timings(text)
    assert raised.value.message.startswith("DAKSH_TIMINGS: ")
    assert words in raised.value.message and raised.value.hint
    assert len(raised.value.message) < 120


def test_the_page_on_live_runs_lists_each_name_with_what_it_is_by_default() -> None:
    text = (ROOT / "docs" / "live.md").read_text(encoding="utf-8").partition("## Waiting")[2]
    listed = dict(re.findall(r"^\| `(\w+)` \| (\S+) \|", text, re.MULTILINE))
    by_default = {}
    for value in (Timings(), Pace()):
        for name, _ in value.fields():
            found = getattr(value, name)
            several = found if isinstance(found, tuple) else (found,)
            by_default[name.removesuffix("_ms")] = "/".join(map(duration, several))
    assert listed == by_default
    assert read_timings(",".join(f"{name}={text}" for name, text in listed.items())) == (Timings(), Pace())
