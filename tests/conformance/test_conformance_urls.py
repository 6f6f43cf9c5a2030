"""Deps that are URLs: their checksums are DVC's own."""

import functools
import http.server
import threading
from pathlib import Path

from conformance.twins import Twins


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, with a file's content as its etag."""

    def end_headers(self) -> None:
        path = Path(self.translate_path(self.path))
        if path.is_file():
            self.send_header("ETag", f'"{path.read_text()}"')
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_dep_that_is_a_url(tmp_path: Path) -> None:
    served = tmp_path / "served"
    served.mkdir()
    (served / "data.txt").write_text("one")
    handler = functools.partial(Handler, directory=str(served))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/data.txt"
        twins = Twins(tmp_path)
        twins.write(
            "dvc.yaml", f"stages:\n  a:\n    cmd: echo a > a\n    deps: ['{url}']\n    outs: [a]\n"
        )
        for etag in ("one", "two"):
            (served / "data.txt").write_text(etag)
            assert twins.run() == (0, 0), (twins.said, twins.told)
            twins.assert_equal()
            twins.assert_at_rest()
            assert etag in (twins.ours / "dvc.lock").read_text()
        server.shutdown()
