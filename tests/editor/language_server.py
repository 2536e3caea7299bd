"""An editor's side of the language server protocol, over stdio: as much of it as a test needs."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30  # seconds; a test that waits for it has failed


def find():
    """The server of `.tools`, or on PATH; None if it is not installed."""
    own = ROOT / ".tools/node_modules/.bin"
    return shutil.which("yaml-language-server", path=f"{own}{os.pathsep}{os.environ['PATH']}")


class LanguageServer:
    """One server process; documents are opened under made-up names and never written."""

    def __init__(self, folder, settings):
        self.settings = settings
        self.process = subprocess.Popen(
            [find(), "--stdio"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.number = 0
        self.documents = 0
        self.heard = queue.Queue()
        self.found = {}
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.ask(
            "initialize",
            processId=os.getpid(),
            rootUri=folder.as_uri(),
            workspaceFolders=[{"uri": folder.as_uri(), "name": "specs"}],
            capabilities={
                "workspace": {"configuration": True, "didChangeConfiguration": {}},
                "textDocument": {
                    "completion": {
                        "completionItem": {
                            "snippetSupport": True, "documentationFormat": ["markdown"],
                        }
                    },
                    "hover": {"contentFormat": ["markdown", "plaintext"]},
                },
            },
        )  # fmt: skip
        self.tell("initialized")
        self.tell("workspace/didChangeConfiguration", settings=settings)

    def close(self):
        self.ask("shutdown")
        self.tell("exit")
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        self.process.stdout.close()

    # -- requests

    def open(self, path, text):
        """Open a document; its diagnostics, once the server has looked at it."""
        uri = self._open(path, text)
        while uri not in self.found:
            self._take(self.heard.get(timeout=PATIENCE))
        return self.found[uri]

    def _open(self, path, text):
        # A name of its own each time: what the server says late about one is not taken for another.
        self.documents += 1
        uri = path.with_stem(f"{path.stem}_{self.documents}").as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self.tell("textDocument/didOpen", textDocument=document)
        return uri

    def at(self, method, path, text, mark="|"):
        """What the server says at the mark in the text, which is taken out first."""
        before, _, after = text.partition(mark)
        uri = self._open(path, before + after)
        lines = before.split("\n")
        position = {"line": len(lines) - 1, "character": len(lines[-1])}
        found = self.ask(method, textDocument={"uri": uri}, position=position)
        self.tell("textDocument/didClose", textDocument={"uri": uri})
        return found

    def complete(self, path, text):
        """Labels of what is offered, with what is said of each."""
        found = self.at("textDocument/completion", path, text)
        items = found["items"] if isinstance(found, dict) else found
        return {item["label"]: _markdown(item.get("documentation")) for item in items}

    def hover(self, path, text):
        found = self.at("textDocument/hover", path, text)
        return "" if found is None else _markdown(found["contents"])

    def ask(self, method, **params):
        self.number += 1
        self._send({"id": self.number, "method": method, "params": params})
        wanted = self.number
        while True:
            message = self.heard.get(timeout=PATIENCE)
            if message.get("id") == wanted and "method" not in message:
                assert "error" not in message, message["error"]
                return message["result"]
            self._take(message)

    def tell(self, method, **params):
        self._send({"method": method, "params": params})

    # -- the wire

    def _send(self, message):
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(data), data))
        self.process.stdin.flush()

    def _read(self):
        stream = self.process.stdout
        while header := stream.readline():
            size = 0
            while header.strip():
                name, _, value = header.partition(b":")
                if name.lower() == b"content-length":
                    size = int(value)
                header = stream.readline()
            self.heard.put(json.loads(stream.read(size)))

    def _take(self, message):
        method, params = message.get("method"), message.get("params")
        if method == "textDocument/publishDiagnostics":
            self.found[params["uri"]] = params["diagnostics"]
        elif "id" in message and method is not None:
            # The server asks us: for its settings, or whether it may register something.
            result = None
            if method == "workspace/configuration":
                result = [self.settings.get(item.get("section")) for item in params["items"]]
            self._send({"id": message["id"], "result": result})


def _markdown(value):
    if isinstance(value, dict):
        return value.get("value", "")
    return value or ""
