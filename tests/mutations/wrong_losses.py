"""Mistakes in loss functions."""

from __future__ import annotations

from tests.mutations.mutation import first, second, twin, wrong

FORMULA = "tests/ops/test_classification_loss.py::test_values_and_gradients_are_those_of_the_formula"

CLASSES = (
    wrong(
        "cross_entropy: label smoothing is forgotten in the gradient",
        "ops/classification_loss.py",
        "sum_(times(log_p[rows], weight), 1) * (label_smoothing / classes)",
        "sum_(times(log_p[rows], weight), 1).detach() * (label_smoothing / classes)",
        first("cross_entropy"),
    ),
    wrong(
        "cross_entropy: ignored pixels count in the mean",
        "ops/classification_loss.py",
        "return sum_(each) / total if",
        "return sum_(each) / max(each.numel(), 1) if",
        twin("nll_loss"),
    ),
    *[
        wrong(
            f"{backend} softmax_nll: {what}",
            f"kernels/{backend}/softmax.py",
            before,
            after,
            "tests/kernels/test_softmax.py::test_softmax_nll_is_that_of_float64",
        )
        for backend, what, before, after in (
            ("reference", "ignored rows count in the mean", "total / counted.sum()", "total / labels.size"),
            ("cpu", "ignored rows count in the mean", "total / count if count", "total / len(x) if count"),
            (
                "reference",
                "the mean's gradient is not divided",
                "grad / xp.maximum(counted.sum(), 1)",
                "1 * grad",
            ),
            ("cpu", "the mean's gradient is not divided", "g = grad[i * step] / share", "g = grad[i * step]"),
            ("cpu", "only the first block counts", "sums.sum(), counts.sum()", "sums[0], counts[0]"),
        )
    ],
    wrong(
        "cross_entropy: the second derivative loses the sum over the classes",
        "ops/classification_loss.py",
        "return to_grad, p * (outer - mean) *",
        "return to_grad, p * outer *",
        second("cross_entropy"),
    ),
    wrong(
        "cross_entropy: the second derivative by the loss forgets the label",
        "ops/classification_loss.py",
        "reshape(mean, (-1,))[rows] - outer[rows, labels[rows]]",
        "reshape(mean, (-1,))[rows]",
        second("cross_entropy"),
    ),
    wrong(
        "cross_entropy: the smoothed share is not divided among the classes",
        "ops/classification_loss.py",
        "* (1 - label_smoothing) + label_smoothing / classes",
        "* (1 - label_smoothing) + label_smoothing",
        twin("cross_entropy"),
    ),
    wrong(
        "cross_entropy: pixels are read in another order than their targets",
        "ops/classification_loss.py",
        "permute(x, 0, *range(2, x.ndim), 1)",
        "permute(x, 0, *reversed(range(2, x.ndim)), 1)",
        twin("cross_entropy"),
        twin("nll_loss"),
    ),
    wrong(
        "cross_entropy: class weights are left out of the mean",
        "ops/classification_loss.py",
        "return put_back(losses, rows, count), sum_(weights)",
        "return put_back(losses, rows, count), sum_(weights * 0 + 1)",
        twin("cross_entropy"),
        twin("nll_loss"),
    ),
    wrong(
        "mean and sum are swapped",
        "ops/loss_common.py",
        '{"mean": mean, "sum": sum_,',
        '{"mean": sum_, "sum": mean,',
        twin("mse_loss"),
    ),
)

BINARY = (
    wrong(
        "binary_cross_entropy: wrong sign",
        "ops/binary_loss.py",
        "grad * (p - target) / (variance + lifted)",
        "grad * (target - p) / (variance + lifted)",
        first("binary_cross_entropy"),
    ),
    wrong(
        "binary_cross_entropy: no division by the variance",
        "ops/binary_loss.py",
        "grad * (p - target) / (variance + lifted)",
        "grad * (p - target)",
        first("binary_cross_entropy"),
    ),
    wrong(
        "binary_cross_entropy: the target's gradient has the wrong sign",
        "ops/binary_loss.py",
        "grad * _negative_logit(p) if",
        "grad * -_negative_logit(p) if",
        first("binary_cross_entropy"),
    ),
    wrong(
        "binary_cross_entropy: the target's gradient cannot be differentiated",
        "ops/binary_loss.py",
        "grad * _negative_logit(p) if",
        "grad * _negative_logit(p.detach()) if",
        second("binary_cross_entropy"),
    ),
    wrong(
        "with logits: the second derivative is lost",
        "ops/binary_loss.py",
        "grad * (sigmoid(x) - target)",
        "grad * (sigmoid(x.detach()) - target)",
        second("binary_cross_entropy_with_logits"),
    ),
    wrong(
        "with logits: the gradient lacks the target",
        "kernels/reference/binary_loss.py",
        "asarray(grad * (sigmoid(x) - target))",
        "asarray(grad * sigmoid(x))",
        "tests/kernels/test_binary_loss.py::test_is_pytorchs_far_from_zero_too",
    ),
    wrong(
        "fast cross-entropy of logits: the target weighs both terms",
        "kernels/cpu/binary_loss.py",
        "(ONE - target[i]) * x[i] + vector_math.softplus(-x[i])",
        "(ONE - target[i]) * (x[i] + vector_math.softplus(-x[i]))",
        "tests/kernels/test_binary_loss.py::test_fast_is_the_float64_reference",
    ),
    wrong(
        "with logits: pos_weight weighs the negatives too",
        "ops/binary_loss.py",
        "positive * logsigmoid(input) + (1 - target) * logsigmoid(-input)",
        "positive * logsigmoid(input) + (1 - positive) * logsigmoid(-input)",
        twin("binary_cross_entropy_with_logits"),
    ),
)

REGRESSION = (
    wrong(
        "smooth_l1: beta is missing in the gradient",
        "ops/regression_loss.py",
        "clamp(d, -ctx.beta, ctx.beta) / ctx.beta",
        "clamp(d, -ctx.beta, ctx.beta)",
        first("smooth_l1_loss"),
    ),
    wrong(
        "smooth_l1: the gradient is not limited",
        "ops/regression_loss.py",
        "clamp(d, -ctx.beta, ctx.beta) / ctx.beta",
        "d / ctx.beta",
        first("smooth_l1_loss"),
    ),
    wrong(
        "huber: delta is missing",
        "ops/regression_loss.py",
        "SmoothL1.apply(input - target, width) * width",
        "SmoothL1.apply(input - target, width)",
        twin("huber_loss"),
    ),
    wrong(
        "kl_div: the 1 is missing",
        "ops/likelihood_loss.py",
        "grad * (log(x) + 1)",
        "grad * log(x)",
        first("kl_div"),
    ),
    wrong(
        "kl_div: batchmean divides by all elements",
        "ops/likelihood_loss.py",
        "sum_(each) / input.shape[0]",
        "sum_(each) / input.numel()",
        "tests/nn/test_losses.py::test_kl_div_by_hand",
    ),
    wrong(
        "gaussian_nll: the variance gets no gradient through the error",
        "ops/likelihood_loss.py",
        "error * error / spread)",
        "error * error / spread.detach())",
        first("gaussian_nll_loss"),
    ),
    wrong(
        "poisson_nll: eps is missing",
        "ops/likelihood_loss.py",
        "log(input + small)",
        "log(input)",
        twin("poisson_nll_loss"),
    ),
)

RANKING = (
    wrong(
        "hinge_embedding: the masks are swapped",
        "ops/ranking_loss.py",
        "where(_is_one(target), input, clamp(limit - input, min=0))",
        "where(_is_one(target), clamp(limit - input, min=0), input)",
        twin("hinge_embedding_loss"),
    ),
    wrong(
        "margin_ranking: wrong sign",
        "ops/ranking_loss.py",
        "limit - target * (input1 - input2)",
        "limit + target * (input1 - input2)",
        twin("margin_ranking_loss"),
    ),
    wrong(
        "triplet_margin: swap takes the farther one",
        "ops/ranking_loss.py",
        "far = minimum(far, pairwise",
        "far = far + 0 * minimum(far, pairwise",
        twin("triplet_margin_loss"),
    ),
    wrong(
        "cosine_embedding: the lengths count as constants",
        "ops/ranking_loss.py",
        "sqrt(squares[0] * squares[1])",
        "sqrt(squares[0] * squares[1]).detach()",
        first("cosine_embedding_loss"),
    ),
    wrong(
        "normalize: the length counts as a constant",
        "ops/distance.py",
        "return input / _at_least(length, _eps(op, eps))",
        "return input / _at_least(length, _eps(op, eps)).detach()",
        first("normalize"),
    ),
    wrong(
        "pairwise_distance: eps is missing",
        "ops/distance.py",
        "x1 - x2 + _eps(op, eps), p",
        "x1 - x2, p",
        twin("pairwise_distance"),
    ),
    wrong(
        "bilinear: the bias gets no gradient",
        "ops/distance.py",
        "return y if bias is None else y + bias",
        "return y if bias is None else y + bias.detach()",
        first("bilinear"),
    ),
)

SEGMENTATION = (
    wrong(
        "dice: the overlap is not doubled",
        "ops/overlap_loss.py",
        "1 - (2 * overlap + extra) / (sizes + extra)",
        "1 - (overlap + extra) / (sizes + extra)",
        twin("dice_loss"),
    ),
    wrong(
        "dice: the sizes count as constants",
        "ops/overlap_loss.py",
        "1 - (2 * overlap + extra) / (sizes + extra)",
        "1 - (2 * overlap + extra) / (sizes.detach() + extra)",
        first("dice_loss"),
    ),
    wrong(
        "generalised dice: weights are not squared",
        "ops/overlap_loss.py",
        "return ratio * ratio",
        "return ratio",
        "tests/nn/test_segmentation_losses.py::test_generalised_dice_by_hand",
    ),
    wrong(
        "tversky: alpha and beta are swapped",
        "ops/overlap_loss.py",
        "prices[0] * sum_(p * (1 - t), 2) + prices[1] * sum_((1 - p) * t, 2)",
        "prices[1] * sum_(p * (1 - t), 2) + prices[0] * sum_((1 - p) * t, 2)",
        "tests/nn/test_segmentation_losses.py::test_tversky_by_hand",
    ),
    wrong(
        "wasserstein dice: a success counts once",
        "ops/overlap_loss.py",
        "2 * sum_(counts * (1 - error), 1)",
        "sum_(counts * (1 - error), 1)",
        "tests/nn/test_segmentation_losses.py::test_generalised_wasserstein_dice_by_hand",
    ),
    wrong(
        "binary focal: the easy ones are held back by their own probability",
        "ops/pixel_loss.py",
        "-target * exp(power * log_q) * log_p",
        "-target * exp(power * log_p) * log_p",
        "tests/nn/test_segmentation_losses.py::test_binary_focal_loss_by_hand",
    ),
    wrong(
        "focal: the modulating factor counts as a constant",
        "ops/pixel_loss.py",
        "* _others(counted, labels, power)",
        "* _others(counted.detach(), labels, power)",
        first("focal_loss"),
    ),
    wrong(
        "weighted pixels: the map is read without its ignored pixels",
        "ops/pixel_loss.py",
        "else weights[rows]",
        "else weights[: rows.size]",
        twin("weighted_pixel_cross_entropy"),
        "tests/nn/test_segmentation_losses.py::test_weighted_pixel_cross_entropy_by_hand",
    ),
)

MUTATIONS = (*CLASSES, *BINARY, *REGRESSION, *RANKING, *SEGMENTATION)
