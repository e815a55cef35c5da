TOLD = "go on to the inputs' inputs"


def topological_order(inputs, root):
    return [*dict.fromkeys(inputs[root]), root]
