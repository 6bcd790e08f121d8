"""The lab itself: a test that cuts a cable must have cut it."""

import json
import subprocess
import sys

from conftest import end

ECHO = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 4000))
print("ok", flush=True)
while True:
    data, sender = s.recvfrom(2000)
    s.sendto(data, sender)
"""

# Round-trip times of 50 datagrams in milliseconds, and errors.
ASK = """
import json, socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(0.1)
times, errors = [], []
for i in range(50):
    begin = time.monotonic()
    try:
        s.sendto(bytes(1200), (sys.argv[1], 4000))
        s.recv(2000)
        times.append((time.monotonic() - begin) * 1000)
    except TimeoutError:
        if not times and i == 9: break
    except OSError as error:
        errors.append(str(error))
print(json.dumps([times, errors]))
"""


def ask(host, address: str) -> tuple[list[float], list[str]]:
    run = subprocess.run(host.command(sys.executable, "-c", ASK, address), capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


def test_a_cable_is_slow_lossy_cut_and_healed(lab):
    a, b, c = (lab.host(name) for name in "abc")
    cable = lab.join(a, b)
    lab.join(b, c)
    echoes = [subprocess.Popen(host.command(sys.executable, "-c", ECHO), stdout=subprocess.PIPE) for host in (b, c)]
    try:
        assert all(echo.stdout.readline() == b"ok\n" for echo in echoes)
        plain, _ = ask(a, b.address)
        assert len(plain) == 50
        cable.shape(delay_ms=20)
        slow, _ = ask(a, b.address)
        print(f"round trip {sorted(plain)[25]:.2f} ms, with 2 × 20 ms {sorted(slow)[25]:.1f} ms")
        assert 40 <= sorted(slow)[25] < 50 and len(slow) == 50
        cable.shape(loss=0.2)
        lossy, _ = ask(a, b.address)
        assert 15 <= len(lossy) <= 45, "0.64 × 50"
        cable.cut()
        assert ask(a, b.address) == [[], []], "nothing comes, and nobody is told"
        cable.heal()
        assert len(ask(a, b.address)[0]) == 50
        # Hosts do not forward: there is no way around.
        assert not ask(a, c.address)[0]
        assert ask(b, c.address)[0]
    finally:
        for echo in echoes:
            end(echo)
