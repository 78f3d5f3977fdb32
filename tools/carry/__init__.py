"""Python packages for a machine without network: packed here, unpacked there (docs/GPU.md)."""
