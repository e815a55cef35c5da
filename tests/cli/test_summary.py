"""`tinyconv summary`: the table of a network, and input that does not fit."""

from __future__ import annotations

from tests.cli.command import refused, tinyconv_command


def test_the_table_of_the_unet():
    done = tinyconv_command("summary", "unet_slides", "--input", 3, 64, 64)
    assert done.exit_code == 0, done.output
    (bottom,) = [line for line in done.stdout.splitlines() if "encoder.4.3 " in line]
    assert bottom.split()[:7] == ["encoder.4.3", "Conv2d", "256", "x", "4", "x", "4"]
    assert bottom.split()[-3:] == ["140", "x", "140"]
    assert "1,941,105" in done.stdout


def test_a_volume_has_four_sizes():
    done = tinyconv_command("summary", "unet3d_bn", "--input", 3, 92, 92, 92)
    assert done.exit_code == 0, done.output
    assert "3 x 4 x 4 x 4" in done.stdout and "19,072,291" in done.stdout


def test_an_input_that_the_network_takes_is_known():
    done = tinyconv_command("summary", "lenet5")
    assert done.exit_code == 0 and "61,706" in done.stdout, done.output
    assert done.stdout == tinyconv_command("summary", "lenet5", "--input", 1, 28, 28).stdout


def test_what_does_not_fit_is_one_line():
    refused(tinyconv_command("summary", "unet3d", 24), "W is 24", "--input C D H W")
    refused(tinyconv_command("summary", "vgg"), "summary: name is 'vgg'", "unet_slides")
    refused(tinyconv_command("summary", "unet", "--input", 1, 64, 64), "(N, 1, H, W)", "at least 188")
    refused(tinyconv_command("summary", "unet", "--input", 3, 0, 64), "input_size", "(3, 0, 64)")
    assert tinyconv_command("summary", "unet", "--input", 3, 64).exit_code == 2
