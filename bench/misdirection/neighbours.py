"""Knn-30 over TF-IDF vectors of a person's mail, as the paper's textual baseline has it, walking forward."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from math import sqrt

import numpy as np

NEAREST = 30
TERMS = 48
"""Words kept of a message, those of the greatest weight."""

MAILBOX = 2_000
"""The latest messages of a person that are looked through."""

VOCABULARY = 1 << 20
"""Words are numbers below this; beyond it two words may share one."""

_WORD = re.compile(r"[a-z][a-z0-9_']{1,24}")


@dataclass(slots=True)
class _Box:
    """Numbers of a person's documents, and the people of each."""

    rows: list[int] = field(default_factory=list)
    people: list[tuple[str, ...]] = field(default_factory=list)


class Neighbours:
    """Everybody's mail as vectors; a document that several people have is kept once."""

    def __init__(self) -> None:
        self._words: dict[str, int] = {}
        self._documents = 0
        self._in = np.zeros(VOCABULARY, np.int32)
        self._terms = np.zeros((1024, TERMS), np.int32)
        self._weights = np.zeros((1024, TERMS), np.float32)
        self._query = np.zeros(VOCABULARY + 1, np.float32)
        self._rows: dict[str, int] = {}
        self._boxes: dict[str, _Box] = {}
        self._last: tuple[str, str, int] = ("", "", -1)
        self._answer: dict[str, float] = {}
        self._counted: tuple[str, dict[int, int]] = ("", {})

    def add(self, owner: str, key: str, subject: str, body: str, people: tuple[str, ...]) -> None:
        """Put a message into a person's mailbox; `key` is the same however many people have it."""
        row = self._rows.get(key)
        if row is None:
            row = self._keep(key, subject, body)
        box = self._boxes.setdefault(owner, _Box())
        box.rows.append(row)
        box.people.append(people)
        if len(box.rows) > 2 * MAILBOX:
            del box.rows[:-MAILBOX], box.people[:-MAILBOX]

    def scores(self, owner: str, key: str, subject: str, body: str) -> dict[str, float]:
        """Return, by address, the sum of similarities of those of the 30 nearest messages that it took part in."""
        box = self._boxes.get(owner)
        if box is None:
            return {}
        asked = (owner, key, self._documents + len(box.rows))
        if asked != self._last:
            self._last, self._answer = asked, self._nearest(box, self._vector(key, subject, body))
        return self._answer

    def _nearest(self, box: _Box, vector: tuple[list[int], list[float]]) -> dict[str, float]:
        terms, weights = vector
        if not terms:
            return {}
        people = box.people[-MAILBOX:]
        rows = np.array(box.rows[-MAILBOX:])
        self._query[terms] = weights
        similar = np.einsum("ij,ij->i", self._weights[rows], self._query[self._terms[rows]])
        self._query[terms] = 0.0
        best = np.argpartition(similar, -NEAREST)[-NEAREST:] if len(similar) > NEAREST else np.arange(len(similar))
        found: dict[str, float] = {}
        for number in best.tolist():
            value = float(similar[number])
            if value > 0:
                for person in people[number]:
                    found[person] = found.get(person, 0.0) + value
        return found

    def _counts(self, key: str, subject: str, body: str) -> dict[int, int]:
        """Return how often each word occurs; the last message is remembered, as it is asked about and then learned."""
        if self._counted[0] != key:
            words = Counter(_WORD.findall(f"{subject} {body}".lower()))
            numbers = {self._words.setdefault(w, len(self._words)) % VOCABULARY: n for w, n in words.items()}
            self._counted = (key, numbers)
        return self._counted[1]

    def _vector(self, key: str, subject: str, body: str) -> tuple[list[int], list[float]]:
        counts = self._counts(key, subject, body)
        total = self._documents + 1
        numbers = np.fromiter(counts, np.int64, len(counts))
        tf = np.fromiter(counts.values(), np.float64, len(counts))
        weights = (1 + np.log(tf)) * np.log(total / (self._in[numbers] + 0.5))
        weights[weights < 0] = 0.0
        if len(weights) > TERMS:
            top = np.argpartition(weights, -TERMS)[-TERMS:]
            numbers, weights = numbers[top], weights[top]
        norm = sqrt(float(weights @ weights)) or 1.0
        return numbers.tolist(), (weights / norm).tolist()

    def _keep(self, key: str, subject: str, body: str) -> int:
        terms, weights = self._vector(key, subject, body)
        row = len(self._rows)
        if row == len(self._terms):
            self._terms = np.concatenate([self._terms, np.zeros_like(self._terms)])
            self._weights = np.concatenate([self._weights, np.zeros_like(self._weights)])
        self._terms[row, : len(terms)], self._terms[row, len(terms) :] = terms, VOCABULARY
        self._weights[row, : len(weights)] = weights
        self._rows[key] = row
        self._in[list(self._counts(key, subject, body))] += 1
        self._documents += 1
        return row
