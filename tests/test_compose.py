"""docker-compose.yml and Dockerfile, checked without an engine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
JOBS = {"migrate"}
SECRET = re.compile(r"PASSWORD|PWD|SECRET|PEPPER|DATABASE_URL")
REQUIRED = re.compile(r"\$\{([A-Z_]+):\?[^}]+\}")
PINNED = re.compile(r"[\w./-]+:\d+\.\d+[\w.-]*")


def test_every_part_has_a_service() -> None:
    assert set(SERVICES) == {"postgres", "temporal", "temporal-ui", "migrate", "sandbox", "worker", "api"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_a_health_check_or_is_a_job(name: str) -> None:
    assert ("healthcheck" in SERVICES[name]) != (name in JOBS)


@pytest.mark.parametrize("name", SERVICES)
def test_a_secret_comes_from_the_environment_and_has_no_default(name: str) -> None:
    given = {key: value for key, value in SERVICES[name].get("environment", {}).items() if SECRET.search(key)}

    assert all(REQUIRED.search(value) for value in given.values())


def test_every_variable_that_must_be_set_is_named_at_the_top() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    opening = text.split("x-checkout:")[0]

    assert set(REQUIRED.findall(text)) == set(re.findall(r"\b(?:CHECKOUT|POSTGRES|TEMPORAL)_[A-Z_]+\b", opening))


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_is_pinned(name: str) -> None:
    assert PINNED.fullmatch(SERVICES[name]["image"])


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_waits_for_is_there(name: str) -> None:
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        expected = "service_completed_successfully" if other in JOBS else "service_healthy"
        assert wait["condition"] == expected
        assert other in SERVICES


@pytest.mark.parametrize("name", SERVICES)
def test_a_port_is_published_on_the_loopback_address_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


def test_the_image_runs_as_an_ordinary_user_with_hashed_requirements() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()

    assert PINNED.fullmatch(next(line for line in lines if line.startswith("FROM ")).removeprefix("FROM "))
    assert "USER checkout" in lines
    assert any("--require-hashes" in line for line in lines)


def test_the_image_holds_every_module_of_the_service() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    allowed = set((ROOT / ".dockerignore").read_text().split())

    top = {package.partition(".")[0] for package in project["packages"]}
    assert {f"!{package}" for package in top if package != "demo"} <= allowed
    assert {f"!{module}.py" for module in project["py-modules"]} <= allowed


def test_the_commands_are_commands_of_the_image() -> None:
    text = (ROOT / "cli.py").read_text()
    ours = [service["command"][0] for service in SERVICES.values() if service["image"].startswith("durable-checkout")]

    assert ours == ["migrate", "gateway", "worker", "api"]
    assert all(f"\ndef {command}(" in text for command in ours)


@pytest.mark.skipif(shutil.which("docker-compose") is None, reason="docker-compose is not on the PATH")
def test_docker_compose_can_read_it() -> None:
    names = set(REQUIRED.findall((ROOT / "docker-compose.yml").read_text()))
    command = ["docker-compose", "--file", str(ROOT / "docker-compose.yml"), "config", "--quiet"]
    found = subprocess.run(
        command, env={**os.environ, **dict.fromkeys(names, "x")}, capture_output=True, text=True, check=False
    )

    assert found.returncode == 0, found.stderr
