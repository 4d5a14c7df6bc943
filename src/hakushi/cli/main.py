"""The command line: parses words, calls verbs, shows what they say, exits by contract."""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from hakushi.app import words
from hakushi.model import Refused, message

_YOUNG = 50_000
"""New objects between two looks of Python's collector for circles: less than loading makes."""

OK, BUG, USAGE, RESIDUE, INCONCLUSIVE, REFUSED, FAILED, INTERRUPTED = 0, 1, 2, 3, 4, 5, 6, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code. Language first: help texts are made in it."""
    args = list(sys.argv[1:] if argv is None else argv)
    lang, args = _language(args)
    if lang not in (None, "ja", "en"):
        print("hakushi: --lang is ja or en", file=sys.stderr)
        return USAGE
    words.set_language(lang)
    for stream in (sys.stdout, sys.stderr):
        # A name from a drive must never end the program because a terminal cannot show it.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    _log_to_file()
    return _guarded(args)


def _language(args: list[str]) -> tuple[str | None, list[str]]:
    """``--lang X`` or ``--lang=X`` anywhere before ``--``, and the other words."""
    rest: list[str] = []
    lang = None
    words_left = iter(args)
    for word in words_left:
        if word == "--":
            rest += [word, *words_left]
        elif word == "--lang":
            lang = next(words_left, "")
        elif word.startswith("--lang="):
            lang = word.partition("=")[2]
        else:
            rest.append(word)
    return lang, rest


def _guarded(args: list[str]) -> int:
    """The boundary of the skin: every way to end becomes a code and at most one line."""
    import typer

    from hakushi.cli.commands import program

    try:
        result = program(args)(args, prog_name="hakushi", standalone_mode=False)
    except typer.TyperException as error:
        if hasattr(error, "show"):
            error.show()  # a wrong word; or none at all, where this shows the help
        else:
            _complain(str(error))
        return USAGE
    except (KeyboardInterrupt, typer.Abort):
        result = INTERRUPTED
    except Refused as error:
        _complain(words.tell(error.message))
        return REFUSED
    except BrokenPipeError:
        return _unheard()
    except SystemExit as error:
        # So Typer ends where whoever read our output has gone.
        if isinstance(error.__context__, BrokenPipeError):
            return _unheard()
        raise
    except OSError as error:
        return _of_the_system(error)
    except Exception as error:  # noqa: BLE001 - the last boundary: one line here, the rest in a log
        return _bug(error)
    if result == INTERRUPTED:  # Typer, too, makes this code of Ctrl-C
        _complain(
            words.tell(
                message("Interrupted; what was done is kept. Run the same command to go on.")
            )
        )
    return result if isinstance(result, int) else OK


def _unheard() -> int:
    """Nobody reads what we say: the verdict was not heard, so the code is no "clean" and no bug."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return INCONCLUSIVE


def _of_the_system(error: OSError) -> int:
    """A disk that is full, a file that vanished: state is kept, and the run ends half-way."""
    _complain(
        words.tell(
            message(
                "Stopped: {why} ({what}). What was done is kept; run the same command to go on.",
                why=error.strerror or str(error),
                what=str(error.filename or "-"),
            )
        )
    )
    return INCONCLUSIVE


def _bug(error: Exception) -> int:
    from hakushi.app.assess import storage_full

    if storage_full(error):
        _complain(
            words.tell(
                message(
                    "The disk that is written to is full. Free some of it and run the same command"
                    " to go on; what was done is kept."
                )
            )
        )
        return INCONCLUSIVE
    logging.getLogger("hakushi").error("bug", exc_info=error)
    _complain(
        words.tell(
            message(
                "This is our own error ({what}). Details: {where}",
                what=type(error).__name__,
                where=str(_log_path()),
            )
        )
    )
    return BUG


class _Log(logging.Handler):
    """A log file that is made when there is something to say, and never stops the program."""

    def emit(self, record: logging.LogRecord) -> None:
        path = _log_path()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(self.format(record) + "\n")
        except OSError:
            return


def _log_to_file() -> None:
    """Tracebacks go to a file, one line of them to the screen."""
    handler = _Log(logging.WARNING)
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    logging.getLogger().handlers[:] = [handler]


def _log_path() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "hakushi" / "hakushi.log"


def _complain(text: str) -> None:
    print(f"hakushi: {text}", file=sys.stderr)


if __name__ == "__main__":
    gc.set_threshold(_YOUNG, 50, 50)
    code = main()
    gc.freeze()  # Nothing is worth a last look for circles, which takes a third of a second.
    sys.exit(code)
