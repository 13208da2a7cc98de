"""Where a customer goes from the page: the merchant's addresses, and which of them fits."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode, urlsplit

from sandbox.records import Payment
from sandbox.requests import OpenPage

PAID: Final = {"captured": "success_url", "under_way": "pending_url"}
"""Where a customer goes who has paid."""


def page_of(payment: Payment) -> OpenPage:
    """What its merchant asked for when the page was opened."""
    return OpenPage.model_validate_json(payment.page or "")


def address(payment: Payment, name: str) -> str | None:
    """The merchant's URL *name* with the session's id added; a pending payment may go to the success page."""
    page = page_of(payment)
    urls = {"success_url": page.success_url, "cancel_url": page.cancel_url}
    url = urls.get(name, page.pending_url or page.success_url)
    if url is None:
        return None
    parts = urlsplit(url)
    added = urlencode({"checkout_session_id": payment.reference})
    return parts._replace(query=f"{parts.query}&{added}" if parts.query else added).geturl()


def form_action(page: OpenPage) -> str:
    """Where the form may lead, as a CSP directive. Browsers apply it to every redirect that follows, also those of the
    shop to other hosts of its own: so it names schemes, and http only where the merchant's own address is.
    """
    urls = (page.success_url, page.cancel_url, page.pending_url)
    plain = any(url and urlsplit(url).scheme == "http" for url in urls)
    return f"form-action 'self' {'http:' if plain else 'https:'}"
