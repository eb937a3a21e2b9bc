"""A headless chromium that is asked through a pipe what its pages show (Chrome DevTools Protocol)."""

import json
import os
import shlex
import subprocess
import time

FLAGS = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync --window-size=1400,2000 " \
        "--disable-background-networking --disable-component-update --remote-debugging-pipe"  # fmt: skip
TEXT = """
(function text(node) {
  if (node.nodeType === 3) return node.nodeValue;
  if (['SCRIPT', 'STYLE'].includes(node.nodeName)) return '';
  const inner = [node.shadowRoot, node.contentDocument, ...node.childNodes].filter(child => child);
  return inner.map(text).join(' ');
})(document)
"""


class Browser:
    """Use as a context manager; `path` of the program, `profile` a folder for its files."""

    def __init__(self, path, profile):
        to_read, self._out = os.pipe()
        self._in, to_write = os.pipe()
        command = f"exec {path} {FLAGS} --user-data-dir={shlex.quote(str(profile))} 3<&{to_read} 4>&{to_write}"
        self._process = subprocess.Popen(
            ["bash", "-c", command], pass_fds=(to_read, to_write), stderr=subprocess.DEVNULL
        )
        os.close(to_read), os.close(to_write)
        self._number, self._rest = 0, b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()
        os.close(self._in), os.close(self._out)

    def open(self, address):
        """A new page; its session."""
        page = self._ask("Target.createTarget", url=address)["targetId"]
        return self._ask("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]

    def text(self, session):
        """What the page says now, without white space, inside shadow roots too."""
        answer = self._ask("Runtime.evaluate", session, expression=TEXT, returnByValue=True)
        return "".join(str(answer["result"].get("value", "")).split())

    def shows(self, session, words, patience_s):
        """Wait until a page says all `words`; those that it does not."""
        until = time.monotonic() + patience_s
        while True:
            missing = [word for word in words if word not in self.text(session)]
            if not missing or time.monotonic() > until:
                return missing
            time.sleep(0.3)

    def _ask(self, method, session=None, **parameters):
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        message |= {"sessionId": session} if session else {}
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self._rest:
                got = os.read(self._in, 1 << 16)
                assert got, "the browser has gone"
                self._rest += got
            first, _, self._rest = self._rest.partition(b"\0")
            answer = json.loads(first)
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]
