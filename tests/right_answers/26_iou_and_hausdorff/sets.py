import math


def pixels(mask):
    return {(i, j) for i, row in enumerate(mask) for j, inside in enumerate(row) if inside}


def iou(a, b):
    a, b = pixels(a), pixels(b)
    return len(a & b) / len(a | b) if a or b else 1.0


def hausdorff(a, b, spacing):
    a, b = ([(i * spacing[0], j * spacing[1]) for i, j in pixels(mask)] for mask in (a, b))
    pairs = [(p, b) for p in a] + [(p, a) for p in b]
    return max((min((math.dist(p, q) for q in other), default=math.inf) for p, other in pairs), default=0.0)
