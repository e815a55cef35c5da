"""Figures, of NumPy arrays and of graphs; matplotlib is imported when one is drawn."""

from __future__ import annotations

from tinyconv.viz.agreement import plot_agreement
from tinyconv.viz.architecture import plot_architecture
from tinyconv.viz.augmentation import augmentation_sheet
from tinyconv.viz.bands import plot_bands
from tinyconv.viz.bars import plot_bars
from tinyconv.viz.boundary import plot_boundary
from tinyconv.viz.classification import plot_confusion, titled_images
from tinyconv.viz.convolution import convolution_animation
from tinyconv.viz.features import feature_map_grid
from tinyconv.viz.gradients import gradient_heatmap
from tinyconv.viz.graph import draw_graph, graph_figure, graph_svg
from tinyconv.viz.labels import label_image
from tinyconv.viz.learning_rates import plot_learning_rates
from tinyconv.viz.lines import plot_lines
from tinyconv.viz.matrix import matrix_figure
from tinyconv.viz.player import animation_html, save_animation
from tinyconv.viz.points import plot_points
from tinyconv.viz.ratios import plot_ratios, plot_shares
from tinyconv.viz.receptive_field import plot_receptive_field
from tinyconv.viz.samples import sample_grid, tile_images
from tinyconv.viz.segmentation import error_image, overlay, segmentation_sheet
from tinyconv.viz.speeds import plot_speeds
from tinyconv.viz.style import save_figure
from tinyconv.viz.training import plot_curves

__all__ = [
    "animation_html",
    "augmentation_sheet",
    "convolution_animation",
    "draw_graph",
    "error_image",
    "feature_map_grid",
    "gradient_heatmap",
    "graph_figure",
    "graph_svg",
    "label_image",
    "matrix_figure",
    "overlay",
    "plot_agreement",
    "plot_architecture",
    "plot_bands",
    "plot_bars",
    "plot_boundary",
    "plot_confusion",
    "plot_curves",
    "plot_learning_rates",
    "plot_lines",
    "plot_points",
    "plot_ratios",
    "plot_receptive_field",
    "plot_shares",
    "plot_speeds",
    "sample_grid",
    "save_animation",
    "save_figure",
    "segmentation_sheet",
    "tile_images",
    "titled_images",
]
