//! The commands, a file each. They join the library's parts; what they print comes from `fidelity_core::report`.

