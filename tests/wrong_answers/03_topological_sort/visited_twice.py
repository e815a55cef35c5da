TOLD = "remember those that you have been to"


def topological_order(inputs, root):
    order = []

    def visit(node):
        for source in inputs[node]:
            visit(source)
        order.append(node)

    visit(root)
    return order
