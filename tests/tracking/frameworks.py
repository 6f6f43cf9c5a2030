"""A small training with each framework that has an adapter, in a script's own process.

    PYTHONPATH=src:tests python tests/tracking/frameworks.py lightning

Each function trains, and says what must have been logged: metrics with how many points each, and
parameters. Frameworks that the tests' environment does not have are run by hand as above.
"""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path


def lightgbm():
    import lightgbm as lgb
    import numpy as np

    from mlctl.tracking.lightgbm import callback

    x = np.random.default_rng(0).random((200, 3))
    train = lgb.Dataset(x, x[:, 0], free_raw_data=False)
    params = {"objective": "l2", "num_threads": 1, "verbose": -1, "learning_rate": 0.2}
    lgb.train(
        params, train, 5, valid_sets=[train], valid_names=["train"], callbacks=[callback("fit/")]
    )
    lgb.cv(params, train, 4, nfold=2, stratified=False, callbacks=[callback("cv/", params=False)])
    folds = {"cv/valid/l2": 4, "cv/valid/l2-stdv": 4}
    return {"fit/train/l2": 5, **folds}, {"learning_rate": 0.2}


def sklearn():
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from mlctl.tracking.sklearn import log_estimator

    x = np.random.default_rng(0).random((100, 2))
    y = x[:, 0] > 0.5
    model = make_pipeline(StandardScaler(), LogisticRegression(C=2)).fit(x, y)
    log_estimator(model, x, y, prefix="fit/", scoring={"auc": "roc_auc", "acc": None})
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 3]}, cv=2).fit(x, y)
    log_estimator(search, prefix="search/")
    params = {"fit/logisticregression__C": 2, "fit/standardscaler": "StandardScaler"}
    best = search.best_params_["C"]
    return {"fit/auc": 1, "fit/acc": 1, "search/best_score": 1}, {**params, "search/best.C": best}


def torch():
    import torch

    from mlctl.tracking.torch import Means, log_seed, log_weights

    torch.manual_seed(5)
    log_seed()
    model = torch.nn.Linear(2, 1)
    means = Means("train/")
    for epoch in range(3):
        for size in (4, 2):
            loss = model(torch.full((size, 2), 1.0)).sum() * 0 + size
            means.add(weight=size, loss=loss, seen=size)
        found = means.log(step=epoch)
        assert found == {"train/loss": 20 / 6, "train/seen": 20 / 6}
    log_weights(model)
    return {"train/loss": 3, "train/seen": 3}, {"seed": 5}


def optuna():
    import optuna

    from mlctl.tracking.optuna import callback

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))

    def objective(trial):
        if trial.number == 2:
            raise optuna.TrialPruned
        return trial.suggest_float("x", -1, 1) ** 2

    study.optimize(objective, n_trials=6, callbacks=[callback()])
    points = {"value": 5, "best": 5, "params/x": 5}
    return points, {"best.x": study.best_params["x"]}


def lightning():
    import torch

    try:
        import lightning.pytorch as pl
    except ImportError:
        import pytorch_lightning as pl

    from mlctl.tracking.lightning import MlctlLogger

    class Model(pl.LightningModule):
        def __init__(self, lr=0.25):
            super().__init__()
            self.save_hyperparameters()
            self.net = torch.nn.Linear(2, 1)

        def training_step(self, batch, _):
            loss = self.net(batch).mean()
            self.log("loss", loss)
            return loss

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=self.hparams.lr)

    loader = torch.utils.data.DataLoader(torch.ones(6, 2), batch_size=1)
    pl.Trainer(
        max_epochs=2, logger=MlctlLogger("train/"), log_every_n_steps=1, accelerator="cpu",
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    ).fit(Model(), loader)  # fmt: skip
    return {"train/loss": 12, "train/epoch": 12}, {"lr": 0.25}


def transformers():
    import tempfile

    import torch
    from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

    from mlctl.tracking.transformers import MlctlCallback

    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    config = BertConfig(vocab_size=11, intermediate_size=8, max_position_embeddings=8, **sizes)
    row = {"input_ids": torch.tensor([1, 2]), "labels": torch.tensor(1)}
    with tempfile.TemporaryDirectory() as folder:
        args = TrainingArguments(
            folder, max_steps=3, logging_steps=1, learning_rate=0.5, report_to=[], use_cpu=True,
            save_strategy="no", eval_strategy="steps", eval_steps=3, disable_tqdm=True,
        )  # fmt: skip
        Trainer(
            BertForSequenceClassification(config), args, train_dataset=[row] * 8,
            eval_dataset=[row], callbacks=[MlctlCallback()],
        ).train()  # fmt: skip
    return {"loss": 3, "learning_rate": 3, "eval/loss": 1}, {"learning_rate": 0.5, "max_steps": 3}


ALL = {each.__name__: each for each in (lightgbm, sklearn, torch, optuna, lightning, transformers)}
HERE = [name for name in ALL if find_spec(name)]


def check(name: str) -> None:
    """Train, and compare what was logged."""
    import mlctl

    with mlctl.start_run() as run:
        points, params = ALL[name]()
    found: dict[str, int] = {}
    for line in (Path(run.folder) / "metrics.jsonl").read_text().splitlines():
        for metric in json.loads(line)["metrics"]:
            found[metric] = found.get(metric, 0) + 1
    wrong = {metric: found.get(metric) for metric, n in points.items() if found.get(metric) != n}
    assert not wrong, f"expected {points}, found {found}"
    logged: dict[str, object] = {}
    file = Path(run.folder) / "params.jsonl"
    for line in file.read_text().splitlines():
        logged.update(json.loads(line)["params"])
    assert logged.items() >= params.items(), f"expected {params}, found {logged}"


if __name__ == "__main__":
    sys.path.pop(0)  # this folder, whose names are not the frameworks'
    check(sys.argv[1])
