"""A query's window is the same in every zone, and the query may be written as people write it."""

import datetime as dt
import sqlite3

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from monitor import frames
from monitor.errors import InvalidInputError
from monitor.sources import SqlSource, read_window, rows_seen
from monitor.sources.query import bounds_in, prepared

UTC = dt.UTC
DAY = dt.datetime(2026, 3, 2, tzinfo=UTC)
ONE_DAY = dt.timedelta(days=1)
HALF_HOURS = [dt.datetime(2026, 3, 1) + dt.timedelta(minutes=30 * i) for i in range(48 * 4)]  # noqa: DTZ001
ZONES = [
    "UTC",
    "America/New_York",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Pacific/Kiritimati",
    "Etc/GMT+12",
]


@pytest.fixture(scope="module")
def uploads(postgres):
    """A table of half hours as timestamp, timestamptz and date."""
    url = postgres.new_database()
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE uploads (naive timestamp, aware timestamptz, day date)")
        rows = [(half, half.replace(tzinfo=UTC), half.date()) for half in HALF_HOURS]
        connection.cursor().executemany("INSERT INTO uploads VALUES (%s, %s, %s)", rows)
    return url


def in_zone(url, zone):
    """The session's zone, as a role or a server may set it."""
    return f"{url}{'&' if '?' in url else '?'}options=-c%20timezone%3D{zone.replace('+', '%2B')}"


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("column", ["aware", "naive", "day"])
@pytest.mark.parametrize("cast", ["", "::timestamptz", "::timestamp"])
def test_a_day_has_its_rows_on_a_session_in_any_zone(uploads, zone, column, cast):
    query = f"SELECT {column} FROM uploads WHERE {column} >= :start{cast} AND {column} < :end{cast}"
    source = SqlSource(in_zone(uploads, zone), query, column)
    assert read_window(source, DAY, DAY + ONE_DAY).num_rows == 48
    assert rows_seen(source, DAY, DAY + ONE_DAY).n == 48


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    zone=st.sampled_from(ZONES),
    first=st.integers(-5, 200),
    n=st.integers(1, 100),
    column=st.sampled_from(["aware", "naive"]),
)
def test_any_window_in_any_zone(uploads, zone, first, n, column):
    start = HALF_HOURS[0].replace(tzinfo=UTC) + first * dt.timedelta(minutes=30)
    end = start + n * dt.timedelta(minutes=30)
    query = f"SELECT {column} FROM uploads WHERE {column} >= :start AND {column} < :end"
    table = read_window(SqlSource(in_zone(uploads, zone), query, column), start, end)
    expected = [half for half in HALF_HOURS if start <= half.replace(tzinfo=UTC) < end]
    assert sorted(frames.read_times(table, column).values.tolist()) == expected


SPELLINGS = {
    "space": lambda half: str(half.replace(tzinfo=None)),
    "T": lambda half: half.replace(tzinfo=None).isoformat(),
    "Z": lambda half: half.strftime("%Y-%m-%dT%H:%M:%SZ"),
    "fractions": lambda half: half.strftime("%Y-%m-%d %H:%M:%S.%f"),
    "offset": lambda half: half.astimezone(dt.timezone(dt.timedelta(hours=14))).isoformat(),
    "offset back": lambda half: str(half.astimezone(dt.timezone(-dt.timedelta(hours=12)))),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("column", ["ts", "datetime(ts)"])
def test_windows_of_texts_in_sqlite(spelling, column, tmp_path):
    """Also those that begin at no midnight: six hours, and a day of Berlin."""
    halves = [half.replace(tzinfo=UTC) for half in HALF_HOURS]
    with sqlite3.connect(tmp_path / "rows.db") as connection:
        connection.execute("CREATE TABLE up (ts TEXT)")
        connection.executemany(
            "INSERT INTO up VALUES (?)", [(SPELLINGS[spelling](half),) for half in halves]
        )
    connection.close()
    query = f"SELECT ts FROM up WHERE {column} >= :start AND {column} < :end"
    source = SqlSource(f"sqlite:///{tmp_path}/rows.db", query, "ts")
    hour = dt.timedelta(hours=1)
    for start, end in (
        (DAY, DAY + ONE_DAY),
        (DAY + 6 * hour, DAY + 12 * hour),
        (DAY - hour, DAY + 23 * hour),
    ):
        n = sum(start <= half < end for half in halves)
        assert read_window(source, start, end).num_rows == rows_seen(source, start, end).n == n


def test_rows_come_in_pieces_and_not_one_by_one(database_url):
    """A table for each row would cost milliseconds a row."""
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE up (ts VARCHAR(40), n INTEGER)")
        for number, half in enumerate(HALF_HOURS[48:68]):
            connection.exec_driver_sql(f"INSERT INTO up VALUES ('{half.isoformat()}', {number})")
    start, end = ("CAST(:start AS VARCHAR(40))", "CAST(:end AS VARCHAR(40))")
    query = f"SELECT ts, n FROM up WHERE ts >= {start} AND ts < {end} ORDER BY n"
    source = SqlSource(database_url, query, "ts", chunk_rows=8)
    for columns in (None, ["ts", "n"]):
        pieces = list(source.chunks(DAY, DAY + ONE_DAY, columns))
        assert [piece.num_rows for piece in pieces] == [8, 8, 4]


TAILS = [
    "",
    " -- rows of one window",
    "; -- done",
    " /* done */",
    ";;\n-- a\n/* b */ ;\n",
    " -- it's :odd",
]


@pytest.mark.parametrize("tail", TAILS)
def test_a_query_may_end_in_comments(tail, tmp_path):
    with sqlite3.connect(tmp_path / "rows.db") as connection:
        connection.execute("CREATE TABLE up (ts TEXT, n)")
        rows = [(str(half), i if i % 2 else f"A{i}") for i, half in enumerate(HALF_HOURS)]
        connection.executemany("INSERT INTO up VALUES (?, ?)", rows)
    connection.close()
    query = (
        f"/* first */ SELECT ts, n, ':odd' AS note FROM up WHERE ts >= :start AND ts < :end{tail}"
    )
    source = SqlSource(f"sqlite:///{tmp_path}/rows.db", query, "ts", chunk_rows=7)
    table = read_window(source, DAY, DAY + ONE_DAY)
    assert rows_seen(source, DAY, DAY + ONE_DAY).n == table.num_rows == 48
    # A column of mixed kinds, which SQLite allows, becomes text.
    assert table["n"].to_pylist()[:2] == ["A48", "49"]
    assert set(table["note"].to_pylist()) == {":odd"}


@pytest.mark.parametrize("tail", TAILS)
def test_comments_on_postgresql(uploads, tail):
    query = (
        "WITH rows AS (SELECT naive, E'it\\'s :x' AS a, $q$ :y ' $q$ AS b FROM uploads "
        "WHERE naive >= :start::timestamp AND naive < :end) SELECT * FROM rows ORDER BY naive"
        + tail
    )
    source = SqlSource(uploads, query, "naive")
    table = read_window(source, DAY, DAY + ONE_DAY)
    assert rows_seen(source, DAY, DAY + ONE_DAY).n == table.num_rows == 48
    assert (table["a"][0].as_py(), table["b"][0].as_py()) == ("it's :x", " :y ' ")


def test_values_of_a_database_that_arrow_does_not_know(uploads):
    query = (
        "SELECT naive, gen_random_uuid() AS id, '{\"a\": 1}'::jsonb AS j, 1.50::numeric AS n, "
        "interval '1 day' AS i FROM uploads WHERE naive >= :start AND naive < :end"
    )
    table = read_window(SqlSource(uploads, query, "naive"), DAY, DAY + ONE_DAY)
    assert table.num_rows == 48
    assert len(str(table["id"][0].as_py())) == 36


def test_bounds_in_comments_do_not_count():
    assert bounds_in("SELECT 1 -- :start :end") == set()
    with pytest.raises(InvalidInputError, match="the query lacks :start and :end"):
        SqlSource("sqlite://", "SELECT ':start' /* :end */", "ts")


def test_what_is_written_for_the_database():
    assert prepared("SELECT a[1:2], b::text FROM t WHERE ts >= :start::date;") == (
        "SELECT a[1:2], b::text FROM t WHERE ts >= (:start)::date"
    )
    assert prepared("SELECT 'a;--b' FROM t;") == "SELECT 'a;--b' FROM t"
