"""Where the stages of a run run: on this machine, or on a host that they or the request name."""

from __future__ import annotations

from dataclasses import replace

from mlctl import plugins
from mlctl.errors import ConfigError, InvalidInput, suggestion
from mlctl.executors import LOCAL, Executor
from mlctl.pipeline.request import Where
from mlctl.pipeline.spec import Settings, Stage


class Places:
    """The executors of one run, each made when the first stage needs it."""

    def __init__(self, where: Where) -> None:
        self._where = where
        self._executors: dict[str, Executor] = {}

    def of(self, stage: Stage) -> str:
        """The name of the stage's place."""
        return stage.settings.on or self._where.on or LOCAL

    def is_here(self, stage: Stage) -> bool:
        return self.of(stage) == LOCAL

    def needs(self, stage: Stage) -> Settings:
        """What the stage takes of this machine: on a host, nothing but a thread that waits."""
        if self.is_here(stage):
            return stage.settings
        return replace(stage.settings, cpus=1, gpus=0, memory=None)

    def executor(self, stage: Stage) -> Executor:
        """What runs the stage. Raises ConfigError or InvalidInput for a place that is none."""
        name = self.of(stage)
        if name not in self._executors:
            self._executors[name] = self._make(name, stage)
        return self._executors[name]

    def cancel(self, *, now: bool) -> None:
        """End all that runs."""
        for executor in self._executors.values():
            executor.cancel(now=now)

    def leave(self) -> None:
        """The terminal is gone: end what runs here, and leave what runs elsewhere."""
        for executor in self._executors.values():
            executor.leave()

    def close(self) -> None:
        """The run is over."""
        for executor in self._executors.values():
            executor.close()

    def _make(self, name: str, stage: Stage) -> Executor:
        hosts = self._where.hosts
        if name in hosts:
            from mlctl.executors import ssh

            return ssh.Executor(name, hosts[name])
        labelled = {host: said for host, said in hosts.items() if name in said.get("labels", ())}
        if labelled:
            from mlctl.executors import _spread

            return _spread.Executor(labelled)
        if name == LOCAL or name in plugins.external("mlctl.executors"):
            executor: Executor = plugins.load("mlctl.executors", name, kind="place").Executor()
            return executor
        message = f"no host and no label is called {name!r}"
        labels = [label for said in hosts.values() for label in said.get("labels", ())]
        hint = (
            suggestion(name, [*hosts, *dict.fromkeys(labels)])
            or f"`mlctl host add {name}` makes it known"
        )
        if stage.settings.on is None:
            raise InvalidInput(message, hint=hint)
        where = f"{stage.where}.meta.mlctl.on"
        raise ConfigError(message, file=stage.file, where=where, hint=hint)
