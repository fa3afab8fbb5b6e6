"""One pass over what is due: note it, claim it, judge it, keep it."""

from __future__ import annotations

import datetime as dt
import logging
import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from monitor.errors import InvalidInputError, LeaseLostError, StoreError
from monitor.schedule.outcomes import Failed, NoBaselineYet, NoRowsYet, Pass
from monitor.schedule.plan import Plan
from monitor.store import Claim, JudgedWindow, Store, leases, results, series
from monitor.windows import Every, Window

if TYPE_CHECKING:
    from sqlalchemy import Connection

logger = logging.getLogger(__name__)

Judge = Callable[[str, Window], JudgedWindow]
"""Feature and window ─► what is found."""
QueueAlerts = Callable[["Connection", Claim, JudgedWindow, dt.datetime], None]
"""Called with the time inside of the transaction that keeps a result, so that both are kept or neither."""
EndAlerts = Callable[["Connection", str, str, dt.datetime], None]
"""Called with a feature, why its alerts end in words, and the time."""
Outcome = JudgedWindow | Exception
"""What came of a claim; `LeaseLostError` if another worker had taken the window over."""
MOST_FAILURES: Final = 3
"""So many failed windows in a row end a feature's pass: rather its source is away than each is broken."""
LONGEST_RETRY_DELAY: Final = dt.timedelta(hours=1)
LONGEST_WAIT: Final = dt.timedelta(hours=6)
"""Rows that are missing for longer are an outage, which must be told."""
N_LOOKS: Final = 24
"""How often a window without rows is looked at while it is waited for."""
LOOK_FOR_ROWS: Final = dt.timedelta(days=7)
"""For so long a window that was judged without rows is judged again when they come."""


def utc_now() -> dt.datetime:
    """The time now, in UTC."""
    return dt.datetime.now(dt.UTC)


def worker_name() -> str:
    """A name for this process that no other has."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


@dataclass(frozen=True, eq=False)
class Runner:
    """Judges what is due. Any number of them may work on one store.

    Parameters
    ----------
    store
        With tables that are up to date.
    plan
        What is due when.
    every
        The window's length, as in `plan`.
    features
        Names.
    judge
        Judges one window.
    rows_seen
        What the rows of a window are now, as text.
    queue_alerts
        Queues the alerts of a result.
    monitored
        All features of the config; others that the store knows are monitored no more. None for no word.
    end_alerts
        Ends the alerts of a feature whose windows are cut otherwise now, or that is monitored no more.
    clock
        The time now, an aware datetime.
    lease
        How long a worker that says nothing keeps a window; a working one renews it in time.
    max_attempts, retry_for
        A window is given up after this many attempts, but not before it has been tried for this long.
    retry_delay
        Wait before the second attempt; it doubles with each one after, up to an hour.
    wait_for_rows
        For how long after it fell due a window without rows is looked at again before it is judged; by
        default as long as the window, at most 6 hours.
    worker
        This worker's name, for people to read.
    """

    store: Store
    plan: Plan
    every: Every | str
    features: Sequence[str]
    judge: Judge
    rows_seen: Callable[[Window], str]
    queue_alerts: QueueAlerts | None = None
    monitored: Sequence[str] | None = None
    end_alerts: EndAlerts | None = None
    clock: Callable[[], dt.datetime] = utc_now
    lease: dt.timedelta = dt.timedelta(minutes=15)
    max_attempts: int = 5
    retry_for: dt.timedelta = dt.timedelta(days=1)
    wait_for_rows: dt.timedelta | None = None
    retry_delay: dt.timedelta = dt.timedelta(minutes=1)
    worker: str = field(default_factory=worker_name)

    def __post_init__(self) -> None:
        if Every.parse(self.every) != self.plan.grid.every:
            raise InvalidInputError(
                f"every='{self.every}' is not the plan's, {self.plan.grid.every}: give both the same length"
            )

    def run_due(self, on_done: Callable[[Claim, Outcome], None] | None = None) -> Pass:
        """Judge everything that is due now, one window after the other.

        A window that fails, or has no rows yet, is left for a later pass; the others go on. A feature of
        which several windows failed in a row is left for a later pass, too: its source may be away. A window
        that has too few rows before it for a baseline is not judged at all.

        Parameters
        ----------
        on_done
            Called after each claim with what came of it.

        Raises
        ------
        StoreError
            If the store cannot be used.
        """
        done = Pass()
        self._settle()
        self._note_due()
        self._note_late(done)
        failures = dict.fromkeys(self.features, 0)
        while (claim := self._claim(failures)) is not None:
            outcome = self._work(claim)
            if isinstance(outcome, JudgedWindow):
                failures[claim.feature] = 0
                done.judged.append((claim, outcome))
            elif isinstance(outcome, LeaseLostError):
                done.refused.append(claim)
            elif isinstance(outcome, NoRowsYet):
                done.waiting.append(claim)
            elif isinstance(outcome, NoBaselineYet):
                done.skipped.append((claim, outcome))
            else:
                failures[claim.feature] += 1
                done.failed.append(Failed(claim.feature, claim.period, outcome))
            if on_done is not None:
                on_done(claim, outcome)
        return done

    def _settle(self) -> None:
        """Note what the config has changed: the windows of features, and which there are."""
        grid, now = self.plan.grid, self.clock()
        with self.store.reading() as connection:
            if series.is_settled(connection, self.features, grid, self.monitored):
                return
        with self.store.writing() as connection:
            ends = {}
            for feature in self.features:
                if before := series.adopt(connection, feature, grid, now):
                    ends[feature] = f"windows are cut by {grid} now, before by {before}"
            if self.monitored is not None:
                for feature in series.retire(connection, self.monitored, now):
                    ends[feature] = "the config has no such feature any more"
            if self.end_alerts is not None:
                for feature, why in ends.items():
                    self.end_alerts(connection, feature, why, now)

    def _note_due(self) -> None:
        now = self.clock()
        for feature in self.features:
            with self.store.reading() as connection:
                first_seen, known = leases.known(connection, feature, self.plan.horizon(now))
            due = self.plan.due(now, first_seen or now, known)
            if due or first_seen is None:
                with self.store.writing() as connection:
                    leases.add_due(connection, feature, due, self.plan.grid, now)

    def _note_late(self, done: Pass) -> None:
        """Note a new revision of each window that has other rows than when it was judged."""
        with self.store.reading() as connection:
            looked_after = leases.looked_after(connection, self.features)
        for row in looked_after:
            now, window = self.clock(), Window(row.window_start, row.window_end)
            try:
                is_changed = self.rows_seen(window) != row.rows_seen
            except Exception as error:
                done.failed.append(Failed(row.name, window, error))
                continue
            with self.store.writing() as connection:
                if is_changed:
                    leases.add_revision(connection, row.id, now)
                elif now >= row.look_until:
                    leases.look_no_more(connection, row.id)

    def _claim(self, failures: Mapping[str, int]) -> Claim | None:
        names = [name for name in self.features if failures[name] < MOST_FAILURES]
        with self.store.writing() as connection:
            return leases.claim_next(
                connection,
                names,
                owner=self.worker,
                now=self.clock(),
                lease=self.lease,
                max_attempts=self.max_attempts,
            )

    def _work(self, claim: Claim) -> Outcome:
        logger.info(
            "%s: judging the window from %s, attempt %d, revision %d",
            claim.feature, claim.period.start, claim.attempt, claim.revision,
        )  # fmt: skip
        try:
            with self._renewed(claim):
                judged = self.judge(claim.feature, claim.period)
            self._refuse_empty(claim, judged)
            self._keep(claim, judged)
        except LeaseLostError as error:
            return error
        except NoRowsYet as error:
            return self._postpone(claim, error)
        except NoBaselineYet as error:
            return self._skip(claim, error)
        except StoreError:
            # Nothing can be said to a store that does not answer; the lease will lapse.
            raise
        except Exception as error:
            return self._give_back(claim, error)
        except BaseException:
            # Somebody ends this process: the next one need not wait for the lease to lapse.
            with self.store.writing() as connection:
                leases.release(connection, claim)
            raise
        return judged

    def _keep(self, claim: Claim, judged: JudgedWindow) -> None:
        now, look_until = self.clock(), self.plan.look_until(claim.period)
        if judged.lacks_rows:
            # They may come after all, whatever lateness is allowed.
            look_until = max(look_until or now, self.plan.due_at(claim.period) + LOOK_FOR_ROWS)
        if look_until is not None and look_until <= now:
            look_until = None
        with self.store.writing() as connection:
            results.save(connection, claim, judged, now, look_until)
            if self.queue_alerts is not None:
                self.queue_alerts(connection, claim, judged, now)

    def _give_back(self, claim: Claim, error: Exception) -> Exception:
        is_tried_enough = claim.attempt >= self.max_attempts
        is_last = is_tried_enough and self.clock() - claim.due_since >= self.retry_for
        not_before = None if is_last else self._retry_at(claim)
        reason = f"{type(error).__name__}: {error}"
        try:
            with self.store.writing() as connection:
                leases.give_back(connection, claim, reason, not_before)
        except LeaseLostError as lost:
            return lost
        return error

    def _refuse_empty(self, claim: Claim, judged: JudgedWindow) -> None:
        if judged.lacks_rows and (times := self._wait(claim)):
            raise NoRowsYet(*times)

    def _wait(self, claim: Claim) -> tuple[dt.datetime, dt.datetime] | None:
        """When to look for missing rows again, and until when; None where they were waited for."""
        wait = self.wait_for_rows
        if wait is None:
            wait = min(claim.period.length, LONGEST_WAIT)
        now, until = self.clock(), self.plan.due_at(claim.period) + wait
        if now >= until:
            return None
        # Now and then, and not again in this very pass.
        return min(now + max(wait / N_LOOKS, self.retry_delay), until), until

    def _skip(self, claim: Claim, error: NoBaselineYet) -> Exception:
        # A source that is being filled may lack rows for a moment only.
        if times := self._wait(claim):
            return self._postpone(claim, NoRowsYet(*times, str(error)))
        try:
            with self.store.writing() as connection:
                leases.put_aside(connection, claim, str(error))
        except LeaseLostError as lost:
            return lost
        return error

    def _postpone(self, claim: Claim, error: NoRowsYet) -> Exception:
        try:
            with self.store.writing() as connection:
                leases.postpone(connection, claim, str(error), error.again)
        except LeaseLostError as lost:
            return lost
        return error

    def _retry_at(self, claim: Claim) -> dt.datetime:
        doublings: int = 2 ** min(claim.attempt - 1, 10)
        longest = max(LONGEST_RETRY_DELAY, self.retry_delay)
        return self.clock() + min(self.retry_delay * doublings, longest)

    @contextmanager
    def _renewed(self, claim: Claim) -> Iterator[None]:
        """Renew the lease beside the work, three times before it lapses."""
        is_over = threading.Event()

        def renew() -> None:
            while not is_over.wait(self.lease.total_seconds() / 3):
                try:
                    with self.store.writing() as connection:
                        leases.renew(connection, claim, self.clock() + self.lease)
                except LeaseLostError:
                    return  # told when the result is kept
                except StoreError:
                    continue  # the next turn may reach it

        thread = threading.Thread(target=renew, name="monitor-lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()
