def topological_order(inputs, root):
    left = {}
    stack = [root]
    while stack:
        node = stack[-1]
        missing = [source for source in inputs[node] if source not in left]
        if missing:
            stack.append(missing[0])
        else:
            left.setdefault(node, len(left))
            stack.pop()
    return sorted(left, key=left.get)
