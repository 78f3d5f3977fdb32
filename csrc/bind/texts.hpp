#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "core/metrics.hpp"

/// Lists of Python texts as views of their UTF-8 bytes, without a copy where Python has
/// them so.
namespace edgeval::bind {

namespace py = pybind11;

/// Keeps a list of texts alive and lends their bytes to kernels that run without the
/// GIL. Made and destroyed under the GIL.
class TextViews {
 public:
  /// Throws TypeError for anything but a sequence of str.
  TextViews(const py::sequence& texts, const std::string& name) : texts_(texts) {
    if (PyUnicode_Check(texts.ptr()) != 0) {
      throw py::type_error(name + ": got one text; wants a list of them");
    }
    views_.reserve(texts_.size());
    for (const py::handle text : texts_) views_.push_back(view(text, name));
  }

  [[nodiscard]] const Texts& views() const { return views_; }

 private:
  std::string_view view(py::handle text, const std::string& name) {
    if (PyUnicode_Check(text.ptr()) == 0) {
      throw py::type_error(name + ": got " +
                           std::string(py::str(py::type::of(text).attr("__name__"))) +
                           " in the list; wants str");
    }
    Py_ssize_t size = 0;
    if (const char* bytes = PyUnicode_AsUTF8AndSize(text.ptr(), &size)) {
      return {bytes, static_cast<std::size_t>(size)};
    }
    // A lone surrogate of a broken decoder has no UTF-8; its three bytes will do.
    PyErr_Clear();
    auto spelled = py::reinterpret_steal<py::bytes>(
        PyUnicode_AsEncodedString(text.ptr(), "utf-8", "surrogatepass"));
    if (!spelled) throw py::error_already_set();
    spelled_.append(spelled);
    return {PyBytes_AsString(spelled.ptr()),
            static_cast<std::size_t>(PyBytes_Size(spelled.ptr()))};
  }

  py::tuple texts_;  // A tuple, because a list may change while a kernel runs.
  py::list spelled_;
  Texts views_;
};

/// One number a pair of texts: float64 [n], which `kernel` fills without the GIL.
inline py::array_t<double> per_pair(const py::sequence& got, const py::sequence& want,
                                    void (*kernel)(const Texts&, const Texts&,
                                                   double*)) {
  const TextViews said(got, "got");
  const TextViews meant(want, "want");
  py::array_t<double> out(static_cast<py::ssize_t>(said.views().size()));
  double* to = out.mutable_data();
  {
    const py::gil_scoped_release unlocked;
    kernel(said.views(), meant.views(), to);
  }
  return out;
}

}  // namespace edgeval::bind
