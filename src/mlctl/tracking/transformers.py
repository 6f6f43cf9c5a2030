"""Hugging Face: `Trainer(..., callbacks=[mlctl.tracking.transformers.MlctlCallback()])`."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from transformers import TrainerCallback

from ._current import current
from ._warn import harmless

_TEXTS = (bool, int, float, str, type(None))


class MlctlCallback(TrainerCallback):  # type: ignore[misc]
    """Logs what the trainer logs, from its first process: `loss`, `eval_loss` becomes `eval/loss`.

    `arguments` says whether all training arguments are logged as parameters; else only those that
    matter for the result.
    """

    def __init__(self, *, arguments: bool = False) -> None:
        self._all = arguments

    @harmless
    def on_train_begin(self, args: Any, state: Any, control: Any, **_more: Any) -> None:
        """Log the arguments."""
        if state.is_world_process_zero:
            found = args.to_dict()
            names = found if self._all else found.keys() & _MATTER  # versions differ in them
            current().log_params({n: found[n] for n in names if isinstance(found[n], _TEXTS)})

    @harmless
    def on_log(
        self,
        args: Any,
        state: Any,
        control: Any,
        logs: Optional[Mapping[str, Any]] = None,
        **_more: Any,
    ) -> None:
        """Log the numbers."""
        if state.is_world_process_zero and logs:
            numbers = {_name(n): v for n, v in logs.items() if isinstance(v, (int, float))}
            current().log_metrics(numbers, state.global_step)


def _name(name: str) -> str:
    for group in ("eval", "test", "train"):
        if name.startswith(group + "_"):
            return f"{group}/{name[len(group) + 1 :]}"
    return name


_MATTER = frozenset((
    "adam_beta1", "adam_beta2", "adam_epsilon", "bf16", "data_seed", "fp16",
    "gradient_accumulation_steps", "label_smoothing_factor", "learning_rate", "lr_scheduler_type",
    "max_grad_norm", "max_steps", "num_train_epochs", "optim", "per_device_train_batch_size",
    "seed", "warmup_ratio", "warmup_steps", "weight_decay",
))  # fmt: skip
