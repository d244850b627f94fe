"""What can go wrong between two speakers of SMTP.

* ProtocolError            something that the protocol does not allow
  x RemoteError            they said it: end the connection, or answer with `reply` where the error carries one
  x LocalError             we were about to say it: a mistake in our own code
"""

from __future__ import annotations


class ProtocolError(Exception):
    """The root: decoders and sessions of this package raise nothing else, whatever bytes arrive."""


class RemoteError(ProtocolError):
    """The other side broke the protocol. The text names the rule, never the bytes."""


class LocalError(ProtocolError):
    """Our own side tried a move that is not legal now."""
