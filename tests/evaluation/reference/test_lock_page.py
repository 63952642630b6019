"""The page about a lock: what it tells of a made-up change, and of a first lock."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from seedlock.evaluation.reference import (
    installed_sizes,
    lock_changes,
    lock_html,
    lock_markdown,
    release,
)
from seedlock.evaluation.reference.reference_errors import BadReference
from seedlock.evaluation.reference.release import Lock
from seedlock.evaluation.reference.speed import ratio
from tests.evaluation.reference.made_lock import (
    VALUES,
    content,
    lock,
    locks,
    model,
    run,
    write,
    write_locks,
)

BEFORE = locks(lock("numpy==2.2.6", "torch==2.13.0", "gone==1.0", "same==1.0"))
AFTER = locks(
    lock("numpy==2.2.6", "torch==2.14.0", "come==3.0")
    + lock("same==1.0", salt="other file")
)  # fmt: skip

HOSTILE = "a|b <script>alert(1)</script> [x](y) `z`"


def measured(**models: list[dict[str, Any]]) -> dict[str, Any]:
    """Return models by name, all of one task."""
    return {f"{name}-digits": model(name, runs) for name, runs in models.items()}


def runs(lock: str = "old", move: float = 0.0, wall: float = 2.0) -> list[dict[str, Any]]:
    """Return eight runs."""
    return [run(seed, value + move, lock, wall=wall) for seed, value in enumerate(VALUES, 1)]


@pytest.fixture
def before(tmp_path: Path) -> Lock:
    """The lock before: three frameworks."""
    made = content(measured(torch=runs(), numpy=runs(), jax=runs()), BEFORE)
    return Lock(write(tmp_path / "before", made), write_locks(tmp_path / "locks-before", BEFORE))


def after(folder: Path, processor: str = "a processor", **models: Any) -> Lock:
    """Return the new lock: torch has other bits and the same values in another order, JAX is worse
    and has a failure."""
    torch = [run(each["seed"], value, "new", wall=4.0)
             for each, value in zip(runs(), reversed(VALUES), strict=True)]  # fmt: skip
    jax = runs("new", -0.05)
    jax[3] = run(4, None, "new", None, outcome="author-failure")
    every = {"torch": torch, "numpy": runs(), "jax": jax} | models
    made = content(measured(**every), AFTER, processor=processor)
    return Lock(write(folder / "after", made), write_locks(folder / "locks", AFTER))


def told(page: str, section: str) -> str:
    """Return one section of a page."""
    return page.split(f"\n## {section}\n")[1].split("\n## ")[0]


def test_a_page_with_all_parts(before: Lock, tmp_path: Path) -> None:
    """Packages, bits, accuracy, speed and frameworks of one change, with a verdict per model."""
    page = lock_markdown.page(release.page(after(tmp_path), before, tmp_path))

    assert "**FAIL**: Of 3 models: 1 EQUAL BITS, 1 EQUAL DISTRIBUTION, 1 FAIL: jax-digits." in page
    assert "Not released: the stored reference is still that of the lock before." in page
    assert "seed 4 failed, which it had not: author-failure: exit status 1" in told(
        page, "What fails"
    )
    packages = told(page, "Packages")
    assert "| come | added | - | 3.0 |" in packages
    assert "| gone | removed | 1.0 | - |" in packages
    assert "| same | other hash | 1.0 | 1.0 |" in packages
    assert "| torch | other version | 2.13.0 | 2.14.0 |" in packages
    assert "must never happen" in packages
    assert "gpu.lock: no change." in packages
    bits = told(page, "Bits")
    assert "| numpy-digits | 8 of 8 | - |" in bits
    assert "| torch-digits | 0 of 8 |" in bits
    accuracy = told(page, "Accuracy")
    assert re.search(r"\| jax-digits .*\| -0\.05.* \| 4 \| FAIL \|", accuracy)
    assert re.search(r"\| torch-digits .*\| passes \| none \| EQUAL DISTRIBUTION \|", accuracy)
    assert re.search(r"\| numpy-digits \|.*\| - \| - \|.*\| none \| EQUAL BITS \|", accuracy)
    speed = told(page, "Speed")
    assert re.search(r"\| torch-digits \| 4\.0 \| 300 MiB \| 2\.0 \| 1\.98 \(1\.97 to", speed)
    assert "another machine" not in speed
    assert told(page, "Frameworks side by side").count("300 MiB") == 3


def test_a_collapsed_run_stands_on_the_page(before: Lock, tmp_path: Path) -> None:
    """Of a model that passes too."""
    values = [*VALUES[1:], 0.1]
    torch = [run(each["seed"], value, "new") for each, value in zip(runs(), values, strict=True)]
    page = lock_markdown.page(release.page(after(tmp_path, torch=torch), before, tmp_path))

    apart = told(page, "What stands apart, and decides nothing")
    assert "torch-digits: seed 8 stands apart: it came to 0.1, the stored runs to" in apart
    assert "jax-digits" not in apart


def test_a_first_lock_says_so(tmp_path: Path) -> None:
    """Nothing is compared, and the distributions are there."""
    made = release.page(after(tmp_path), None, tmp_path)
    page = lock_markdown.page(made)

    assert "**FIRST LOCK**: There is no lock before it to compare with" in page
    assert "\n## Bits\n" not in page and "ratio" not in page
    assert "| numpy-digits | 0.9569 ± 0.0039 | 0.0047 | 0.9490 | 0.9630 | 3 | none |" in page
    assert "| jax-digits |" in page and "| 4 |" in told(page, "Accuracy")
    assert lock_html.page(made).count("<svg") == 2


def test_the_picture_has_each_seed_before_and_now(before: Lock, tmp_path: Path) -> None:
    """47 dots for 48 runs of which one failed, six bands; wide and narrow."""
    html = lock_html.page(release.page(after(tmp_path), before, tmp_path))
    wide, narrow = re.findall(r"<svg.*?</svg>", html, re.DOTALL)

    for svg in (wide, narrow):
        assert svg.count("seed ") == 47
        for name in ("torch before", "torch now", "jax before", "numpy now"):
            assert name in svg
    assert '<p class="verdict bad">FAIL</p>' in html
    assert "style=" not in html and "http:" not in html.replace("http://www.w3.org", "")


def test_what_is_accepted_is_said_with_its_reason(before: Lock, tmp_path: Path) -> None:
    """The verdict stays, and any reason is shown as the text that it is."""
    made = release.page(after(tmp_path), before, tmp_path, HOSTILE)
    page, html = lock_markdown.page(made), lock_html.page(made)

    assert "**FAIL**" in page and "Not released" not in page
    assert r"for this reason: a\|b \<script\>alert(1)\</script\> \[x\](y) \`z\`" in page
    assert "&lt;script&gt;" in html and "<script" not in html


def test_another_machine_is_said(before: Lock, tmp_path: Path) -> None:
    """A ratio of times on two machines says nothing about the lock."""
    made = release.page(after(tmp_path, processor="another"), before, tmp_path)

    assert "says nothing about the lock" in told(lock_markdown.page(made), "Speed")


def test_without_the_locks_before_versions_are_compared(before: Lock, tmp_path: Path) -> None:
    """The measurements know what was installed; that hashes were not compared is said."""
    (before.locks or tmp_path).joinpath("cpu.lock").write_text("# another one\n")
    made = release.page(after(tmp_path), before, tmp_path)

    assert "hashes are not compared" in told(lock_markdown.page(made), "Packages")


def test_a_measurement_of_other_locks_is_refused(before: Lock, tmp_path: Path) -> None:
    """A page about this lock with numbers of another would be a lie."""
    new = after(tmp_path)
    write_locks(tmp_path / "locks", BEFORE)

    with pytest.raises(BadReference, match="is not of the locks in"):
        release.page(new, before, tmp_path)


def test_storing_makes_it_the_next_one_before(before: Lock, tmp_path: Path) -> None:
    """What is stored is what was measured, sizes included."""
    new = after(tmp_path)
    sizes = {"lock": json.loads((new.measurement / "reference.json").read_text())["lock"],
             "bytes": {"torch": 5 << 20, "numpy": 1 << 20}}  # fmt: skip
    (new.measurement / installed_sizes.NAME).write_text(json.dumps(sizes))
    release.store(new.measurement, before.measurement)
    kept = Lock(before.measurement, new.locks)
    page = lock_markdown.page(release.page(new, kept, tmp_path))

    for name in ("reference.json", "sizes.json"):
        one, other = ((lock.measurement / name).read_text() for lock in (new, kept))
        assert json.loads(one) == json.loads(other)
    assert "together 6 MiB once installed, before 6 MiB" in told(page, "Size")
    assert "3 EQUAL" in page or "2 EQUAL BITS" in page


def test_sizes_are_those_of_wheels(tmp_path: Path) -> None:
    """This environment's NumPy, by its RECORD; not measured where another version is installed."""
    import numpy

    made = {"lock": {"cpu.lock": "x"}, "packages": {"numpy": numpy.__version__}}
    found = installed_sizes.of(tmp_path, made)

    assert found is not None and 10 << 20 < found["numpy"] < 200 << 20
    assert installed_sizes.of(tmp_path, made) == found
    assert installed_sizes.of(tmp_path, made | {"lock": {}, "packages": {"numpy": "0"}}) is None


def test_changes_between_locks() -> None:
    """By name: what came, went, moved, and what has another hash under one version."""
    changed = lock_changes.between(BEFORE, AFTER)

    assert [(each["name"], each["change"]) for each in changed["cpu.lock"]] == [
        ("come", "added"), ("gone", "removed"), ("same", "other hash"), ("torch", "other version"),
    ]  # fmt: skip
    assert changed["dev.lock"] == []


def test_a_ratio_of_times_has_the_interval_of_its_logarithms() -> None:
    """Twice as long under each seed is 2 without width; only common seeds count."""
    twice = ratio({1: 1.0, 2: 3.0, 3: 9.0}, {1: 2.0, 2: 6.0, 4: 1.0})
    spread = ratio({1: 1.0, 2: 1.0, 3: 1.0}, {1: 2.0, 2: 4.0, 3: 8.0})

    assert twice == pytest.approx((2.0, 2.0, 2.0, 2))
    assert spread is not None and spread.low is not None and spread.high is not None
    assert spread.value == pytest.approx(4.0)
    assert spread.low * spread.high == pytest.approx(16.0)
    assert ratio({1: 0.0}, {1: 1.0}) is None
