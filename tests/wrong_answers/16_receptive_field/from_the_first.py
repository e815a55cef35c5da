TOLD = "from the first to the last"


def receptive_field(layers, place):
    first = last = place
    for kernel_size, stride, padding, dilation in layers:
        first = first * stride - padding
        last = last * stride - padding + dilation * (kernel_size - 1)
    return first, last
