//! libextism: the C interface of the Extism runtime, as it is in the crate. `extism.h` comes with the crate, too.
pub use extism::sdk::*;
