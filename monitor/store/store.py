"""`Store`: what was found, kept in a database."""

from __future__ import annotations

import datetime as dt
from contextlib import AbstractContextManager
from typing import Any, Self

from sqlalchemy import Connection, func, select

from monitor.clusters import Baseline
from monitor.errors import BaselineError, StoreError
from monitor.reports import DriftReport
from monitor.store import engine as database
from monitor.store import queries, series
from monitor.store.migrate import check_version, migrate, newest_version, version
from monitor.store.queries import PastResult, ResultLine
from monitor.store.tables import DONE, DUE, FAILED, alerts, baselines, features, outbox


class Store:
    """Baselines, windows, results and alerts in SQLite or PostgreSQL.

    Parameters
    ----------
    url
        `sqlite:///path/of/a/file` or `postgresql+psycopg://user:password@host/database`.

    Raises
    ------
    StoreError, MissingExtraError
        If the URL is of another kind, or the driver for PostgreSQL is missing.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> with Store(f"sqlite:///{folder.name}/monitor.db") as store:
    ...     store.migrate()
    ...     store.status()["windows"]
    (None, '0003')
    {'due': 0, 'done': 0, 'failed': 0}
    >>> folder.cleanup()
    """

    def __init__(self, url: str) -> None:
        self._engine = database.connect(url)

    @staticmethod
    def check_url(url: str) -> None:
        """Pass if `url` names a store; nothing is connected or made.

        Raises
        ------
        StoreError
            If not.

        Examples
        --------
        >>> Store.check_url("sqlite:///monitor.db")
        """
        database.parse(url)

    @property
    def url(self) -> str:
        """Where the store is, without its password."""
        return database.shown(self._engine)

    def migrate(self) -> tuple[str | None, str]:
        """Make the tables, or bring them up to date; the version before and after.

        Several processes may do so at once.

        Raises
        ------
        StoreError
            If the store is of a newer program, or the database says no.
        """
        return migrate(self._engine)

    def prepare(self) -> Self:
        """This store with its tables, which are made where there are none; older ones are refused.

        Raises
        ------
        StoreError
            If the tables are not up to date: `migrate` is for people to decide.
        """
        if version(self._engine) is None:
            self.migrate()
        return self.check()

    def check(self) -> Self:
        """This store, if its tables are up to date.

        Raises
        ------
        StoreError
            If they are not.
        """
        check_version(self._engine)
        return self

    def writing(self) -> AbstractContextManager[Connection]:
        """A transaction that writes: all of it is kept, or nothing."""
        return database.writing(self._engine)

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection to read with; it waits for no writer."""
        return database.reading(self._engine)

    def now(self) -> dt.datetime:
        """The time in UTC by PostgreSQL's clock, on which hosts with wrong clocks agree; SQLite has none.

        Raises
        ------
        StoreError
            If the database says no.
        """
        return database.now(self._engine)

    def status(self) -> dict[str, Any]:
        """The version of the tables, and how many windows are due, done and failed; plain values.

        Of features that are monitored, by the windows that they are cut into now.
        """
        current = version(self._engine)
        status: dict[str, Any] = {
            "url": self.url, "version": current, "newest_version": newest_version(),
        }  # fmt: skip
        if current != newest_version():
            return status
        with self.reading() as connection:
            states = series.states(connection)
            undelivered = select(func.count()).where(outbox.c.delivered_at.is_(None))
            status |= {
                "features": series.monitored(connection),
                "windows": {state: states.get(state, 0) for state in (DUE, DONE, FAILED)},
                "alerts": connection.execute(select(func.count()).select_from(alerts)).scalar_one(),
                "undelivered": connection.execute(undelivered).scalar_one(),
            }
        return status

    def backlog(self) -> dict[str, dict[str, int]]:
        """How many windows of each monitored feature are `due`, and `failed`: given up."""
        with self.reading() as connection:
            return series.backlog(connection)

    def recent(self, feature: str, n: int = 90) -> list[ResultLine]:
        """The current results of a feature's last `n` windows, the newest first, without segments."""
        with self.reading() as connection:
            return queries.recent(connection, feature, n)

    def report(
        self,
        feature: str | None = None,
        since: dt.datetime | None = None,
        until: dt.datetime | None = None,
    ) -> DriftReport:
        """The current results as a report, as `detect_drift` gives it.

        Parameters
        ----------
        feature
            Its name; by default all features.
        since, until
            Windows that overlap [since, until), aware datetimes; by default all.

        Raises
        ------
        StoreError
            If there is no result in that time.
        """
        with self.reading() as connection:
            names = list(connection.execute(_names()).scalars())
            wanted = names if feature is None else [feature]
            report = queries.report(connection, wanted, since, until)
        if not report.windows:
            raise StoreError(
                f"the store {self.url} has no result of {feature or 'any feature'} from "
                f"{since or 'its start'} to {until or 'its end'}; it knows the features: "
                f"{', '.join(names) or 'none'}"
            )
        return report

    def history(
        self, feature: str, baseline_id: str, before: dt.datetime, n: int
    ) -> list[PastResult]:
        """The first `n` and the last `n` windows before `before` that were held against this baseline.

        The oldest first, each once.
        """
        with self.reading() as connection:
            return queries.history(connection, feature, baseline_id, before, n)

    def baseline(self, feature: str, baseline_id: str) -> Baseline:
        """A baseline that windows of `feature` were compared with.

        Raises
        ------
        StoreError
            If there is none of this id.
        """
        with self.reading() as connection:
            content = connection.execute(
                select(baselines.c.content)
                .join(features, features.c.id == baselines.c.feature_id)
                .where(features.c.name == feature, baselines.c.baseline_id == baseline_id)
            ).scalar()
        if content is None:
            raise StoreError(
                f"the store {self.url} has no baseline {baseline_id!r} of feature {feature!r}: the id "
                "stands in the feature's summary of a report"
            )
        return Baseline.from_bytes(content, f"the baseline {baseline_id!r} in the store {self.url}")

    def baseline_before(self, feature: str, time: dt.datetime) -> Baseline | None:
        """The newest baseline of `feature` that moves along and whose rows all came before `time`.

        None where there is none, or another version of this package wrote it.
        """
        with self.reading() as connection:
            content = connection.execute(
                select(baselines.c.content)
                .join(features, features.c.id == baselines.c.feature_id)
                .where(features.c.name == feature, baselines.c.until <= time)
                .order_by(baselines.c.until.desc())
                .limit(1)
            ).scalar()
        try:
            return None if content is None else Baseline.from_bytes(content)
        except BaselineError:
            return None

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _names() -> Any:
    return select(features.c.name).order_by(features.c.id)
