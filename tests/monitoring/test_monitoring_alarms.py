"""Alarms: so many of so many, muted with an end, one incident for each spell, told once."""

from __future__ import annotations

import json
import random
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from mlctl.cli.main import run as mlctl
from mlctl.errors import ConfigError, InvalidInput
from mlctl.monitoring import incidents, telling
from mlctl.monitoring.alarms import change_points, decide, mutes, muting, series
from mlctl.monitoring.alarms.mutes import Mute, Mutes
from mlctl.monitoring.report import committed
from mlctl.monitoring.results import Alarm, ColumnReport, DataRef, MonitorReport
from mlctl.monitoring.spec import AlarmRule, Channel, MonitorSpec, Thresholds
from monitoring.frames import spec

REF = DataRef("d", 1, 100, "")
ONCE, NONE = AlarmRule(), Mutes()


def report(day: int, verdict: str, columns: tuple[str, ...] = ("age",)) -> MonitorReport:
    states = ["drift" if verdict == "drift" else "ok"] * len(columns)
    return MonitorReport(
        "m", f"2026-05-{day:02}", verdict, Alarm("quiet"), REF, REF, Thresholds(), 30,  # type: ignore[arg-type]
        {"drift": states.count("drift"), "insufficient": 0, "ok": states.count("ok")},
        tuple(
            ColumnReport(n, "numeric", s, effect=0.3, q=0.0)  # type: ignore[arg-type]
            for n, s in zip(columns, states, strict=True)
        ),
        start=f"2026-05-{day:02}T00:00:00+00:00", end=f"2026-05-{day + 1:02}T00:00:00+00:00",
    )  # fmt: skip


def judged(verdicts: str, rule: AlarmRule = ONCE, muted: Mutes = NONE) -> list[MonitorReport]:
    """One report for each letter: d(rift), o(k), i(nsufficient)."""
    words = {"d": "drift", "o": "ok", "i": "insufficient"}
    one = replace(spec(), name="m", alarm=rule)
    found: list[MonitorReport] = []
    for day, letter in enumerate(verdicts, start=1):
        bare = report(day, words[letter])
        found.append(replace(bare, alarm=decide(one, bare, found, muted)))
    return found


def told(reports: list[MonitorReport]) -> str:
    return "".join({"raised": "R", "quiet": ".", "muted": "m"}[r.alarm.state] for r in reports)


@pytest.mark.parametrize(
    ("verdicts", "rule", "alarms"),
    [
        ("odod", AlarmRule(), ".R.R"),
        ("odoodd", AlarmRule(2, 2), ".....R"),
        ("odoododo", AlarmRule(2, 3), "......R."),
        ("ddidd", AlarmRule(2, 2), ".RRRR"),  # what could not be judged neither raises nor clears
        ("iid", AlarmRule(), "..R"),
        ("dddooo", AlarmRule(3, 5), "..RRR."),
    ],
)
def test_so_many_of_the_last_periods_raise_an_alarm(verdicts: str, rule: AlarmRule, alarms: str):
    assert told(judged(verdicts, rule)) == alarms


def test_since_is_the_first_bad_period_of_the_spell():
    found = judged("odddod", AlarmRule(2, 3))
    assert [r.alarm.since for r in found] == [
        "", "2026-05-02", "2026-05-02", "2026-05-02", "2026-05-03", "2026-05-06",
    ]  # fmt: skip


def test_a_mute_has_an_end_by_the_date_of_periods():
    muted = Mutes((Mute("m", "2026-05-03", "a new form"),))
    found = judged("dddd", muted=muted)
    assert told(found) == "mmRR"
    assert (found[0].alarm.reason, found[0].alarm.until) == ("a new form", "2026-05-03")
    assert found[2].alarm.since == "2026-05-03"
    assert told(judged("dd", muted=Mutes((Mute("other", "2026-06-01", "x"),)))) == "RR"


def test_a_mute_goes_by_the_days_of_the_monitors_zone():
    one = replace(spec(), name="m")
    berlin = replace(report(3, "drift"), start="2026-05-02T22:00:00+00:00")
    muted = Mutes((Mute("m", "2026-05-03", "until the third"),))
    assert decide(one, berlin, [], muted).state == "raised"


def test_one_column_may_be_muted():
    one = replace(spec(), name="m")
    both, single = report(1, "drift", ("age", "plan")), report(1, "drift", ("age",))
    muted = Mutes((Mute("m", "2026-06-01", "known", "age"),))
    assert decide(one, both, [], muted).state == "raised"
    assert decide(one, single, [], muted).state == "muted"


def test_mutes_are_written_and_taken_out_by_lines(tmp_path: Path):
    (tmp_path / "monitors").mkdir()
    muting.add(tmp_path, Mute("m", "2026-06-01", 'say "why": #42', "age", "2026-05-01", "eva"))
    muting.add(tmp_path, Mute("n", "2026-07-01", "later"))
    path = tmp_path / mutes.FILE
    path.write_text(path.read_text().replace('  - {monitor: "n', '  # reviewed\n  - {monitor: "n'))
    assert [m.reason for m in mutes.load(tmp_path).entries] == ['say "why": #42', "later"]
    muting.remove(tmp_path, 1)
    assert "# reviewed" in path.read_text()
    assert [m.monitor for m in mutes.load(tmp_path).entries] == ["n"]
    muting.remove(tmp_path, 1)
    assert mutes.load(tmp_path).entries == ()
    muting.add(tmp_path, Mute("m", "2026-06-01", "again"))
    assert len(mutes.load(tmp_path).entries) == 1
    with pytest.raises(InvalidInput, match="there is no mute 7"):
        muting.remove(tmp_path, 7)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("{monitor: m, reason: x}", "'until' is missing: a mute has an end"),
        ("{monitor: m, until: 2026-06-01}", "'reason' is missing"),
        ("{monitor: m, until: soon, reason: x}", "a date such as"),
        ("{monitor: m, from: 2026-06-02, until: 2026-06-01, reason: x}", "ends before it begins"),
        ("{monitor: m, untill: 2026-06-01, reason: x}", "unknown key 'untill'"),
    ],
)
def test_a_wrong_mute_names_its_place(entry: str, says: str):
    with pytest.raises(ConfigError, match=says) as caught:
        mutes.parse(f"schema: mlctl.mutes/1\nmutes:\n  - {entry}\n")
    assert caught.value.line == 3


@pytest.mark.parametrize("at", [[], [10], [8, 20], [15, 18, 30]])
def test_new_levels_are_found(at: list[int]):
    draw = random.Random(3)
    level, values = 0.0, []
    for place in range(40):
        if place in at:
            level += 6 if level == 0 else -6
        values.append(level + draw.gauss(0, 1))
    found = change_points.find(values)
    assert len(found) == len(at)
    assert all(abs(a - b) <= 1 for a, b in zip(found, at, strict=True))


def test_noise_has_no_new_levels():
    draw = random.Random(4)
    alarms = sum(
        bool(change_points.find([draw.gauss(0, 1) for _ in range(60)])) for _ in range(200)
    )
    assert alarms <= 10
    assert change_points.find([1.0] * 50) == ()
    assert change_points.find([0.0] * 20 + [1.0] * 20) == (20,)
    assert change_points.find([1, 2, 3]) == ()


def test_a_season_is_taken_off():
    values = [10.0 if n % 7 < 5 else 2.0 for n in range(28)]
    keys = [str(n % 7) for n in range(28)]
    assert set(series.deseasoned(values, keys)) == {10.0}


def committed_(root: Path, reports: list[MonitorReport]) -> None:
    for one in reports:
        committed.write(root, one)


def test_an_incident_for_each_spell(tmp_path: Path):
    committed_(tmp_path, judged("oddoodi"))
    found = incidents.update(tmp_path, "m")
    assert [(i.since, i.last, i.closed) for i in found] == [
        ("2026-05-02", "2026-05-03", "2026-05-04"),
        ("2026-05-06", "2026-05-06", ""),
    ]
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("incidents/*.json")}
    assert incidents.update(tmp_path, "m") == found
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("incidents/*.json")} == before
    assert incidents.load(tmp_path, "m") == found


@contextmanager
def http(status: int = 200) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that keeps what is posted to it."""
    heard: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/secret-path", heard
    finally:
        server.shutdown()


@contextmanager
def smtp() -> Iterator[tuple[str, list[str]]]:
    """A server that takes mail, without TLS."""
    mails: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            while line := self.rfile.readline():
                word = line.split()[0].upper() if line.split() else b""
                if word == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    lines = []
                    while (part := self.rfile.readline()) != b".\r\n":
                        lines.append(part.decode())
                    mails.append("".join(lines))
                self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
                if word == b"QUIT":
                    return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"smtp://127.0.0.1:{server.server_address[1]}", mails
        server.shutdown()


def watched(*channels: Channel) -> MonitorSpec:
    return replace(spec(), name="m", alerts=channels)


def test_people_hear_of_an_incident_once_and_of_its_end_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    hook, chat = Channel("webhook", "HOOK"), Channel("slack", "CHAT")
    post = Channel("mail", "POST", ("team@example.org",))
    with http() as (url, heard), smtp() as (server, mails):
        for name, value in (("HOOK", url), ("CHAT", url), ("POST", server)):
            monkeypatch.setenv(name, value)
        one = watched(hook, chat, post)
        for verdicts, messages in (("o", 0), ("od", 3), ("odd", 3), ("oddo", 6), ("oddoo", 6)):
            committed_(tmp_path, judged(verdicts)[-1:])
            done = telling.tell(tmp_path, one)
            assert [it.error for it in done] == [None] * len(done)
            assert len(heard) + len(mails) == messages, verdicts
    opened, closed = heard[0], heard[2]
    assert (opened["schema"], opened["event"], opened["since"]) == (
        "mlctl.alert/1", "opened", "2026-05-02",
    )  # fmt: skip
    assert closed["event"] == "closed"
    assert "1 of 1 columns drifted: age" in heard[1]["text"]
    assert "mlctl monitor mute m" in mails[0]
    assert "Subject: m: drift since 2026-05-02" in mails[0]
    assert "secret-path" not in "".join(p.read_text() for p in tmp_path.rglob("*.json"))


@pytest.mark.parametrize("status", [500, 302])
def test_what_fails_is_sent_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
):
    one = watched(Channel("webhook", "HOOK"))
    committed_(tmp_path, judged("od"))
    monkeypatch.delenv("HOOK", raising=False)
    assert [it.error for it in telling.tell(tmp_path, one)] == ["HOOK is not set"]
    for address, says in (("ftp://x", "no http"), ("http://127.0.0.1:9/secret", "refused")):
        monkeypatch.setenv("HOOK", address)
        (failed,) = telling.tell(tmp_path, one)
        assert says in (failed.error or "")
        assert "secret" not in (failed.error or "")
    with http(status) as (url, heard):
        monkeypatch.setenv("HOOK", url)
        (failed,) = telling.tell(tmp_path, one)
        assert str(status) in (failed.error or "")
    with http() as (url, heard):
        monkeypatch.setenv("HOOK", url)
        assert [it.error for it in telling.tell(tmp_path, one, dry=True)] == [None]
        assert heard == []
        assert [it.error for it in telling.tell(tmp_path, one)] == [None]
        assert telling.tell(tmp_path, one) == []
        assert len(heard) == 1


def test_an_incident_that_a_revision_undid_is_closed(tmp_path: Path):
    committed_(tmp_path, judged("od"))
    incidents.update(tmp_path, "m")
    committed_(tmp_path, judged("oo")[-1:])
    (gone,) = incidents.update(tmp_path, "m")
    assert gone.closed == "2026-05-02"


def test_mute_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "monitors").mkdir()
    text = "schema: mlctl.monitor/1\nreference: {path: a.csv}\ncurrent: {path: b.csv}\n"
    (tmp_path / "monitors/m.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    assert mlctl(["monitor", "mute", "m", "--until", "2026-06-01"]) == 2
    assert "a mute needs a monitor, an end and a reason" in capsys.readouterr().err
    assert mlctl(["monitor", "mute", "m", "--until", "2026-06-01", "--reason", "new form"]) == 0
    assert mlctl(["monitor", "mute", "--ls", "--json"]) == 0
    said = capsys.readouterr().out
    assert json.loads(said[said.index("{") :])["mutes"][0]["reason"] == "new form"
    assert mlctl(["monitor", "ls"]) == 0  # mutes.yaml is no monitor
    assert "mutes" not in capsys.readouterr().out
    assert mlctl(["monitor", "mute", "--rm", "1"]) == 0
