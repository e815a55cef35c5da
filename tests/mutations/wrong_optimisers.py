"""Mistakes in optimisers, their reference kernels, schedulers, averages and clipping."""

from __future__ import annotations

from tests.mutations.mutation import wrong

KERNELS = "tests/kernels/test_optim.py"
STEPS = "tests/optim/test_optim.py"
RATES = "tests/optim/test_lr_scheduler.py"
REFERENCE = "kernels/reference/optim.py"

STEP_KERNELS = (
    wrong(
        "fast step: averages that were replaced go unnoticed",
        "kernels/cpu/_many.py",
        "if i != GRADS for array in column",
        "if i == 0 for array in column",
        f"{KERNELS}::test_what_is_remembered_of_a_step_is_checked_in_the_next",
    ),
    wrong(
        "fast step: the gradients are those of the last step",
        "kernels/cpu/_many.py",
        "table.addresses[:, GRADS] = list(map(_address, columns[GRADS]))",
        "table.addresses[:, GRADS] += 0",
        f"{KERNELS}::test_what_is_remembered_of_a_step_is_checked_in_the_next",
    ),
    wrong(
        "fast step: a gradient in another order of memory is taken as it lies",
        "kernels/cpu/_many.py",
        "if not grad.flags.c_contiguous or grad.shape != shape",
        "if grad.shape != shape",
        f"{KERNELS}::test_what_is_remembered_of_a_step_is_checked_in_the_next",
    ),
    wrong(
        "sgd: uphill",
        REFERENCE,
        "        d = d + momentum * buffer if nesterov else buffer\n    param[...] -= lr * d",
        "        d = d + momentum * buffer if nesterov else buffer\n    param[...] += lr * d",
        f"{KERNELS}::test_first_steps_by_hand",
    ),
    wrong(
        "sgd: dampening in the first step too",
        REFERENCE,
        "buffer[...] = d if first else momentum * buffer + (1 - dampening) * d",
        "buffer[...] = momentum * buffer + (1 - dampening) * d",
        f"{KERNELS}::test_sgd_is_pytorchs",
    ),
    wrong(
        "sgd: Nesterov looks ahead from the old velocity",
        REFERENCE,
        "d = d + momentum * buffer if nesterov else buffer",
        "d = d + momentum * momentum * buffer if nesterov else buffer",
        f"{KERNELS}::test_sgd_is_pytorchs",
    ),
    wrong(
        "adam: no bias correction of the mean",
        REFERENCE,
        "    scale = xp.sqrt(exp_avg_sq) / (1 - beta2**step) ** 0.5 + eps\n"
        "    param[...] -= lr / (1 - beta1**step) * exp_avg / scale",
        "    scale = xp.sqrt(exp_avg_sq) / (1 - beta2**step) ** 0.5 + eps\n"
        "    param[...] -= lr * exp_avg / scale",
        f"{KERNELS}::test_first_steps_by_hand",
        f"{KERNELS}::test_adam_is_pytorchs",
    ),
    wrong(
        "adam: no bias correction of the square",
        REFERENCE,
        "xp.sqrt(exp_avg_sq) / (1 - beta2**step) ** 0.5 + eps",
        "xp.sqrt(exp_avg_sq) + eps",
        f"{KERNELS}::test_adam_is_pytorchs",
    ),
    wrong(
        "adam: eps under the root",
        REFERENCE,
        "xp.sqrt(exp_avg_sq) / (1 - beta2**step) ** 0.5 + eps",
        "xp.sqrt(exp_avg_sq + eps) / (1 - beta2**step) ** 0.5",
        f"{KERNELS}::test_adam_is_pytorchs",
    ),
    wrong(
        "adamw: the decay goes through the averages",
        REFERENCE,
        "beta1, beta2, eps, 0.0)",
        "beta1, beta2, eps, weight_decay)",
        STEPS,
    ),
    wrong(
        "rmsprop: centred means that the mean is added",
        REFERENCE,
        "xp.maximum(square_avg - grad_avg * grad_avg, 0)",
        "xp.maximum(square_avg + grad_avg * grad_avg, 0)",
        f"{STEPS}::test_twenty_steps_are_pytorchs",
    ),
    wrong(
        "adagrad: the squares are averaged",
        REFERENCE,
        "    sum += d * d\n",
        "    sum[...] = (sum + d * d) / 2\n",
        f"{STEPS}::test_twenty_steps_are_pytorchs",
    ),
    wrong(
        "adadelta: the ratio is upside down",
        REFERENCE,
        "xp.sqrt(acc_delta + eps) / xp.sqrt(square_avg + eps) * d",
        "xp.sqrt(square_avg + eps) / xp.sqrt(acc_delta + eps) * d",
        f"{STEPS}::test_twenty_steps_are_pytorchs",
    ),
)

OPTIMISERS = (
    wrong(
        "SGD: the first step is every step",
        "optim/sgd.py",
        'first = "momentum_buffer" not in state',
        "first = True",
        f"{STEPS}::test_twenty_steps_are_pytorchs",
    ),
    wrong(
        "Adam: steps are not counted",
        "optim/optimizer.py",
        'state["step"] = state.get("step", 0) + 1',
        'state["step"] = 1',
        f"{STEPS}::test_twenty_steps_are_pytorchs",
    ),
    wrong(
        "AdamW: decays as Adam does",
        "optim/adam.py",
        'take(arrays, grads, *averages, step, *numbers, group["decoupled_weight_decay"])',
        "take(arrays, grads, *averages, step, *numbers, False)",
        f"{STEPS}::test_twenty_steps_are_pytorchs",
    ),
    wrong(
        "RMSprop: alpha and eps are swapped",
        "optim/rmsprop.py",
        '("lr", "alpha", "eps", "weight_decay", "momentum")]',
        '("lr", "eps", "alpha", "weight_decay", "momentum")]',
        f"{STEPS}::test_twenty_steps_are_pytorchs",
    ),
    wrong(
        "Adagrad: the sum starts at 0 whatever is asked for",
        "optim/adagrad.py",
        ', group["initial_accumulator_value"])',
        ", 0.0)",
        f"{STEPS}::test_twenty_steps_are_pytorchs",
    ),
    wrong(
        "Adadelta: rho is not used",
        "optim/adadelta.py",
        '("lr", "rho", "eps", "weight_decay")]',
        '("lr", "lr", "eps", "weight_decay")]',
        f"{STEPS}::test_twenty_steps_are_pytorchs",
    ),
    wrong(
        "amsgrad: the largest square is forgotten",
        REFERENCE,
        "xp.maximum(max_exp_avg_sq, exp_avg_sq)",
        "exp_avg_sq",
        f"{STEPS}::test_twenty_steps_are_pytorchs",
    ),
    wrong(
        "maximize: downhill all the same",
        "optim/optimizer.py",
        "_opposite(grad) if group",
        "grad if group",
        f"{STEPS}::test_twenty_steps_are_pytorchs",
    ),
    wrong(
        "zero_grad: does nothing",
        "optim/optimizer.py",
        "                parameter.grad = None\n",
        "                pass\n",
        f"{STEPS}::test_zero_grad",
    ),
)

RATES_AND_MORE = (
    wrong(
        "cosine: a whole wave in the place of half of one",
        "optim/lr_scheduler/cosine.py",
        "cos(pi * step / self.T_max)",
        "cos(2 * pi * step / self.T_max)",
        RATES,
    ),
    wrong(
        "step: one epoch late",
        "optim/lr_scheduler/factors.py",
        "self.gamma ** (step // self.step_size)",
        "self.gamma ** ((step - 1) // self.step_size)",
        RATES,
    ),
    wrong(
        "one-cycle: momentum rises with the rate",
        "optim/lr_scheduler/one_cycle.py",
        '"initial_lr", "max_lr", "max_momentum", "base_momentum"]',
        '"initial_lr", "max_lr", "base_momentum", "max_momentum"]',
        RATES,
    ),
    wrong(
        "plateau: patience is one epoch too long",
        "optim/lr_scheduler/plateau.py",
        "self.num_bad_epochs > self.patience",
        "self.num_bad_epochs > self.patience + 1",
        RATES,
    ),
    wrong(
        "schedulers: the factor before is forgotten",
        "optim/lr_scheduler/base.py",
        'group["lr"] * (now / before)',
        'group["lr"] * now',
        RATES,
    ),
    wrong(
        "sequential: the next scheduler goes on counting",
        "optim/lr_scheduler/free.py",
        "step(0 if starts else None)",
        "step(None)",
        RATES,
    ),
    wrong(
        "cyclic: momentum rises with the rate",
        "optim/lr_scheduler/cyclic.py",
        "high - (high - low) * height",
        "low + (high - low) * height",
        "tests/optim/test_cyclic_schedules.py",
    ),
    wrong(
        "EMA: the shares are swapped",
        "optim/swa_utils.py",
        "return decay * averaged + (1 - decay) * current",
        "return (1 - decay) * averaged + decay * current",
        "tests/optim/test_swa_utils.py",
    ),
    wrong(
        "clip_grad_norm_: each gradient is clipped by its own norm",
        "nn/utils.py",
        "            _multiply(grad, factor)\n",
        "            _multiply(grad, max_norm / (float(_norm_of_one(grad, norm_type)) + 1e-6))\n",
        "tests/nn/test_utils.py::test_clip_grad_norm_is_pytorchs",
    ),
    wrong(
        "clip_grad_norm_: a gradient without elements has a largest one",
        "nn/utils.py",
        "else xp.zeros((), value.dtype)",
        "else xp.ones((), value.dtype)",
        "tests/optim/test_cuda.py::test_norms_of_gradients_on_the_gpu",
    ),
)

MUTATIONS = (*STEP_KERNELS, *OPTIMISERS, *RATES_AND_MORE)
