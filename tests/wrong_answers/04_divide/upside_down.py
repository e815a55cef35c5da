TOLD = "this is b / a"


class Divide:
    def forward(self, a, b):
        self.a, self.b = a, b
        return b / a

    def backward(self, grad):
        return grad / self.b, -grad * self.a / self.b**2
