namespace edgeval {
const char* core_version() { return "0.1.0"; }
}  // namespace edgeval
