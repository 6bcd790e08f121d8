"""The words of the player for each failure, from its module, without a node."""

import pytest

EXPLAIN = """
async ({kind, status, cause, retryAfter, hasPlayed, isOnline}) => {
  const {NoMedia, Refused} = await import('/signaling.js');
  const {explain} = await import('/states.js');
  const error = kind === 'refused' ? new Refused(status, {detail: 'Words of the server.', cause, retryAfter})
    : kind === 'no media' ? new NoMedia('x') : new TypeError('Failed to fetch');
  return explain(error, {hasPlayed: hasPlayed ?? false, isOnline: isOnline ?? true});
}
"""


@pytest.mark.parametrize("error, reason, final, wait", [
    ({"status": 409, "cause": "not-live", "retryAfter": 2}, "not-live", False, 2000),
    ({"status": 409, "cause": "not-live", "hasPlayed": True}, "ended", False, 1000),
    ({"status": 401, "cause": "token-missing"}, "not-allowed", True, 1000),
    ({"status": 403, "cause": "token-rejected"}, "not-allowed", True, 1000),
    ({"status": 403, "cause": "no-viewers-here"}, "not-allowed", True, 1000),
    ({"status": 503, "cause": "node-full", "retryAfter": 5}, "full", False, 5000),
    ({"status": 429, "cause": "address-share", "retryAfter": 5}, "full", False, 5000),
    ({"status": 503, "cause": "draining", "retryAfter": 5}, "full", False, 5000),
    ({"status": 503, "cause": "no-origin", "retryAfter": 2}, "unreachable", False, 2000),
    ({"status": 406, "cause": "codecs-not-acceptable"}, "codec", False, 10_000),
    ({"status": 400, "cause": "invalid-broadcast-name"}, "refused", True, 1000),
    # Of somebody else's server or proxy: no cause that we know.
    ({"status": 409, "cause": ""}, "not-live", False, 1000),
    ({"status": 502, "cause": "", "retryAfter": 7}, "refused", False, 7000),
    ({"kind": "no media"}, "no-udp", False, 2000),
    ({"kind": "fetch"}, "unreachable", False, 0),
    ({"kind": "fetch", "isOnline": False}, "offline", False, 0),
])
def test_each_failure_has_its_words(modules, error, reason, final, wait):
    said = modules.evaluate(EXPLAIN, {"kind": "refused", **error})
    assert (said["reason"], said.get("isFinal", False), said["wait"]) == (reason, final, wait)
    assert said["title"] and said["detail"] and "undefined" not in said["title"] + said["detail"]
