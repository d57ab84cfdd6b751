"""Each command from outside: what it prints, what it leaves behind, how it ends."""

import csv
import io
import json
from pathlib import Path

import pytest

from runner.plan.schema import schema_text
from tests.cli.session import Session
from tests.conftest import ROOT

BRACKET = ROOT / "examples" / "bracket.yaml"
BAD = """\
version: 1
name: bad
steps:
  - id: long
    symbol: BTCUSDT
    bracket:
      side: buy
      quantity: 0.004
      entry: {type: LIMIT, price: 60000}
      take_proft: {price: 61000}
      stop_loss: {stop_price: 59000}
"""
UNFILLED = """\
version: 1
name: unfilled
dryrun:
  market: {path: [{at: 0s, price: 60000}, {at: 5m, price: 60100}]}
steps:
  - {id: low, symbol: BTCUSDT, entry: {side: BUY, type: LIMIT, price: 50000, quantity: 0.004}, unprotected: allow%s}
"""


# ---- validate -----------------------------------------------------------------------------------------------------


def test_validate_shows_every_fault_with_its_line_and_a_summary(daksh: Session) -> None:
    (daksh.folder / "bad.yaml").write_text(BAD)
    ended = daksh("validate", "bad.yaml")
    assert ended.code == 3 and ended.err == ""
    heads = [line for line in ended.out.splitlines() if line.startswith("bad.yaml:")]
    assert [head.split(": ")[0] for head in heads] == ["bad.yaml:7:13", "bad.yaml:10:7"]
    assert "did you mean 'BUY'?" in ended.out and "did you mean 'take_profit'?" in ended.out
    assert ended.out.splitlines()[-1] == "1 plan checked, 1 invalid: 2 errors"


def test_validate_takes_files_folders_and_standard_input_and_the_gravest_code_wins(daksh: Session) -> None:
    plans = daksh.folder / "plans"
    (plans / "deeper").mkdir(parents=True)
    (plans / ".hidden").mkdir()
    (plans / "deeper" / "good.yml").write_bytes(BRACKET.read_bytes())
    (plans / "bad.yaml").write_text(BAD)
    (plans / ".hidden" / "bad.yaml").write_text(BAD)
    (plans / "notes.txt").write_text("not a plan")
    ended = daksh("validate", "plans", "-", "missing.yaml", stdin=BRACKET.read_bytes())
    assert ended.code == 3
    assert ended.out.splitlines()[-1] == "3 plans checked, 1 could not be read, 1 invalid: 2 errors"
    assert "missing.yaml: there is no such file" in ended.err
    assert daksh("validate", BRACKET, "missing.yaml").code == 2


def test_validate_in_json_is_one_document(daksh: Session) -> None:
    (daksh.folder / "bad.yaml").write_text(BAD)
    ended = daksh("validate", BRACKET, "bad.yaml", "--format", "json")
    found = json.loads(ended.out)
    assert found["exit_code"] == ended.code == 3
    assert [plan["valid"] for plan in found["plans"]] == [True, False]
    first = found["plans"][1]["diagnostics"][0]
    assert (first["code"], first["range"]["start"]) == ("enum", {"line": 7, "column": 13})


def test_validate_preview_and_graph_write_nothing(daksh: Session) -> None:
    for command in ("validate", "preview", "graph"):
        assert daksh(command, BRACKET).code == 0
    assert list(daksh.folder.iterdir()) == []


def test_colours_are_for_those_who_ask_for_them(daksh: Session) -> None:
    (daksh.folder / "bad.yaml").write_text(BAD)
    assert "\x1b[" not in daksh("validate", "bad.yaml").out
    assert "\x1b[" in daksh("validate", "bad.yaml", "--color", "always").out
    assert "\x1b[" in daksh("validate", "bad.yaml", "--color", "always", env={"NO_COLOR": "1"}).out


def test_what_a_plan_says_never_reaches_the_terminal_raw(daksh: Session) -> None:
    text = BAD.replace("buy", '"\\e]0;owned\\a"').replace("name: bad", 'name: "bad\\e[31m"')
    (daksh.folder / "bad.yaml").write_text(text)
    ended = daksh("run", "bad.yaml")
    assert ended.code == 3
    assert "\x1b" not in ended.out + ended.err and "\x07" not in ended.out + ended.err


# ---- run ----------------------------------------------------------------------------------------------------------


def test_a_run_shows_its_market_its_lines_and_its_summary_and_keeps_a_journal(daksh: Session) -> None:
    ended = daksh(BRACKET)
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert lines[0].startswith("bracket   plan ") and "dryrun (nothing is sent)   market: INVENTED" in lines[0]
    assert lines[-1].startswith("done: 5 orders, 3 filled, 2 cancelled")
    assert "PnL +5.90 USDT after fees 0.10" in lines[-1]
    assert {path.name for path in (daksh.folder / ".daksh").iterdir()} >= {"runs", "trades.csv", "bot.log"}
    for line in (daksh.folder / ".daksh" / "bot.log").read_text().splitlines():
        assert {"ts", "level", "action", "mode", "runId"} <= json.loads(line).keys()


def test_quiet_leaves_only_the_summary(daksh: Session) -> None:
    ended = daksh("run", BRACKET, "-q")
    assert (len(ended.out.splitlines()), ended.err) == (1, "")


def test_a_run_in_json_is_one_document(daksh: Session) -> None:
    found = json.loads(daksh("run", BRACKET, "--format", "json").out)
    assert found["outcome"] == "succeeded" and found["run"] == 1
    assert found["pnl"] == [
        {"asset": "USDT", "net": "5.9028", "realised": "6", "fees": "0.0972", "funding": "0", "insurance": "0"},
    ]
    # A conditional order goes by its engine order's id once it has triggered.
    assert [row["orderId"] for row in found["trades"]] == ["FAKE-1", "FAKE-A1", "FAKE-2", "FAKE-3", "FAKE-A4"]


def test_an_invalid_plan_is_told_on_stderr_and_leaves_nothing(daksh: Session) -> None:
    (daksh.folder / "bad.yaml").write_text(BAD)
    ended = daksh("bad.yaml")
    assert ended.code == 3 and ended.out == ""
    assert "bad.yaml:7:13: error[enum]" in ended.err
    assert [path.name for path in daksh.folder.iterdir()] == ["bad.yaml"]
    found = json.loads(daksh("run", "bad.yaml", "--format", "json").out)
    assert found["error"]["exit_code"] == 3 and len(found["error"]["diagnostics"]) == 2


def test_data_that_end_first_are_a_failure_only_where_an_end_is_required(daksh: Session) -> None:
    (daksh.folder / "plan.yaml").write_text(UNFILLED % "")
    assert daksh("plan.yaml").code == 0
    assert daksh("run", "plan.yaml", "--require-end").code == 1


def test_a_step_that_times_out_is_exit_1(daksh: Session) -> None:
    (daksh.folder / "plan.yaml").write_text(UNFILLED % ", timeout: 1m")
    ended = daksh("plan.yaml")
    assert ended.code == 1
    assert "timed_out" in ended.out


def test_a_plan_is_read_from_standard_input_and_takes_parameters(daksh: Session) -> None:
    ended = daksh("run", "-", "--set", "stop=59500", stdin=BRACKET.read_bytes())
    assert ended.code == 0 and "trigger 59500.0" in ended.out


def test_a_strange_parameter_is_a_fault_of_the_plan(daksh: Session) -> None:
    ended = daksh("run", BRACKET, "--set", "stpo=59500")
    assert ended.code == 3 and "stpo" in ended.err and "did you mean 'stop'?" in ended.err


def test_the_state_folder_can_be_elsewhere(daksh: Session) -> None:
    assert daksh("run", BRACKET, "--state-dir", "here").code == 0
    assert daksh("run", BRACKET, env={"DAKSH_STATE_DIR": "there"}).code == 0
    assert sorted(path.name for path in daksh.folder.iterdir()) == ["here", "there"]


def test_a_state_folder_that_cannot_be_made_is_the_environments(daksh: Session) -> None:
    (daksh.folder / "file").write_text("")
    ended = daksh("run", BRACKET, "--state-dir", "file/state")
    assert ended.code == 4 and ended.err.startswith("error: ")


# ---- looking back -------------------------------------------------------------------------------------------------


def test_runs_show_and_export_tell_the_same_story(daksh: Session) -> None:
    shown_live = daksh(BRACKET).out
    (run,) = json.loads(daksh("runs", "--format", "json").out)
    assert {"run_id", "plan", "mode", "state", "started"} <= run.keys()
    assert (run["plan"], run["mode"], run["state"]) == ("bracket", "dryrun", "succeeded")
    assert "bracket" in daksh("runs").out.splitlines()[1]
    for name in ("1", run["run_id"], run["run_id"][:6]):
        assert daksh("show", name).out == shown_live
    exported = daksh("export", "1").out
    assert exported == (daksh.folder / ".daksh" / "trades.csv").read_text()
    rows = list(csv.DictReader(io.StringIO(exported)))
    assert [row["result"] for row in rows] == ["FILLED", "CANCELED", "FILLED", "FILLED", "CANCELED"]
    assert json.loads(daksh("export", "1", "--as", "json").out) == rows
    fills = list(csv.DictReader(io.StringIO(daksh("export", "1", "--fills").out)))
    assert [row["qty"] for row in fills] == ["0.004", "0.002", "0.002"]
    assert {row["runId"] for row in fills} == {run["run_id"]}


def test_there_being_no_runs_is_no_fault_of_a_list(daksh: Session) -> None:
    assert daksh("runs").out == ""
    assert json.loads(daksh("runs", "--format", "json").out) == []
    ended = daksh("show", "7")
    assert ended.code == 2 and "there is no run '7'" in ended.err


def test_a_damaged_journal_is_told_plainly(daksh: Session) -> None:
    daksh(BRACKET)
    (journal,) = (daksh.folder / ".daksh" / "runs").glob("*.sqlite")
    journal.write_bytes(b"x" * 10_000)
    ended = daksh("show", "1")
    assert ended.code == 4 and "Traceback" not in ended.err and journal.name in ended.err


# ---- preview and graph --------------------------------------------------------------------------------------------


def test_a_preview_names_every_request_and_the_worst_case(daksh: Session) -> None:
    found = json.loads(daksh("preview", BRACKET, "--format", "json").out)
    assert len(found["fingerprint"]) == len(found["approval_id"]) == 64
    assert [order["node"] for order in found["orders"]] == [
        "long.entry", "long.stop_loss", "long.take_profit.1", "long.take_profit.2",
    ]
    assert found["worst_case"]["notional"] == {"USDT": "240"}
    text = daksh("preview", BRACKET).out
    assert "notional 240.00 USDT" in text and "initial margin 48.00 USDT at leverage 5" in text
    assert found["fingerprint"][:12] in text


def test_the_approval_id_covers_the_parameters_and_the_bytes(daksh: Session) -> None:
    def approval(*arguments: str | Path) -> str:
        found: str = json.loads(daksh("preview", "--format", "json", *arguments).out)["approval_id"]
        return found

    (daksh.folder / "same.yaml").write_bytes(BRACKET.read_bytes())
    (daksh.folder / "comment.yaml").write_bytes(BRACKET.read_bytes() + b"# changed\n")
    assert approval(BRACKET) == approval("same.yaml")
    assert len({approval(BRACKET), approval("comment.yaml"), approval(BRACKET, "--set", "stop=59500")}) == 3


def test_a_preview_refuses_a_price_of_a_symbol_that_is_not_traded(daksh: Session) -> None:
    ended = daksh("preview", BRACKET, "--price", "ETHUSDT=3000")
    assert ended.code == 2 and "the plan does not trade 'ETHUSDT'" in ended.err


@pytest.mark.parametrize(
    ("form", "begin"), [("text", "bracket: "), ("mermaid", "flowchart"), ("dot", "digraph"), ("json", "{")],
)
def test_a_graph_has_four_forms(form: str, begin: str, daksh: Session) -> None:
    ended = daksh("graph", BRACKET, "--as", form)
    assert ended.code == 0 and ended.out.startswith(begin)


def test_a_graph_follows_the_common_format_too(daksh: Session) -> None:
    assert json.loads(daksh("graph", BRACKET, "--format", "json").out).keys() == {"fingerprint", "graph"}


# ---- help for people and editors ----------------------------------------------------------------------------------


def test_the_schema_is_printed_as_it_ships(daksh: Session) -> None:
    assert daksh("schema").out == schema_text().rstrip("\n") + "\n"


def test_a_code_is_explained_and_a_mistyped_one_is_guessed(daksh: Session) -> None:
    ended = daksh("explain", "error[unknown-key]")
    assert ended.code == 0 and "take_profit" in ended.out and "Right:" in ended.out
    ended = daksh("explain", "unknwon-key")
    assert ended.code == 2 and "did you mean 'unknown-key'?" in ended.err
    codes = json.loads(daksh("explain", "--list", "--format", "json").out)
    assert len(codes) > 40 and all(code["explanation"] for code in codes)


def test_init_writes_a_plan_that_is_valid_and_runs_and_overwrites_nothing(daksh: Session) -> None:
    ended = daksh("init", "first.yaml")
    assert ended.code == 0
    text = (daksh.folder / "first.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=plan-v1.schema.json\n") and "name: first\n" in text
    assert json.loads((daksh.folder / "plan-v1.schema.json").read_text())["title"]
    assert daksh("validate", "first.yaml").code == 0
    assert daksh("first.yaml").code == 0
    ended = daksh("init", "first.yaml")
    assert ended.code == 2 and "not overwritten" in ended.err
    assert (daksh.folder / "first.yaml").read_text() == text
    assert daksh("init", "nowhere/plan.yaml").code == 2
