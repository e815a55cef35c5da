def receptive_field(layers, place):
    step, start, reach = 1, 0, 0
    for kernel_size, stride, padding, dilation in layers:
        start -= padding * step
        reach += (kernel_size - 1) * dilation * step
        step *= stride
    return place * step + start, place * step + start + reach
