"""What to do about a window: two or three steps that follow from what its shift is, with their commands."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from monitor.commands import command_line
from monitor.drift import ShiftKind, Verdict
from monitor.failures import OF_VECTORS
from monitor.reports.wording import count, moment, period, plain, plural

if TYPE_CHECKING:
    from monitor.reports.findings import WindowDrift


_CONTRAST: Final = "contrast and colour of the camera, and colour profiles in the pipeline"
_COLOUR: Final = "light and white balance of the camera, and colour profiles in the pipeline"


@dataclass(frozen=True)
class NextStep:
    """One thing to do.

    Parameters
    ----------
    text
        In a sentence.
    command
        The command line that does it, or helps to; "" where there is none.
    """

    text: str
    command: str = ""


@dataclass(frozen=True)
class _Case:
    """A window, and the span of the shift that it stands for."""

    window: WindowDrift
    begin: dt.datetime | None
    end: dt.datetime | None
    noun: str

    @property
    def owner(self) -> str:
        """Whom to tell."""
        return f"the owner of {plain(self.window.feature)}'s {self.noun}s"


def next_steps(
    window: WindowDrift, *, until: dt.datetime | None = None, noun: str = "image"
) -> tuple[NextStep, ...]:
    """What to do about a window, the most urgent first; nothing where it is calm.

    Parameters
    ----------
    window
        Of a shift that has lasted since `began`.
    until
        When the shift ended, where that is later than the window's end.
    noun
        What a row is called.

    Examples
    --------
    >>> NextStep("Look at the feed.").command
    ''
    """
    kinds = window.kinds
    begins = [instant for instant in (window.start, window.began) if instant is not None]
    ends = [instant for instant in (window.end, until) if instant is not None]
    case = _Case(window, min(begins, default=None), max(ends, default=None), noun)
    if ShiftKind.BROKEN_FEED in kinds:
        return _broken(case)
    if window.judgement.verdict is not Verdict.DRIFT:
        return ()
    kind = kinds[0] if kinds else None
    if kind is ShiftKind.TECHNICAL:
        return _technical(case)
    if kind is ShiftKind.CONTENT_LOST:
        return (
            NextStep(f"Ask {case.owner} whether these {noun}s should have stopped{_since(case)}."),
            _accept(case, "If they are gone for good, make these rows the new baseline", only=True),
        )
    if kind is ShiftKind.NEW_MIX:
        return (
            NextStep(
                "Measure the model on the content that became more frequent: its average quality moves "
                "with the mix."
            ),
            _accept(
                case, "If the mix is here to stay, make these rows the new baseline", only=True
            ),
        )
    if kind is ShiftKind.NEW_CONTENT:
        return (
            _label(window),
            NextStep(f"Ask {case.owner} what was added{_since(case)}."),
            _accept(case, "If this content belongs here, take it into the baseline"),
        )
    return (
        NextStep(
            f"Ask what changed{_since(case)}: camera, pipeline, or another source of {noun}s."
        ),
        *([_label(window)] if window.changed else []),
        _accept(
            case,
            f"If {noun}s look like this from now on, make these rows the new baseline",
            only=True,
        ),
    )


def _broken(case: _Case) -> tuple[NextStep, ...]:
    window = case.window
    steps = []
    if window.n_failed:
        is_image = _is_image(window, case.noun)
        owner = case.owner if is_image else f"whoever makes the vectors of {plain(window.feature)}"
        steps.append(
            NextStep(
                f"Tell {owner}: {plural(window.n_failed, 'row')} of {count(window.n_rows)} came with "
                f"{lacking(window, case.noun)}, most often because of {plain(_worst(window))}."
            )
        )
        if is_image:
            again = f"{command_line('embed', '--retry-failed')} && {command_line('drift')}"
            steps.append(
                NextStep("Once the images are there, fetch them again and judge anew", again)
            )
        else:
            steps.append(NextStep("Once the vectors are there, judge anew", command_line("drift")))
    elif window.n_rows == 0:
        steps.append(
            NextStep(f"Tell {case.owner}: no row arrived for {period(window.start, window.end)}.")
        )
    else:
        steps.append(
            NextStep(
                f"Tell {case.owner}: one {filler(case.noun)} stands in for many"
                f"{_since(case)}, as when a placeholder is served."
            )
        )
    return tuple(steps)


def _technical(case: _Case) -> tuple[NextStep, ...]:
    change = case.window.change
    cause = "" if change is None else change.cause
    where = {
        "red and blue swapped": "the order of colour channels where images are decoded",
        "inverted": "the step that decodes images",
        "scaled down": "the step that resizes images",
        "scaled up": "the step that resizes images",
        "letterboxed": "the step that resizes images",
        "letterboxed in white": "the step that resizes images",
        "squashed": "the step that resizes images",
        "squashed sideways": "the step that resizes images",
        "sharpened": "the step that sharpens or resizes images",
        "cropped": "the step that crops images",
        "compressed hard": "the JPEG quality that images are saved with",
        "grey": "the step that decodes images: colour is lost",
        "turned by 90°": "the step that applies the EXIF orientation",
        "upside down": "the step that applies the EXIF orientation",
        "mirrored": "the step that applies the EXIF orientation",
        "darker": "exposure and light of the camera, and gamma in the pipeline",
        "brighter": "exposure and light of the camera, and gamma in the pipeline",
        "washed out": _CONTRAST,
        "harsher in contrast": _CONTRAST,
        "more colourful": _CONTRAST,
        "warmer in colour": _COLOUR,
        "colder in colour": _COLOUR,
        "cut off at the bottom": "uploads that end early, and whether truncated files are decoded",
        "blurred": "focus and lens of the camera, and the step that resizes images",
        "overlaid with a logo": "the step that draws on images",
    }.get(cause.partition(" or ")[0], "the steps between camera and model")
    return (
        NextStep(f"Check {where}: look for a change or a release{_since(case, 'around')}."),
        NextStep("Send the rows to whoever owns that step", _rows_command()),
        _accept(case, "Only if it was meant, make these rows the new baseline", only=True),
    )


def _label(window: WindowDrift) -> NextStep:
    n = len(window.changed)
    if not n:
        return NextStep("Look at the rows of this window, and label some of them.")
    return NextStep(
        f"Label the {plural(n, 'row')} that changed most surely, and measure the model on them",
        _rows_command(),
    )


def _rows_command() -> str:
    return command_line("report", "--rows", "changed.csv")


def _accept(case: _Case, text: str, *, only: bool = False) -> NextStep:
    """The command that takes the whole shift into the baseline, or makes it one."""
    if case.begin is None or case.end is None:
        return NextStep(f"{text}: fit it again with these rows.")
    options = ["--from", _time(case.begin), "--to", _time(case.end)]
    options += [*(["--only"] if only else []), "--feature", case.window.feature]
    return NextStep(text, command_line("baseline", "accept", *options))


def _time(instant: dt.datetime) -> str:
    # A day is read in the zone of the config, as windows are.
    return instant.date().isoformat() if instant.time() == dt.time() else instant.isoformat()


def _since(case: _Case, word: str = "since") -> str:
    return "" if case.begin is None else f" {word} {moment(case.begin)}"


def _worst(window: WindowDrift) -> str:
    return max(window.failures, key=lambda reason: window.failures[reason])


def _is_image(window: WindowDrift, noun: str) -> bool:
    return noun == "image" and _worst(window) not in OF_VECTORS


def filler(noun: str) -> str:
    """What it is of which one stands in for many, such as "image"."""
    return "vector" if noun == "row" else noun


def lacking(window: WindowDrift, noun: str) -> str:
    """What most rows without a vector lack, such as "no image"; `noun` is what a row is called."""
    if _worst(window) in OF_VECTORS:
        return "no usable vector"
    return "no image" if noun == "image" else "no vector"
