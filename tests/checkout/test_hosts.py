"""Hosts: which text every browser reads alike, and which hosts a list lets in."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from checkout.door import DoorRules
from checkout.hosts import is_host, lets_in


@pytest.mark.parametrize(
    "host", ["shop.example", "a", "xn--bcher-kva.example", "3com.example", "0x.example", "192.0.2.7", "2001:db8::1"]
)
def test_what_every_browser_reads_alike_is_a_host(host: str) -> None:
    assert is_host(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        ".",
        "a..b",
        "-a.b",
        "a_b.c",
        "2130706433",
        "127.1",
        "0x7f000001",
        "a.0x",
        "a.7",
        "192.0.2.07",
        "fe80::1%eth0",
        "b\u00fccher.example",
        "\uff53hop.example",
        "shop\u3002example",
        "a" * 64,
        ".".join(["a" * 50] * 6),
    ],
)
def test_what_some_browser_reads_as_another_host_is_none(host: str) -> None:
    assert not is_host(host)


LISTS = [
    ((), "anywhere.example", True),
    (("shop.example",), "shop.example", True),
    (("shop.example",), "SHOP.example.", True),
    (("Shop.Example",), "shop.example", True),
    (("shop.example",), "www.shop.example", False),
    (("shop.example",), "shop.example.evil.example", False),
    (("shop.example",), "evilshop.example", False),
    (("*.shop.example",), "www.shop.example", True),
    (("*.shop.example",), "a.b.shop.example", True),
    (("*.Shop.example",), "WWW.SHOP.EXAMPLE.", True),
    (("*.shop.example",), "shop.example", False),
    (("*.shop.example",), "evilshop.example", False),
    (("*.shop.example",), "www.shop.example.evil.example", False),
    (("a.example", "*.b.example"), "x.b.example", True),
    (("localhost",), "localhost", True),
    (("localhost",), "127.0.0.1", False),
    (("192.0.2.7",), "192.0.2.7", True),
    (("2001:DB8:0::1",), "2001:db8::1", True),
]


@pytest.mark.parametrize(("hosts", "host", "let_in"), LISTS)
def test_a_list_lets_in_its_hosts_and_what_is_below_a_star(hosts: tuple[str, ...], host: str, *, let_in: bool) -> None:
    kept = DoorRules.model_validate({"redirect_hosts": hosts}).redirect_hosts

    assert lets_in(kept, host) is let_in


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "*.",
        "*.com",
        "*.*.example.com",
        "a*.example.com",
        "www.*.com",
        "shop.example.",
        "*.shop.example.",
        "https://shop.example",
        "shop.example/ok",
        "shop.example:443",
        "user@shop.example",
        "*.192.0.2.7",
        "[::1]",
        " shop.example",
        "shop.example\n",
        "b\u00fccher.example",
        "shop.example,b.example",
        "127.1",
    ],
)
def test_what_is_neither_a_host_nor_a_star_above_one_can_not_be_listed(text: str) -> None:
    with pytest.raises(ValidationError):
        DoorRules.model_validate({"redirect_hosts": [text]})


def test_a_list_has_at_most_a_hundred_hosts() -> None:
    DoorRules.model_validate({"redirect_hosts": ["shop.example"] * 100})
    with pytest.raises(ValidationError):
        DoorRules.model_validate({"redirect_hosts": ["shop.example"] * 101})
