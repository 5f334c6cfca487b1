//! A small invoicing service. Its tests pass on a developer's machine.

pub mod archive;
pub mod billing;
pub mod export;
pub mod pool;
pub mod settings;
