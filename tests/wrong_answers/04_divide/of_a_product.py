TOLD = "the gradient of a * b"


class Divide:
    def forward(self, a, b):
        self.a, self.b = a, b
        return a / b

    def backward(self, grad):
        return grad * self.b, grad * self.a
