TOLD = "counts in its own places"


def receptive_field(layers, place):
    first, size = place, 1
    for kernel_size, stride, padding, dilation in reversed(layers):
        first = first * stride - padding
        size += dilation * (kernel_size - 1)
    return first, first + size - 1
