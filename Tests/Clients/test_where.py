"""Where a picture comes from and who else has it, of what nodes say; from the module, without a node."""

NODES = [
    {"name": "origin-1", "role": "origin", "region": "eu", "url": "http://a:1", "ready": True, "self": False},
    {"name": "edge-us", "role": "edge", "region": "us", "url": "http://b:1", "ready": True, "self": False},
    {"name": "edge-eu", "role": "edge", "region": "eu", "url": "http://c:1", "ready": True, "self": True},
    {"name": "edge-ap", "role": "edge", "region": "ap", "url": "https://d.example", "ready": True, "self": False},
    {"name": "edge-down", "role": "edge", "region": "us", "url": "http://e:1", "ready": False, "self": False},
    {"name": "edge-without-url", "role": "edge", "ready": True, "self": False},
    # Of another region: the node that tells does not know.
    {"name": "edge-unknown", "role": "edge", "region": "ap", "kind": "other", "url": "http://f:1", "ready": False, "self": False},
]
FIND = """
async ({nodes, broadcasts}) => {
  const {pageAt, whereabouts} = await import('/where.js');
  const {here, source, others} = whereabouts(nodes, broadcasts, 'a b');
  return [here?.name ?? null, source?.name ?? null, others.map(node => pageAt(node, 'a b', '#token=t'))];
}
"""
WORDS = "async times => (await import('/where.js')).words(times)"


def test_the_other_nodes_are_edges_that_may_be_reached(modules):
    found = modules.evaluate(FIND, {"nodes": NODES, "broadcasts": [{"name": "x", "origin": "edge-us"}, {"name": "a b", "origin": "origin-1"}]})
    assert found == ["edge-eu", "origin-1", [
        "https://d.example/?broadcast=a%20b#token=t", "http://f:1/?broadcast=a%20b#token=t", "http://b:1/?broadcast=a%20b#token=t"]]
    assert modules.evaluate(FIND, {"nodes": [], "broadcasts": []}) == [None, None, []]


def test_the_closest_is_named_first(modules):
    us, eu, down = ({"node": NODES[i], "time": time} for i, time in ((1, 98.7), (2, 12.2), (4, None)))
    assert modules.evaluate(WORDS, [us, down, eu]) == (
        "Closest: edge-eu (eu) 12 ms, edge-us (us) 99 ms, edge-down (us) did not answer.")
    assert modules.evaluate(WORDS, [down]) == "No node answered."
