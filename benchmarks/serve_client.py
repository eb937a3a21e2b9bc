"""Clients of a service that cost little themselves: one connection each, the next request after each answer."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

Right = Callable[[bytes], bool]


@dataclass
class Load:
    """What came of many requests.

    Attributes:
        seconds: from request to answer, of each that was answered with 200.
        wrong: other answers.
        refused: of those, answers that say to come again later (503).
        lost: connections that ended before an answer; the client was told so by an error.
        open: requests that have neither an answer nor an error.
        example: of a wrong answer.
    """

    seconds: list[float] = field(default_factory=list)
    wrong: int = 0
    refused: int = 0
    lost: int = 0
    open: int = 0
    example: bytes = b""


async def ask_all(
    host: str, port: int, path: str, body: bytes, clients: int, seconds: float, right: Right | None = None
) -> Load:
    """Ask with as many clients for so long.

    Args:
        right: whether the body of an answer is what it should be.
    """
    load, until = Load(), time.perf_counter() + seconds
    head = f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    await asyncio.gather(*(_client(host, port, request, until, load, right) for _ in range(clients)))
    return load


async def _client(host: str, port: int, request: bytes, until: float, load: Load, right: Right | None) -> None:
    while time.perf_counter() < until:
        try:
            reader, writer = await asyncio.open_connection(host, port)
        except OSError:
            load.lost += 1
            await asyncio.sleep(0.05)
            continue
        try:
            while time.perf_counter() < until:
                await _ask(reader, writer, request, load, right)
        except (OSError, asyncio.IncompleteReadError):
            load.lost, load.open = load.lost + 1, load.open - 1
        finally:
            writer.close()


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes, load: Load, right: Right | None
) -> None:
    began = time.perf_counter()
    load.open += 1
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
    answer = await reader.readexactly(length)
    load.open -= 1
    status = int(head.split(b" ", 2)[1])
    if status == 200 and (right is None or right(answer)):
        load.seconds.append(time.perf_counter() - began)
    elif status == 503:
        load.refused += 1
        await asyncio.sleep(0.1)
    else:
        load.wrong, load.example = load.wrong + 1, answer[:500]
