"""polite.py ADDRESS,… OPEN CLOSE COUNT: opens sessions at the endpoint OPEN and ends each through the node CLOSE, ten a second,
from these addresses in turn. In the end the statuses, as a line of JSON."""

import collections
import json
import sys
import time
import urllib.parse

from peer import offer, request

if __name__ == "__main__":
    addresses, opened, closed, count = sys.argv[1:]
    addresses = addresses.split(",")
    text = offer(("video",), "recvonly").replace("\n", "\r\n")
    statuses = {"POST": collections.Counter(), "DELETE": collections.Counter()}
    for turn in range(int(count)):
        address = addresses[turn % len(addresses)]
        status, headers, _ = request("POST", opened, address, text, {"Content-Type": "application/sdp"})
        statuses["POST"][status] += 1
        if status == 201:
            path = urllib.parse.urlsplit(headers["Location"]).path
            statuses["DELETE"][request("DELETE", closed + path, address)[0]] += 1
        time.sleep(0.1)
    print(json.dumps(statuses))
