import Testing

struct PlaceholderLabTests {}
