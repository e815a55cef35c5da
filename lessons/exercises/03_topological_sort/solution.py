"""03. The order of the backward pass: a solution."""


def topological_order(inputs, root):
    """The nodes that `root` was computed from, and `root` itself, each after all of its inputs."""
    order, seen = [], set()
    waiting = [(root, False)]
    while waiting:
        node, inputs_are_done = waiting.pop()
        if inputs_are_done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            waiting.append((node, True))
            waiting += [(source, False) for source in inputs[node]]
    return order
