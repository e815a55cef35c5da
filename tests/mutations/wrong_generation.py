"""Mistakes in the networks for generation and in their training steps."""

from __future__ import annotations

from tests.mutations.mutation import wrong

DCGAN_STEP = "tests/models/test_dcgan.py::test_a_step_is_that_of_the_twin[28-1]"
WGAN_STEP = "tests/models/test_wgan.py::test_a_step_is_that_of_the_twin"
VAE_STEP = "tests/models/test_vae.py::test_a_step_is_that_of_the_twin"
LINEAR_CRITIC = "tests/models/test_wgan.py::test_the_penalty_of_a_linear_critic"

ADVERSARIAL = (
    wrong(
        "dcgan: the generator is rewarded for being seen through",
        "models/dcgan.py",
        "return binary_cross_entropy_with_logits(generated, ones_like(generated))",
        "return binary_cross_entropy_with_logits(generated, zeros_like(generated))",
        DCGAN_STEP,
    ),
    wrong(
        "dcgan: the discriminator is asked about generated images only",
        "models/dcgan.py",
        "model.discriminator(images), model.discriminator(generated.detach())",
        "model.discriminator(generated.detach()), model.discriminator(generated.detach())",
        DCGAN_STEP,
    ),
    wrong(
        "dcgan: batch norm after the generator's first layer is left out",
        "models/dcgan.py",
        "ConvTranspose2d(latent_dim, channels, side, bias=False), BatchNorm2d(channels), ReLU()",
        "ConvTranspose2d(latent_dim, channels, side, bias=False), ReLU()",
        "tests/models/test_dcgan.py::test_parameters_of_the_paper_s_figure",
    ),
    wrong(
        "sample: batch norm takes the statistics of the samples",
        "models/adversarial.py",
        "    network.eval()\n",
        "",
        "tests/models/test_dcgan.py::test_samples_are_drawn_in_evaluation_mode_and_leave_the_model_alone",
    ),
    wrong(
        "sample: the model stays in evaluation mode",
        "models/adversarial.py",
        'object.__setattr__(module, "training", training)',
        "pass",
        "tests/models/test_dcgan.py::test_samples_are_drawn_in_evaluation_mode_and_leave_the_model_alone",
    ),
    wrong(
        "update: gradients of earlier steps are added",
        "models/adversarial.py",
        "    optimizer.zero_grad()\n",
        "",
        WGAN_STEP,
    ),
    wrong(
        "acgan: the classes of generated images do not count",
        "models/acgan.py",
        "return dcgan.generator_loss(generated[0]) + cross_entropy(generated[1], asked)",
        "return dcgan.generator_loss(generated[0])",
        "tests/models/test_acgan.py::test_a_step_is_that_of_the_twin[28-1]",
    ),
    wrong(
        "acgan: every layer of the discriminator halves",
        "models/acgan.py",
        "stride=2 - index % 2",
        "stride=2",
        "tests/models/test_acgan.py::test_output_is_that_of_the_twin[28-1-float64-1e-10]",
    ),
)

WASSERSTEIN = (
    wrong(
        "gradient penalty: its gradient is cut off",
        "models/wgan.py",
        "grad(critic(between).sum(), between, create_graph=True)",
        "grad(critic(between).sum(), between)",
        LINEAR_CRITIC,
    ),
    wrong(
        "gradient penalty: the slope is held at 0",
        "models/wgan.py",
        ".norm(dim=1) - 1) ** 2",
        ".norm(dim=1)) ** 2",
        LINEAR_CRITIC,
    ),
    wrong(
        "gradient penalty: one slope for the whole batch",
        "models/wgan.py",
        "slope.flatten(1).norm(dim=1)",
        "slope.norm()",
        LINEAR_CRITIC,
    ),
    wrong(
        "gradient penalty: share of the wrong images",
        "models/wgan.py",
        "(share * real + (1 - share) * generated)",
        "(share * generated + (1 - share) * real)",
        "tests/models/test_wgan.py::test_where_the_penalty_looks",
    ),
    wrong(
        "wgan: the critic's signs are swapped",
        "models/wgan.py",
        "return generated.mean() - real.mean() +",
        "return real.mean() - generated.mean() +",
        WGAN_STEP,
    ),
    wrong(
        "wgan: the critic has batch norm",
        "models/wgan.py",
        "normalise=False",
        "normalise=True",
        "tests/models/test_wgan.py::test_parameters",
    ),
)

AUTOENCODERS = (
    wrong(
        "vae: the noise is multiplied with the variance",
        "models/vae.py",
        "(log_variance / 2).exp() * noise",
        "log_variance.exp() * noise",
        VAE_STEP,
        "tests/models/test_vae.py::test_codes_have_the_mean_and_the_variance_asked_for",
    ),
    wrong(
        "vae: the divergence counts the mean with the wrong sign",
        "models/vae.py",
        "1 + log_variance - mean**2",
        "1 + log_variance + mean**2",
        "tests/models/test_vae.py::test_kl_divergence",
    ),
    wrong(
        "vae: codes are drawn in evaluation mode too",
        "models/vae.py",
        "reparameterise(mean, log_variance, generator) if self.training else mean",
        "reparameterise(mean, log_variance, generator)",
        "tests/models/test_vae.py::test_training_draws_codes_and_evaluation_takes_their_mean",
    ),
    wrong(
        "autoencoder: a layer is pretrained with the wrong half of the decoder",
        "models/autoencoder.py",
        "list(self.decoder)[-2::-1]",
        "list(self.decoder)[:-1]",
        "tests/models/test_autoencoder.py::test_pretraining_is_that_of_the_twin",
    ),
    wrong(
        "autoencoder: layers are pretrained on the images, not on what the layers before them give",
        "models/autoencoder.py",
        "        before.append(encode)\n",
        "",
        "tests/models/test_autoencoder.py::test_pretraining_is_that_of_the_twin",
    ),
    wrong(
        "autoencoder: what comes out is compared with the noisy images",
        "models/autoencoder.py",
        "mse_loss(model(seen), images)",
        "mse_loss(model(seen), seen)",
        "tests/models/test_autoencoder.py::test_the_loss_of_a_denoising_step_is_the_distance_to_the_clean_images",
    ),
)

TRAINING = (
    wrong(
        "tinyconv train: what the other network's loss left in the gradients is added",
        "train/adversarial_trainer.py",
        "            optimizer.zero_grad()\n",
        "",
        "tests/train/test_adversarial_trainer.py::test_its_steps_are_those_of_the_network_s_own_function",
    ),
    wrong(
        "tinyconv train: a resumed run's optimisers begin anew",
        "train/adversarial_trainer.py",
        "        super().load_state_dict(state_dict)\n        self._share(self.state)\n",
        "        super().load_state_dict(state_dict)\n",
        "tests/cli/test_adversarial.py::test_interrupted_in_an_epoch_and_resumed_is_the_same_run[acgan]",
    ),
    wrong(
        "tinyconv train: the noise is the same in each epoch",
        "train/generation_recipe.py",
        "generator(self.seed, AUGMENTATION, self.epoch, index)",
        "generator(self.seed, AUGMENTATION, 0, index)",
        "tests/train/test_generation_recipe.py"
        "::test_noise_has_the_deviation_that_was_asked_for_and_differs_from_epoch_to_epoch",
    ),
)

MUTATIONS = (*ADVERSARIAL, *WASSERSTEIN, *AUTOENCODERS, *TRAINING)
