TOLD = "whole numbers"


def receptive_field(layers, place):
    """The first and the last pixel that a place of the last layer's output sees, along one axis."""
    first = last = place
    for kernel_size, stride, padding, dilation in reversed(layers):
        first = first * stride - padding
        last = last * stride - padding + dilation * (kernel_size - 1)
    return first / 1, last / 1
