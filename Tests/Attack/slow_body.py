"""slow_body.py ADDRESS HOST PORT: asks with a body that does not come, and waits for the answer and for the end."""

import json
import socket
import sys
import time

if __name__ == "__main__":
    begin = time.monotonic()
    with socket.create_connection((sys.argv[2], int(sys.argv[3])), 30, (sys.argv[1], 0)) as connection:
        connection.sendall(b"POST /whip/show HTTP/1.1\r\nHost: a\r\nContent-Type: application/sdp\r\n"
                           b"Content-Length: 4000\r\n\r\nv")
        status = connection.recv(4_096)[9:12].decode()
        connection.settimeout(5)
        closed = False
        while not closed and time.monotonic() < begin + 20:
            try:
                connection.send(b"v")
                closed = not connection.recv(4_096)
            except TimeoutError:
                continue
            except OSError:
                closed = True
    print(json.dumps({"status": status, "closed_after": round(time.monotonic() - begin, 1) if closed else 1e9}))
