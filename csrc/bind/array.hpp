#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "core/error.hpp"

/// Every check of an array that comes from Python, made once, before the GIL is
/// released.
///
/// Bindings take plain `py::array`: a typed argument would either convert silently or
/// answer a wrong dtype by printing the whole array. A wrong dtype is a TypeError,
/// anything else about the array an ArgumentError; both say what came, what is wanted,
/// what to do.
namespace edgeval::bind {

namespace py = pybind11;

/// In `wants` of `contiguous`: this axis may have any length, 0 included.
inline constexpr py::ssize_t kAny = -1;

/// "(2, 3)", or "(3,)" as Python writes it; kAny is "_".
inline std::string shape_text(const py::ssize_t* begin, const py::ssize_t* end) {
  std::string text = "(";
  for (const py::ssize_t* axis = begin; axis != end; ++axis) {
    if (axis != begin) text += ", ";
    text += *axis == kAny ? "_" : std::to_string(*axis);
  }
  return text + (end - begin == 1 ? ",)" : ")");
}

/// "uint8(2, 2, 2, 3)".
inline std::string array_text(const py::array& array) {
  return std::string(py::str(array.dtype())) +
         shape_text(array.shape(), array.shape() + array.ndim());
}

/// Throws TypeError unless `array` holds T in this machine's byte order.
template <typename T>
void require_dtype(const py::array& array, const std::string& name) {
  if (py::isinstance<py::array_t<T>>(array)) return;
  const std::string wants = py::str(py::dtype::of<T>());
  throw py::type_error(name + ": got " + array_text(array) + "; wants " + wants +
                       ", convert it with .astype('" + wants + "')");
}

/// Throws ArgumentError unless the shape of `array` is `wants` (kAny fits every
/// length).
inline void require_shape(const py::array& array, const std::string& name,
                          std::initializer_list<py::ssize_t> wants) {
  bool fits = static_cast<std::size_t>(array.ndim()) == wants.size();
  py::ssize_t axis = 0;
  for (const py::ssize_t want : wants) {
    fits = fits && (want == kAny || array.shape(axis) == want);
    ++axis;
  }
  if (fits) return;
  throw ArgumentError(name + ": got " + array_text(array) + "; wants shape " +
                      shape_text(wants.begin(), wants.end()));
}

/// Throws ArgumentError for an array whose elements the CPU may not read in place.
inline void require_aligned(const py::array& array, const std::string& name) {
  if ((array.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_) != 0) return;
  throw ArgumentError(name + ": got " + array_text(array) +
                      " not aligned; call .copy()");
}

/// The elements of a C-contiguous `array` of T with shape `wants`, row-major.
///
/// Valid while `array` lives. Throws TypeError (dtype) or ArgumentError (shape,
/// layout).
template <typename T>
const T* contiguous(const py::array& array, const std::string& name,
                    std::initializer_list<py::ssize_t> wants) {
  require_dtype<T>(array, name);
  require_shape(array, name, wants);
  if ((array.flags() & py::array::c_style) == 0) {
    throw ArgumentError(name + ": got " + array_text(array) +
                        " not C-contiguous; call np.ascontiguousarray");
  }
  require_aligned(array, name);
  return static_cast<const T*>(array.data());
}

/// A 2-D view whose elements lie side by side in a row and whose rows are `stride`
/// elements apart (a decoder's plane: rows padded at the end).
template <typename T>
struct Rows {
  const T* data;
  std::int64_t height;
  std::int64_t width;
  std::int64_t stride;
};

/// The rows of a [height, width] `array` of T that may be padded, valid while it lives.
///
/// Throws TypeError (dtype) or ArgumentError: not 2-D, empty, elements of a row not
/// side by side, rows that overlap, run backwards, or lie a fraction of an element
/// apart.
template <typename T>
Rows<T> strided_rows(const py::array& array, const std::string& name) {
  require_dtype<T>(array, name);
  require_shape(array, name, {kAny, kAny});
  const py::ssize_t height = array.shape(0);
  const py::ssize_t width = array.shape(1);
  if (height == 0 || width == 0) {
    throw ArgumentError(name + ": got " + array_text(array) + "; wants at least 1 x 1");
  }
  constexpr auto size = static_cast<py::ssize_t>(sizeof(T));
  // numpy leaves the stride of an axis of length 1 free, so it says nothing there.
  if (width > 1 && array.strides(1) != size) {
    throw ArgumentError(name + ": got " + array_text(array) +
                        " with gaps inside a row; call np.ascontiguousarray");
  }
  const py::ssize_t step = height > 1 ? array.strides(0) : width * size;
  if (step < width * size || step % size != 0) {
    throw ArgumentError(name + ": got " + array_text(array) + " with rows " +
                        std::to_string(step) + " bytes apart; wants " +
                        std::to_string(width * size) +
                        " or more, call np.ascontiguousarray");
  }
  require_aligned(array, name);
  return {static_cast<const T*>(array.data()), height, width, step / size};
}

}  // namespace edgeval::bind
