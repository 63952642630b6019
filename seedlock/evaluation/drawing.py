"""Drawings by Matplotlib as SVG that stands in a page: no styles of its own, equal bytes for equal
input.

The style sheet gives every line and mark its colour by its class, so that a drawing is dark where
the page is, and the page's Content-Security-Policy needs no exception. Texts are set here and not
by Matplotlib: they may be a stranger's, and no font of this machine decides where they stand.
"""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SETTINGS = {"svg.fonttype": "none", "svg.hashsalt": "seedlock", "path.snap": False}
"""Of Matplotlib, beside its defaults: a user's matplotlibrc decides nothing."""

NAMESPACE = "{http://www.w3.org/2000/svg}"
REFERENCE = "{http://www.w3.org/1999/xlink}href"

KEPT = ("d", "x", "y", "width", "height", "transform", "clip-path")
"""Attributes that say where something is; all others say how it looks."""

_ALONE = threading.Lock()  # Matplotlib's settings belong to the process


class Drawing:
    """A drawing with one horizontal and one vertical scale.

    Args:
        size: width and height in pixels.
        box: left, top, right and bottom edge of the part with scales, in pixels from the corner
            above left.
        x: ends of the horizontal scale, which differ.
        y: ends of the vertical one, the lower end first.
    """

    def __init__(
        self,
        size: tuple[int, int],
        box: tuple[float, float, float, float],
        x: tuple[float, float],
        y: tuple[float, float],
    ) -> None:
        self.size, self.box, self.x, self.y = size, box, x, y
        self._points: list[tuple[str, Sequence[tuple[float, float]], str, float]] = []
        self._titles: dict[str, list[str]] = {}
        self._lines: list[tuple[str, list[list[tuple[float, float]]]]] = []
        self._texts: list[ElementTree.Element] = []

    def marks(
        self, kind: str, points: Sequence[tuple[float, float]], marker: str, size: float,
        titles: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """Draw marks at points.

        Args:
            kind: their class in the style sheet; once per drawing.
            points: horizontal and vertical, within the scales.
            marker: Matplotlib's name of the form.
            size: in pixels.
            titles: what is said of each, or nothing.
        """
        if points:
            self._points.append((kind, points, marker, size))
            self._titles[kind] = list(titles)

    def lines(self, kind: str, segments: Sequence[Sequence[tuple[float, float]]]) -> None:
        """Draw lines through points of the scales, cut at the box."""
        if segments:
            self._lines.append((kind, [list(each) for each in segments]))

    def text(
        self, kind: str, x: float, y: float, text: str, anchor: str = "start",
        link: str | None = None,
    ) -> None:  # fmt: skip
        """Set a text.

        Args:
            kind: its class in the style sheet.
            x: of its anchor, in pixels.
            y: of its base line, in pixels from above.
            text: any.
            anchor: `start`, `middle` or `end`.
            link: where it leads. A keyboard passes it by, for each chart has its table.
        """
        made = ElementTree.Element("text", {"class": kind, "x": f"{x:.1f}", "y": f"{y:.1f}"})
        if anchor != "start":
            made.set("text-anchor", anchor)
        made.text = text
        if link is not None:
            around = ElementTree.Element("a", {"href": link, "tabindex": "-1"})
            around.append(made)
            made = around
        self._texts.append(made)

    def place(self, x: float) -> float:
        """Return where a horizontal value is, in pixels."""
        left, _, right, _ = self.box
        return left + (right - left) * _share(x, *self.x)

    def height(self, y: float) -> float:
        """Return where a vertical value is, in pixels from above."""
        _, top, _, bottom = self.box
        return bottom - (bottom - top) * _share(y, *self.y)

    def svg(self, name: str, title: str, described: str) -> Markup:
        """Return the drawing.

        Args:
            name: begins each `id` in it; once per page.
            title: for who can't see it.
            described: what it shows.
        """
        import matplotlib  # here, since a server and a proof start without a drawing

        with _ALONE, matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(SETTINGS)
            given = self._by_matplotlib()
        links = any(each.tag == "a" for each in self._texts)
        width, height = self.size
        # A role of img would hide the links from who hears the page.
        root = ElementTree.Element("svg", {
            "viewBox": f"0 0 {width} {height}", "width": str(width), "height": str(height),
            "role": "group" if links else "img",
            "aria-labelledby": f"{name}-title {name}-desc",
        })  # fmt: skip
        ElementTree.SubElement(root, "title", {"id": f"{name}-title"}).text = title
        ElementTree.SubElement(root, "desc", {"id": f"{name}-desc"}).text = described
        drawn = ElementTree.SubElement(root, "g", {"aria-hidden": "true"} if links else {})
        _Cleaner(name, self._titles).into(drawn, ElementTree.fromstring(given))
        for each in self._texts:
            (root if each.tag == "a" else drawn).append(each)
        # ElementTree has escaped every text and attribute.
        return Markup(ElementTree.tostring(root, encoding="unicode"))

    def _by_matplotlib(self) -> str:
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.collections import LineCollection
        from matplotlib.figure import Figure

        width, height = self.size
        figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        FigureCanvasSVG(figure)
        left, top, right, bottom = self.box
        axes = figure.add_axes(
            (left / width, 1 - bottom / height, (right - left) / width, (bottom - top) / height)
        )
        axes.set_axis_off()
        axes.set_xlim(*self.x)
        axes.set_ylim(*self.y)
        figure.patch.set_visible(False)
        for kind, segments in self._lines:
            lines = LineCollection(segments)
            lines.set_gid(kind)
            axes.add_collection(lines, autolim=False)
        for kind, points, marker, size in self._points:
            xs, ys = zip(*points, strict=True)
            (marks,) = axes.plot(
                xs, ys, linestyle="", marker=marker, markersize=size, clip_on=False, zorder=3
            )
            marks.set_gid(kind)
        out = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Type", "Format"))
        figure.savefig(out, format="svg", metadata=nothing)
        return out.getvalue()


class _Cleaner:
    """Takes over from Matplotlib's SVG what says where things are."""

    def __init__(self, name: str, titles: dict[str, list[str]]) -> None:
        self.name, self.titles = name, titles
        self.names: dict[str, str] = {}

    def into(self, drawn: ElementTree.Element, given: ElementTree.Element) -> None:
        kinds = {
            each.get("id", ""): each for each in given.iter(f"{NAMESPACE}g")
            if not any(mark in each.get("id", "_") for mark in "_.")
        }  # fmt: skip
        for kind, group in kinds.items():
            made = ElementTree.SubElement(drawn, "g", {"class": kind})
            titles = iter(self.titles.get(kind, ()))
            for each in group:
                self._copy(made, each, titles)
        for clip in given.iter(f"{NAMESPACE}clipPath"):
            if clip.get("id") in self.names:
                self._copy(drawn, clip, iter(()))

    def _copy(
        self, parent: ElementTree.Element, given: ElementTree.Element, titles: Iterator[str]
    ) -> None:
        tag = given.tag.removeprefix(NAMESPACE)
        made = ElementTree.SubElement(parent, tag)
        for key in KEPT:
            value = given.get(key)
            if value is not None:
                made.set(key, self._place(key, value))
        if "id" in given.attrib and tag != "g":
            made.set("id", self._name(given.attrib["id"]))
        if REFERENCE in given.attrib:
            made.set("href", "#" + self._name(given.attrib[REFERENCE].removeprefix("#")))
            title = next(titles, None)
            if title is not None:
                ElementTree.SubElement(made, "title").text = title
        for each in given:
            self._copy(made, each, titles)

    def _place(self, key: str, value: str) -> str:
        if key == "clip-path":
            return f"url(#{self._name(value.removeprefix('url(#').removesuffix(')'))})"
        return " ".join(_short(each) for each in value.split())

    def _name(self, given: str) -> str:
        return self.names.setdefault(given, f"{self.name}-{len(self.names) + 1}")


def ticks(low: float, high: float, most: int) -> list[float]:
    """Return round values from `low` to `high`, at most about `most`."""
    from matplotlib.ticker import MaxNLocator

    found = MaxNLocator(nbins=most, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    slack = (high - low) * 1e-9
    return [float(each) for each in found if low - slack <= each <= high + slack]


def _share(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low)


def _short(text: str) -> str:
    """Return a coordinate with two decimals; what is no number stays."""
    try:
        return f"{float(text):.2f}".rstrip("0").rstrip(".")
    except ValueError:
        return text
