"""One address that does its worst, everything at once: others watch and join as if it were not there."""

import concurrent.futures
import json
import os
import time

from field import result
from nodes import eventually

# CASCADE_ATTACK_SECONDS=300 shows whether memory goes on growing.
SECONDS = int(os.environ.get("CASCADE_ATTACK_SECONDS", 60))
# Rates that one host on a home line reaches easily; what a machine with two slow cores shows of larger ones is its own
# slowness. Attackers are nice: they stand for another machine's cores.
WORST = [
    ("flood.py", "idle", SECONDS, "{host}", "{http}", 500),
    ("flood.py", "slow", SECONDS, "{host}", "{http}", 100),
    ("flood.py", "posts", SECONDS, "{host}", "{http}", 95),
    ("flood.py", "gets", SECONDS, "{host}", "{http}", 5_000),
    ("flood.py", "stun", SECONDS, "{host}", "{media}", 10_000),
    ("misuse.py", "nacks", "{url}", SECONDS, 10_000),
]


def test_one_address_does_its_worst(field, clip, tone):
    cascade, node = field.origin()
    studio, attacker, town = field.soldier("studio"), field.soldier("attacker"), field.soldier("town", addresses=20)
    for host in (studio, attacker, town):
        field.wire(node.host, host)
    field.publish(cascade, node, studio, clip, "--audio", tone)
    url = f"{node.url}/whep/show"
    crowd = field.start(town, "crowd.py", url, SECONDS + 5, 50, 10, addresses=20)
    assert crowd.stdout.readline() == "ready\n"
    values = {"host": node.address, "http": node.public_port, "media": node.media_port, "url": url}
    begin, cpu, memory = time.monotonic(), node.cpu(), []
    attackers = [
        field.start(attacker, *(str(part).format(**values) for part in command), nice=10) for command in WORST]
    seen = []
    while time.monotonic() < begin + SECONDS - 2:
        seen.append((*node.status("/readyz"), *node.status("/healthz")))
        memory.append(node.memory())
        time.sleep(0.5)
    busy = (node.cpu() - cpu) / (time.monotonic() - begin)
    with concurrent.futures.ThreadPoolExecutor() as reading:
        said = dict(zip((command[1] for command in WORST), reading.map(lambda a: result(a, 60), attackers)))
    whole = result(crowd, 60)
    unready = [status for status, *_ in seen if status != 200]
    health = sorted(milliseconds for *_, milliseconds in seen)
    # The first seconds fill tables and buffers.
    early, late = memory[len(memory) // 6], memory[-1]
    for what, answer in said.items():
        print(f"  {what}: {json.dumps(answer)}")
    print(f"  crowd: {json.dumps(whole)}")
    print(f"  node: {busy:.0%} of a core; /readyz not 200: {len(unready)} of {len(seen)}; /healthz p95 "
          f"{health[len(health) * 95 // 100]:.0f} ms, worst {health[-1]:.0f} ms; memory {memory[0]} KiB at the start, "
          f"{early} after {SECONDS // 6} s, {late} at the end")
    print(f"  memory, MiB: {' '.join(str(kib >> 10) for kib in memory[::max(1, len(memory) // 20)])}")
    assert node.is_alive(), cascade.log(node.name)
    assert said["slow"]["ended"] > 0, "a body that takes for ever is waited for as long"
    assert not unready, "strangers decide readiness"
    assert all(status == 200 for _, _, status, _ in seen)
    assert whole["viewers"] == 50 and whole["video_gaps_ms"]["max"] < 2_000, "viewers play on"
    assert not whole["refused"] and whole["late"] <= whole["joins"] // 100, "nobody else is kept out"
    assert whole["joins"] > SECONDS * 8
    assert late < early * 1.5 + 20_000, "memory grows"
    eventually(lambda: node.status("/readyz")[0] == 200, 5, "ready afterwards")
