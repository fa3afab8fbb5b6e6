"""`monitor baseline accept`: rows of production become part of the baseline."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from click.testing import Result

from monitor.clusters import Baseline

from .conftest import day

SPAN = ("--from", "2026-02-02", "--to", "2026-02-03")


def verdicts(document: Callable[..., dict]) -> list[str]:
    return [window["verdict"] for window in document("drift")["windows"]]


def test_what_is_accepted_drifts_no_more(fitted: Path, document: Callable[..., dict]) -> None:
    path = fitted / ".monitor/baselines/photo.safetensors"
    old = Baseline.load(path)
    assert verdicts(document) == ["no drift", "drift"]

    (added,) = document("baseline", "accept", *SPAN)["baselines"]
    assert (added["accepted_rows"], added["rows"]) == (100, 500)
    assert Baseline.load(path).id == added["id"] != old.id
    assert Baseline.load(added["kept"]).id == old.id

    (only,) = document("baseline", "accept", *SPAN, "--only")["baselines"]
    assert (only["rows"], Baseline.load(only["kept"]).id) == (100, added["id"])
    assert verdicts(document) == ["drift", "no drift"]
    assert document("baseline", "fit")["baselines"][0]["id"] == only["id"]


def test_accepting_again_and_more_and_going_back(
    fitted: Path, document: Callable[..., dict]
) -> None:
    first = document("baseline", "accept", *SPAN)["baselines"][0]
    again = document("baseline", "accept", *SPAN)["baselines"][0]
    assert (again["id"], again["kept"]) == (first["id"], None)

    more = document("baseline", "accept", "--from", "2026-02-01T03:00", "--to", "2026-02-02")
    assert more["baselines"][0]["rows"] == 400 + 100 + 100 - 3 * 6
    # A fit keeps what was accepted, and forgets it when it is told to.
    assert document("baseline", "fit")["baselines"][0]["id"] == more["baselines"][0]["id"]
    assert document("baseline", "fit", "--fresh")["baselines"][0]["rows"] == 400
    assert document("baseline", "fit")["baselines"][0]["rows"] == 400


def test_times_of_other_names_and_kinds(fitted: Path, document: Callable[..., dict]) -> None:
    config = (fitted / "monitor.yaml").read_text(encoding="utf-8")
    config = config.replace(
        "production/*.parquet, timestamp_column: ts", "p.parquet, timestamp_column: at"
    )
    (fitted / "monitor.yaml").write_text(config, encoding="utf-8")
    rows = day(100, 2, "2026-02-02", shift=0.6).rename(columns={"ts": "at"})
    rows["at"] = rows["at"].astype(str)
    rows.to_parquet(fitted / "p.parquet")

    assert document("baseline", "accept", *SPAN)["baselines"][0]["rows"] == 500


def test_rows_of_a_function(fitted: Path, document: Callable[..., dict]) -> None:
    (fitted / "feed.py").write_text(
        "import pandas as pd\n"
        "def rows(start, end):\n"
        "    frame = pd.read_parquet('production/day2.parquet')\n"
        "    return frame[(frame.ts >= start) & (frame.ts < end)]\n",
        encoding="utf-8",
    )
    config = (fitted / "monitor.yaml").read_text(encoding="utf-8")
    config = config.replace("path: production/*.parquet", "function: 'feed:rows'")
    (fitted / "monitor.yaml").write_text(config, encoding="utf-8")

    assert document("baseline", "accept", *SPAN)["baselines"][0]["accepted_rows"] == 100


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        ("2026-02-02", "2026-02-02", "give the next one as --to"),
        ("yesterday", "2026-02-02", "give a day such as 2026-03-05"),
        ("2027-02-02", "2027-02-03", "nothing is accepted, and the baseline is as it was"),
    ],
)
def test_what_cannot_be_accepted_changes_nothing(
    fitted: Path, monitor_command: Callable[..., Result], start: str, end: str, message: str
) -> None:
    before = sorted(file.name for file in (fitted / ".monitor").rglob("*"))

    result = monitor_command("baseline", "accept", "--from", start, "--to", end)

    assert result.exit_code == 1
    assert message in result.stderr
    assert sorted(file.name for file in (fitted / ".monitor").rglob("*")) == before


def test_a_baseline_without_times(fitted: Path, document: Callable[..., dict]) -> None:
    config = (fitted / "monitor.yaml").read_text(encoding="utf-8")
    (fitted / "monitor.yaml").write_text(
        config.replace("train.parquet, timestamp_column: ts", "train.parquet"), encoding="utf-8"
    )
    pd.read_parquet(fitted / "train.parquet").drop(columns="ts").to_parquet(
        fitted / "train.parquet"
    )
    document("baseline", "accept", *SPAN)
    made = document("baseline", "accept", "--from", "2026-02-01", "--to", "2026-02-02")

    assert made["baselines"][0]["rows"] == 600
