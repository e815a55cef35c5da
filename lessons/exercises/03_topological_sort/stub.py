"""03. The order of the backward pass.

A computation is a graph: each node has inputs, which were computed before it. The backward pass visits a
node only when the gradients from everything that used it have come. So we need an order in which every
node stands after its inputs; backward then goes through it from the end.
"""


def topological_order(inputs, root):
    """The nodes that `root` was computed from, and `root` itself, each after all of its inputs.

    inputs is a dict: inputs[node] is the list of the nodes that `node` was computed from, in which a node
    may stand twice (x * x). A node without inputs has an empty list. Nodes are strings.
    Returns a list in which each node that `root` depends on occurs once. Other nodes are not in it.
    """
    # TODO: go from root to its inputs, to their inputs and so on; visit no node twice
    # TODO: put a node into the list when all of its inputs are in it
    raise NotImplementedError("topological_order")
