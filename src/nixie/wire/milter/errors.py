"""What can go wrong between two ends of the milter protocol, and whose mistake it was.

* MilterError
  x ProtocolError   the peer sent what the protocol forbids; close the connection
  x LocalError      we were about to send what the protocol forbids; nothing was sent

Texts name packets, states and sizes only, never what the packets carried.
"""

from __future__ import annotations


class MilterError(Exception):
    """Something is not as the milter protocol says."""


class ProtocolError(MilterError):
    """The peer broke the protocol; the session cannot go on, because the two ends no longer agree where they are."""


class LocalError(MilterError, ValueError):
    """Our own side asked for something the protocol or the negotiation does not allow."""
