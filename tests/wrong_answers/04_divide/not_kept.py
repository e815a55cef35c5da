TOLD = "forward has not kept"


class Divide:
    def forward(self, a, b):
        self.b = b
        return a / b

    def backward(self, grad):
        return grad / self.b, -grad * self.a / self.b**2
