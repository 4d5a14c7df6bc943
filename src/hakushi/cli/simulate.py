"""``hakushi simulate``: virtual drives with chosen faults."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from hakushi.app import drives as verb
from hakushi.app.words import tell
from hakushi.cli import show
from hakushi.model import message

app = typer.Typer(no_args_is_help=True)

_PATH = typer.Argument(metavar="PATH", help=tell(message("The virtual drive (PATH or sim:PATH).")))


@app.command("new", help=tell(message("Make a virtual drive.")))
def new(
    path: Annotated[str, _PATH],
    size: Annotated[
        str, typer.Option(metavar="BYTES", help=tell(message("Its size: bytes, or 64MiB.")))
    ],
    bus: Annotated[str, typer.Option(help="ata | scsi | nvme")] = "ata",
    serial: Annotated[str | None, typer.Option(help=tell(message("Its serial number.")))] = None,
    content: Annotated[
        str | None,
        typer.Option(metavar="IMAGE", help=tell(message("An image whose bytes it holds."))),
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[=ARG]", help=tell(message("A fault; `simulate faults` lists them."))
        ),
    ] = None,
) -> None:
    drive = verb.new_virtual(
        Path(path.removeprefix("sim:")), size, bus, serial, content, fault or ()
    )
    print(f"{show.clean(drive.path)}  {show.size(drive.size)}  {show.clean(drive.serial)}")


@app.command("faults", help=tell(message("Every fault that can be chosen.")))
def faults(
    as_json: Annotated[bool, typer.Option("--json", help=tell(message("As JSON.")))] = False,
) -> None:
    found = verb.faults()
    if as_json:
        plain = [{"name": f.name, "argument": f.argument, "about": tell(f.about)} for f in found]
        print(json.dumps(plain, ensure_ascii=False, indent=1))
        return
    for one in found:
        name = f"{one.name}={one.argument}" if one.argument else one.name
        print(f"{name:28} {tell(one.about)}")


@app.command("raw", help=tell(message("The file that holds its surface as it really is.")))
def raw(path: Annotated[str, _PATH]) -> None:
    print(verb.surface(path))


@app.command("label", help=tell(message("What its label says: serial number and PSID.")))
def label(path: Annotated[str, _PATH]) -> None:
    serial, psid = verb.label(path)
    print(f"{show.clean(serial)}  PSID {psid}")


@app.command("power-cycle", help=tell(message("Take its power away and give it back.")))
def power_cycle(path: Annotated[str, _PATH]) -> None:
    verb.power_cycle(path)


@app.command("remove", help=tell(message("Remove a virtual drive's files.")))
def remove(path: Annotated[str, _PATH]) -> None:
    verb.remove_virtual(path)
