def topological_order(inputs, root):
    order, seen = [], {root}
    path = [(root, iter(inputs[root]))]
    while path:
        node, sources = path[-1]
        source = next(sources, None)
        if source is None:
            order.append(node)
            path.pop()
        elif source not in seen:
            seen.add(source)
            path.append((source, iter(inputs[source])))
    return order
