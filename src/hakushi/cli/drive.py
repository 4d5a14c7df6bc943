"""``hakushi drive``: what a drive says of itself."""

from __future__ import annotations

import json
import unicodedata
from typing import Annotated, Any

import typer

from hakushi.app import drives as verb
from hakushi.app.opinions import opinion_json, opinions
from hakushi.app.words import tell
from hakushi.cli import show
from hakushi.model import message

app = typer.Typer(no_args_is_help=True)

_COLUMN = 20
_JSON = typer.Option("--json", help=tell(message("As JSON.")))


@app.command("list", help=tell(message("Every drive of this machine.")))
def list_(as_json: Annotated[bool, _JSON] = False) -> None:
    found = list(verb.all_drives())
    if as_json:
        print(json.dumps([verb.drive_json(d) for d in found], ensure_ascii=False, indent=1))
        return
    for drive in found:
        used = f"  [{', '.join(drive.held_by)}]" if drive.held_by else ""
        print(
            f"{show.clean(drive.path)}  {show.size(drive.size)}  {drive.transport}  "
            f"{drive.model or '-'}  {drive.serial}{show.clean(used)}"
        )


@app.command("show", help=tell(message("One drive in full.")))
def show_(
    device: Annotated[
        str, typer.Argument(help=tell(message("A device, an image file, or sim:PATH.")))
    ],
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    drive = verb.one_drive(device)
    told = verb.drive_json(drive)
    told["second_opinions"] = [opinion_json(one) for one in opinions(drive)]
    if as_json:
        print(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        _table(told)


@app.command(help=tell(message("Blink the light of a drive's slot, so that it can be found.")))
def locate(
    device: Annotated[str, typer.Argument(help=tell(message("A device.")))],
    off: Annotated[bool, typer.Option("--off", help=tell(message("Put it out.")))] = False,
) -> None:
    lights = verb.locate(device, on=not off)
    if off:
        show.note(tell(message("Lights put out: {lights}.", lights=lights)))
    else:
        show.note(tell(message("Lights lit: {lights}.", lights=lights)))


def _opinion(one: dict[str, Any]) -> None:
    """What another program says: that it agrees, or in what it does not."""
    word = one["why"] or "; ".join(one["differs"]) or tell(message("says the same"))
    mark = "?" if one["why"] else "!" if one["differs"] else "="
    print(f"{'':{_COLUMN}} {mark} {one['tool']}: {show.clean(word)}")


_FIELDS = {
    "path": message("Path"),
    "model": message("Model"),
    "serial": message("Serial number"),
    "wwn": message("World wide name"),
    "firmware": message("Firmware"),
    "transport": message("Transport"),
    "logical_sector": message("Logical sector"),
    "physical_sector": message("Physical sector"),
    "size": message("Addressable bytes"),
    "native_size": message("Native bytes"),
    "hidden": message("Hidden area"),
    "rotational": message("Rotational"),
    "read_only": message("Read-only"),
    "held_by": message("Used by"),
    "zoned": message("Zoned"),
    "health": message("Health, as it says"),
    "sed": message("Self-encryption"),
    "said_by": message("Said by"),
}
_YES_NO = {True: message("yes"), False: message("no")}


def _table(told: dict[str, Any]) -> None:
    for key, value in told.items():
        name = _wide(tell(_FIELDS[key]) if key in _FIELDS else key)
        if key == "second_opinions":
            for one in value:
                _opinion(one)
        elif key == "abilities":
            for ability in value:
                yes = {True: "+", False: "-", None: "?"}[ability["supported"]]
                print(
                    f"{'':{_COLUMN}} {yes} {ability['name']} {show.clean(ability['why'])}".rstrip()
                )
        elif isinstance(value, dict):
            text = "; ".join(f"{k}: {v}" for k, v in value.items() if v not in (None, ""))
            print(f"{name} {show.clean(text) or '-'}")
        else:
            text = ", ".join(value) if isinstance(value, list) else value
            text = tell(_YES_NO[text]) if isinstance(text, bool) else text
            print(f"{name} {'-' if text in (None, '') else show.clean(str(text))}")


def _wide(text: str) -> str:
    """Padded to a column; Japanese characters are two wide."""
    width = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
    return text + " " * max(0, _COLUMN - width)
