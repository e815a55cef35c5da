TOLD = "the border is cut off"


def receptive_field(layers, place):
    first = last = place
    for kernel_size, stride, padding, dilation in reversed(layers):
        first = first * stride - padding
        last = last * stride - padding + dilation * (kernel_size - 1)
    return max(0, first), max(0, last)
