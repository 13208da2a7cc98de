"""Where the API is and which key opens it: from the stack's ready file, or from the settings; never from arguments."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from settings import Settings
from stack.errors import StackError
from stack.ready import Ready


@dataclass(frozen=True)
class Connection:
    url: str
    key: SecretStr


def connection(settings: Settings, ready_file: Path | None) -> Connection:
    """Raises StackError, saying what to do, where address or key are missing or can't be right."""
    if ready_file is not None:
        ready = _read(ready_file)
        return _checked(ready.api, SecretStr(ready.operator_key))
    if settings.api_url is None:
        raise StackError("It is not known where the API is: set CHECKOUT_API_URL, or name a --ready-file.")
    if settings.operator_key is None or not settings.operator_key.get_secret_value():
        raise StackError("There is no operator's key: set CHECKOUT_OPERATOR_KEY, or name a --ready-file.")
    return _checked(settings.api_url, settings.operator_key)


def _read(path: Path) -> Ready:
    try:
        return Ready.model_validate_json(path.read_bytes())
    except OSError as error:
        raise StackError(f"The ready file can't be read: {error.strerror}.") from None
    except ValueError:
        raise StackError("The ready file is none that `checkout up` wrote.") from None


def _checked(url: str, key: SecretStr) -> Connection:
    try:
        parts = urlsplit(url)
        right = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        right = False
    if not right:
        raise StackError("CHECKOUT_API_URL is no address: write it like http://127.0.0.1:8000.")
    secret = key.get_secret_value()
    if not (secret.isascii() and secret.isprintable()):
        raise StackError("CHECKOUT_OPERATOR_KEY holds characters that no key has.")
    return Connection(url, key)
