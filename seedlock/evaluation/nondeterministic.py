"""Operations that the frameworks themselves call nondeterministic.

Names are those that a trace gives operations at mode `op`; what stands between the library's
prefix and the overload counts.
"""

from __future__ import annotations

TORCH = "torch.use_deterministic_algorithms"
TENSORFLOW = "TensorFlow's determinism notes"
XLA = "XLA's flag xla_gpu_deterministic_ops"
MXNET = "MXNet's operators with atomicAdd"

OPERATIONS: dict[str, tuple[str, ...]] = {
    # Docstring of torch 2.11, both lists; the second raises under the switch. All on CUDA but
    # index_put, put_ and index_copy, which are named for the CPU as well.
    TORCH: (
        "convolution", "convolution_backward", "cudnn_convolution", "cudnn_convolution_transpose",
        "replication_pad1d_backward", "replication_pad2d_backward", "replication_pad3d_backward",
        "index_put", "index_put_", "_index_put_impl_", "put", "put_", "scatter", "scatter_",
        "scatter_add", "scatter_add_", "scatter_reduce", "scatter_reduce_", "gather_backward",
        "index_add", "index_add_", "index_copy", "index_copy_", "index_select_backward",
        "repeat_interleave", "max_pool3d_with_indices_backward", "avg_pool3d_backward",
        "_adaptive_avg_pool2d_backward", "_adaptive_avg_pool3d_backward",
        "adaptive_max_pool2d_backward", "fractional_max_pool2d_backward",
        "fractional_max_pool3d_backward", "max_unpool2d", "max_unpool3d",
        "upsample_linear1d_backward", "upsample_bilinear2d_backward",
        "upsample_bicubic2d_backward", "upsample_trilinear3d_backward",
        "reflection_pad1d_backward", "reflection_pad2d_backward", "reflection_pad3d_backward",
        "nll_loss_forward", "nll_loss2d_forward", "nll_loss2d_backward", "_ctc_loss_backward",
        "_embedding_bag_backward", "histc", "bincount", "median",
        "nanmedian", "grid_sampler_2d_backward", "grid_sampler_3d_backward", "cumsum",
        "_scaled_dot_product_flash_attention_backward",
        "_scaled_dot_product_efficient_attention_backward",
        "_scaled_dot_product_cudnn_attention_backward",
    ),
    # NVIDIA framework-reproducibility, doc/d9m/tensorflow_status.md, and the UnimplementedErrors
    # of tf.config.experimental.enable_op_determinism (TF 2.21).
    TENSORFLOW: (
        "BiasAddGrad", "BiasAdd", "UnsortedSegmentSum", "UnsortedSegmentMean", "SegmentSum",
        "UnsortedSegmentProd", "SparseSegmentSum", "SparseSegmentMean", "ScatterNd",
        "ScatterNdAdd", "ScatterAdd", "ResourceScatterAdd", "TensorScatterAdd", "TensorScatterSub",
        "FusedBatchNormGradV3", "FusedBatchNormGradV2", "ResizeNearestNeighborGrad",
        "ResizeBilinearGrad", "AdjustContrastv2", "CropAndResizeGradImage",
        "CropAndResizeGradBoxes", "Bincount", "DenseBincount", "SparseTensorDenseMatMul",
        "DepthwiseConv2dNativeBackpropFilter", "Conv2DBackpropFilter", "Conv2DBackpropInput",
        "Conv3DBackpropFilterV2", "SoftmaxCrossEntropyWithLogits",
        "SparseSoftmaxCrossEntropyWithLogits", "DebugNumericSummaryV2", "Timestamp",
        "ParallelMapDataset", "ParallelInterleaveDataset", "CudnnRNNBackpropV3",
    ),
    # openxla/xla, xla.proto: "Guarantees run-to-run determinism", reached by scatter and by
    # select-and-scatter; jax names of these primitives.
    XLA: ("scatter-add", "scatter_add", "scatter-mul", "scatter_mul", "select_and_scatter_add"),
    # apache/mxnet 1.9.1: src/operator/**/*.cu with atomicAdd; MXNET_ENFORCE_DETERMINISM reaches
    # convolution, deconvolution and pooling only (docs/static_site/src/pages/api/faq/env_var.md).
    MXNET: (
        "Convolution", "Deconvolution", "Pooling", "Embedding", "take", "gather_nd",
        "scatter_nd", "BilinearSampler", "ROIPooling", "ROIAlign", "SpatialTransformer", "dot",
        "_backward_take", "_backward_gather_nd", "_backward_Embedding", "BilinearResize2D",
    ),
}  # fmt: skip

CURES = {
    TORCH: "torch.use_deterministic_algorithms(True), which level strict sets, makes it repeatable "
    "or an error; see its docstring",
    TENSORFLOW: "tf.config.experimental.enable_op_determinism(), which level strict calls",
    XLA: "XLA_FLAGS=--xla_gpu_deterministic_ops=true, which levels warn and strict set",
    MXNET: "MXNET_ENFORCE_DETERMINISM=1, which levels warn and strict set; it does not reach every "
    "operation",
}


def listed(op: str) -> str | None:
    """Return which list names an operation, or None.

    Args:
        op: as in a trace: `aten.index_add_.default`, `tf.BiasAddGrad`, `jax.scatter-add`,
            `BiasAddGrad`.
    """
    pieces = op.split(".")
    library = pieces[0].lower()
    if library == "aten":
        return TORCH if len(pieces) > 1 and pieces[1] in OPERATIONS[TORCH] else None
    own = {"tf": TENSORFLOW, "tensorflow": TENSORFLOW, "jax": XLA, "lax": XLA, "mx": MXNET,
           "mxnet": MXNET}.get(library)  # fmt: skip
    for source in (own,) if own else (TENSORFLOW, XLA, MXNET):
        if pieces[-1] in OPERATIONS[source]:
            return source
    return None
