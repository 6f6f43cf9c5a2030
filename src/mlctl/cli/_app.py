"""The command tree is the directory tree: `cli/status.py` is a verb, `cli/exp/ls.py` a noun's verb.

A verb's module is imported when it is called, so that one verb never pays for another. Verb modules
import only typer and the standard library at the top, and what does the work inside the function.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from mlctl.cli._options import Directory
from mlctl.errors import suggestion

DAILY = ("init", "run", "watch", "status", "plan", "dag", "validate", "predict", "demo")
# What DVC's users type.
_OF_DVC = {"repro": "run", "import-url": "data import", "get-url": "data get"}
_OF_DVC |= {"move": "data mv", "remove": "data rm"}
_OF_DVC |= {
    verb: f"data {verb}"
    for verb in ("add", "push", "pull", "fetch", "checkout", "gc", "remote", "get", "update")
}


class LazyGroup(TyperGroup):
    """A group whose commands are the modules of one package."""

    package = "mlctl.cli"

    def list_commands(self, ctx: Any) -> list[str]:
        found = _verbs(self.package)
        return sorted(found, key=lambda name: (_rank(name), name))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        module_name = _verbs(self.package).get(cmd_name)
        if module_name is None:
            return None
        return _load(f"{self.package}.{module_name}", cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name = args[0]
        if name not in _verbs(self.package) and not name.startswith("-"):
            known = _verbs(self.package)
            ours = _OF_DVC.get(name) if self.package == LazyGroup.package else None
            ending = f"did you mean {ours!r}?" if ours else suggestion(name, known)
            ctx.fail(f"no command {name!r}; {ending}")
        return super().resolve_command(ctx, args)


def root_command() -> Any:
    """The whole command line, with nothing but the root loaded."""
    app = typer.Typer(
        cls=LazyGroup,
        name="mlctl",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback(help="MLOps from a git repository: pipelines, data, experiments, reports.")
    def root(
        directory: Directory = None,
        version: Annotated[
            bool, typer.Option("--version", help="Show the version and exit.", is_eager=True)
        ] = False,
    ) -> None:
        if version:
            from mlctl import __version__

            typer.echo(f"mlctl {__version__}")
            raise typer.Exit

    return typer.main.get_command(app)


def _load(module_path: str, name: str) -> Any:
    module = importlib.import_module(module_path)
    if hasattr(module, "__path__"):
        return _noun(module_path, name, module.__doc__)
    command = typer.main.get_command(module.app)
    command.name = name
    command.help = _flowing(command.help or "")
    return _without_completion(command)


def _flowing(text: str) -> str:
    """The help with its paragraphs unwrapped: a terminal wraps them again, to its own width."""
    paragraphs = text.split("\n\n")
    return "\n\n".join(
        p if p.lstrip().startswith("$") else p.replace("\n", " ") for p in paragraphs
    )


def _noun(package: str, name: str, doc: str | None) -> Any:
    group = type("Group", (LazyGroup,), {"package": package})
    app = typer.Typer(
        cls=group, name=name, help=doc, no_args_is_help=True, rich_markup_mode="markdown"
    )
    app.callback()(lambda: None)
    return _without_completion(typer.main.get_command(app))


def _without_completion(command: Any) -> Any:
    """typer gives every app the completion options; they belong to the root alone."""
    completion = ("install_completion", "show_completion")
    command.params = [param for param in command.params if param.name not in completion]
    return command


@lru_cache
def _verbs(package: str) -> dict[str, str]:
    """Verb -> module name; `import_.py` is the verb `import`, `large_file.py` is `large-file`."""
    paths = importlib.import_module(package).__path__
    return {
        found.name.rstrip("_").replace("_", "-"): found.name
        for found in pkgutil.iter_modules(paths)
        if not found.name.startswith("_") and found.name != "main"
    }


def _rank(name: str) -> int:
    return DAILY.index(name) if name in DAILY else len(DAILY)
