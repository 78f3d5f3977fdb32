#include <pybind11/stl.h>

#include <string>
#include <tuple>

#include "bind/array.hpp"
#include "bind/register.hpp"
#include "core/floatresize.hpp"

namespace edgeval::bind {
namespace {

/// first [n], count [n], weight [n, most].
using TapArrays = std::tuple<py::array, py::array, py::array>;

floats::Taps taps_of(const TapArrays& arrays, const std::string& axis, int n_in) {
  const auto& [first, count, weight] = arrays;
  floats::Taps taps{};
  taps.first = contiguous<std::int64_t>(first, axis + " first", {kAny});
  const py::ssize_t n = first.shape(0);
  taps.count = contiguous<std::int64_t>(count, axis + " count", {n});
  taps.weight = contiguous<float>(weight, axis + " weight", {n, kAny});
  if (n > 65535 || weight.shape(1) > 65535) {
    throw ArgumentError(axis + ": got weights " + array_text(weight) +
                        "; wants at most 65535 outputs");
  }
  taps.n_in = n_in;
  taps.n_out = static_cast<int>(n);
  taps.most = static_cast<int>(weight.shape(1));
  return taps;
}

Path path_named(const std::string& name) {
  for (const auto& [text, path] : {std::pair{"auto", Path::kAuto},
                                   {"scalar", Path::kScalar},
                                   {"avx2", Path::kAvx2},
                                   {"avx512", Path::kAvx512},
                                   {"neon", Path::kNeon}}) {
    if (name == text) return path;
  }
  throw ArgumentError("kernel: got '" + name +
                      "'; wants one of auto, scalar, avx2, avx512, neon");
}

const char* float_resize(const py::array& image, const TapArrays& across,
                         const TapArrays& down, py::array out,
                         const std::string& kernel) {
  const auto* data = contiguous<std::uint8_t>(image, "image", {kAny, kAny, 3});
  if (image.shape(0) < 1 || image.shape(1) < 1 || image.shape(0) > 65535 ||
      image.shape(1) > 65535) {
    throw ArgumentError("image: got " + array_text(image) +
                        "; wants 1..65535 pixels a side");
  }
  const floats::Taps wide = taps_of(across, "across", static_cast<int>(image.shape(1)));
  const floats::Taps high = taps_of(down, "down", static_cast<int>(image.shape(0)));
  contiguous<std::uint8_t>(out, "out", {high.n_out, wide.n_out, 3});
  auto* to = static_cast<std::uint8_t*>(out.mutable_data());
  const Path path = path_named(kernel);
  const py::gil_scoped_release unlocked;
  return floats::kernels(floats::resize(data, wide, high, path, to)).name;
}

}  // namespace

void register_floatresize(py::module_& module) {
  module.def("float_resize", &float_resize, py::arg("image"), py::arg("across"),
             py::arg("down"), py::arg("out"), py::arg("kernel"),
             "uint8 [H, W, 3] resized into out; the name of the kernel that ran.");
}

}  // namespace edgeval::bind
