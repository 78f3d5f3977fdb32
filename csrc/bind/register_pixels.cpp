#include <pybind11/stl.h>

#include <array>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "bind/array.hpp"
#include "bind/register.hpp"
#include "core/pixels.hpp"

namespace edgeval::bind {
namespace {

using pixels::Target;
using ResizePtr = std::shared_ptr<pixels::Resize>;

template <typename T, std::size_t N>
T choose(const char* what, const std::string& name,
         const std::array<std::pair<const char*, T>, N>& known) {
  std::string names;
  for (const auto& [text, value] : known) {
    if (name == text) return value;
    names += (names.empty() ? "" : ", ") + std::string(text);
  }
  throw ArgumentError(std::string(what) + ": got '" + name + "'; wants one of " +
                      names);
}

pixels::Path path_of(const std::string& name) {
  using pixels::Path;
  return choose<Path, 5>("kernel", name,
                         {{{"auto", Path::kAuto},
                           {"scalar", Path::kScalar},
                           {"avx2", Path::kAvx2},
                           {"avx512", Path::kAvx512},
                           {"neon", Path::kNeon}}});
}

pixels::Chroma chroma_of(const std::string& name) {
  using pixels::Chroma;
  return choose<Chroma, 3>(
      "chroma", name,
      {{{"420", Chroma::k420}, {"422", Chroma::k422}, {"444", Chroma::k444}}});
}

pixels::Matrix matrix_of(const std::string& name) {
  using pixels::Matrix;
  return choose<Matrix, 3>("matrix", name,
                           {{{"bt601", Matrix::kBt601},
                             {"bt709", Matrix::kBt709},
                             {"bt2020", Matrix::kBt2020}}});
}

std::vector<std::string> paths() {
  std::vector<std::string> names;
  for (const char* name : {"avx512", "avx2", "neon", "scalar"}) {
    if (pixels::has(path_of(name))) names.emplace_back(name);
  }
  return names;
}

bool takes(const std::string& chroma, int bit_depth, int width, int height,
           bool interlaced) {
  return pixels::takes(chroma_of(chroma), bit_depth, width, height, interlaced);
}

bool mixes_chroma(const std::string& chroma, int bit_depth, int height,
                  bool interlaced) {
  return pixels::mixes_chroma(chroma_of(chroma), bit_depth, height, interlaced);
}

/// Where chroma lies (x, y, in 1/256 of a luma step) and whether there are two fields.
using Site = std::tuple<int, int, bool>;

void put_site(const Site& site, pixels::YuvView& view) {
  const auto [x, y, interlaced] = site;
  if (x < 0 || x > 256 || y < 0 || y > 256) {
    throw ArgumentError("site: got " + std::to_string(x) + ", " + std::to_string(y) +
                        "; wants 0..256 each");
  }
  view.chroma_x = x;
  view.chroma_y = y;
  view.interlaced = interlaced;
}

ResizePtr make_resize(std::pair<int, int> from, std::pair<int, int> to,
                      const std::string& resample, const std::string& mode,
                      const std::string& kernel) {
  using pixels::Filter;
  using pixels::Mode;
  return std::make_shared<pixels::Resize>(
      from.first, from.second, to.first, to.second,
      choose<Filter, 3>("resample", resample,
                        {{{"bilinear", Filter::kBilinear},
                          {"bicubic", Filter::kBicubic},
                          {"lanczos", Filter::kLanczos}}}),
      choose<Mode, 2>("mode", mode, {{{"exact", Mode::kExact}, {"fast", Mode::kFast}}}),
      path_of(kernel));
}

Target make_target(const std::string& layout, const std::string& dtype,
                   std::pair<int, int> size, std::array<float, 3> mean,
                   std::array<float, 3> std, std::array<int, 3> grid) {
  using pixels::Layout;
  using pixels::Type;
  Target target;
  target.layout = choose<Layout, 3>(
      "layout", layout,
      {{{"rgb", Layout::kRgb}, {"chw", Layout::kChw}, {"patches", Layout::kPatches}}});
  target.type = choose<Type, 3>(
      "dtype", dtype,
      {{{"uint8", Type::kU8}, {"float32", Type::kF32}, {"float16", Type::kF16}}});
  target.height = size.first;
  target.width = size.second;
  target.mean = mean;
  target.std = std;
  target.grid = {grid[0], grid[1], grid[2]};
  pixels::check(target);
  return target;
}

/// `target` with its data: the elements of `out`, which must be as many as it holds.
Target into(Target target, py::array& out, int slot) {
  const std::array<const char*, 3> names = {"uint8", "float32", "float16"};
  const char* dtype = names.at(static_cast<std::size_t>(target.type));
  if (!out.dtype().is(py::dtype(dtype))) {
    throw py::type_error("out: got " + array_text(out) + "; wants " + dtype);
  }
  const bool packed = (out.flags() & py::array::c_style) != 0;
  if (!packed || !out.writeable() || out.size() != pixels::count(target)) {
    throw ArgumentError("out: got " + array_text(out) +
                        "; wants a writeable C-contiguous array of " +
                        std::to_string(pixels::count(target)) + " elements");
  }
  require_aligned(out, "out");
  target.data = out.mutable_data();
  target.slot = slot;
  return target;
}

pixels::Steps steps_of(const std::vector<ResizePtr>& steps) {
  if (steps.size() > 2) {
    throw ArgumentError("steps: got " + std::to_string(steps.size()) +
                        " resizes; wants at most 2");
  }
  pixels::Steps raw{};
  for (std::size_t i = 0; i < steps.size(); ++i) raw[i] = steps[i].get();
  return raw;
}

const char* run_name(pixels::Path path) { return pixels::kernels(path).name; }

template <typename T>
pixels::YuvView yuv_view(const std::array<py::array, 3>& planes) {
  const Rows<T> y = strided_rows<T>(planes[0], "y");
  const Rows<T> u = strided_rows<T>(planes[1], "u");
  const Rows<T> v = strided_rows<T>(planes[2], "v");
  const bool half_wide = u.width == (y.width + 1) / 2;
  const bool half_high = u.height == (y.height + 1) / 2;
  const bool fits = (half_wide || u.width == y.width) &&
                    (u.height == y.height || (half_wide && half_high)) &&
                    v.width == u.width && v.height == u.height;
  if (!fits || y.width > 65535 || y.height > 65535) {
    throw ArgumentError("planes: got y " + array_text(planes[0]) + ", u " +
                        array_text(planes[1]) + ", v " + array_text(planes[2]) +
                        "; wants 4:2:0, 4:2:2 or 4:4:4 of at most 65535 x 65535");
  }
  pixels::YuvView view{};
  const std::array<const Rows<T>*, 3> rows = {&y, &u, &v};
  for (std::size_t i = 0; i < 3; ++i) {
    view.plane[i] = reinterpret_cast<const std::uint8_t*>(rows[i]->data);
    view.stride[i] = rows[i]->stride * static_cast<std::ptrdiff_t>(sizeof(T));
  }
  view.width = static_cast<int>(y.width);
  view.height = static_cast<int>(y.height);
  view.chroma = pixels::Chroma::k444;
  if (half_wide) {
    const bool all_rows = u.height == y.height && y.height > 1;
    view.chroma = all_rows ? pixels::Chroma::k422 : pixels::Chroma::k420;
  }
  return view;
}

const char* see_yuv(const std::array<py::array, 3>& planes, int bit_depth,
                    const std::pair<std::string, bool>& colour, const Site& site,
                    const std::vector<ResizePtr>& steps, const Target& target,
                    py::array out, int slot, const std::string& kernel) {
  pixels::YuvView view =
      bit_depth > 8 ? yuv_view<std::uint16_t>(planes) : yuv_view<std::uint8_t>(planes);
  view.bit_depth = bit_depth;
  view.matrix = matrix_of(colour.first);
  view.full_range = colour.second;
  put_site(site, view);
  const Target filled = into(target, out, slot);
  const pixels::Steps raw = steps_of(steps);
  const pixels::Path path = path_of(kernel);
  const py::gil_scoped_release unlocked;
  return run_name(pixels::see(view, raw, filled, path));
}

const char* see_rgb(const py::array& image, const std::vector<ResizePtr>& steps,
                    const Target& target, py::array out, int slot,
                    const std::string& kernel) {
  const auto* data = contiguous<std::uint8_t>(image, "image", {kAny, kAny, 3});
  if (image.shape(0) < 1 || image.shape(1) < 1 || image.shape(0) > 65535 ||
      image.shape(1) > 65535) {
    throw ArgumentError("image: got " + array_text(image) +
                        "; wants 1..65535 pixels a side");
  }
  const pixels::RgbView view = {data, image.shape(1) * 3,
                                static_cast<int>(image.shape(1)),
                                static_cast<int>(image.shape(0))};
  const Target filled = into(target, out, slot);
  const pixels::Steps raw = steps_of(steps);
  const pixels::Path path = path_of(kernel);
  const py::gil_scoped_release unlocked;
  return run_name(pixels::see(view, raw, filled, path));
}

}  // namespace

void register_pixels(py::module_& module) {
  // Plain `type`, so that the stub can say what these classes are.
  const py::metaclass plain(reinterpret_cast<PyObject*>(&PyType_Type));
  py::class_<pixels::Resize, ResizePtr>(
      module, "PixelResize", plain,
      "One resize (height, width) -> (height, width), planned; immutable, shareable.")
      .def(py::init(&make_resize), py::arg("source"), py::arg("target"),
           py::arg("resample"), py::arg("mode"), py::arg("kernel"));
  py::class_<Target>(module, "PixelTarget", plain,
                     "Layout, element type and normalisation of an output.")
      .def(py::init(&make_target), py::arg("layout"), py::arg("dtype"), py::arg("size"),
           py::arg("mean"), py::arg("std"), py::arg("grid"));
  module.def("pixels_paths", &paths, "Kernels this machine runs, fastest first.");
  module.def("pixels_takes", &takes, py::arg("chroma"), py::arg("bit_depth"),
             py::arg("width"), py::arg("height"), py::arg("interlaced"),
             "Whether pixels_yuv is bit-equal to FFmpeg for such a picture.");
  module.def("pixels_mixes_chroma", &mixes_chroma, py::arg("chroma"),
             py::arg("bit_depth"), py::arg("height"), py::arg("interlaced"),
             "Whether the pixels of such a picture depend on where its chroma lies.");
  module.def("pixels_yuv", &see_yuv, py::arg("planes"), py::arg("bit_depth"),
             py::arg("colour"), py::arg("site"), py::arg("steps"), py::arg("target"),
             py::arg("out"), py::arg("slot"), py::arg("kernel"),
             "YUV planes through resizes into out; the name of the kernel that ran.");
  module.def(
      "pixels_rgb", &see_rgb, py::arg("image"), py::arg("steps"), py::arg("target"),
      py::arg("out"), py::arg("slot"), py::arg("kernel"),
      "uint8 [H, W, 3] through resizes into out; the name of the kernel that ran.");
}

}  // namespace edgeval::bind
