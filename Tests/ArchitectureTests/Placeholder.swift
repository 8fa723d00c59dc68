import Testing

struct PlaceholderArchitectureTests {}
