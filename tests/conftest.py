"""How every test runs: hypothesis without a clock, since the machine may be busy.

``HYPOTHESIS_PROFILE=search`` looks longer and somewhere new each time.
"""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("check", deadline=None, derandomize=True, database=None)
settings.register_profile("search", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "check"))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Path]:
    """The folder of a server's socket; skipped where none is installed."""
    from tests.postgres_server import binaries, server

    if binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    with server() as folder:
        yield folder


def pytest_configure() -> None:
    """A shell that starts us in the background lets SIGINT be ignored, and children inherit it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
