def receptive_field(layers, place):
    if not layers:
        return place, place
    *before, (kernel_size, stride, padding, dilation) = layers
    begin = place * stride - padding
    end = begin + (kernel_size - 1) * dilation
    return receptive_field(before, begin)[0], receptive_field(before, end)[1]
