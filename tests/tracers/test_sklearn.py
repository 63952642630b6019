"""The trace of programs that use scikit-learn."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tracers.recorded import Recorded, first_difference, record

FITTING = """
import os, sys, threading, warnings
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

class Mean(ClassifierMixin, BaseEstimator):
    def __init__(self, power=1):
        self.power = power
    def fit(self, x, y):
        self.classes_ = np.unique(y)
        self.mean_ = x.mean() ** self.power
        self.lock_ = threading.Lock() if os.getpid() == FIRST else None
        return self
    def predict(self, x):
        return np.full(len(x), self.classes_[0])

if __name__ == "__main__":
    FIRST = os.getpid()
    x, y = make_classification(120)
    if sys.argv[1:]:
        x += int.from_bytes(os.urandom(4), "little")
    forest = RandomForestClassifier(5, n_jobs=2).fit(x, y)
    if sys.argv[1:]:
        sys.exit()
    pipeline = make_pipeline(StandardScaler(), PCA(3), LogisticRegression()).fit(x, y)
    search = GridSearchCV(make_pipeline(StandardScaler(), SGDClassifier()),
                          {"sgdclassifier__alpha": [1e-3, 1e-2]}, cv=2, n_jobs=2).fit(x, y)
    trees = HistGradientBoostingClassifier(max_iter=3).fit(x, y)
    reduced = PCA(2).fit_transform(x)
    part = SGDClassifier()
    for _ in range(2):
        part.partial_fit(x, y, classes=[0, 1])
    own = Mean().fit(x, y)
    print(forest.predict_proba(x).sum().hex(), pipeline.predict_proba(x)[:, 0].sum().hex(),
          search.best_score_.hex(), trees.predict_proba(x)[:, 0].sum().hex(),
          reduced.sum().hex(), part.coef_.sum().hex(), own.mean_.hex())
else:
    FIRST = 0
"""


class Fitting:
    """Where the runs of `FITTING` left their traces, and what they printed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program = folder / "program" / "fit.py"
        self.program.parent.mkdir()  # importing libraries lists it: the same for each run
        self.program.write_text(FITTING)
        self.plain = self.run("plain", None)
        self.one = self.run("one", "op")
        self.other = self.run("other", "op")

    def run(self, name: str, mode: str | None, *given: str, **variables: str) -> Recorded:
        """Run the program, tracing into the folder of that name."""
        return record(self.program, self.folder / name, mode, *given, **variables)


@pytest.fixture(scope="module", name="fitting")
def _fitting(tmp_path_factory: pytest.TempPathFactory) -> Fitting:
    return Fitting(tmp_path_factory.mktemp("fitting"))


def test_equal_runs_have_equal_traces(fitting: Fitting) -> None:
    """Byte for byte below the header, though a search keeps durations and trees have bytes
    between their fields that nobody has written to."""
    one, other = fitting.one.places, fitting.other.places

    assert one[""] == other[""]
    assert fitting.plain.done.out == fitting.one.done.out == fitting.other.done.out


def test_the_outermost_fit_counts(fitting: Fitting) -> None:
    """A pipeline, a search and a forest are one fit each, at the author's line."""
    found = fitting.one.of("fit")
    line = FITTING[: FITTING.index("    forest =")].count("\n") + 1

    assert [each["op"] for each in found] == [
        "RandomForestClassifier.fit",
        "Pipeline.fit",
        "GridSearchCV.fit",
        "HistGradientBoostingClassifier.fit",
        "PCA.fit_transform",
        "SGDClassifier.partial_fit",
        "SGDClassifier.partial_fit",
        "Mean.fit",
    ]
    assert found[0]["at"] == f"fit.py:{line}"
    assert "numpy" in found[5]["rng"]


def test_the_value_is_what_was_found(fitting: Fitting) -> None:
    """Attributes that end in `_`, in order of their names; one that can't be digested is left
    out, with a gap."""
    named = {each["op"]: each["names"] for each in fitting.one.of("fit") if "names" in each}
    noted = [gap for gap in fitting.one.gaps if "lock_" in gap]

    assert named["SGDClassifier.partial_fit"] == [
        "classes_", "coef_", "intercept_", "n_features_in_", "n_iter_", "t_",
    ]  # fmt: skip
    assert named["Mean.fit"] == ["classes_", "mean_"]
    assert named["Pipeline.fit"] == ["steps"]
    assert "refit_time_" not in named["GridSearchCV.fit"]
    assert len(noted) == 1 and "Mean.fit" in noted[0]


def test_fits_of_workers_are_theirs(fitting: Fitting) -> None:
    """A search's candidates are fitted in processes, each task at its place."""
    fits = [
        each["op"]
        for place in fitting.one.places
        if place
        for each in fitting.one.of("fit", place=place)
    ]

    assert fits == ["Pipeline.fit"] * 4


def test_other_data_are_seen_at_the_first_fit(fitting: Fitting) -> None:
    """One number from the system in the features."""
    planted = fitting.run("planted", "step", "noise", REPRO_ENTROPY="count")

    usual, found = (run.of("fit") for run in (fitting.one, planted))

    assert first_difference(usual, found)[0]["op"] == "RandomForestClassifier.fit"
