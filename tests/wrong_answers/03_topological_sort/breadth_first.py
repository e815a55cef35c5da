TOLD = "it has to wait"


def topological_order(inputs, root):
    order, waiting = [], [root]
    while waiting:
        node = waiting.pop(0)
        if node not in order:
            order.append(node)
            waiting += inputs[node]
    return order[::-1]
