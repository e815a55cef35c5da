TOLD = "the stride is left out"


def receptive_field(layers, place):
    first = last = place
    for kernel_size, stride, padding, dilation in reversed(layers):
        first = first - padding
        last = last - padding + dilation * (kernel_size - 1)
    return first, last
