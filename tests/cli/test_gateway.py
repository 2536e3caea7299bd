"""``pyfutures gateway``: wrong usage, ports that are taken, files that are none, how it ends."""

from __future__ import annotations

import gzip
import json
import signal
import socket
import subprocess
import sys

import pytest

from pyfutures import cli

SESSION = [["handshake", []], ["startapi", [["176", "20240324 21:18:59 Greenwich Mean Time"]]]]


@pytest.fixture
def pyfutures(capsys):
    """Run the command: exit code, stdout, stderr."""

    def call(*words):
        code = cli.run(["gateway", *(str(word) for word in words)])
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "session.json"
    path.write_text(json.dumps(SESSION))
    return path


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--roots", ","], "--roots names no root"),
        (["--roots", ""], "--roots names no root"),
        (["--roots", "ES,NOPE"], "unknown root `NOPE`"),
        (["--start", "soon"], "--start soon: no instant; write it like"),
        (["--start", "2025-07-01"], "has no zone"),
        (["--server-version", "201"], "157 to 200"),
        (["--roots", "ES", "--speed", "0"], "speed of 0"),
        (["--roots", "ES", "--host", "no.such.host.invalid"], "no.such.host.invalid:4002"),
    ],
)
def test_wrong_usage(pyfutures, words, text):
    code, out, err = pyfutures("run", *words)
    assert (code, out) == (2, "")
    assert text in err


def test_a_port_that_is_taken_is_named(pyfutures, recording):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for words in (["run", "--roots", "ES"], ["replay", recording]):
            code, out, err = pyfutures(*words, "--port", port)
            assert (code, out) == (2, "")
            assert f"cannot listen on 127.0.0.1:{port}: " in err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "no version reply behind `handshake` and `startapi`"),
        ('[["handshake", []], ["startapi", [["176"]]]]', "no version reply"),
        ('[["handshake", []], ["startapi", [["201", "t"]]]]', "157 to 200"),
        ("{}", "a recorded session is a list"),
        ("x", "no JSON"),
        (b"\x1f\x8b\x08 is not all", "compressed, and cut or broken"),
        (
            gzip.compress(json.dumps(SESSION).encode(), mtime=0)[:-9],
            "compressed, and cut or broken",
        ),
        (
            json.dumps([*SESSION, ["17", [["eof"], ["15", "1", "DU1"]]]]),
            'element 2: responses behind ["eof"]',
        ),
    ],
)
@pytest.mark.parametrize("command", ["decode", "replay"])
def test_a_file_that_is_no_session(pyfutures, tmp_path, command, text, said):
    path = tmp_path / "file.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    code, out, err = pyfutures(command, path)
    assert (code, out) == (1, "")
    assert said in err
    assert str(path) in err


def test_a_session_in_gzip(pyfutures, recording, tmp_path):
    path = tmp_path / "session.json.gz"
    path.write_bytes(gzip.compress(recording.read_bytes()))
    assert pyfutures("decode", path) == pyfutures("decode", recording)


def test_a_script_that_cannot_be_played(pyfutures, tmp_path):
    path = tmp_path / "faults.yaml"
    path.write_text("schema: 1\nfaults:\n  - at: soon\n    do: {restart: {}}\n")
    code, out, err = pyfutures("run", "--roots", "ES", "--script", path)
    assert (code, out) == (1, "")
    assert str(path) in err


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -15)])
def test_it_ends_when_told_to_without_a_word(recording, sent, code):
    main = "from pyfutures.cli import main; main()"
    words = [sys.executable, "-c", main, "gateway", "replay", "--port", "0", str(recording)]

    def heed() -> None:  # who runs the tests in the background has them ignore SIGINT
        signal.signal(signal.SIGINT, signal.default_int_handler)

    with subprocess.Popen(
        words,
        stdout=-1,
        stderr=-1,
        text=True,
        preexec_fn=heed,  # noqa: PLW1509 - no threads here
    ) as process:
        assert process.stdout.readline().startswith("serving at 127.0.0.1:")
        process.send_signal(sent)
        out, err = process.communicate(timeout=20)
        assert (out, err.strip()) == ("", "")  # a line of its own behind the ^C of a terminal
        assert process.returncode == code
