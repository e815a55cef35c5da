TOLD = "use a list as a stack"


def topological_order(inputs, root):
    order, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            for source in inputs[node]:
                visit(source)
            order.append(node)

    visit(root)
    return order
