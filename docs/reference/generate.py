"""Writes docs/reference/cli/ from the command line itself: `python docs/reference/generate.py`."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "cli"
MADE = "<!-- Made by docs/reference/generate.py: edit the verb's docstring and options instead. -->"


def pages() -> dict[str, str]:
    """File name -> text: a page for each verb and noun, and the list of them."""
    import click

    from mlctl.cli._app import root_command

    root = root_command()
    context = click.Context(root, info_name="mlctl")
    commands = {name: root.get_command(context, name) for name in root.list_commands(context)}
    made = {f"{name}.md": page(command, f"mlctl {name}") for name, command in commands.items()}
    return {"index.md": index(commands), **made}


def index(commands: dict[str, Any]) -> str:
    """The list of verbs, in the order of `mlctl --help`."""
    rows = [f"| [`mlctl {name}`]({name}.md) | {short(each)} |" for name, each in commands.items()]
    return "\n".join(
        [MADE, "", "# Commands", "", "| command | what it does |", "|---|---|", *rows, ""]
    )


def page(command: Any, path: str) -> str:
    """One command, or a noun with each of its verbs."""
    lines = [MADE, "", f"# {path}", "", *body(command, path), *verbs(command, path)]
    return "\n".join(lines).rstrip("\n") + "\n"


def verbs(command: Any, path: str) -> Iterator[str]:
    """The verbs of a noun, and those of the nouns in it."""
    import click

    if hasattr(command, "list_commands"):
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            verb, inner = f"{path} {name}", command.get_command(context, name)
            yield from (f"## {verb}", "", *body(inner, verb), *verbs(inner, verb))


def body(command: Any, path: str) -> Iterator[str]:
    """Help text, usage and options of one command."""
    text = inspect.cleandoc(command.help or "")
    prose, examples, *_ = (*re.split(r"^Examples:?$", text, maxsplit=1, flags=re.MULTILINE), "")
    yield from (prose.rstrip(), "")
    if hasattr(command, "list_commands"):
        return
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    options = [param for param in command.params if param.param_type_name == "option"]
    usage = " ".join([path, "[OPTIONS]", *(shown_argument(each) for each in arguments)])
    yield from ("```text", usage, "```", "")
    described = [(f"`{shown_argument(each)}`", each) for each in arguments]
    described += [(shown_option(each), each) for each in options]
    if described:
        yield from ("| | |", "|---|---|")
        yield from (f"| {name} | {cell(each.help or '')} |" for name, each in described)
        yield ""
    if examples.strip():
        lines = [line for line in inspect.cleandoc(examples).splitlines() if line.strip()]
        yield from ("```console", *lines, "```", "")


def shown_argument(param: Any) -> str:
    name = (param.metavar or param.name.upper()).strip("[].")
    name += "..." if param.nargs == -1 else ""
    return name if param.required else f"[{name}]"


def shown_option(param: Any) -> str:
    names = ", ".join(f"`{name}`" for name in (*param.opts, *param.secondary_opts))
    return names if param.is_flag else f"{names} `{param.metavar or param.name.upper()}`"


def short(command: Any) -> str:
    return cell(re.split(r"\n\s*\n", inspect.cleandoc(command.help or ""))[0])


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def write(folder: Path) -> None:
    """Write every page into `folder`, and remove the pages of verbs that are gone."""
    made = pages()
    folder.mkdir(parents=True, exist_ok=True)
    for old in set(folder.glob("*.md")) - {folder / name for name in made}:
        old.unlink()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
