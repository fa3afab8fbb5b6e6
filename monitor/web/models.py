"""What the API says, in types: OpenAPI is made from them, and pages read the same values."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from monitor.store.acts import LONGEST_NOTE, Act, ActKind, Mark
from monitor.store.lines import StoredWindow, WindowLine
from monitor.web.episodes import EpisodeLine
from monitor.web.overview import FeatureCard, OpenAlert, State

_FIRST, _LAST = dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.datetime(2200, 1, 1, tzinfo=dt.UTC)


def _instant(value: dt.datetime) -> dt.datetime:
    in_utc = value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value
    # Far ones would leave what a datetime holds when they are brought into UTC.
    if not _FIRST.year <= in_utc.year <= _LAST.year:
        raise ValueError("must lie between 1970 and 2200")
    return in_utc.astimezone(dt.UTC)


Instant = Annotated[dt.datetime, AfterValidator(_instant)]
"""ISO 8601; without a zone it is taken as UTC."""
FeatureId = Annotated[int, Field(ge=1, lt=2**31)]
Point = Annotated[int, Field(ge=0, lt=2**31)]


class Model(BaseModel):
    """Frozen, and strict about keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", from_attributes=True)


class ActOut(Model):
    """One thing that a person did."""

    kind: ActKind
    feature: str
    who: str
    done_at: dt.datetime
    window_start: dt.datetime | None
    window_end: dt.datetime | None
    alert_key: str | None
    mark: Mark | None
    note: str


class WindowOut(Model):
    """The numbers of one window, or of one segment of it; shares are in [0, 1], null where not known."""

    start: dt.datetime
    end: dt.datetime
    revision: int
    segment: str | None
    verdict: Literal["drift", "no drift", "inconclusive"]
    p_value: float | None
    alpha: float
    jsd: float | None
    share: float | None = Field(description="The share of rows that changed.")
    share_low: float | None
    share_high: float | None
    n_rows: int
    n_failed: int
    kinds: tuple[str, ...]
    judged_at: dt.datetime | None
    mark: Mark | None = Field(default=None, description="What a person said that it is.")

    @classmethod
    def of(cls, line: WindowLine, mark: Act | None = None) -> WindowOut:
        """The same of a stored line."""
        made = cls.model_validate(line)
        return made if mark is None else made.model_copy(update={"mark": mark.mark})


class EpisodeOut(Model):
    """A shift from its first window to its last; `share` is the largest changed share of its windows."""

    start: dt.datetime
    end: dt.datetime
    n_windows: int
    goes_on: bool
    share: float | None
    kinds: tuple[str, ...]
    lead: dt.datetime = Field(description="The start of the window that shows it best.")
    mark: Mark | None = Field(description="What a person said that all of it is.")

    @classmethod
    def of(cls, episode: EpisodeLine) -> EpisodeOut:
        """The same of an episode."""
        return cls(
            start=episode.start,
            end=episode.end,
            n_windows=episode.n_windows,
            goes_on=episode.goes_on,
            share=episode.share,
            kinds=episode.kinds,
            lead=episode.lead.start,
            mark=None if episode.mark is None else episode.mark.mark,
        )


class AlertOut(Model):
    """An alert that goes on, and who has seen it."""

    key: str
    feature: str
    rule: str
    segment: str | None
    severity: Literal["warning", "critical"]
    window_start: dt.datetime
    window_end: dt.datetime
    title: str
    text: str
    acknowledged: ActOut | None

    @classmethod
    def of(cls, shown: OpenAlert) -> AlertOut:
        """The same of an open alert."""
        alert = shown.alert
        return cls(
            key=alert.dedup_key,
            feature=alert.feature,
            rule=alert.rule,
            segment=alert.segment,
            severity=alert.severity.value,
            window_start=alert.window_start,
            window_end=alert.window_end,
            title=alert.message.title if alert.message else alert.rule,
            text=alert.message.text if alert.message else "",
            acknowledged=None
            if shown.acknowledged is None
            else ActOut.model_validate(shown.acknowledged),
        )


class FeatureOut(Model):
    """A feature and what it is doing; the list has what needs somebody first at its top."""

    id: int
    name: str
    is_monitored: bool
    state: State
    because: str
    needs_somebody: bool
    every: str | None
    timezone: str | None
    next_window_ends: dt.datetime | None
    n_due: int
    n_failed: int
    last: WindowOut | None
    alerts: tuple[AlertOut, ...]
    episode: EpisodeOut | None = Field(description="The one that goes on.")

    @classmethod
    def of(cls, card: FeatureCard) -> FeatureOut:
        """The same of a card of the overview."""
        grid = card.feature.grid
        return cls(
            id=card.feature.id,
            name=card.feature.name,
            is_monitored=card.feature.is_monitored,
            state=card.state,
            because=card.because,
            needs_somebody=card.needs_somebody,
            every=None if grid is None else str(grid.every),
            timezone=None if grid is None else grid.zone.key,
            next_window_ends=card.next_end,
            n_due=card.n_due,
            n_failed=card.n_failed,
            last=None if card.last is None else WindowOut.of(card.last),
            alerts=tuple(AlertOut.of(alert) for alert in card.alerts),
            episode=None if card.episode is None else EpisodeOut.of(card.episode),
        )


class WindowsOut(Model):
    """Windows of a feature, oldest first."""

    feature: str
    windows: tuple[WindowOut, ...]
    episodes: tuple[EpisodeOut, ...]


class WindowDetail(Model):
    """One window in full: `document` is its entry in a JSON report (docs/report-format.md)."""

    window: WindowOut
    story: tuple[tuple[str, tuple[str, ...]], ...]
    segments: tuple[WindowOut, ...]
    failures: dict[str, int]
    before: dt.datetime | None
    after: dt.datetime | None
    acts: tuple[ActOut, ...]
    document: dict[str, Any]

    @classmethod
    def of(cls, stored: StoredWindow, done: list[Act], mark: Act | None) -> WindowDetail:
        """The same of a stored window."""
        from monitor.reports.json_report import part_to_json
        from monitor.reports.story import story

        return cls(
            window=WindowOut.of(stored.line, mark),
            story=tuple((point.question, point.answers) for point in story(stored.window)),
            segments=tuple(WindowOut.of(line) for line in stored.segments),
            failures=dict(stored.window.failures),
            before=stored.before,
            after=stored.after,
            acts=tuple(ActOut.model_validate(act) for act in done),
            document=part_to_json(stored.window),
        )


class ChangedRowOut(Model):
    """A row that changed: how likely, and which group of alike rows it belongs to."""

    row: str
    source: str | None
    time: str | None
    score: float
    group: int
    group_name: str
    picture: str | None


class MarkIn(Model):
    """What a person says that windows are."""

    feature: FeatureId
    window_start: Instant
    window_end: Instant
    mark: Mark
    note: str = Field(default="", max_length=LONGEST_NOTE)


class AcknowledgeIn(Model):
    """Somebody has seen an alert."""

    alert_key: str = Field(min_length=1, max_length=64, pattern=r"^[0-9a-zA-Z_-]+$")
    note: str = Field(default="", max_length=LONGEST_NOTE)


class AcceptIn(Model):
    """Windows are normal from now on."""

    feature: FeatureId
    window_start: Instant
    window_end: Instant
    note: str = Field(default="", max_length=LONGEST_NOTE)


class MapOut(Model):
    """A map's points: fetch each column by its name as little-endian numbers.

    `xy` is 2·n uint16, all x and then all y, 0 to 65535 for -1 to 1; `side`, `window`, `cluster` and
    `novelty` are n uint16; a metadata column is n uint8, the number of its category.
    """

    state: Literal["ready", "building"]
    key: str = ""
    done: int = 0
    total: int = 0
    n: int = 0
    n_all: int = 0
    n_baseline: int = 0
    windows: tuple[WindowOut, ...] = ()
    clusters: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    can_search: bool = False


class CodesOut(Model):
    """The categories of a metadata column, by their number."""

    names: tuple[str, ...]


class RowOut(Model):
    """A row on the map."""

    point: int
    row: str
    source: str | None
    time: dt.datetime | None
    cluster: int
    window: dt.datetime | None = Field(
        description="The start of its window; null for the baseline."
    )
    distance: float = Field(
        description="To its centroid; above 1 it is farther than 99 % of the baseline's."
    )
    columns: dict[str, str | float | None]
    picture: str | None = Field(description="The id for /thumb/ID and /image/ID.")
    link: str | None = Field(description="Its address on the web, where it has one that is safe.")
    similarity: float | None = None


class TraitOut(Model):
    """What selected rows have more often than all others."""

    what: str
    value: str
    share: float
    share_of_others: float
    lift: float | None = Field(description="The ratio of the two shares; null for infinite.")


class SelectionOut(Model):
    """Selected rows: how many, what sets them apart, and the first of them."""

    n: int
    n_baseline: int
    n_window: int
    traits: tuple[TraitOut, ...]
    rows: tuple[RowOut, ...]


class Problem(Model):
    """What was wrong, and how to go on."""

    detail: str
