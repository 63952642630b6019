"""What shows that nobody chose the seeds and no run was left out."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from starlette.requests import Request

from seedlock.evaluation.rounds import claims, standing
from seedlock.evaluation.rounds.canonical import from_seconds
from seedlock.evaluation.rounds.ceremony import Round
from seedlock.evaluation.rounds.ledger_lines import NAME as LEDGER
from seedlock.evaluation.rounds.verification import Seen
from seedlock.leaderboard import verifying, withheld
from seedlock.leaderboard.access import may_list_submissions
from seedlock.leaderboard.api.asked import Kept, KeptRound, told
from seedlock.leaderboard.dependencies import Now, Visitor
from seedlock.leaderboard.problems import Problem, not_found
from seedlock.leaderboard.rate_limits import costly

router = APIRouter(tags=["proofs"])

NOTED = r"^sha256:[0-9a-f]{64}$"
HEAD = r"^[0-9]{1,12}:[0-9a-f]{64}$"

MOST_EVENTS = 1000
"""In one answer."""


class Ceremony(BaseModel):
    """Where a round stands, step by step, with the digests of its files; no seed is in it."""

    round: str
    revision: int
    standing: dict[str, Any]


class Noted(BaseModel, extra="forbid"):
    """What somebody noted in time, as `seedlock round verify --seen` takes it."""

    opening: Annotated[str, Field(pattern=NOTED)] | None = None
    freeze: Annotated[str, Field(pattern=NOTED)] | None = None
    ledger: Annotated[list[Annotated[str, Field(pattern=HEAD)]], Field(max_length=16)] = []


class OneFinding(BaseModel):
    """One thing that was looked at."""

    about: str
    state: str
    said: str


class Verdict(BaseModel):
    """What `seedlock round verify` says of the published files."""

    round: str
    revision: int
    verdict: str
    meaning: str
    findings: list[OneFinding]


class Events(BaseModel):
    """Events of a ledger in their order; `next` goes into `after` for those behind them. Where
    reasons are withheld, the event says so, and its hash is that of the whole event."""

    round: str
    events: list[dict[str, Any]]
    next: int | None


@router.get("/rounds/{name}/ceremony")
def ceremony(this: KeptRound, now: Now) -> Ceremony:
    """Return which steps were taken when, and what is next."""
    found = told(lambda: standing.look(Round(this.folder), from_seconds(now // 1000)))
    return Ceremony(round=this.name, revision=this.revision, standing=found)


@router.post("/rounds/{name}/verify", dependencies=[Depends(costly)])
def verify(request: Request, this: KeptRound, now: Now, noted: Noted | None = None) -> Verdict:
    """Verify the round's published files anew. 503: another verification is under way."""
    seen = None if noted is None or noted == Noted() else _seen(noted)
    found = findings(request, this, now, seen)
    word, _, meaning = claims.verdict(found)
    return Verdict(
        round=this.name, revision=this.revision, verdict=word, meaning=meaning,
        findings=[OneFinding(**each.as_dict()) for each in found],
    )  # fmt: skip


def findings(
    request: Request, this: Kept, now: int, seen: Seen | None = None
) -> list[claims.Finding]:
    """Return what the verification of a round found; shared by the interface and the pages.

    Raises:
        Problem: 503, another one is under way.
    """
    verifier: verifying.Verifier = request.app.state.verifier
    try:
        return told(lambda: verifier.findings(this.folder, this.revision, now, seen))
    except verifying.Busy:
        raise Problem(
            503, "another verification is under way", cure="say it again in a minute",
            headers={"Retry-After": "30"},
        ) from None  # fmt: skip


@router.get("/rounds/{name}/ledger")
def ledger(
    this: KeptRound, visitor: Visitor,
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
    most: Annotated[int, Query(ge=1, le=MOST_EVENTS)] = 200,
) -> Events:  # fmt: skip
    """Return events of the ledger; those of private submissions without the reasons of an end,
    but to organisers and reviewers."""
    path = this.folder / LEDGER
    if not path.exists():
        raise not_found("this round has published no ledger")
    everything = may_list_submissions(visitor, this.name)
    private = frozenset[str]() if everything else withheld.private_digests(this.folder)
    shown = list(islice(withheld.events(path, after, private), most + 1))
    more = len(shown) > most
    shown = shown[:most]
    return Events(round=this.name, events=shown, next=shown[-1]["sequence"] if more else None)


def _seen(noted: Noted) -> Seen:
    digests = {
        step: digest for step, digest in (("opening", noted.opening), ("freeze", noted.freeze))
        if digest is not None
    }  # fmt: skip
    heads = [(int(each.partition(":")[0]), each.partition(":")[2]) for each in noted.ledger]
    return Seen(digests, heads)
