TOLD = "last is too large"


def receptive_field(layers, place):
    first = last = place
    for kernel_size, stride, padding, dilation in reversed(layers):
        first = first * stride - padding
        last = last * stride - padding + dilation * kernel_size
    return first, last
