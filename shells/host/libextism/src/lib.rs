pub use extism::sdk::*;
