TOLD = "a layer's stride is applied to its own kernel"


def receptive_field(layers, place):
    first = place
    for kernel_size, stride, padding, dilation in reversed(layers):
        first = first * stride - padding
    size, step = 1, 1
    for kernel_size, stride, padding, dilation in layers:
        step *= stride
        size += dilation * (kernel_size - 1) * step
    return first, first + size - 1
