from pathlib import Path

import pytest

from runner.app.faultfile import load_faults
from runner.errors import EnvironmentFault
from runner.venue.faults import FaultName
from tests.conftest import ROOT


def written(folder: Path, text: str) -> Path:
    path = folder / "faults.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_example_is_read() -> None:
    faults = load_faults(ROOT / "examples" / "exchange" / "faults.yaml")
    assert [fault.name for fault in faults] == [
        FaultName.LOST_ANSWER, FaultName.UNKNOWN_503, FaultName.UNSEEN_ORDER, FaultName.EVENT_DUPLICATED,
        FaultName.EVENT_MISSING, FaultName.SOCKET_SILENT, FaultName.TOO_MANY_429,
    ]


def test_json_is_read_as_well(tmp_path: Path) -> None:
    (fault,) = load_faults(written(tmp_path, '{"faults": [{"name": "closed_by_hand", "qty": 0.5}]}'))
    assert str(fault.qty) == "0.5"


@pytest.mark.parametrize(("text", "message"), [
    ("", "faults.yaml:1:1: there is no list 'faults'"),
    ("- name: lost_answer", "faults.yaml:1:1: there is no list 'faults'"),
    ("faults:\n  - name: lost_answer\n    nth: 0\n", "faults.yaml:3:10: nth is 0"),
    ("faults:\n  - name: lost_answer\n    often: 2\n", "faults.yaml:2:5: object contains unknown field `often`"),
    ("faults:\n  - name: [\n", "faults.yaml:2:12: not YAML"),
    ("faults:\n  - name: &x lost_answer\n", "faults.yaml:2:11: anchors (&x) are not part of a plan"),
])
def test_what_makes_no_sense_is_told_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(EnvironmentFault) as refused:
        load_faults(written(tmp_path, text))
    assert message in refused.value.message
    assert refused.value.hint


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="cannot be read"):
        load_faults(tmp_path / "none.yaml")
