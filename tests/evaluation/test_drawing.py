"""Drawings and the charts made of them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import pytest

from seedlock.evaluation import charts
from seedlock.evaluation.charts import Chart, Row
from seedlock.leaderboard import curves
from tests.interpreter import python

HOSTILE = '"><script>alert(1)</script>$x_{1}$&amp;'


def row(name: str = "tree-net", values: tuple[float, ...] = (0.1, 0.2, 0.3)) -> Row:
    """Return a submission with an interval around its mean."""
    mean = sum(value / len(values) for value in values)
    return Row(name, "/a?b=1&c=2", tuple(enumerate(values)), (), mean, mean - 0.1, mean + 0.1, 1)


def drawn(*rows: Row, unit: str = "accuracy") -> Chart:
    """Return their chart."""
    found = charts.seeds(rows, "seeds", "Seeds", unit)
    assert found is not None
    return found


def classes(svg: str) -> dict[str, int]:
    """Return how many marks or lines there are of each kind."""
    root = ElementTree.fromstring(svg)
    return {
        group.attrib["class"]: len(group.findall(".//use")) or len(group.findall(".//path"))
        for group in root.iter("g")
        if "class" in group.attrib
    }


def test_a_chart_has_a_dot_for_each_seed_and_a_band_and_line_for_each_mean() -> None:
    """Nothing is left out, and what failed stands beside what did not."""
    failed = Row("crash", None, ((0, 0.5),), ((1, 0.1), (2, 0.1)), 0.23, None, None, 2)

    for svg in (drawn(row(), failed).wide, drawn(row(), failed).narrow):
        found = classes(svg)

        assert (found["dot"], found["failed"]) == (4, 2)
        assert (found["band"], found["mean"], found["between"]) == (1, 2, 1)


def test_colours_come_from_the_style_sheet() -> None:
    """No drawing has a style, so the page's policy needs no exception and dark pages are dark."""
    for svg in (drawn(row()).wide, drawn(row()).narrow):
        assert not re.search(r"style|#[0-9a-f]{6}\b|<!--|<\?xml|metadata", svg)


def test_identifiers_are_the_drawings_own() -> None:
    """Several drawings stand on one page: no identifier is there twice, each reference leads to
    one of its own drawing."""
    chart = drawn(row(values=tuple(i / 100 for i in range(30))))
    every = [each for svg in (chart.wide, chart.narrow) for each in re.findall(r' id="(.+?)"', svg)]

    assert len(every) == len(set(every))
    for svg in (chart.wide, chart.narrow):
        referred = set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))
        assert referred and referred <= set(re.findall(r' id="(.+?)"', svg))


def test_what_strangers_write_is_text() -> None:
    """Names, units and titles are escaped, and none of Matplotlib's markup is taken from them."""
    chart = charts.seeds([row(HOSTILE)], "seeds", HOSTILE, HOSTILE)
    assert chart is not None
    curve = curves.curves({0: ((0.0, 1.0), (1.0, 2.0))}, "c", HOSTILE, HOSTILE)
    assert curve is not None

    for svg in (chart.wide, chart.narrow, curve.wide, curve.narrow):
        assert "<script" not in svg
        texts = list(ElementTree.fromstring(svg).itertext())
        assert any(text.startswith('"><script>alert(1)</sc') for text in texts)
        assert any(HOSTILE in text for text in texts)


def test_a_chart_with_links_tells_of_them_and_one_without_is_an_image() -> None:
    """Links within an image would be hidden from who hears the page."""
    linked = ElementTree.fromstring(drawn(row()).wide)
    plain = ElementTree.fromstring(drawn(Row("a", None, ((0, 1.0),), (), 1.0, None, None)).wide)

    assert linked.attrib["role"] == "group"
    assert linked.findall(".//a")[0].attrib == {"href": "/a?b=1&c=2", "tabindex": "-1"}
    assert not any(group.findall(".//a") for group in linked.findall("g[@aria-hidden]"))
    assert plain.attrib["role"] == "img"
    assert plain.attrib["aria-labelledby"] == "seeds-w-title seeds-w-desc"


def test_one_submission_that_diverged_does_not_press_the_others_into_a_line() -> None:
    """Values far from all others stand at the edge, and are counted."""
    many = [
        replace(row(f"s{i}", (0.9 + i / 1000, 0.91, 0.92, 0.93, 0.94)), low=0.9, high=0.94)
        for i in range(10)
    ]
    chart = drawn(*many, Row("far", None, ((0, 1e30), (1, -1e30)), (), 0.0, -1e31, 1e31))

    assert chart.outside == 2
    assert classes(chart.wide)["beyond-high"] == classes(chart.wide)["beyond-low"] == 1
    assert classes(chart.wide)["cut-high"] == 1
    assert "far, seed 0: 1e+30" in chart.wide
    assert "0.92" in ElementTree.tostring(ElementTree.fromstring(chart.wide), "unicode")


def test_no_seed_of_a_few_is_put_out_of_the_scale() -> None:
    """Among few values, one that is far off is shown where it is."""
    chart = drawn(row(values=(0.9, 0.901, 0.902, 0.903, 0.1)))

    assert chart.outside == 0
    assert classes(chart.wide)["dot"] == 5


@pytest.mark.parametrize(
    "values",
    [(1e308, -1e308, 1e308), (5e-324, 0.0, 5e-324), (1.0, 1.0, 1.0), (0.0,), (1e17, 1e17 + 64)],
)
def test_any_finite_numbers_can_be_drawn(values: tuple[float, ...]) -> None:
    """No chart fails for large, small or equal values."""
    chart = drawn(row(values=values), unit="")

    assert "nan" not in chart.wide and "inf" not in chart.wide
    assert sum(classes(chart.wide).get(kind, 0) for kind in ("dot", "beyond-low", "beyond-high"))


def test_without_a_value_there_is_no_chart() -> None:
    """A chart of nothing is none."""
    assert charts.seeds([Row("a", None, (), (), None, None, None)], "s", "t", "u") is None
    assert curves.curves({0: ()}, "c", "t", "u") is None


def test_curves_keep_first_and_last_of_many_points() -> None:
    """A long course is drawn with fewer points, and what is no number is left out."""
    series = [[step, step / 7] for step in range(10_000)]
    points = curves.known([*series, [3, "NaN"], [4, True], "no pair", [5, 10**400]])

    assert len(points) == 10_000
    assert len(curves.thinned(points)) <= curves.MOST_POINTS + 1
    assert (curves.thinned(points)[0], curves.thinned(points)[-1]) == (points[0], points[-1])


@pytest.mark.parametrize("step", [0, 1, 2**53, 10**18, 1e299, 1e300, 10**308])
def test_one_step_of_any_size(step: float) -> None:
    """As a clock's in nanoseconds: one more or less is the same number there."""
    chart = curves.curves({0: curves.known([[step, 0.5]])}, "c", "t", "u")

    assert chart is None if step > curves.LARGEST_STEP else chart is not None
    assert chart is None or ("nan" not in chart.wide and "inf" not in chart.wide)


def test_equal_input_gives_equal_bytes() -> None:
    """Drawn twice, in any order, a chart is the same."""
    first = drawn(row(), row("b"))
    drawn(row("other"))

    assert drawn(row(), row("b")) == first


def test_a_users_settings_of_matplotlib_change_nothing(tmp_path: Path) -> None:
    """Whatever a matplotlibrc says, a chart has the bytes that it has without."""
    (tmp_path / "matplotlibrc").write_text(
        "svg.fonttype: path\npath.simplify: False\nlines.linewidth: 9\npath.snap: True\n"
        "axes.grid: True\nsavefig.bbox: tight\nsavefig.dpi: 300\nfigure.dpi: 300\n"
        "svg.id: mine\nsavefig.transparent: True\nfigure.autolayout: True\n"
    )
    program = (
        "from seedlock.evaluation import charts\n"
        "row = charts.Row('a', None, ((0, 0.1), (1, 0.4)), (), 0.25, 0.0, 0.5)\n"
        "print(charts.seeds([row], 's', 't', 'u').wide)"
    )
    row = charts.Row("a", None, ((0, 0.1), (1, 0.4)), (), 0.25, 0.0, 0.5)
    mine = charts.seeds([row], "s", "t", "u")
    assert mine is not None

    told = python("-c", program, MATPLOTLIBRC=str(tmp_path))

    assert told.out.strip() == str(mine.wide)
    assert matplotlib.rcParams["svg.fonttype"] == "path"  # the process keeps its own


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.8, 0.85, 0.9], ["0.80", "0.85", "0.90"]),
        ([0, 200, 400], ["0", "200", "400"]),
        ([-0.5, 0.0, 0.5], ["-0.5", "0.0", "0.5"]),
        ([1e9, 2e9], ["1.0e+09", "2.0e+09"]),
        ([], []),
    ],
)
def test_marks_of_a_scale_have_the_decimals_that_tell_them_apart(
    values: list[float], texts: list[str]
) -> None:
    """All marks of a scale have the same decimals."""
    assert charts.tick_texts(values) == texts
