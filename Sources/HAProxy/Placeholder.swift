enum HAProxyPlaceholder {}
