#include <pybind11/pybind11.h>

#include <exception>

#include "bind/register.hpp"
#include "core/error.hpp"

namespace py = pybind11;

PYBIND11_MODULE(_core, module) {
  module.doc() =
      "C++ kernels of edgeval: frame rules, pixels, metrics, rewards. Use "
      "edgeval.frames, .pixels, .floatresize, .metrics, .rewards.";

  // NOLINTNEXTLINE(performance-unnecessary-value-param): pybind11 wants this signature
  py::register_exception_translator([](std::exception_ptr error) {
    try {
      if (error) std::rethrow_exception(error);
    } catch (const edgeval::ArgumentError& caught) {
      const py::object type =
          py::module_::import("edgeval.errors").attr("ArgumentError");
      PyErr_SetString(type.ptr(), caught.what());
    }
  });

  edgeval::bind::register_sample(module);
  edgeval::bind::register_pixels(module);
  edgeval::bind::register_floatresize(module);
  edgeval::bind::register_metrics(module);
  edgeval::bind::register_rewards(module);
}
