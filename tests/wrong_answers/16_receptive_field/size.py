TOLD = "this is the size of the field"


def receptive_field(layers, place):
    size, step = 1, 1
    for kernel_size, stride, padding, dilation in layers:
        size += dilation * (kernel_size - 1) * step
        step *= stride
    return size
