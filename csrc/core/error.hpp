#pragma once

#include <stdexcept>

namespace edgeval {

/// An argument outside its domain. The binding turns it into
/// edgeval.errors.ArgumentError.
class ArgumentError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

}  // namespace edgeval
