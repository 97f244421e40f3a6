"""The swimlane: connections down, time across, two lanes each, the state as colour.

The basis of the entry shows twice: in how dense the colour is, and in the stroke at its beginning,
which are those of every other picture. A state that the capture does not see left runs off to
the right.
"""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final

from tcptrace.tables.schema import BASES
from tcptrace.tables.wording import DAY, HOUR, MILLISECOND, MINUTE, SECOND
from tcptrace.tcp.states import Role, State
from tcptrace.views.extras import require_matplotlib
from tcptrace.views.lanes import Bar, Lanes
from tcptrace.views.lettering import cut, printable, utc
from tcptrace.views.palette import BLACK, SEVERITIES, STROKES, paint_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tcptrace.views.picture import Picture

WIDTH = 11.0  # inches
THICKNESS = 0.82  # of a lane that its bar takes
GAP = 0.5  # lanes between two connections
LANE = (0.36, 0.17)  # inches: where there are few lanes, where there are many
FEW = 8  # lanes
LETTERS = (9.0, 7.5)  # points, likewise
LONGEST_TITLE = 110
LONGEST_CODES = 44
MARGIN = (0.02, 0.05)  # of the width, left of the first and right of the last moment
NUMBERED = "\u00a0" * 3  # between number and name: SVG would make one of three plain blanks
NARROWEST = 1.5  # points, of a lane's bars together: less would not be seen
ROOM = 4.0  # points, of a bar that has room for the stroke at its beginning

DENSITY: Final[dict[str, tuple[float, str]]] = {
    "observed": (1.0, ""),
    "confirmed": (1.0, ""),
    "presumed": (0.55, ""),
    "inferred": (0.8, "////"),
    "timer": (0.0, ""),
    "assumed": (0.3, ""),
}
"""How opaque a stay is and how it is hatched, by the basis of its entry."""

UNITS: Final = (
    (5 * DAY, DAY, "days"),
    (5 * HOUR, HOUR, "hours"),
    (10 * MINUTE, MINUTE, "minutes"),
    (SECOND // 2, SECOND, "seconds"),
    (MILLISECOND // 2, MILLISECOND, "milliseconds"),
    (0, 1000, "microseconds"),
)
"""The unit of the axis for a span of at least so many ns."""


def swimlane(lanes: Lanes, source: str = "") -> Picture:
    """Draw lanes; `source` names the capture. UsageError without matplotlib."""
    require_matplotlib()
    from tcptrace.views.picture import Picture

    many = len(lanes.names) > FEW
    height = len(lanes.names) * LANE[many] + len(lanes.conns) * GAP * LANE[many]
    picture = Picture(WIDTH, height + 1.5)
    _Drawing(lanes, picture, LETTERS[many]).draw(source)
    return picture


class _Drawing:
    """One picture; `scale` turns ns into the unit of the axis."""

    def __init__(self, lanes: Lanes, picture: Picture, letters: float) -> None:
        self.lanes, self.picture, self.letters = lanes, picture, letters
        self.axes: Axes = picture.subplots()
        length = max(lanes.end - lanes.begin, 1)
        _, self.unit, self.unit_name = next(u for u in UNITS if length >= u[0])
        self.left = self.x(lanes.begin) - MARGIN[0] * length / self.unit
        self.right = self.x(lanes.end) + MARGIN[1] * length / self.unit

    def x(self, time: int) -> float:
        """A moment on the axis: counted from the first packet, exactly, then made a float."""
        return (time - self.lanes.zero) / self.unit

    def y(self, lane: int) -> float:
        """The middle of a lane, downwards."""
        return lane + lane // len(Role) * GAP

    def draw(self, source: str) -> None:
        """First what takes room beside the axes; then the bars, which have to know their width."""
        self._frame(source)
        self._legend()
        self.picture.settle()
        shown = [bar for bar in self.lanes.bars if self._span(bar)[0] <= self.right]
        for basis in BASES:
            self._stays([b for b in shown if b.basis == basis and not b.is_closed], basis)
            self._strokes([b for b in shown if b.basis == basis], basis)
        self._marks(shown)
        self._thin_lanes()
        self._pins()
        for bar in shown:
            self._word(bar)

    def _span(self, bar: Bar) -> tuple[float, float]:
        """Where a bar begins and ends on the axis, what runs off cut at the edge."""
        end = self.right if bar.end is None else self.x(bar.end)
        return max(self.x(bar.start), self.left), min(end, self.right)

    def _stays(self, bars: list[Bar], basis: str) -> None:
        """The bars of one basis, as dense as it is sure."""
        opacity, hatch = DENSITY[basis]
        spans = [self._span(bar) for bar in bars]
        self.axes.barh(
            [self.y(bar.lane) for bar in bars],
            [end - start for start, end in spans],
            left=[start for start, _ in spans],
            height=THICKNESS,
            color=[_thinned(paint_of(bar.state).fill, opacity) for bar in bars],
            hatch=hatch,
            linewidth=0,
        )

    def _strokes(self, bars: list[Bar], basis: str) -> None:
        """The moves that begin bars, where these have room for a stroke, and those to CLOSED."""
        if basis == BASES[-1]:  # assumed: no move is known
            return
        wide = ROOM / self.points
        spans = [(bar, *self._span(bar)) for bar in bars]
        known = [(b.lane, start) for b, start, end in spans if b.is_closed or end - start >= wide]
        tops = [self.y(lane) - THICKNESS / 2 for lane, _ in known]
        self.axes.vlines(
            [start for _, start in known], tops, [top + THICKNESS for top in tops],
            color=BLACK, ls=STROKES[basis], lw=1, zorder=3,
        )  # fmt: skip

    def _marks(self, bars: list[Bar]) -> None:
        """A cross where a reset ends a lane, an arrow where a stay runs off."""
        resets = [bar for bar in bars if bar.is_closed and bar.by_reset]
        ends = [self._span(bar)[0] for bar in resets]
        size = self.letters * 0.7
        self._markers(resets, ends, {"marker": "x", "markersize": size})
        off = [b for b in bars if not b.is_closed and (b.end is None or self.x(b.end) > self.right)]
        arrow = {"marker": ">", "markersize": 4, "clip_on": False}
        self._markers(off, [self.right] * len(off), arrow)

    def _markers(self, bars: list[Bar], places: list[float], look: dict[str, Any]) -> None:
        heights = [self.y(bar.lane) for bar in bars]
        self.axes.plot(places, heights, color=BLACK, linestyle="", zorder=4, **look)

    def _pins(self) -> None:
        for pin in self.lanes.pins:
            y = self.y(pin.lane) - THICKNESS / 2
            self.axes.plot(
                self.x(pin.time), y, "v", color=SEVERITIES[pin.severity].fill, zorder=5,
                markersize=self.letters * 0.8, markeredgecolor=BLACK, markeredgewidth=0.6,
            )  # fmt: skip

    def _frame(self, source: str) -> None:
        """Axes, names at the left, codes at the right, the title."""
        axes, lanes = self.axes, self.lanes
        axes.set_xlim(self.left, self.right)
        axes.set_ylim(self.y(len(lanes.names) - 1) + 0.7, -0.7)
        labels = [
            f"{lanes.conns[n // 2]}{NUMBERED}{name}" if n % 2 == 0 else name
            for n, name in enumerate(lanes.names)
        ]
        places = [self.y(n) for n in range(len(labels))]
        axes.set_yticks(places, labels, fontsize=self.letters, family="monospace")
        axes.tick_params(axis="y", length=0)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.grid(axis="x", color="#e5e5e5", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.set_xlabel(f"{self.unit_name} since the first packet, {utc(lanes.zero)}")
        name = cut(printable(source), LONGEST_TITLE - len(lanes.caption))
        title = " · ".join(part for part in (name, lanes.caption) if part)
        axes.set_title(title, fontsize=10, parse_math=False)
        for place, codes in enumerate(lanes.codes):
            self.axes.text(
                1.01, self.y(2 * place) + 0.5, cut(codes.replace(",", ", "), LONGEST_CODES),
                transform=axes.get_yaxis_transform(), va="center", fontsize=self.letters - 0.5,
                parse_math=False,
            )  # fmt: skip

    def _legend(self) -> None:
        """What the picture uses, and only that: states, bases, pins."""
        from matplotlib.lines import Line2D
        from matplotlib.patches import Patch

        used = {bar.state for bar in self.lanes.bars} - {State.CLOSED.name}
        keys: list[Any] = [
            Patch(facecolor=paint_of(state.name).fill, label=state.name)
            for state in State
            if state.name in used
        ]
        bases = {bar.basis for bar in self.lanes.bars} - {"observed", "confirmed"}
        for basis in [basis for basis in BASES if basis in bases]:
            opacity, hatch = DENSITY[basis]
            stroke: Any = STROKES[basis]
            keys.append(
                Patch(facecolor=(BLACK, opacity * 0.5), hatch=hatch, edgecolor=BLACK,
                      linestyle=stroke, label=basis)
            )  # fmt: skip
        for severity in dict.fromkeys(pin.severity for pin in self.lanes.pins):
            keys.append(
                Line2D([], [], marker="v", color=SEVERITIES[severity].fill, linestyle="",
                       markeredgecolor=BLACK, label=severity)
            )  # fmt: skip
        if any(bar.is_closed and bar.by_reset for bar in self.lanes.bars):
            keys.append(Line2D([], [], marker="x", color=BLACK, linestyle="", label="reset"))
        columns = min(len(keys), 9)
        self.picture.legend(
            handles=keys, loc="outside lower center", ncols=columns, fontsize=8, frameon=False
        )

    @cached_property
    def points(self) -> float:
        """How many points wide a unit of the axis is."""
        return (
            self.axes.get_window_extent().width * 72 / self.picture.dpi / (self.right - self.left)
        )

    def _thin_lanes(self) -> None:
        """An endpoint too short to be seen at this scale gets a stroke in its last colour."""
        wide = NARROWEST / self.points
        stays: dict[int, list[Bar]] = {}
        for bar in self.lanes.bars:
            if not bar.is_closed:
                stays.setdefault(bar.lane, []).append(bar)
        for lane, own in stays.items():
            begin, end = self._span(own[0])[0], self._span(own[-1])[1]
            if end - begin < wide:
                top, paint = self.y(lane) - THICKNESS / 2, paint_of(own[-1].state)
                self.axes.vlines(
                    begin, top, top + THICKNESS, color=paint.fill, lw=2 * NARROWEST, zorder=2
                )

    def _word(self, bar: Bar) -> None:
        """The state's name in its bar, if there is room."""
        start, end = self._span(bar)
        if bar.is_closed or (end - start) * self.points < _width(bar.state, self.letters) + 6:
            return
        ink = paint_of(bar.state).ink if DENSITY[bar.basis][0] == 1.0 else BLACK
        self.axes.text(
            (start + end) / 2, self.y(bar.lane), bar.state,
            ha="center", va="center", color=ink, fontsize=self.letters - 0.5, zorder=6,
        )  # fmt: skip


def _thinned(colour: str, opacity: float) -> tuple[float, ...]:
    """A colour as it looks on white: what lies behind a bar is not to shine through."""
    from matplotlib.colors import to_rgb

    return tuple(opacity * part + 1 - opacity for part in to_rgb(colour))


@cache
def _width(word: str, size: float) -> float:
    """How many points wide a word is in matplotlib's own font."""
    from matplotlib.textpath import TextPath

    return float(TextPath((0, 0), word, size=size).get_extents().width)
