enum ProxyServerPlaceholder {}
