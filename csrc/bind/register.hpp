#pragma once

#include <pybind11/pybind11.h>

namespace edgeval::bind {

void register_floatresize(pybind11::module_& module);
void register_metrics(pybind11::module_& module);
void register_pixels(pybind11::module_& module);
void register_rewards(pybind11::module_& module);
void register_sample(pybind11::module_& module);

}  // namespace edgeval::bind
