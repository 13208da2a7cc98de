"""The Makefile and what continuous integration runs."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_help_lists_every_target() -> None:
    declared = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S607 - whichever make there is

    assert declared
    assert re.findall(r"^  make (\S+)", shown, re.MULTILINE) == declared[1].split()


def test_continuous_integration_lints_and_tests() -> None:
    script = ROOT / ".ci" / "run"

    assert os.access(script, os.X_OK)
    assert "make lint test" in script.read_text()


@pytest.mark.parametrize("lock", ["requirements.txt", "tests/gateways/localstripe.txt"])
def test_a_lock_names_hashes_and_no_registry(lock: str) -> None:
    text = (ROOT / lock).read_text()

    assert "--hash=sha256:" in text
    assert "://" not in text
