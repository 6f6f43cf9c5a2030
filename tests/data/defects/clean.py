"""The clean data sets of README.md, each as one frame in the order in which it is halved."""

from __future__ import annotations

import csv
import html.entities
import math
import random
import unicodedata
import uuid
from collections.abc import Callable
from datetime import date, datetime, timedelta
from importlib import metadata
from typing import Any

import polars as pl

START = datetime(2024, 1, 1)  # noqa: DTZ001


def from_sklearn(name: str) -> pl.DataFrame:
    from sklearn import datasets

    found = getattr(datasets, f"load_{name}")()
    targets = found.target.reshape(len(found.target), -1)
    frame = pl.DataFrame(found.data, schema=list(map(str, found.feature_names)))
    names = ["target"] if targets.shape[1] == 1 else list(found.target_names)
    return shuffled(frame.hstack(pl.DataFrame(targets, schema=names)))


def shuffled(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.sample(fraction=1.0, shuffle=True, seed=7)


def characters() -> pl.DataFrame:
    found = [chr(code) for code in range(0x20, 0x3000) if unicodedata.name(chr(code), "")]
    return shuffled(
        pl.DataFrame(
            {
                "code": [ord(c) for c in found],
                "name": [unicodedata.name(c) for c in found],
                "category": [unicodedata.category(c) for c in found],
                "combining": [unicodedata.combining(c) for c in found],
                "mirrored": [bool(unicodedata.mirrored(c)) for c in found],
                "numeric": [unicodedata.numeric(c, None) for c in found],
            }
        )
    )


def entities() -> pl.DataFrame:
    found = html.entities.html5
    return shuffled(
        pl.DataFrame(
            {
                "name": list(found),
                "text": list(found.values()),
                "length": [len(text) for text in found.values()],
                "first": [ord(text[0]) for text in found.values()],
            }
        )
    )


def installed_files() -> pl.DataFrame:
    record = metadata.distribution("scikit-learn").read_text("RECORD") or ""
    rows = list(csv.reader(record.splitlines()))
    frame = pl.DataFrame(rows, schema=["path", "hash", "size"], orient="row")
    return shuffled(frame.with_columns(pl.col("size").replace("", None).cast(pl.Int64)))


def rows(count: int, make: Callable[[random.Random, int], dict[str, Any]]) -> pl.DataFrame:
    source = random.Random(7)
    return pl.DataFrame([make(source, i) for i in range(count)], infer_schema_length=None)


def order(r: random.Random, i: int) -> dict[str, Any]:
    return {
        "order_id": 100_000 + i,
        "at": START + timedelta(minutes=7 * i + r.randrange(7)),
        "channel": r.choice(["web", "shop", "phone"]),
        "items": 1 + int(r.expovariate(0.7)),
        "amount": round(r.lognormvariate(3, 1), 2),
        "coupon": r.choice([None, None, None, "SPRING", "FRIEND"]),
    }


def sensor() -> pl.DataFrame:
    def reading(r: random.Random, i: int) -> dict[str, Any]:
        wave = 15 + 8 * math.sin(i / 1440 * 2 * math.pi)
        return {
            "at": START + timedelta(minutes=i),
            "temperature": None if i % 97 == 5 else round(wave + r.gauss(0, 0.5), 2),
            "humidity": min(100.0, max(0.0, round(60 - wave + r.gauss(0, 3), 1))),
            "battery": round(4.2 - i * 1e-5, 4),
            "ok": r.random() < 0.99,
        }

    return rows(8000, reading)


def user(r: random.Random, i: int) -> dict[str, Any]:
    return {
        "uuid": str(uuid.UUID(int=r.getrandbits(128), version=4)),
        "mail": f"{r.choice('abcdefgh')}{i}@example.{r.choice(['com', 'org', 'jp'])}",
        "country": r.choices(["JP", "DE", "US", "FR", "BR", "IS"], [50, 20, 15, 10, 4, 1])[0],
        "age": min(99, max(18, int(r.gauss(40, 15)))),
        "signup": (START + timedelta(hours=3 * i)).date(),
        "newsletter": r.random() < 0.3,
    }


def request(r: random.Random, i: int) -> dict[str, Any]:
    return {
        "at": (START + timedelta(seconds=i * 3)).isoformat(),
        "address": f"10.{r.randrange(4)}.{r.randrange(256)}.{r.randrange(256)}",
        "method": r.choices(["GET", "POST", "HEAD"], [90, 9, 1])[0],
        "path": r.choice(["/", "/api/items", "/api/users", "/static/app.js"])
        + f"?v={r.randrange(9)}",
        "status": r.choices([200, 304, 404, 500], [90, 6, 3, 1])[0],
        "bytes": int(r.paretovariate(1.1) * 300),
        "referer": None if r.random() < 0.6 else f"https://example.com/{r.randrange(500)}",
    }


def prices() -> pl.DataFrame:
    level = [100.0]

    def day(r: random.Random, i: int) -> dict[str, Any]:
        level[0] *= math.exp(r.gauss(0.0002, 0.012))
        return {
            "day": date(2016, 1, 1) + timedelta(i),
            "close": round(level[0], 2),
            "high": round(level[0] * (1 + abs(r.gauss(0, 0.006))), 2),
            "low": round(level[0] * (1 - abs(r.gauss(0, 0.006))), 2),
            "volume": int(r.lognormvariate(14, 0.4)),
        }

    return rows(2000, day)


def answer(r: random.Random, i: int) -> dict[str, Any]:
    words = ["good", "slow", "too dear", "helpful", "again", "no idea", "okay"]
    text = " ".join(r.choices(words, k=r.randrange(1, 9)))
    return {
        "respondent": f"R{i:05}",
        **{f"q{q}": None if r.random() < 0.15 else r.randint(1, 5) for q in range(1, 6)},
        "comment": None if r.random() < 0.7 else text,
    }


def place(r: random.Random, i: int) -> dict[str, Any]:
    return {
        "name": "".join(r.choices("東京大阪京都山川田中村上下", k=3)) + f"{i}丁目",
        "prefecture": r.choice(["東京都", "大阪府", "京都府", "北海道"]),
        "latitude": round(r.uniform(26, 45), 5),
        "longitude": round(r.uniform(128, 145), 5),
        "altitude": round(r.expovariate(1 / 150) - 3, 1),
    }


def event(r: random.Random, i: int) -> dict[str, Any]:
    rate = 0.0 if r.random() < 0.8 else r.expovariate(0.5)
    return {
        "cell": f"{i // 40}-{i % 40}",
        "count": int(rate),
        "share": round(rate / (1 + rate), 4),
        "alarms": 1 if r.random() < 0.002 else 0,
    }


def constant(r: random.Random, i: int) -> dict[str, Any]:
    return {
        "version": "1.0",
        "site": 7,
        "offset": 0.0,
        "rare": "yes" if r.random() < 0.004 else "no",
        "nothing": None,
        "value": r.gauss(0, 1),
    }


def product(r: random.Random, i: int) -> dict[str, Any]:
    return {
        "sku": f"{i:06}",
        "name": f"品{r.randrange(10**6)} {r.choice(['大', '小'])}",
        "group": f"G{r.randrange(30):02}",
        "price": round(r.choice([100, 250, 980]) * r.uniform(0.5, 2), 2),
        "weight_g": r.choice([None, r.randrange(5, 5000)]),
        "ends": None if r.random() < 0.8 else date(2026, 1, 1) + timedelta(r.randrange(700)),
    }


def machine(r: random.Random, i: int) -> dict[str, Any]:
    return {
        "host": f"node{i % 16:02}",
        "at": int(START.timestamp()) + 60 * (i // 16),
        "uptime_s": 60 * (i // 16) + 5,
        "load": round(r.expovariate(1.5), 2),
        "memory_mb": r.choice([16384, 32768]),
        "kernel": r.choice(["6.1.0-18", "6.1.0-20"]),
        "reboot": r.random() < 0.01,
    }


CLEAN: dict[str, Callable[[], pl.DataFrame]] = {
    **{
        name.replace("_", "-"): lambda name=name: from_sklearn(name)
        for name in ("iris", "wine", "breast_cancer", "diabetes", "digits", "linnerud")
    },
    "characters": characters,
    "entities": entities,
    "installed-files": installed_files,
    "orders": lambda: rows(3000, order),
    "sensor": sensor,
    "users": lambda: rows(2000, user),
    "weblog": lambda: rows(4000, request),
    "prices": prices,
    "survey": lambda: shuffled(rows(900, answer)),
    "places": lambda: shuffled(rows(1000, place)),
    "counts": lambda: shuffled(rows(2000, event)),
    "constants": lambda: shuffled(rows(1000, constant)),
    "catalogue": lambda: rows(3000, product),
    "machines": lambda: rows(4000, machine),
}
