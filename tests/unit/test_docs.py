"""The manual speaks of the program that is there: commands, options and pages exist."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parents[2]
PAGES = sorted([*HERE.glob("*.md"), *HERE.glob("docs/**/*.md")])
BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
NAMED = re.compile(r"`((?:src/hakushi|tests|tools|bench|docs|requirements)/[\w./-]+)`")


def commands() -> Iterator[Any]:
    for page in PAGES:
        for block in BLOCK.findall(page.read_text("utf-8")):
            for line in block.splitlines():
                if re.match(r"(sudo )?(\./)?hakushi ", line):
                    words = shlex.split(line.partition(" | ")[0], comments=True)
                    start = next(n for n, word in enumerate(words) if word.endswith("hakushi"))
                    place = f"{page.relative_to(HERE)}: {line}"
                    yield pytest.param(words[start + 1 :], id=place)


@cache
def program() -> Any:
    from hakushi.cli.commands import program

    return program()


@pytest.mark.parametrize("words", list(commands()))
def test_every_command_and_option_in_the_manual_exists(words):
    command = program()
    words = list(words)
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    assert not hasattr(command, "commands"), f"no such command: {words[:1]}"
    known = {"--help", "--lang", *(o for p in command.params for o in p.opts + p.secondary_opts)}
    assert {w.partition("=")[0] for w in words if w.startswith("--")} <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(HERE)))
def test_links_lead_somewhere(page):
    text = page.read_text("utf-8")
    gone = [link for link in LINK.findall(text) if not (page.parent / link).exists()]
    assert gone == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(HERE)))
def test_files_that_are_named_exist(page):
    gone = [name for name in NAMED.findall(page.read_text("utf-8")) if not (HERE / name).exists()]
    assert gone == []
