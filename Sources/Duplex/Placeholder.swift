enum DuplexPlaceholder {}
