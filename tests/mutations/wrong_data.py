"""Mistakes in downloads, transforms, samplers and the reading of data."""

from __future__ import annotations

from tests.mutations.mutation import wrong

DOWNLOAD, SPATIAL = "tests/data/test_download.py", "tests/data/test_spatial.py"
PLAIN_PNG = "tests/data/test_plain_png.py"
AVERAGING, LOADED = "tests/data/test_averaging.py", "tests/data/test_classification_data.py"

MUTATIONS = (
    wrong(
        "loader: what processes joined of tensors goes to the default device",
        "data/collate.py",
        "OfTensors(array) if of_tensors else array",
        "array",
        "tests/data/test_prefetch.py::test_batches_of_arrays_are_made_on_the_default_device",
    ),
    wrong(
        "png: a second header is passed over",
        "data/plain_png.py",
        'elif name != b"IEND" and place > 0:',
        'elif name not in (b"IHDR", b"IEND"):',
        f"{PLAIN_PNG}::test_other_kinds_and_damaged_files_are_left_to_pillow",
    ),
    wrong(
        "png: any size of the window of zlib passes",
        "data/plain_png.py",
        "packed[0] & 0x8F != DEFLATE",
        "packed[0] & 15 != DEFLATE",
        f"{PLAIN_PNG}::test_other_kinds_and_damaged_files_are_left_to_pillow",
    ),
    wrong(
        "download: a wrong checksum passes",
        "data/download.py",
        "if not found.startswith(wanted):",
        "if not found:",
        DOWNLOAD,
    ),
    wrong(
        "download: the start of another version is taken up",
        "data/download.py",
        "known or not reply.start or reply.version == version",
        "True",
        f"{DOWNLOAD}::test_without_a_checksum_another_version_is_brought_whole",
    ),
    wrong(
        "download: a weak entity tag is believed",
        "data/part_version.py",
        "tag.startswith('\"')",
        "tag",
        f"{DOWNLOAD}::test_without_a_checksum_what_names_no_version_is_brought_whole",
    ),
    wrong(
        "resize: the depth is turned around",
        "data/transforms.py",
        "reshape(-1, *size)",
        "reshape(-1, *size)[:, ::-1]",
        "tests/data/test_transforms.py::test_a_volume_is_resized_along_each_axis",
    ),
    wrong(
        "NIfTI: microns are taken for millimetres",
        "data/datasets/volumes.py",
        "3: 1e-3",
        "3: 1.0",
        "tests/data/test_volumes.py::test_the_unit_of_the_header_counts_and_is_kept",
    ),
    wrong(
        "kept: two threads count at once",
        "data/slices.py",
        "with LOCK:",
        "if True:",
        "tests/data/test_slices.py::test_two_threads_do_not_keep_more_than_there_is_room_for",
    ),
    wrong(
        "download: a part that the server did not skip is kept",
        "data/download.py",
        "if reply.start != have:",
        "if reply.start > have:",
        DOWNLOAD,
    ),
    wrong(
        "affine: the shift goes the other way",
        "data/spatial.py",
        "middle - back @ (middle + shift)",
        "middle - back @ (middle - shift)",
        SPATIAL,
    ),
    wrong(
        "affine: the inverse is left out",
        "data/spatial.py",
        "np.linalg.inv(matrix)",
        "matrix.copy()",
        SPATIAL,
    ),
    wrong(
        "affine: Pillow's first pixel is taken to have its middle at 0",
        "data/spatial.py",
        "margins[:, 0] + 0.5 - back @ (0.5, 0.5)",
        "margins[:, 0]",
        f"{SPATIAL}::test_a_movement_is_that_of_scipy",
    ),
    wrong(
        "normalize: the pixel below the percentile, not between two",
        "data/transforms.py",
        "first + between * np.float64(place - before)",
        "np.float64(first)",
        "tests/data/test_transforms.py::test_the_percentiles_are_those_of_numpy",
    ),
    wrong(
        "PNG: the filter of Paeth never takes the pixel at the corner",
        "data/plain_png.py",
        "guess = up if from_up <= from_corner else corner",
        "guess = up",
        f"{PLAIN_PNG}::test_every_filter_is_undone_as_pillow_undoes_it",
    ),
    wrong(
        "PNG: a chunk that was damaged on the disk passes",
        "data/plain_png.py",
        "!= LENGTH.pack(checksum)",
        "== LENGTH.pack(1 + checksum)",
        f"{PLAIN_PNG}::test_other_kinds_and_damaged_files_are_left_to_pillow",
    ),
    wrong(
        "PNG: Pillow is asked without a look at the checksums",
        "data/images.py",
        'if image.format == "PNG":',
        "if False:",
        "tests/data/test_images.py::test_no_bit_of_a_png_that_flips_changes_the_pixels_unnoticed",
    ),
    wrong(
        "elastic: the image alone is bent",
        "data/spatial.py",
        "_sample(mask, places, 0, self.mode)",
        "mask",
        SPATIAL,
    ),
    wrong(
        "lesions: they leave the organ",
        "data/lesions.py",
        "share = share * allowed[window]",
        "share = share * 1",
        SPATIAL,
    ),
    wrong(
        "views: answers are not turned back",
        "data/averaging.py",
        "np.rot90(answer, -turn, (-2, -1))",
        "np.rot90(answer, turn, (-2, -1))",
        AVERAGING,
    ),
    wrong(
        "shift: the image moves the other way",
        "data/classification.py",
        "_moved(image, *self.places[index])",
        "_moved(image, *(-n for n in self.places[index]))",
        LOADED,
    ),
    wrong(
        "balanced: classes by their frequency",
        "data/sampler.py",
        "1 / np.bincount(classes).clip(1)",
        "1.0 * np.bincount(classes).clip(1)",
        "tests/data/test_process_workers.py",
    ),
    wrong(
        "workers: forks keep the other ends open",
        "data/process_workers.py",
        "for end in copied:\n        end.close()",
        "pass",
        "tests/data/test_process_workers.py::test_workers_end_with_the_process_that_they_work_for",
    ),
    wrong(
        "idx: a size of 0 hides the others",
        "data/datasets/mnist.py",
        "prod(max(size, 1) for size in shape)",
        "prod(shape)",
        "tests/data/test_mnist.py::test_files_that_are_no_idx",
    ),
    wrong(
        "NIfTI: the header's sizes are believed",
        "data/datasets/volumes.py",
        "if claimed > size * MOST_DEFLATED:",
        "if claimed < 0:",
        "tests/data/test_volumes.py::test_nifti_that_claims_more_than_it_holds",
    ),
)
