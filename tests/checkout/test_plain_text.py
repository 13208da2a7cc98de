"""What others wrote, made fit for a page."""

from __future__ import annotations

from checkout.plain_text import plain


def test_what_is_not_seen_is_not_shown() -> None:
    assert plain("\u202eelgooG\u202c \u2066x\u2069") == "elgooG x"
    assert plain("Pay\u200bPal\ufeff Ltd\u00ad") == "PayPal Ltd"
    assert plain("two\nlines\t\x1b[31m\u2028") == "two lines  [31m"
    assert plain("می\u200cرود") == "می\u200cرود"
    assert plain("\u200b\u2060") == "-"
