"""Clients of arima_restd under load, for restd_load.pl; the standard library alone.

usage: restd_load.py load PORT SECONDS CONNECTIONS     as JSON: what was sent and answered
       restd_load.py crowd PORT IDLE SLOW              as JSON: how others are served meanwhile
"""
import asyncio
import json
import resource
import sys
import time


def request(body, key=None):
    data = json.dumps(body).encode()
    head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n"
    return (head + (f"Idempotency-Key: {key}\r\n" if key else "") + "\r\n").encode() + data


async def exchange(streams, data):
    reader, writer = streams
    writer.write(data)
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = int(head.split("content-length:")[1].split("\r\n")[0])
    return int(head.split()[1]), await reader.readexactly(length)


async def client(number, port, end, result):
    """Prices that end in one that no other request has: the naive forecast is that price."""
    streams, i, again = None, 0, None
    while time.time() < end or again:
        if again:
            mark, key = again
        else:
            i += 1
            mark = number * 1_000_000 + i
            key = f"key-{mark}" if i % 2 else None
            result["sent"].append(mark)
        try:
            if streams is None:
                streams = await asyncio.open_connection("127.0.0.1", port)
            status, body = await asyncio.wait_for(exchange(streams, request({"recent_prices": [1] * 10 + [mark]}, key)), 30)
        except (OSError, asyncio.IncompleteReadError):
            status, body, streams = 0, b"", None
        result["statuses"][status] = result["statuses"].get(status, 0) + 1
        again = None
        if status == 200:
            reply = json.loads(body)
            result["answered"].append([mark, reply["prediction"], reply["prediction_id"], key])
        elif status == 503:
            # a request with a key may be repeated, one without may not
            again = (mark, key) if key and time.time() < end + 20 else None
            await asyncio.sleep(0.02)


async def load(port, seconds, connections):
    result = {"sent": [], "answered": [], "statuses": {}}
    end = time.time() + seconds
    await asyncio.gather(*(client(n, port, end, result) for n in range(1, connections + 1)))
    return result


async def slow_writer(port, writers):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writers.append(writer)
    writer.write(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")


async def crowd(port, idle, slow):
    writers, times, statuses = [], [], {}
    for start in range(0, idle, 200):
        streams = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", port) for _ in range(min(200, idle - start))))
        writers += [w for _, w in streams]
    slow_ones = []
    for start in range(0, slow, 100):
        await asyncio.gather(*(slow_writer(port, slow_ones) for _ in range(min(100, slow - start))))
    others = await asyncio.open_connection("127.0.0.1", port)
    for i in range(200):
        for writer in slow_ones[i % 10::10]:
            writer.write(b" ")
        start = time.time()
        status, _ = await exchange(others, request({"recent_prices": [1] * 10}))
        times.append(time.time() - start)
        statuses[status] = statuses.get(status, 0) + 1
    times.sort()
    return {"connections": len(writers) + len(slow_ones), "statuses": statuses, "median": times[100], "p95": times[190], "worst": times[-1]}


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(hard, 12000),) * 2)
    except ValueError:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    numbers = [int(a) for a in sys.argv[2:]]
    print(json.dumps(asyncio.run({"load": load, "crowd": crowd}[sys.argv[1]](*numbers))))
