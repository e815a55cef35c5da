TOLD = "multiply with grad"


class Divide:
    def forward(self, a, b):
        self.a, self.b = a, b
        return a / b

    def backward(self, grad):
        return 1 / self.b, -self.a / self.b**2
