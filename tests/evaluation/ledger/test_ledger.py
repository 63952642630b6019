"""What happens to runs, and that state and events say the same of it.

tests/services/test_ledger_postgresql.py runs these tests against PostgreSQL.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable

import pytest

from seedlock.errors import BadLedger, LostLease
from seedlock.evaluation.ledger.leases import Lease
from seedlock.evaluation.ledger.ledger import Ledger
from seedlock.evaluation.ledger.states import STATE_OF
from tests.evaluation.ledger.made import POLICY, RECORD, Clock, digest, fill, play


def one(ledger: Ledger, worker: str = "w", seconds: float = 60) -> Lease:
    """Lease one run."""
    (lease,) = ledger.lease(worker, seconds)
    return lease


def test_all_that_can_happen_leaves_a_whole_ledger(ledger: Ledger, clock: Clock) -> None:
    """After every kind of event the chain holds and the state follows from it."""
    play(ledger, clock)

    found = ledger.verify([ledger.head()])
    assert found.problems == []
    assert found.events == ledger.head()[0] == len(list(ledger.events()))


def test_the_submission_with_the_fewest_runs_is_next(ledger: Ledger) -> None:
    """Seeds go round the submissions; within one, by index."""
    fill(ledger, "one", "two", seeds=3)

    order = [(each.name, each.seed_index) for each in ledger.lease("w", 60, limit=4)]
    ledger.add(digest("late"), "late", "private", 2)
    order += [(each.name, each.seed_index) for each in ledger.lease("w", 60, limit=9)]

    assert order == [
        ("one", 0), ("two", 0), ("one", 1), ("two", 1),
        ("late", 0), ("late", 1), ("one", 2), ("two", 2),
    ]  # fmt: skip
    assert ledger.lease("w", 60) == []


def test_a_submission_that_is_retried_does_not_hold_up_others(ledger: Ledger) -> None:
    """A retry counts as a start: runs of others come first."""
    fill(ledger, "one", "two", seeds=2, retries=9)
    lease = one(ledger)
    ledger.begin(lease, "x")
    ledger.finish(lease, "infrastructure")

    names = [(each.name, each.attempt) for each in ledger.lease("w", 60, limit=3)]

    assert names == [("two", 1), ("one", 2), ("two", 1)]


@pytest.mark.parametrize("outcome", sorted(STATE_OF))
def test_each_class_leads_to_its_state(outcome: str, ledger: Ledger) -> None:
    """What the author's program did is final; what the machine did is tried again, visibly."""
    fill(ledger, "one", seeds=1, retries=1)
    lease = one(ledger)
    ledger.begin(lease, "x")

    state = ledger.finish(lease, outcome, "runs/x.json", RECORD, ["why"], {"wall_seconds": 1.5})

    status = ledger.status()
    again = outcome in ("infrastructure", "interrupted")
    assert state == STATE_OF[outcome]
    assert status.complete == (not again)
    assert status.counts["queued" if again else state] == 1 == sum(status.counts.values())
    event = list(ledger.events())[-1]
    assert event["content"] == {
        "class": outcome, "state": state, "next": 2 if again else None, "record": "runs/x.json",
        "record_sha256": RECORD, "reasons": ["why"], "token": lease.token,
        "usage": {"wall_seconds": "1.5"},
    }  # fmt: skip
    assert [each.attempt for each in ledger.lease("w", 60)] == ([2] if again else [])
    assert ledger.verify().problems == []


def test_the_machine_may_fail_so_often_and_no_more(ledger: Ledger) -> None:
    """`retries` attempts beyond the first; then the failure is final. Interruptions don't count."""
    fill(ledger, "one", seeds=1, retries=2)

    states = []
    for outcome in ("infrastructure", "interrupted", "infrastructure", "infrastructure"):
        lease = one(ledger)
        ledger.begin(lease, "x")
        states.append(ledger.finish(lease, outcome))

    assert states == ["infrastructure", "interrupted", "infrastructure", "infrastructure"]
    assert ledger.lease("w", 60) == []
    status = ledger.status()
    assert status.complete
    assert (status.counts["infrastructure"], status.retries) == (1, 3)
    attempts = [each["attempt"] for each in ledger.events() if each["kind"] == "ended"]
    assert attempts == [1, 2, 3, 4]


def test_what_was_not_started_keeps_its_number(ledger: Ledger) -> None:
    """A lease that is given back unused costs no attempt; one that ran is never run again."""
    fill(ledger, "one", seeds=1)
    unused = one(ledger)

    assert ledger.give_back(unused, "Ctrl-C") == "queued"
    used = one(ledger)
    ledger.begin(used, "x")
    assert ledger.give_back(used, "Ctrl-C") == "interrupted"
    assert [unused.attempt, used.attempt, one(ledger).attempt] == [1, 1, 2]
    assert ledger.verify().problems == []


def test_a_lease_without_a_sign_ends(ledger: Ledger, clock: Clock) -> None:
    """It is an attempt that the machine failed, and can be seen; the next one is queued."""
    fill(ledger, "one", seeds=1)
    lost = one(ledger, seconds=60)
    clock.move(60)
    assert ledger.expire() == []
    clock.move(0.001)

    assert ledger.expire() == [lost]
    assert ledger.expire() == []
    event = list(ledger.events())[-1]
    assert (event["worker"], event["content"]["reasons"]) == (None, ["lease expired"])
    assert event["content"]["state"] == "infrastructure"
    assert one(ledger, "other").attempt == 2
    for report in (
        lambda: ledger.begin(lost, "x"),
        lambda: ledger.finish(lost, "done"),
        lambda: ledger.give_back(lost, "x"),
    ):
        with pytest.raises(LostLease, match="attempt 1 is no longer held"):
            report()
    assert not ledger.beat(lost, 60)
    assert ledger.verify().problems == []


def test_a_beat_keeps_a_lease(ledger: Ledger, clock: Clock) -> None:
    """As long as its holder gives signs it is not taken away, and signs are no events."""
    fill(ledger, "one")
    lease = one(ledger, seconds=60)
    head = ledger.head()

    for _ in range(5):
        clock.move(50)
        assert ledger.beat(lease, 60)
        assert ledger.expire() == []
    assert ledger.head() == head
    assert ledger.held()[0].end == round((clock.seconds + 60) * 1000)
    assert ledger.finish(lease, "done") == "done"
    assert not ledger.beat(lease, 60)


def test_another_attempt_has_another_token(
    ledger: Ledger, reopen: Callable[[], Ledger], clock: Clock
) -> None:
    """A worker that was given up, and comes back, can't end what another now does."""
    fill(ledger, "one", seeds=1)
    before = one(ledger)
    ledger.give_back(before, "not heard of")
    now = one(reopen(), "other")

    assert now.run_id == before.run_id and now.token > before.token
    with pytest.raises(LostLease):
        ledger.finish(before, "done")
    assert not ledger.beat(before, 60)
    assert reopen().finish(now, "done") == "done"


def test_saying_it_again_does_nothing(ledger: Ledger) -> None:
    """A worker that did not hear the answer, as when a connection broke, can say it again."""
    fill(ledger, "one", "two")
    lease = one(ledger)
    ledger.begin(lease, "x")
    ledger.finish(lease, "limit", "runs/x.json", RECORD)
    head = ledger.head()

    fill(ledger, "one", "two")
    assert ledger.finish(lease, "limit", "runs/x.json", RECORD) == "limit"
    assert ledger.head() == head
    with pytest.raises(LostLease):
        ledger.finish(lease, "done", "runs/x.json", RECORD)
    assert ledger.head() == head
    other = one(ledger)
    ledger.begin(other, "x")
    ledger.begin(other, "x")
    with pytest.raises(ValueError, match="begun as x, not as y"):
        ledger.begin(other, "y")


@pytest.mark.parametrize(
    "say",
    [
        lambda ledger: ledger.enter("other", POLICY, 1),
        lambda ledger: ledger.enter("sample", "sha256:" + "b" * 64, 1),
        lambda ledger: ledger.enter("sample", POLICY, 2),
        lambda ledger: ledger.enter("sample", POLICY, 1, "c" * 64),
        lambda ledger: ledger.add(digest("one"), "other", "public", 2),
        lambda ledger: ledger.add(digest("other"), "one", "public", 2),
        lambda ledger: ledger.add(digest("one"), "one", "public", 3),
        lambda ledger: ledger.add(digest("none"), "none", "public", 0),
    ],
)
def test_a_round_is_entered_once(say: Callable[[Ledger], None], ledger: Ledger) -> None:
    """Neither round nor submission can be replaced by something else."""
    fill(ledger, "one")
    head = ledger.head()

    with pytest.raises(BadLedger):
        say(ledger)
    assert ledger.head() == head
    assert ledger.verify().problems == []


def test_nothing_is_added_before_a_round(ledger: Ledger) -> None:
    """An empty ledger gives nothing, and says so."""
    assert ledger.lease("w", 60) == []
    assert ledger.status().round is None
    assert ledger.verify([(0, "0" * 64)]).problems == []
    with pytest.raises(BadLedger, match="no round yet"):
        ledger.add(digest("one"), "one", "public", 1)


def test_an_unknown_class_is_refused(ledger: Ledger) -> None:
    """Before anything is written."""
    fill(ledger, "one")
    lease = one(ledger)

    with pytest.raises(ValueError, match="class 'fine'"):
        ledger.finish(lease, "fine")
    assert [each.lease for each in ledger.held()] == [lease]


def test_strange_words_are_kept(ledger: Ledger) -> None:
    """Reasons hold what programs print: any character, halves of some, and NUL."""
    fill(ledger, "one")
    lease = one(ledger, "wörker 👩‍🔬")
    ledger.finish(lease, "done", "runs/ä.json", RECORD, ["a\x00b", "c\udce4d", "é\n"], {"x": 1e-7})

    content = list(ledger.events())[-1]["content"]
    assert content["reasons"] == ["a\x00b", "c?d", "é\n"]
    assert content["usage"] == {"x": "1e-07"}
    assert ledger.verify().problems == []


def test_the_status_counts_seeds(ledger: Ledger, clock: Clock) -> None:
    """Each seed is in one state, and the estimate is that of so many at once."""
    fill(ledger, "one", "two", seeds=4)
    first, second = ledger.lease("w", 600, limit=2)
    ledger.begin(first, "x")
    clock.move(100)
    ledger.finish(first, "done")

    status = ledger.status()
    assert status.counts == {
        "queued": 6, "leased": 1, "running": 0, "done": 1, "author-failure": 0, "limit": 0,
        "infrastructure": 0,
    }  # fmt: skip
    assert (status.seeds, status.mean_seconds, status.seconds_left) == (8, 100, 700)
    ledger.begin(second, "y")
    assert ledger.status().seconds_left == 650
    ledger.finish(second, "infrastructure")
    assert ledger.status().seconds_left is None
    assert ledger.status().retries == 1
    assert status.to_json()["estimated_end"] == "2026-12-01T12:13:20.000Z"


def test_threads_share_a_ledger(ledger: Ledger) -> None:
    """No run is given to two of them."""
    fill(ledger, *"abcdefgh", seeds=4)
    taken: list[Lease] = []

    def work(worker: str) -> None:
        while leases := ledger.lease(worker, 60, limit=2):
            taken.extend(leases)

    threads = [threading.Thread(target=work, args=(str(number),)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Counter((each.name, each.seed_index) for each in taken) == {
        (name, index): 1 for name in "abcdefgh" for index in range(4)
    }
    assert ledger.verify().problems == []


def test_two_may_make_it_at_once(where: str) -> None:
    """Whoever comes second finds it made."""
    program = (
        "import sys; from seedlock.evaluation.ledger.ledger import Ledger; "
        "Ledger.open(sys.argv[1]).enter('sample', 'sha256:0', 1)"
    )
    started = [subprocess.Popen([sys.executable, "-c", program, where]) for _ in range(4)]

    assert [each.wait() for each in started] == [0] * 4
    with Ledger.open(where, create=False) as ledger:
        assert ledger.head()[0] == 1
