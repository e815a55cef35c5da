TOLD = "only the first time"


def topological_order(inputs, root):
    order, waiting = [], [(root, False)]
    while waiting:
        node, done = waiting.pop()
        if done and node not in order:
            order.append(node)
        elif not done:
            waiting.append((node, True))
            waiting += [(source, False) for source in inputs[node]]
    return order
