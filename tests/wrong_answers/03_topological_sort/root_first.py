TOLD = "the wrong way round"


def topological_order(inputs, root):
    order, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            for source in inputs[node]:
                visit(source)
            order.insert(0, node)

    visit(root)
    return order
