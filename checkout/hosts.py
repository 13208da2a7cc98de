"""Hosts of web addresses: which text names one to every browser alike, and which of them a list lets in."""

from __future__ import annotations

import re
from collections.abc import Collection
from ipaddress import ip_address
from typing import Final

LONGEST: Final = 253

_NAME: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*\.?", re.ASCII | re.IGNORECASE)
_READ_AS_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII | re.IGNORECASE)
"""A last label that makes browsers take the whole host for an IPv4 address: 127.1, 2130706433, 0x7f000001."""


def is_address(host: str) -> bool:
    """Whether *host* is an IP address, IPv6 without its brackets, written as everybody reads it. A zone (%eth0) means
    something on one machine only.
    """
    try:
        ip_address(host)
    except ValueError:
        return False
    return "%" not in host


def is_host(host: str) -> bool:
    """Whether *host* is an IP address, or a name in ASCII that is not read as one; IDNs in their xn-- form."""
    named = _NAME.fullmatch(host) is not None and not _READ_AS_NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2])
    return len(host) <= LONGEST and (named or is_address(host))


def is_loopback(host: str) -> bool:
    """Whether *host* is this machine itself."""
    return ip_address(host).is_loopback if is_address(host) else host.lower() == "localhost"


def canonical(host: str) -> str:
    """*host* as it is compared: in lower case, without the root's dot, IPv6 in its short form."""
    return str(ip_address(host)) if is_address(host) else host.lower().removesuffix(".")


def pattern(text: str) -> str:
    """A host, or `*.` and the name that all hosts of a list end with, as it is kept. Raises ValueError."""
    name = text.removeprefix("*.")
    whole_zone = name != text and (is_address(name) or "." not in name)
    if not is_host(name) or name.endswith(".") or whole_zone:
        raise ValueError("must be a host like shop.example.com, or *.example.com for all hosts below it")
    return text.lower() if name != text else canonical(text)


def lets_in(patterns: Collection[str], host: str) -> bool:
    """Whether *host* is one of *patterns*, or below one that begins with `*.`; no patterns let every host in."""
    known = canonical(host)
    return not patterns or any(
        known.endswith(each[1:]) if each.startswith("*.") else known == each for each in patterns
    )
