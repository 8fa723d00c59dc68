import Testing

struct PlaceholderProxyServerTests {}
