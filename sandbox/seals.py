"""Hidden fields that only the page itself can have written: HMACs over what they are about, so nothing is stored."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

from sandbox.records import Payment


@dataclass(frozen=True)
class Seals:
    """Made with the provider's *secret*. A challenge counts the refusals before it: once it is refused, or anything
    else was, it is over; once it is confirmed, the page is.
    """

    secret: str = field(repr=False)

    def form(self, payment: Payment) -> str:
        """What the page's form carries: who posts it had the page open."""
        return self._seal(f"form/{payment.token}")

    def challenge(self, payment: Payment) -> str:
        """What the bank's question carries: who posts it was asked."""
        return self._seal(f"challenge/{payment.token}/{payment.declined}")

    def is_form(self, payment: Payment, given: str) -> bool:
        return hmac.compare_digest(self.form(payment).encode(), given.encode(errors="replace"))

    def is_challenge(self, payment: Payment, given: str) -> bool:
        return hmac.compare_digest(self.challenge(payment).encode(), given.encode(errors="replace"))

    def _seal(self, about: str) -> str:
        return hmac.new(self.secret.encode(), about.encode(), hashlib.sha256).hexdigest()
