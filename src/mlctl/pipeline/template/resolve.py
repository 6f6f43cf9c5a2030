"""A validated `dvc.yaml` with its templates resolved: stages as DVC orders and names them."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlctl.pipeline.template.command import Parsing
from mlctl.pipeline.template.context import DEFAULT_PARAMS, Context, ReadParams
from mlctl.pipeline.template.expand import foreach_items, matrix_items
from mlctl.pipeline.template.interpolate import (
    Allow,
    Constant,
    Renderer,
    Scope,
    has_reference,
    prepared,
    render,
)
from mlctl.pipeline.template.problem import TemplateError
from mlctl.records.source import Source, YamlPath, kind_of


@dataclass(frozen=True, slots=True)
class ResolvedStage:
    """One stage with nothing left to interpolate. `path` is where its template stands."""

    name: str
    data: Mapping[str, Any]
    path: YamlPath
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Resolved:
    """A `dvc.yaml` with nothing left to interpolate; the lists as they are written."""

    stages: tuple[ResolvedStage, ...]
    params: tuple[Any, ...] = ()
    metrics: tuple[Any, ...] = ()
    plots: tuple[Any, ...] = ()
    artifacts: Mapping[str, Any] = field(default_factory=dict)
    datasets: tuple[Any, ...] = ()


def resolve(
    data: Mapping[str, Any],
    *,
    source: Source,
    directory: str,
    read_params: ReadParams,
    parsing: Parsing,
) -> Resolved:
    """Resolve a validated `dvc.yaml` that lies in `directory` (a key, "" for the root).

    `read_params` gets keys. Raises ConfigError with the YAML path of what cannot be resolved.
    """
    return _Resolver(data, source, directory, read_params, parsing).resolve()


@dataclass(frozen=True, slots=True)
class _Template:
    """What is written of a stage, or of the stages of a foreach or matrix; `path` is its place."""

    definition: Mapping[str, Any]
    path: YamlPath
    group: str | None = None
    ready: dict[str, Constant | Renderer] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Job:
    """A template to render once, with what its foreach or matrix adds to the scope."""

    name: str
    template: _Template
    extra: Mapping[str, Any] = field(default_factory=dict)


class _Resolver:
    def __init__(
        self,
        data: Mapping[str, Any],
        source: Source,
        directory: str,
        read_params: ReadParams,
        parsing: Parsing,
    ) -> None:
        self.data = data
        self.source = source
        self.directory = directory
        self.read = read_params
        self.parsing = parsing
        self.context = self._global_context()

    def resolve(self) -> Resolved:
        stages: dict[str, Any] = self.data.get("stages", {})
        return Resolved(
            stages=tuple(
                self._stage(job)
                for name, definition in stages.items()
                for job in self._jobs(name, definition)
            ),
            params=self._top_list("params"),
            metrics=self._top_list("metrics"),
            plots=self._top_list("plots"),
            artifacts=self._artifacts(),
            datasets=self._top_list("datasets"),
        )

    def _global_context(self) -> Context:
        entries = self.data.get("vars", [])
        self._no_references(entries, ("vars",))
        default = posixpath.normpath(posixpath.join(self.directory, DEFAULT_PARAMS))

        def load() -> Context:
            context = Context()
            if self.read(default) is not None:
                context = context.with_file(DEFAULT_PARAMS, self.directory, self.read)
            return context.with_vars(entries, self.directory, self.read)

        context: Context = self._placed(load, ("vars",))
        return context

    def _jobs(self, name: str, definition: Mapping[str, Any]) -> Iterator[_Job]:
        here: YamlPath = ("stages", name)
        values = self.context.values
        if "matrix" in definition:
            axes = definition["matrix"]
            rest = {key: value for key, value in definition.items() if key != "matrix"}
            template = _Template(rest, here, name)
            items = self._placed(lambda: matrix_items(axes, values), (*here, "matrix"))
        elif "foreach" in definition:
            data = definition["foreach"]
            template = _Template(definition["do"], (*here, "do"), name)
            items = self._placed(lambda: foreach_items(data, values), (*here, "foreach"))
        else:
            self._check_name(name, here)
            yield _Job(name, _Template(definition, here))
            return
        for key, extra in items.items():
            self._check_item(key, here)
            yield _Job(f"{name}@{key}", template, extra)

    def _stage(self, job: _Job) -> ResolvedStage:
        context = self.context
        definition = job.template.definition
        entries = definition.get("vars", [])
        if entries:
            context = self._stage_context(job, entries)
        scope = {**context.values, **job.extra} if job.extra else context.values
        data = {key: self._render(key, scope, job) for key in definition if key != "vars"}
        return ResolvedStage(job.name, data, job.template.path, job.template.group)

    def _stage_context(self, job: _Job, entries: list[Any]) -> Context:
        where = (*job.template.path, "vars")
        self._no_references(entries, where)
        directory = self.directory
        if job.template.definition.get("wdir"):
            before = {**self.context.values, **job.extra}
            directory = posixpath.join(directory, str(self._render("wdir", before, job)))
        context: Context = self._placed(
            lambda: self.context.with_vars(
                entries,
                directory,
                self.read,
                label=f"{job.name}.vars",
                reserved=tuple(job.extra),
            ),
            where,
            job,
        )
        return context

    def _render(self, key: str, scope: Scope, job: _Job) -> Any:
        template = job.template
        try:
            if key not in template.ready:
                allow: Allow = "mappings" if key == "cmd" else "scalars"
                template.ready[key] = prepared(template.definition[key], allow, self.parsing)
            ready = template.ready[key]
            return ready.value if isinstance(ready, Constant) else ready(scope)
        except TemplateError as error:
            self._raise(error, (*template.path, key), job)

    def _top_list(self, section: str) -> tuple[Any, ...]:
        entries = self.data.get(section, [])
        return tuple(self._top(entry, (section, i)) for i, entry in enumerate(entries))

    def _artifacts(self) -> dict[str, Any]:
        resolved = {}
        for name, definition in self.data.get("artifacts", {}).items():
            here: YamlPath = ("artifacts", name)
            rendered = self._top(name, here)
            if not isinstance(rendered, str):
                raise self.source.error(
                    here, f"an artifact's name must be a string, got {kind_of(rendered)}"
                )
            resolved[rendered] = self._top(definition, here)
        return resolved

    def _top(self, value: Any, path: YamlPath) -> Any:
        return self._placed(lambda: render(value, self.context.values, "anything"), path)

    def _no_references(self, entries: list[Any], path: YamlPath) -> None:
        for index, entry in enumerate(entries):
            if has_reference(entry):
                raise self.source.error(
                    (*path, index),
                    "'vars' cannot use ${} themselves",
                    hint="write the value, or move it to a params file",
                )

    def _check_name(self, name: str, path: YamlPath) -> None:
        if not name:
            raise self.source.error(path, "a stage needs a name")
        if "@" in name:
            raise self.source.error(
                path,
                f"'{name}' is not a stage name: '@' marks the stages of foreach and matrix",
                hint="use letters, digits, '-' and '_'",
            )

    def _check_item(self, key: str, path: YamlPath) -> None:
        if not key or "@" in key:
            raise self.source.error(
                path,
                f"{key!r} cannot name a generated stage",
                hint="items need a text without '@'; or give a mapping, whose keys are the names",
            )

    def _placed(self, work: Callable[[], Any], path: YamlPath, job: _Job | None = None) -> Any:
        try:
            return work()
        except TemplateError as error:
            self._raise(error, path, job)

    def _raise(self, error: TemplateError, path: YamlPath, job: _Job | None) -> Any:
        suffix = f" (stage '{job.name}')" if job and job.template.group else ""
        raise self.source.error(
            (*path, *error.path), error.message + suffix, hint=error.hint
        ) from None
