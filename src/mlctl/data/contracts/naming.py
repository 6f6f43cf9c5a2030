"""What a column's name gives away, and two patterns of values: ids, times, persons. Pure."""

from __future__ import annotations

import re

_ID = re.compile(
    r"(^|[_\s.-])(id|ids|key|uuid|guid|index|idx|no|nr|rowid|instant)$|番号$|ＩＤ$", re.IGNORECASE
)
_YEAR = re.compile(r"(^|[_\s.-])(year|yr|yyyy)$|年度?$", re.IGNORECASE)
_MOMENT = re.compile(
    r"(^|[_\s.-])(ts|time|timestamp|epoch|unixtime|date|day|at|created|updated|modified)$"
    r"|^(time|date)|日時?$",
    re.IGNORECASE,
)
_COUNT = re.compile(
    r"(^|[_\s.-])(count|counts|cnt|qty|quantity|age|size|width|height|duration)($|[_\s.-])"
    r"|数量?$|年齢$",
    re.IGNORECASE,
)
_SHARE = re.compile(
    r"(^|[_\s.-])(share|ratio|rate|prob|proba|probability|fraction|score)($|[_\s.-])|率$",
    re.IGNORECASE,
)
_PERSONAL = re.compile(
    r"(^|[_\s.-])(e[_-]?mails?|mail|phone|tel|telephone|mobile|fax|address|street|ssn|passport"
    r"|first[_\s-]?name|last[_\s-]?name|full[_\s-]?name|surname|given[_\s-]?name|family[_\s-]?name"
    r"|birth[_\s-]?(date|day)|date[_\s-]?of[_\s-]?birth|dob|ip[_\s-]?address|my[_\s-]?number"
    r"|credit[_\s-]?card|card[_\s-]?number|iban|user[_\s-]?name)($|[_\s.-])"
    r"|氏名|名前|姓$|住所|電話|携帯|メール|生年月日|誕生日|マイナンバー|口座",
    re.IGNORECASE,
)
_LABELS = ("label", "target", "class", "outcome", "y")
# Of values, in Rust's syntax: a mail address, roughly, and a UUID.
MAIL = r"^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$"
UUID = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"


def is_id(name: str) -> bool:
    """Whether the name is that of an id, of this table or of another."""
    return bool(_ID.search(_spaced(name)))


def is_year(name: str) -> bool:
    return bool(_YEAR.search(_spaced(name)))


def is_moment(name: str) -> bool:
    """Whether the name is that of a point in time."""
    return bool(_MOMENT.search(_spaced(name)))


def is_share(name: str) -> bool:
    """Whether the name is that of a share of one."""
    return bool(_SHARE.search(_spaced(name)))


def is_count(name: str) -> bool:
    """Whether the name is that of something that cannot be negative."""
    return bool(_COUNT.search(_spaced(name)))


def is_personal(name: str) -> bool:
    """Whether the name is that of something that tells who a person is (English, Japanese)."""
    return bool(_PERSONAL.search(_spaced(name)))


def is_label(name: str) -> bool:
    """Whether the name is that of what a model is to tell."""
    return name.lower() in _LABELS


def _spaced(name: str) -> str:
    """`firstName` as `first_Name`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
