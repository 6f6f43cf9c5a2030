"""What DVC's own tests ask of `.dvcignore`: patterns, a path (a folder's ends in /), the answer."""

from __future__ import annotations

_COMPLEX = [
    "# Ignore everything", "1/**", "# Except directories", "!1/**/", "!seq/**/3/**", "", "data/",
    "!data/keep.csv", "", "data2/**", "!data2/**/", "!data2/**/*.csv", "", "ignore.txt",
    "!no-ignore.txt",
]  # fmt: skip
_GIT = ["# all but foo/bar", "/*", "!/foo", "/foo/*", "!/foo/bar"]

IGNORED: list[tuple[list[str], str, bool]] = [
    (["to_ignore"], "to_ignore", True),
    (["dont_ignore"], "dont_ignore.txt", False),
    (["", "to_ignore"], "to_ignore", True),
    (["\\#to_ignore"], "#to_ignore", True),
    (["#to_ignore"], "#to_ignore", False),
    ([" to_ignore"], " to_ignore", False),
    (["\\ to_ignore"], " to_ignore", True),
    (["to_ignore*"], "to_ignore.txt", True),
    (["to_ignore*", "!to_ignore.txt"], "to_ignore.txt", False),
    (["!to_ignore.txt", "to_ignore*"], "to_ignore.txt", True),
    (["\\!to_ignore.txt"], "!to_ignore.txt", True),
    (["/file"], "file", True),
    (["/file"], "data/file", False),
    (["data/file"], "data/file", True),
    (["data/file"], "other/data/file", False),
    (["/*.txt"], "to_ignore.txt", True),
    (["/*.txt"], "path/to_ignore.txt", False),
    (["data/*"], "data/file.txt", True),
    (["data/*"], "data/subdir/file.txt", True),
    (["data/"], "data/file.txt", True),
    (["data/"], "data/subdir/file.txt", True),
    (["subdir/"], "data/subdir/file.txt", True),
    (["/subdir/"], "data/subdir/file.txt", False),
    (["path/"], "data/path", False),
    ([".git/"], ".git/file.txt", True),
    ([".dvc/"], "data/.dvc/file.txt", True),
    (["rel/*/to_ignore"], "rel/path/path2/to_ignore", False),
    (["file.*"], "file.txt", True),
    (["fi?e.t?t"], "file.txt", True),
    (["fi?e.t?t"], "fi/e.txt", False),
    (["[a-zA-Z]ile.txt"], "file.txt", True),
    (["[a-zA-Z]ile.txt"], "2ile.txt", False),
    (["**/to_ignore"], "rel/p/p2/to_ignore", True),
    (["**/p2/to_ignore"], "rel/p/p2/to_ignore", True),
    (["**/to_ignore"], "rel/path/path2/dont_ignore", False),
    (["rel/**"], "rel/p/p2/to_ignore", True),
    (["p/**"], "rel/p/p2/to_ignore", False),
    (["rel/**"], "rel/path/path2/dont_ignore", True),
    (["rel/**/to_ignore"], "rel/p/to_ignore", True),
    (["rel/**/to_ignore"], "rel/p/p2/to_ignore", True),
    (["rel/**/to_ignore"], "rel/path/path2/dont_ignore", False),
    (["path/**/dont_ignore"], "rel/path/path2/dont_ignore", False),
    (["/***.txt"], "to_ignore.txt", True),
    (["/****.txt"], "path/to_ignore.txt", False),
    (["****.txt"], "path/to_ignore.txt", True),
    (["data/***"], "data/file.txt", True),
    (["***/file.txt"], "data/p/file.txt", False),
    (["rel/***/to_ignore"], "rel/path/path2/to_ignore", False),
    *[
        (_COMPLEX, path, ignored)
        for path, ignored in (
            ("1/", False), ("1/2/", False), ("1/2/shouldIgnore.txt", True), ("1/2/3/", False),
            ("1/2/3/shouldKeep.txt", True), ("data/", True), ("data/keep.csv", True),
            ("data/other.csv", True), ("data/subdir/file.txt", True), ("data2/", False),
            ("data2/keep.csv", False), ("data2/other.txt", True), ("data2/subdir/", False),
            ("data2/subdir/keep.csv", False), ("data2/subdir/other.txt", True),
            ("ignore.txt", True), ("no-ignore.txt", False),
        )
    ],
    *[
        (_GIT, path, ignored)
        for path, ignored in (
            ("foo/", False), ("foo/myfile", True), ("foo/bar/", False), ("foo/bar/myfile", False),
            ("foo/baz/", True), ("foo/baz/myfile", True), ("foo/foobar/", True),
            ("foo/foobar/myfile", True), ("foobar/", True), ("foobar/myfile", True),
        )
    ],
]  # fmt: skip
