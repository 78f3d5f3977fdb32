#include "bind/register.hpp"

namespace edgeval::bind {

void register_pixels(pybind11::module_& module) { (void)module; }

}  // namespace edgeval::bind
