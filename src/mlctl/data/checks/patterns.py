"""The kinds of personal data that can be told with few mistakes, as shapes and proofs.

A *shape* is what something of the kind looks like; a *proof* (check digits, ranges that are in use)
is what few other things of that shape pass. `chance` is the share of them that do.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import polars as pl

Proof = Callable[[pl.Series], pl.Series]  # from found texts to whether each is of the kind


@dataclass(frozen=True, slots=True)
class Kind:
    """`shape` is in Rust's syntax, with one group for what is looked for; `named` is a pattern of
    column names that speak for the kind. A column needs the name for a kind that is `only_named`.
    """

    name: str
    shape: str
    proof: Proof
    chance: float
    named: str
    only_named: bool = False
    proven: float = 0.9  # share of what has the shape that must pass the proof


def _digits(found: pl.Series) -> pl.Series:
    return found.str.replace_all(r"\D", "")


def luhn(digits: pl.Series) -> pl.Series:
    """Whether the last digit is the check digit of ISO/IEC 7812-1, annex B (up to 19 digits)."""
    padded = digits.str.zfill(19)
    total = pl.Series([0], dtype=pl.Int16)
    for place in range(19):
        digit = padded.str.slice(place, 1).cast(pl.Int16, strict=False)
        doubled = digit * 2 - (digit > 4).cast(pl.Int16) * 9
        total = total + (doubled if place % 2 else digit)
    return (total % 10 == 0).fill_null(False)


_ISSUERS = (
    r"^(?:4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"
    r"|3[47]\d{13}|35(?:2[89]|[3-8]\d)\d{12}|3(?:0[0-5]|[68]\d)\d{11}|6(?:011|5\d\d|4[4-9]\d)\d{12}"
    r"|62\d{14,17})$"
)


def card(found: pl.Series) -> pl.Series:
    """Card numbers: of an issuer that there is, with Luhn's check digit."""
    digits = _digits(found)
    varied = ~digits.str.contains(r"^(?:0+|1+|2+|3+|4+|5+|6+|7+|8+|9+)$")
    return digits.str.contains(_ISSUERS) & luhn(digits) & varied


def my_number(found: pl.Series) -> pl.Series:
    """Japan's individual numbers: the check digit of ordinance 85 (2014) of the Ministry of
    Internal Affairs, article 5: 11 - sum(P_n Q_n) mod 11, and 0 where the remainder is 0 or 1.
    """
    digits = _digits(found)
    total = pl.Series([0], dtype=pl.Int32)
    for place in range(11):
        n = 11 - place  # from the right, without the check digit
        weight = n + 1 if n <= 6 else n - 5
        total = total + digits.str.slice(place, 1).cast(pl.Int32, strict=False) * weight
    rest = total % 11
    expected = (11 - rest) * (rest > 1).cast(pl.Int32)
    is_one = digits.str.slice(11, 1).cast(pl.Int32, strict=False) == expected
    varied = ~digits.str.contains(r"^0+$")
    return (is_one & varied).fill_null(False)


# Length of the IBAN of each country (SWIFT's registry).
_IBAN = dict(
    re.findall(
        r"([A-Z]{2})(\d\d)",
        ""
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 "
        "DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 "
        "HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 "
        "LV21 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 "
        "RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 "
        "VG24 XK20",
    )
)


def is_iban(text: str) -> bool:
    """Whether a text is an IBAN: length of its country, and 1 modulo 97 (ISO 13616, ISO 7064)."""
    plain = text.replace(" ", "")
    if str(len(plain)) != _IBAN.get(plain[:2]):
        return False
    return int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1


def iban(found: pl.Series) -> pl.Series:
    return _each(found, is_iban)


def is_public_ip(text: str) -> bool:
    """Whether a text is an address of the internet, and no version of something (`1.2.3.4`)."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    looks = address.version == 6 or any(len(octet) == 3 for octet in text.split("."))
    return address.is_global and not address.is_multicast and looks


def ip(found: pl.Series) -> pl.Series:
    return _each(found, is_public_ip)


def _each(found: pl.Series, proof: Callable[[str], bool]) -> pl.Series:
    distinct = found.unique()
    proven = [text for text in distinct.to_list() if proof(text)]
    return found.is_in(pl.Series(proven, dtype=pl.String).implode())


_NO_DOMAIN = (
    r"(?i)\.(?:png|jpe?g|gif|svg|webp|ico|css|jsx?|tsx?|mjs|py|pyc|so|dll|zip|gz|json|ya?ml|txt|md"
    r"|html?|woff2?|map|local|localhost|lan|internal|invalid)$"
)


def mail(found: pl.Series) -> pl.Series:
    """Mail addresses, but not names of files with an `@` (`icon@2x.png`), nor `git@`."""
    return ~found.str.contains(_NO_DOMAIN) & ~found.str.starts_with("git@")


def phone(found: pl.Series) -> pl.Series:
    """Numbers in use: Japanese ones by their length, others by their code and length (E.164)."""
    digits = _digits(found)
    plain = found.str.strip_chars_start("(")
    abroad = plain.str.starts_with("+") & digits.str.contains(r"^[1-9]\d{8,14}$")
    mobile = digits.str.contains(r"^0[5789]0[1-9]\d{7}$")
    fixed = digits.str.contains(r"^0[1-9]\d{8}$")
    free = digits.str.contains(r"^0(?:120|800\d|570)\d{6}$")
    america = digits.str.contains(r"^1?[2-9](?:[02-9]\d|1[02-9])[2-9](?:[02-9]\d|1[02-9])\d{4}$")
    return abroad | mobile | fixed | free | (america & ~plain.str.starts_with("+"))


def ssn(found: pl.Series) -> pl.Series:
    """US social security numbers in ranges that can be given out (SSA, since 2011)."""
    digits = _digits(found)
    wrong = r"^(?:000|666|9\d\d)|^...00|0000$|^(?:078051120|219099999|123456789)$"
    return (digits.str.len_chars() == 9) & ~digits.str.contains(wrong)


def nino(found: pl.Series) -> pl.Series:
    """UK national insurance numbers with a prefix in use (HMRC, NIM39110)."""
    plain = found.str.replace_all(" ", "")
    prefix = r"^[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]$"
    return plain.str.contains(prefix) & ~plain.str.contains(r"^(?:BG|GB|KN|NK|NT|TN|ZZ)")


def anything(found: pl.Series) -> pl.Series:
    return found.is_not_null()


_BEFORE, _AFTER = r"(?:^|[^\w.,:/@+\-])", r"(?:$|[^\w/@\-]|[.,](?:\s|$))"
_PREFECTURE = (
    "(?:東京都|北海道|大阪府|京都府|(?:青森|岩手|宮城|秋田|山形|福島|茨城|栃木|群馬|埼玉|千葉|神奈川|新潟|富山|石川|福井|山梨"
    "|長野|岐阜|静岡|愛知|三重|滋賀|兵庫|奈良|和歌山|鳥取|島根|岡山|広島|山口|徳島|香川|愛媛|高知|福岡|佐賀|長崎|熊本|大分"
    "|宮崎|鹿児島|沖縄)県)"
)


def _whole(shape: str) -> str:
    return f"{_BEFORE}({shape}){_AFTER}"


_TEL = r"phone|tel$|^tel|mobile|fax|電話|携帯|ＦＡＸ"
_SSN = r"ssn|social_?sec"
_KINDS = (
    Kind("mail", r"(?:^|[^\w.+\-/@%])([A-Za-z0-9][\w.+\-%]{0,63}@(?:[A-Za-z0-9][A-Za-z0-9\-]{0,62}"
         r"\.){1,5}[A-Za-z]{2,24})(?:$|[^\w@:/\-])", mail, 0.001, r"mail|メール"),
    Kind("phone", _whole(r"\+[1-9]\d{0,2}[ \-.]?\(?\d{1,4}\)?(?:[ \-.]\d{2,4}){1,4}"), phone, 0.001,
         _TEL),
    Kind("phone", _whole(r"\+[1-9]\d{9,13}|0\d{1,4}-\d{1,4}-\d{3,4}|\(0\d{1,4}\) ?\d{1,4}-\d{4}"
         r"|0\d{1,3}\(\d{1,4}\)\d{4}|\([2-9]\d{2}\) ?\d{3}-\d{4}|0[789]0\d{8}"), phone, 0.03, _TEL),
    Kind("phone", _whole(r"\d{3}-\d{3}-\d{4}"), phone, 0.3, _TEL),
    Kind("phone", _whole(r"0\d{9}"), phone, 0.5, _TEL, only_named=True),
    Kind("credit card", _whole(r"\d{4}[ \-]\d{4}[ \-]\d{4}[ \-]\d{1,7}|\d{4}[ \-]\d{6}[ \-]\d{4,5}"
         r"|\d{13,19}"), card, 0.02, r"card|クレジット|カード"),
    Kind("IBAN", _whole(r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?"), iban, 0.001,
         r"iban|口座"),
    Kind("My Number", _whole(r"\d{12}|\d{4}[ \-]\d{4}[ \-]\d{4}"), my_number, 0.1,
         r"my_?number|マイナンバー|個人番号"),
    Kind("US SSN", _whole(r"\d{3}-\d{2}-\d{4}"), ssn, 0.1, _SSN, proven=0.97),
    Kind("US SSN", _whole(r"\d{9}"), ssn, 0.5, _SSN, only_named=True),
    Kind("UK NINO", _whole(r"[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-Z]"), nino, 0.09,
         r"nino|national_?ins|ni_?(?:no|number)"),
    Kind("IP address", _whole(r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}|(?:[0-9a-fA-F]{1,4}:){2,7}"
         r"(?::?[0-9a-fA-F]{1,4}){1,6}"), ip, 0.05, r"(?:^|_)ip(?:$|_)|address"),
    Kind("postal address", rf"({_PREFECTURE}.{{1,12}}?[市区町村郡].{{0,20}}?"
         r"[0-9一二三四五六七八九十]+(?:丁目|番|号|-|ー|の[0-9]))", anything, 0.001,
         r"住所|address"),
    Kind("name", r"^\s*(\p{L}[\p{L}'’.\-]*(?:[ 　・]\p{L}[\p{L}'’.\-]*){0,4})\s*$", anything, 1.0,
         r"(?:first|last|full|given|family|middle|maiden|sur)_?name|surname|氏名|姓名|^姓$|苗字|名字"
         r"|フリガナ|ふりがな", only_named=True),
    Kind("birth date", r"^(.*\d.*)$", anything, 1.0, r"birth_?da(?:te|y)|date_?of_?birth"
         r"|(?:^|_)dob(?:$|_)|生年月日|誕生日", only_named=True),
    Kind("passport", r"^\s*([A-Z]{0,2}\d{6,9})\s*$", anything, 1.0, r"passport|旅券|パスポート",
         only_named=True),
)  # fmt: skip


def _plain(kind: Kind) -> Kind:
    """Digits and word characters are those of ASCII: others may stand right beside, 電話090…, and
    the search is faster by far.
    """
    shape = kind.shape.replace(r"\d", "[0-9]").replace(r"\w", "0-9A-Za-z_")
    return replace(kind, shape=shape)


KINDS = tuple(map(_plain, _KINDS))
