"""What the page reads and writes: lines, whole windows, acts and tokens."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, text

from monitor.errors import InvalidInputError, StoreError
from monitor.store import Store, acts, lines, tokens
from monitor.store.acts import Act, ActKind, Mark
from monitor.store.tables import changes
from monitor.windows import Grid

from .samples import DAY, DAYS, FIRST, day, judged


@pytest.fixture
def filled(store: Store) -> Store:
    """Three days of which the last one drifted."""
    from monitor.store import leases, results

    with store.writing() as connection:
        leases.add_due(connection, "points", [day(0), day(1), day(2)], DAYS, FIRST)
    for number in range(3):
        with store.writing() as connection:
            claim = leases.claim_next(
                connection, ["points"], owner="me", now=FIRST, lease=DAY, max_attempts=5
            )
            assert claim is not None
            shift = 1.0 if number == 2 else 0.0
            results.save(connection, claim, judged(claim.period, seed=number, shift=shift), FIRST)
    return store


def test_lines_tell_what_a_page_shows_of_many_windows(filled):
    with filled.reading() as connection:
        [feature] = lines.known_features(connection)
        shown = lines.recent(connection, feature.id, 2)
        ranged = lines.between(connection, feature.id, FIRST, FIRST + DAY, 10)
        failed = lines.failures_of(connection, feature.id, FIRST, FIRST + 2 * DAY)

    assert (feature.name, feature.grid, feature.is_monitored) == ("points", DAYS, True)
    assert isinstance(feature.grid, Grid)
    assert [line.start for line in shown] == [FIRST + DAY, FIRST + 2 * DAY]
    assert [line.verdict for line in shown] == ["no drift", "drift"]
    assert shown[1].share > 0.5
    assert shown[1].p_value < shown[1].alpha
    assert (shown[1].n_rows, shown[1].n_failed) == (42, 2)
    assert shown[1].kinds
    assert not shown[0].kinds
    assert [line.start for line in ranged] == [FIRST]
    assert sum(failed.values()) == 4


def test_a_window_is_read_with_its_segments_and_neighbours(filled):
    with filled.reading() as connection:
        shown = lines.window_at(connection, 1, FIRST + DAY)
        nobody = lines.window_at(connection, 1, FIRST - DAY)
        baseline = lines.latest_baseline(connection, 1)

    assert nobody is None
    assert shown is not None
    assert shown.window.start == FIRST + DAY
    assert {line.segment for line in shown.segments} == {"de", "fr"}
    assert shown.segment_column == "country"
    assert (shown.before, shown.after) == (FIRST, FIRST + 2 * DAY)
    assert shown.summary.name == "points"
    assert baseline[0] == shown.summary.baseline_id


def test_changes_of_an_older_store_come_from_its_documents(filled):
    from monitor.store.migrations.versions import r0002_page, r0003_episodes

    spans = text("SELECT began, ended, is_pooled FROM changes ORDER BY result_id")
    with filled.writing() as connection:
        before = connection.execute(text("SELECT result_id, share FROM changes ORDER BY 1")).all()
        began = connection.execute(spans).all()
        connection.execute(delete(changes))
        is_sqlite = connection.dialect.name == "sqlite"
        fill = r0002_page._FROM_SQLITE if is_sqlite else r0002_page._FROM_POSTGRESQL
        connection.exec_driver_sql(fill)
        r0003_episodes.fill(connection)
        assert connection.execute(spans).all() == began
        assert [row.began is not None for row in began].count(True) == 1
    with filled.reading() as connection:
        shown = lines.recent(connection, 1, 3)
        after = connection.execute(text("SELECT result_id, share FROM changes ORDER BY 1")).all()

    assert [row[0] for row in after] == [row[0] for row in before]
    assert shown[-1].share == pytest.approx(dict(before)[after[-3][0]])
    assert shown[-1].kinds


def test_acts_are_kept_with_who_and_when_and_the_latest_mark_holds(store):
    day_5 = {"window_start": FIRST, "window_end": FIRST + DAY}

    def mark(value: Mark, **where) -> Act:
        return Act(ActKind.MARK, "points", "ann", FIRST, mark=value, note="a sale", **where)

    with store.writing() as connection:
        acts.add(connection, mark(Mark.REAL, **day_5))
        acts.add(connection, mark(Mark.HARMLESS, **day_5))
        acts.add(connection, Act(ActKind.ACKNOWLEDGE, "points", "bob", FIRST, alert_key="k"))
    with store.reading() as connection:
        marks = acts.of(connection, "points", FIRST, FIRST + DAY)
        assert [act.mark for act in marks] == [Mark.HARMLESS, Mark.REAL]
        assert acts.mark_of(marks, FIRST, FIRST + DAY) == marks[0]
        assert acts.mark_of(marks, FIRST + DAY, FIRST + 2 * DAY) is None
        assert acts.acknowledged(connection)["k"].who == "bob"
        assert acts.of(connection, "others") == []
    with store.writing() as connection:
        acts.add(connection, mark(Mark.NONE, **day_5))
    with store.reading() as connection:
        assert acts.mark_of(acts.of(connection), FIRST, FIRST + DAY) is None

    with pytest.raises(InvalidInputError, match="at most 2,000"):
        Act(ActKind.ACKNOWLEDGE, "points", "ann", FIRST, note="x" * 2_001)
    with pytest.raises(InvalidInputError, match="only a mark"):
        Act(ActKind.ACCEPT, "points", "ann", FIRST, mark=Mark.REAL)


def test_a_token_is_checked_by_its_digest_until_it_is_taken_back(store):
    with store.writing() as connection:
        token = tokens.create(connection, "ann", FIRST)
        tokens.create(connection, "grafana", FIRST, may_act=False)
    with store.reading() as connection:
        kept = connection.execute(text("SELECT * FROM tokens")).all()
        known = tokens.check(connection, token)
        assert (known.name, known.may_act) == ("ann", True)
        assert tokens.check(connection, token[:-1]) is None
        assert tokens.check(connection, "\ud800") is None
    assert token not in str(kept)

    with store.writing() as connection, pytest.raises(StoreError, match="there is, or was"):
        tokens.create(connection, "ann", FIRST)
    with store.writing() as connection:
        tokens.revoke(connection, "ann", FIRST)
    with store.reading() as connection:
        assert tokens.check(connection, token) is None
    with store.writing() as connection, pytest.raises(StoreError, match="those that do: grafana"):
        tokens.revoke(connection, "ann", FIRST)
    for name in (" ", "x" * 101, "a\nb"):
        with store.writing() as connection, pytest.raises(InvalidInputError, match="printable"):
            tokens.create(connection, name, FIRST)
