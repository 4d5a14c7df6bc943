"""What the lock files promise: every wheel by its digest, from wherever a machine gets wheels."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

from hakushi.app.extras import EXTRAS

HERE = Path(__file__).resolve().parents[2]
LOCKS = sorted((HERE / "requirements").glob("*.lock"))
PROJECT = tomllib.loads((HERE / "pyproject.toml").read_text("utf-8"))["project"]


def pins(lock: Path) -> dict[str, tuple[str, list[str]]]:
    """Name -> version and hashes."""
    found: dict[str, tuple[str, list[str]]] = {}
    text = lock.read_text("utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        words = line.split("#")[0].split()
        if words:
            name, same, version = words[0].partition("==")
            assert same, line
            found[name] = (version, words[1:])
    return found


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=;\[ ]", one)[0].lower() for one in requirements}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_pin_has_hashes(lock):
    for _, hashes in pins(lock).values():
        assert hashes
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", one) for one in hashes)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_no_lock_names_a_host_or_a_place(lock):
    text = lock.read_text("utf-8")
    for forbidden in ("://", "--index", "--extra-index", "--find-links", "--trusted-host", "@ "):
        assert forbidden not in text


def test_the_core_holds_what_the_project_asks_for():
    assert names(PROJECT["dependencies"]) <= set(pins(HERE / "requirements/core.lock"))


def test_the_tests_run_on_what_users_run_on():
    core, dev = (pins(HERE / "requirements" / name) for name in ("core.lock", "dev.lock"))
    assert names(PROJECT["optional-dependencies"]["dev"]) <= set(dev)
    assert {name: dev[name][0] for name in core} == {name: core[name][0] for name in core}


def test_no_tool_of_the_tests_is_in_the_core():
    assert not names(PROJECT["optional-dependencies"]["dev"]) & set(
        pins(HERE / "requirements/core.lock")
    )


def imported() -> set[str]:
    """Top-level names that the package imports, from anywhere in it."""
    found = set()
    for path in (HERE / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names - {"hakushi"}


def test_the_program_imports_what_it_declares_and_nothing_else():
    """A library that only the tests bring would be missing on a user's machine."""
    parts = {"pyhanko_certvalidator", *(one for part in EXTRAS.values() for one in part.modules)}
    assert imported() - parts == names(PROJECT["dependencies"])


def test_a_part_is_imported_where_it_is_used_and_never_before():
    """Whoever did not add a part must be able to start the program."""
    parts = {one for part in EXTRAS.values() for one in part.modules}
    for path in (HERE / "src").rglob("*.py"):
        for node in ast.parse(path.read_bytes()).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                module = getattr(node, "module", None) or node.names[0].name
                assert module.partition(".")[0] not in parts, path
