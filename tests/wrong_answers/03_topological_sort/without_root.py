TOLD = "root itself belongs"


def topological_order(inputs, root):
    order, seen = [], set()

    def visit(node):
        for source in inputs[node]:
            if source not in seen:
                seen.add(source)
                visit(source)
                order.append(source)

    visit(root)
    return order
