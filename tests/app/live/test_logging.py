"""`bot.log` of live runs: the formatter's own lines, in a file that does not grow without end, without secrets."""

import json
import logging
from pathlib import Path

import pytest

from runner.app.live.logging import REDACTED, RunLog
from runner.gateways.binance.keys import Secret


def _line(number: int, text: str = "", level: str = "INFO") -> str:
    return json.dumps({"ts": "2026-11-24T08:00:00.000Z", "level": level, "n": number, "text": text}) + "\n"


def test_the_lines_are_the_formatters_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = _line(1, "{braces} <red>tags</red> %s \\ \u2028", "WARNING") + _line(2, "", "ERROR")
    text += json.dumps({"level": "INFO", "text": "\u2028\x85 unescaped"}, ensure_ascii=False) + "\n"
    log = RunLog(tmp_path / "bot.log")
    log.write(text)
    log.close()
    assert (tmp_path / "bot.log").read_text(encoding="utf-8") == text
    assert capsys.readouterr() == ("", "")


def test_two_runs_of_an_account_write_to_one_file_and_two_accounts_to_their_own(tmp_path: Path) -> None:
    one, same, other = RunLog(tmp_path / "a" / "bot.log"), RunLog(tmp_path / "a2.log"), RunLog(tmp_path / "b.log")
    one.write(_line(1))
    same.write(_line(2))
    other.write(_line(3))
    for log in (one, same, other):
        log.close()
    assert (tmp_path / "a" / "bot.log").read_text() == _line(1)
    assert (tmp_path / "a2.log").read_text() == _line(2)
    assert (tmp_path / "b.log").read_text() == _line(3)


def test_a_large_file_is_turned_over_and_the_oldest_go(tmp_path: Path) -> None:
    log = RunLog(tmp_path / "bot.log", rotation_bytes=200, kept_files=3)
    for number in range(40):
        log.write(_line(number))
    log.close()
    files = sorted(tmp_path.iterdir(), key=lambda file: file.stat().st_mtime_ns)
    assert len(files) == 3 + 1
    kept = [json.loads(line)["n"] for file in files for line in file.read_text().splitlines()]
    assert kept == list(range(40 - len(kept), 40))


def test_a_secret_that_got_into_a_line_is_taken_out(tmp_path: Path) -> None:
    pem = "-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----\n"
    log = RunLog(tmp_path / "bot.log", (Secret("hush"), Secret(""), Secret(pem)))
    log.write(_line(1, f"it is hush, {pem}"))
    log.close()
    assert json.loads((tmp_path / "bot.log").read_text())["text"] == f"it is {REDACTED}, {REDACTED}"


def test_warnings_of_our_own_code_stand_in_the_log_while_it_is_open(tmp_path: Path) -> None:
    source = logging.getLogger("tests.of.the.log.gateway")
    log = RunLog(tmp_path / "bot.log", (Secret("hush"),))
    log.listen("tests.of.the.log", "demo", "r1")
    source.info("not worth a line")
    source.warning("the socket %s was lost", "hush")
    try:
        raise ValueError("a strange frame")
    except ValueError:
        source.exception("a reader fell")
    log.close()
    source.warning("nobody listens")
    first, second = map(json.loads, (tmp_path / "bot.log").read_text().splitlines())
    assert first | {"ts": ""} == {
        "ts": "", "level": "WARNING", "action": "defect", "mode": "demo", "runId": "r1", "stepId": "",
        "error": f"the socket {REDACTED} was lost",
    }
    assert second["level"] == "ERROR" and "ValueError: a strange frame" in second["trace"]


def test_the_file_is_for_the_user_alone(tmp_path: Path) -> None:
    log = RunLog(tmp_path / "bot.log")
    log.write(_line(1))
    log.close()
    assert (tmp_path / "bot.log").stat().st_mode & 0o077 == 0
