"""What the judge knows about exercise 03."""

from tinyconv.course.exercises import Check, Exercise, Mistake


def needed(inputs, root):
    """All nodes that root depends on, and root."""
    found, waiting = {root}, [root]
    while waiting:
        new = set(inputs[waiting.pop()]) - found
        found |= new
        waiting += new
    return found


def is_order(got, inputs, root):
    """What is wrong with an order, or nothing."""
    if not isinstance(got, list | tuple) or not all(isinstance(node, str) for node in got):
        return "the result is not a list of nodes"
    if len(set(got)) < len(got):
        return f"{next(node for node in got if got.count(node) > 1)!r} occurs more than once"
    if missing := needed(inputs, root) - set(got):
        return f"{min(missing)!r} is missing"
    if extra := set(got) - needed(inputs, root):
        return f"{root!r} does not depend on {min(extra)!r}, which is in the list"
    place = {node: index for index, node in enumerate(got)}
    for node in got:
        for source in inputs[node]:
            if place[source] > place[node]:
                return f"{node!r} stands before {source!r}, which it was computed from"
    return ""


def draw_graph(d):
    """Up to six nodes with names in random order; each has inputs among those before it."""
    count = d.integer(1, 6)
    names = [str(name) for name in d.rng().permutation([*"abcdef"])][:count]
    pairs = [[names[d.integer(0, i - 1)] for _ in range(d.integer(0, 2))] if i else [] for i in range(count)]
    inputs = dict(sorted(zip(names, pairs, strict=True)))
    return {"inputs": inputs, "root": names[d.integer(max(0, count - 2), count - 1)]}


def draw_chain(d):
    """A thousand operations in a row and more."""
    count = d.integer(2000, 5000)
    inputs = {f"n{i}": [f"n{i - 1}"] if i else [] for i in range(count)}
    return {"inputs": inputs, "root": f"n{count - 1}"}


def draw_ladder(d):
    """Each node uses the one before it twice: 2 to the power of 60 ways from the root to the leaf."""
    count = d.integer(60, 70)
    inputs = {f"n{i}": [f"n{i - 1}"] * 2 if i else [] for i in range(count)}
    return {"inputs": inputs, "root": f"n{count - 1}"}


def says(*parts):
    """Whether the sentence has one of these parts."""
    return lambda seen: any(part in seen.sentence for part in parts)


def backwards(seen):
    """Whether the reversed list is an order."""
    return not is_order(seen.got[::-1], **seen.case)


MISTAKES = (
    Mistake("the order is the wrong way round: the inputs come first, root is last", when=backwards),
    Mistake(
        "a node that is used twice is visited twice: remember those that you have been to",
        when=says("more than once"),
    ),
    Mistake(
        "root itself belongs to the order: it is the last",
        when=lambda seen: seen.case["root"] not in seen.got,
    ),
    Mistake(
        "only what root depends on belongs to the order: begin at root, not with all nodes of the dict",
        when=says("does not depend on"),
    ),
    Mistake("only the direct inputs are followed: go on to the inputs' inputs", when=says("is missing")),
    Mistake(
        "a node enters the list when it is first met: it has to wait until all of its inputs are in it",
        when=says("stands before"),
    ),
)
GRAPH = {"x": [], "w": [], "p": ["x", "w"], "q": ["p", "x"], "unused": ["w"]}

SPEC = Exercise(
    function="topological_order",
    checks=[
        Check(
            "small graphs",
            draw=draw_graph,
            accept=is_order,
            mistakes=MISTAKES,
            worked=[{"inputs": GRAPH, "root": "q"}, {"inputs": {"x": [], "y": ["x", "x"]}, "root": "y"}],
            examples=100,
        ),
        Check(
            "thousands of operations in a row",
            draw=draw_chain,
            accept=is_order,
            examples=2,
            mistakes=[
                Mistake(
                    "right for small graphs, but Python stops recursion at about 1000: use a list as a stack",
                    when=lambda seen: seen.raised("RecursionError"),
                )
            ],
        ),
        Check(
            "nodes that are used twice",
            draw=draw_ladder,
            accept=is_order,
            examples=2,
            mistakes=[
                Mistake(
                    "every way from root to a leaf is walked, and there are 2 to the power of 60: "
                    "walk through the inputs of a node only the first time",
                    when=lambda seen: seen.kind == "ended" or seen.raised("MemoryError"),
                )
            ],
        ),
    ],
)
