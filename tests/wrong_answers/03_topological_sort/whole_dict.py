TOLD = "begin at root"


def topological_order(inputs, root):
    order, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            for source in inputs[node]:
                visit(source)
            order.append(node)

    for node in inputs:
        visit(node)
    return order
