"""Fits the numbers of the intended-recipient model on the tuning half: context weights and shares of the slips of person and circle.

    .venv/bin/python bench/misdirection/fit.py --data DIR [--only usrp,btrfs,enron] [--cap N] [--trials N] [--save FILE] [--load FILE]

The model is one odds for each hypothesis (a recipient went astray, to a certain address or to nobody), the product of a rate for its slip
kind, counts, and a weight for each feature of its context (`nixie.core.context`). A message is a choice among its hypotheses and "all
copies are right", so the fit is a conditional logit (McFadden 1974): the log-likelihood that an untouched message is all right, and that in an
injected copy the wrong recipient is the one chosen, summed over messages. Every kind of injection weighs the same, all together one in
`ONE_IN` of the untouched messages; each organisation weighs the same. Weights keep the sign that makes the model monotone (`SIGNS`) and are
drawn towards where they began (a Gaussian prior), so that a feature which says nothing here keeps its place.

This is a tool of development: it asks the engine in its own process, because `nixie check` prints factors, not the features before their weights.
Nothing of the test half is read.
"""

from __future__ import annotations

import argparse
import json
import pickle
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from corpora import load
from planning import plan
from run import CAPS, SEED
from streams import Stream, as_json
from values import KINDS, OWN, Walked

from nixie.cli.checking import make_engine
from nixie.cli.checking_stream import Walk, span
from nixie.core.context_weights import WEIGHTS
from nixie.core.hypotheses import hypotheses_of
from nixie.core.proposals import shortlist
from nixie.service.engine import Decision, Engine, untouched

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FEATURES = tuple(WEIGHTS)
ONE_IN = 20.0
MODEL_ONE_IN = 2_500.0
PRIOR_WEIGHTS, PRIOR_SHARES = 0.5, 1.0
"""How many messages' worth (of 10,000 an organisation) each number is drawn to where it began."""

SIGNS = {name: -1 if WEIGHTS[name] < 0 else 1 for name in FEATURES}
LAST = {"btrfs": 8_000}
"""Mails of a large corpus that are walked, the last ones."""

MOST = 40
"""Hypotheses kept of one message besides those that nobody was meant, the weightiest."""


@dataclass(slots=True)
class Gathered:
    """Hypotheses in columns; `message` numbers are rising."""

    message: list[int] = field(default_factory=list)
    offset: list[float] = field(default_factory=list)
    features: list[list[float]] = field(default_factory=list)
    kind: list[str] = field(default_factory=list)
    right: list[bool] = field(default_factory=list)
    labels: list[tuple[str, str]] = field(default_factory=list)
    """By message: organisation, and the injected kind or ""."""


class Listening:
    """An engine that notes the hypotheses of each message instead of judging."""

    def __init__(self, engine: Engine, into: Gathered) -> None:
        self.inner, self.into = engine, into
        self.line: Walked | None = None

    @property
    def organisation(self) -> Any:
        """The engine's organisation."""
        return self.inner.organisation

    def decide(self, message: Any, envelope: Any, client: Any, as_of: Any) -> Decision:
        """Note the hypotheses."""
        from nixie.core.direction import Direction, origin_of

        origin = origin_of(message, envelope, client, self.inner.organisation)
        line = self.line
        if line is not None and origin.direction is Direction.OUTGOING:
            case = self.inner.case(message, envelope, origin, as_of)
            self._note(case, line)
        return Decision(message, envelope, origin, untouched(envelope, ""))

    def _note(self, case: Any, line: Walked) -> None:
        into = self.into
        number = len(into.labels)
        wrong = line.injected.wrong.lower() if line.injected else None
        into.labels.append((line.org, line.injected.kind if line.injected else ""))
        listed = shortlist(case.circle, case.proposals, case.organisation)
        found = hypotheses_of(case, listed.proposals, int(MODEL_ONE_IN)).found
        rows = [h for h in found if h.intended is None]
        rows += sorted((h for h in found if h.intended is not None), key=lambda h: -h.weight)[:MOST]
        for one in rows:
            values = dict.fromkeys(FEATURES, 0.0)
            for name, value in (*one.for_written, *one.for_intended):
                values[name] += value / WEIGHTS[name] if WEIGHTS[name] else 0.0
            into.message.append(number)
            into.offset.append(float(np.log(one.weight) - one.context))
            into.features.append([values[n] for n in FEATURES])
            into.kind.append(one.slip.kind if not one.typed else f"typed {one.slip.part}")
            into.right.append(str(one.written).lower() == wrong)


def gather(org: str, data: Path, cap: int, trials: int, kinds: Sequence[str]) -> Gathered:
    """Walk one organisation's tuning half."""
    corpus = load(org, data, LAST.get(org))
    stream = Stream(corpus, plan(corpus, data, seed=SEED + 1, trials=trials, cap=cap, kinds=tuple(kinds)))
    into = Gathered()
    walk = Walk(make_engine(None, None, (OWN,), None), span("400d"), learning=True)
    listening = Listening(walk.engine, into)
    walk.engine = listening  # type: ignore[assignment]
    for _ in walk.answers(_lines(stream, listening), explain=False):
        pass
    return into


def _lines(stream: Stream, listening: Listening) -> Iterator[bytes]:
    kept = 0
    for line in stream.lines():
        if not line.tuning:
            break
        # Of the untouched messages every third, of the injected all: the walk itself needs every line.
        listening.line = line if line.judged and (line.injected or kept % 3 == 0) else None
        kept += line.clean
        yield as_json(line if listening.line else replace(line, judged=False)).encode("utf-8", "surrogatepass")


def arrays(groups: Sequence[Gathered]) -> dict[str, Any]:
    """Return all groups as one set of arrays."""
    kinds = sorted({k for g in groups for k in g.kind if k})
    start, columns = 0, {"message": [], "offset": [], "x": [], "kind": [], "right": []}
    labels: list[tuple[str, str]] = []
    for g in groups:
        columns["message"].append(np.array(g.message, dtype=np.int64) + start)
        columns["offset"].append(np.array(g.offset))
        columns["x"].append(np.array(g.features, dtype=np.float32).reshape(-1, len(FEATURES)))
        columns["kind"].append(np.array([kinds.index(k) if k else -1 for k in g.kind]))
        columns["right"].append(np.array(g.right, dtype=bool))
        labels += g.labels
        start += len(g.labels)
    return {**{k: np.concatenate(v) for k, v in columns.items()}, "labels": labels, "kinds": kinds}


def message_weights(labels: Sequence[tuple[str, str]]) -> np.ndarray:
    """Return each message's weight: organisations alike; injected kinds alike, all together one in `ONE_IN`."""
    counts: dict[tuple[str, str], int] = {}
    for label in labels:
        counts[label] = counts.get(label, 0) + 1
    found = np.empty(len(labels))
    for at, (org, kind) in enumerate(labels):
        clean = counts.get((org, ""), 1)
        kinds = sum(1 for o, k in counts if o == org and k)
        found[at] = 10_000.0 / clean if not kind else 10_000.0 / (ONE_IN * kinds * counts[org, kind])
    return found


def fit(data: dict[str, Any], steps: int = 400) -> tuple[np.ndarray, np.ndarray, float]:
    """Return feature weights, shifts of log shares by kind, and the loss."""
    message, x, kind, right = data["message"], data["x"].astype(np.float64), data["kind"], data["right"]
    n, nk = len(data["labels"]), len(data["kinds"])
    injected = np.array([bool(k) for _, k in data["labels"]])
    found = np.zeros(n, dtype=bool)
    found[message[right]] = True
    usable = ~injected | found
    weights = message_weights(data["labels"]) * usable
    shift = np.log(MODEL_ONE_IN / ONE_IN)
    start = np.array([WEIGHTS[f] for f in FEATURES])
    theta = np.concatenate((start, np.zeros(nk)))
    has = kind >= 0
    # The rates of typing errors come from lists of them; they may move by a factor of five.
    typed = np.array([k.startswith("typed") for k in data["kinds"]], dtype=bool)
    m1 = np.zeros_like(theta)
    m2 = np.zeros_like(theta)
    sign = np.array([SIGNS[f] for f in FEATURES], dtype=float)
    loss = 0.0
    for step in range(1, steps + 1):
        w, b = theta[: len(FEATURES)], theta[len(FEATURES) :]
        context = np.clip(x @ w, -12.0, 12.0)
        inside = (context > -12.0) & (context < 12.0)
        score = data["offset"] + shift + context
        score[has] += b[kind[has]]
        odds = np.exp(np.clip(score, -50, 30))
        whole = 1.0 + np.bincount(message, odds, n)
        good = np.bincount(message, odds * right, n)
        p = odds / whole[message]
        target = np.where(injected, np.where(found, good, 1.0), 1.0)
        loss = float(-(weights * (np.log(target) - np.log(whole))).sum() / weights.sum())
        # d loglik / d score_h = [h right] odds/good - p
        share = np.where(right, odds / np.maximum(good[message], 1e-300), 0.0)
        g = (share - p) * weights[message]
        gw = (x * (g * inside)[:, None]).sum(0)
        gb = np.bincount(kind[has], g[has], nk)
        grad = np.concatenate((gw, gb)) / weights.sum()
        grad[: len(FEATURES)] -= PRIOR_WEIGHTS * (w - start) / weights.sum()
        grad[len(FEATURES) :] -= PRIOR_SHARES * b / weights.sum()
        m1 = 0.9 * m1 + 0.1 * grad
        m2 = 0.99 * m2 + 0.01 * grad**2
        theta = theta + 0.05 * (m1 / (1 - 0.9**step)) / (np.sqrt(m2 / (1 - 0.99**step)) + 1e-9)
        theta[len(FEATURES) :][typed] = np.clip(theta[len(FEATURES) :][typed], -1.6, 1.6)
        theta[: len(FEATURES)] = sign * np.maximum(sign * theta[: len(FEATURES)], 0.0)
        if step % 50 == 0:
            print(f"step {step}: loss {loss:.5f}", flush=True)
    return theta[: len(FEATURES)], theta[len(FEATURES) :], loss


def evaluate(data: dict[str, Any], weights: np.ndarray, shifts: np.ndarray) -> None:
    """Print, by organisation and kind, how many injected messages rise above all but 1, 5 and 10 of 1,000 untouched ones, and how
    often the wrong recipient is the most suspect one.
    """
    n = len(data["labels"])
    score = data["offset"] + np.clip(data["x"] @ weights, -12.0, 12.0)
    score[data["kind"] >= 0] += shifts[data["kind"][data["kind"] >= 0]]
    odds = np.exp(np.clip(score, -50, 30))
    whole = np.bincount(data["message"], odds, n)
    good = np.bincount(data["message"], odds * data["right"], n)
    orgs = sorted({o for o, _ in data["labels"]})
    kinds = sorted({k for _, k in data["labels"]})
    for org in orgs:
        rows = {
            k: np.array([at for at, label in enumerate(data["labels"]) if label == (org, k)], dtype=int) for k in kinds
        }
        clean = np.sort(whole[rows[""]])[::-1]
        print(org, len(clean), "untouched")
        for kind in kinds:
            if not kind or not len(rows[kind]):
                continue
            cuts = [clean[int(len(clean) * b / 1000)] for b in (1, 5, 10, 20, 50)]
            recall = " ".join(f"{(good[rows[kind]] > cut).mean():.3f}" for cut in cuts)
            first = (good[rows[kind]] > 0.5 * whole[rows[kind]]).mean()
            print(f"  {kind:3} {len(rows[kind]):5}  recall@1,5,10,20,50: {recall}   most suspect {first:.3f}")


def main() -> None:
    """Gather, fit, print the new literals."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", default="usrp,enron,btrfs")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--cap", type=int, default=1_000)
    parser.add_argument("--trials", type=int, default=7)
    parser.add_argument("--keep", type=Path, help="keep what was gathered in this folder, and use what is there")
    options = parser.parse_args()
    groups = []
    for org in options.only.split(","):
        began = time.monotonic()
        kept = options.keep / f"{org}.pickle" if options.keep else None
        if kept is not None and kept.exists():
            groups.append(pickle.loads(kept.read_bytes()))
        else:
            cap = min(options.cap, CAPS[org])
            groups.append(gather(org, options.data, cap, options.trials, options.kinds.split(",")))
            if kept is not None:
                kept.write_bytes(pickle.dumps(groups[-1]))
        print(
            f"{org}: {len(groups[-1].labels)} messages, {len(groups[-1].kind)} hypotheses, {time.monotonic() - began:.0f} s"
        )
    data = arrays(groups)
    reached = {}
    right_of = np.zeros(len(data["labels"]), dtype=bool)
    right_of[data["message"][data["right"]]] = True
    for (org, kind), hit in zip(data["labels"], right_of, strict=True):
        if kind:
            n, hits = reached.get((org, kind), (0, 0))
            reached[org, kind] = n + 1, hits + bool(hit)
    print("proposed at all:", {f"{o} {k}": f"{h}/{n}" for (o, k), (n, h) in sorted(reached.items())})
    evaluate(data, np.array([WEIGHTS[f] for f in FEATURES]), np.zeros(len(data["kinds"])))
    weights, shifts, loss = fit(data)
    evaluate(data, weights, shifts)
    print(f"loss {loss:.5f}")
    print("WEIGHTS:", json.dumps({f: round(float(w), 3) for f, w in zip(FEATURES, weights, strict=True)}))
    print(
        "SHARE factors:",
        json.dumps({k: round(float(np.exp(b)), 4) for k, b in zip(data["kinds"], shifts, strict=True)}),
    )


if __name__ == "__main__":
    main()
