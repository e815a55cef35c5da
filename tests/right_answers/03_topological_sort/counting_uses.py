from collections import Counter, deque


def topological_order(inputs, root):
    needed, waiting = {root}, [root]
    while waiting:
        for source in inputs[waiting.pop()]:
            if source not in needed:
                needed.add(source)
                waiting.append(source)
    uses = Counter(source for node in needed for source in inputs[node])
    ready, order = deque([root]), []
    while ready:
        node = ready.popleft()
        order.append(node)
        for source in inputs[node]:
            uses[source] -= 1
            if uses[source] == 0:
                ready.append(source)
    return order[::-1]
