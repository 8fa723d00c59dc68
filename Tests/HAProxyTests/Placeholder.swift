import Testing

struct PlaceholderHAProxyTests {}
