"""Personal data is found by kind, and nothing is in tables that hold none."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.defects.clean import CLEAN
from mlctl.data.checks import patterns
from mlctl.data.checks.personal import Personal, Scan, masked


def scan(frame: pl.DataFrame, batch: int = 1000) -> list[Personal]:
    looked = Scan(frame.columns)
    renamed = frame.rename({name: f"c{i}" for i, name in enumerate(frame.columns)})
    for first in range(0, frame.height, batch):
        looked.add(renamed.slice(first, batch), 0, first)
    return [item for _, item in looked.told(frame.height)]


def kinds(column: str, values: list[object]) -> dict[str, int]:
    found = scan(pl.DataFrame({column: pl.Series(values, strict=False)}))
    return {item.kind: item.count for item in found}


def luhn_digit(digits: str) -> str:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        twice = int(digit) * (2 if place % 2 == 0 else 1)
        total += twice - 9 if twice > 9 else twice
    return str(-total % 10)


def card(r: random.Random) -> str:
    body = "4" + "".join(r.choices("0123456789", k=14))
    return body + luhn_digit(body)


def my_number(r: random.Random) -> str:
    body = "".join(r.choices("0123456789", k=11))
    weights = (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
    rest = sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11
    return body + str(0 if rest <= 1 else 11 - rest)


def iban(r: random.Random) -> str:
    account = "".join(r.choices("0123456789", k=18))
    return f"DE{98 - int(account + '131400') % 97:02}{account}"


def random_digits(count: int) -> Callable[[random.Random], str]:
    return lambda r: "".join(r.choices("0123456789", k=count))


def made(make: Callable[[random.Random], str], count: int = 200, seed: int = 7) -> list[object]:
    source = random.Random(seed)
    return [make(source) for _ in range(count)]


FOUND: dict[str, tuple[str, list[object]]] = {
    "mail": ("mail", [None, "-", "write to taro.yamada+x@example.co.jp, please"]),
    "mail in brackets": ("mail", ["Jo <jo@mail.example.com>"]),
    "mobile": ("phone", ["090-1234-5678", "call 080-9876-5432."]),
    "wide digits": ("phone", ["０９０－１２３４－５６７８", "０３－１２３４－５６７８"]),
    "tokyo": ("phone", ["03-1234-5678", "(03) 1234-5678", "06-6345-1234"]),
    "abroad": ("phone", ["x", "+44 20 7946 0958"]),
    "e164": ("phone", ["+819012345678", "+14155552671"]),
    "us": ("phone", ["(415) 555-2671", "(212) 555-0198"]),
    "plain mobile": ("phone", ["09012345678", "07011112222"]),
    "in Japanese": ("phone", ["電話は090-1234-5678です", "携帯080-1111-2222まで"]),
    "mail in Japanese": ("mail", ["メールはtaro@example.co.jpまで"]),
    "phone": ("phone", ["0312345678", "0612345678"]),
    "two shapes in a row": ("phone", ["123-456-7890 or +81 3-1234-5678"]),
    "cards": ("credit card", ["4111 1111 1111 1111", "5500-0055-5555-5559"]),
    "amex and jcb": ("credit card", ["3714 496353 98431", "3530111333300000"]),
    "many cards": ("credit card", made(card)),
    "cards as numbers": ("credit card", [int(str(c)) for c in made(card)]),
    "iban": ("IBAN", ["GB82 WEST 1234 5698 7654 32", "x"]),
    "many ibans": ("IBAN", made(iban)),
    "my numbers": ("My Number", made(my_number, 5)),
    "grouped": ("My Number", [f"{n[:4]}-{n[4:8]}-{n[8:]}" for n in map(str, made(my_number, 5))]),
    "マイナンバー": ("My Number", [*made(my_number, 1), None]),
    "ssns": ("US SSN", ["536-22-1234", "219-45-1234", "001-02-0003"]),
    "ssn": ("US SSN", ["536221234", "219451234"]),
    "ninos": ("UK NINO", ["AB123456C", "JG 10 37 59 A", "CE123456D"]),
    "address v4": ("IP address", ["from 8.8.8.200", "151.101.1.69"]),
    "v6": (
        "IP address",
        ["2001:4860:4860::8888", "2a00:1450:4001:81b::200e", "2606:4700::6810:84e5"],
    ),
    "place": ("postal address", ["〒100-0001 東京都千代田区千代田1番1号", None]),
    "places": ("postal address", ["神奈川県横浜市西区みなとみらい２丁目２－１"]),
    "first_name": ("name", ["Taro", "Jürgen", "Mary Jane", "O'Neill"]),
    "氏名": ("name", ["山田 太郎", "佐藤　花子"]),
    "birthDate": ("birth date", ["1980-02-03", "3.2.1980"]),
    "passport_no": ("passport", ["TK1234567", "MZ7654321"]),
}


@pytest.mark.parametrize("column", FOUND)
def test_a_kind_is_found(column: str) -> None:
    kind, values = FOUND[column]
    assert list(kinds(column, values)) == [kind]


NOT_FOUND: dict[str, list[object]] = {
    "icons": ["img/icon@2x.png", "a@b", "@user", "git@github.com:o/r", "https://u@host.com/x"],
    "digits": made(random_digits(16)),
    "visa-like": [f"4{d}" for d in made(random_digits(15))],
    "twelve": made(random_digits(12)),
    "milliseconds": [1_700_000_000_000 + 137 * n for n in range(500)],
    "nanoseconds": [1_700_000_000_000_000_000 + 137_000_001 * n for n in range(500)],
    "fractions": [f"0.{d}" for d in made(random_digits(16))],
    "moments": [f"2024-01-{d:02}T03:04:05.123456+00:00" for d in range(1, 29)],
    "ids": [f"{n:010}" for n in range(100_000_000, 100_000_300)],
    "uuids": [str(uuid.UUID(int=random.Random(n).getrandbits(128), version=4)) for n in range(500)],
    "hashes": [f"{random.Random(n).getrandbits(160):040x}" for n in range(500)],
    "parts": [f"{random.Random(n).randrange(10**9):09}" for n in range(500)],
    "dashed": [f"{d[:3]}-{d[3:5]}-{d[5:]}" for d in map(str, made(random_digits(9)))],
    "us-like": [f"{d[:3]}-{d[3:6]}-{d[6:]}" for d in map(str, made(random_digits(10)))],
    "codes": [f"{'QX'}{n:06}C" for n in range(500)],
    "versions": ["1.2.3.4", "10.0.19.41", "6.1.0.18"] * 20,
    "private": ["192.168.1.200", "10.0.0.255", "127.0.0.100", "172.16.200.3"],
    "times": ["12:30:45", "1:02:03", "00:11:22:33:44:55"],
    "prefectures": ["東京都", "大阪府", "京都府", "北海道", "神奈川県横浜市"],
    "name": ["Chair", "Table", "Lamp"],
    "phone": ["samsung", "apple"],
    "ip": ["patent", "trademark"],
    "addressed": [True, False],
    "ages": [34, 71, 18],
    "dates": ["2024-01-02", "2024-02-03"],
    "isbn": ["978-3-16-148410-0", "978-4-06-519988-8"],
    "ratios": ["12/345678-90", "1,234,567,890.00"],
}


@pytest.mark.parametrize("column", NOT_FOUND)
def test_nothing_is_seen_where_nothing_is(column: str) -> None:
    assert kinds(column, NOT_FOUND[column]) == {}


REALLY_THERE = {"users": {("mail", "mail")}}


@pytest.mark.parametrize("name", CLEAN)
def test_clean_tables_hold_nothing(name: str) -> None:
    found = {(item.column, item.kind) for item in scan(CLEAN[name]())}
    assert found == REALLY_THERE.get(name, set())


@pytest.mark.parametrize("name", CLEAN)
def test_clean_tables_hold_nothing_as_text(name: str) -> None:
    """As a CSV has them."""
    frame = CLEAN[name]().cast(pl.String)
    found = {(item.column, item.kind) for item in scan(frame)}
    assert found == REALLY_THERE.get(name, set())


@settings(deadline=None)
@given(st.integers(10**11, 10**19 - 1))
def test_luhn_is_that_of_a_plain_loop(number: int) -> None:
    text = str(number)
    assert patterns.luhn(pl.Series([text])).item() == (luhn_digit(text[:-1]) == text[-1])


@settings(deadline=None)
@given(st.integers(0, 10**11 - 1))
def test_one_check_digit_of_ten_is_right(body: int) -> None:
    whole = pl.Series([f"{body:011}{digit}" for digit in range(10)])
    right = patterns.my_number(whole).arg_true().to_list()
    text = f"{body:011}"
    assert len(right) == 1 or whole[0] == "0" * 12
    made_by_hand = my_number(FixedDigits(text))
    assert not right or whole[right[0]] == made_by_hand


class FixedDigits(random.Random):
    """Draws the digits of a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def choices(self, population: object, weights: object = None, **_more: object) -> list[str]:  # type: ignore[override]
        del population, weights
        return list(self._text)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_a_masked_text_keeps_its_first_character_alone(text: str) -> None:
    shown = masked(text)
    assert len(shown) <= 24
    assert not any(c.isalnum() for c in shown[1:])


def test_rows_shares_and_masks_over_batches() -> None:
    values = ["-"] * 2500
    values[1700] = "a.b@example.org"
    values[2400] = "c.d@example.org"
    (found,) = scan(pl.DataFrame({"note": values}))
    assert (found.count, found.rows, found.share) == (2, (1700, 2400), 2 / 2500)
    assert found.values == ("a.*@*******.***", "c.*@*******.***")


def test_scattered_hits_of_a_checksum_are_chance() -> None:
    """One right number among wrong ones is no evidence."""
    right = [str(c) for c in made(card, 3)]
    wrong = [c[:-1] + str((int(c[-1]) + 1) % 10) for c in map(str, made(card, 50, seed=8))]
    assert kinds("numbers", [*wrong, *right]) == {}
