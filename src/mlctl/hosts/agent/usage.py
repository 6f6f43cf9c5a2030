"""What a job's GPUs did while it ran: samples become a curve of some points, and a few numbers."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

POINTS = 60  # of a curve


def summary(samples: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """For each GPU its name, `busy` (mean, percent), `memory` (peak, MiB), `energy` (watt-hours).

    `samples` hold `time` (seconds) and `gpus`. `curve` has `seconds` from the first sample on,
    `busy` and `memory`, at POINTS moments at most. Energy is the integral of power by trapezoids.
    What the driver did not tell is None.
    """
    if not samples:
        return []
    times = [sample["time"] - samples[0]["time"] for sample in samples]
    found = []
    for place, gpu in enumerate(samples[0]["gpus"]):
        rows = [sample["gpus"][place] for sample in samples if len(sample["gpus"]) > place]
        found.append(_one(gpu["name"], times[: len(rows)], rows))
    return found


def _one(name: str, times: Sequence[float], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    busy = [row["busy"] for row in rows if row["busy"] is not None]
    memory = [row["used"] for row in rows if row["used"] is not None]
    powers = [row["power"] for row in rows]
    energy = None
    if None not in powers:
        pairs = zip(zip(times, powers), zip(times[1:], powers[1:]))
        joules = sum(
            (later - time) * (power + next_) / 2 for (time, power), (later, next_) in pairs
        )
        energy = round(joules / 3600, 3)
    step = -(-len(rows) // POINTS)
    return {
        "name": name,
        "busy": round(sum(busy) / len(busy), 1) if busy else None,
        "memory": max(memory) if memory else None,
        "energy": energy,
        "curve": {
            "seconds": [round(time, 1) for time in times[::step]],
            "busy": [row["busy"] for row in rows[::step]],
            "memory": [row["used"] for row in rows[::step]],
        },
    }
