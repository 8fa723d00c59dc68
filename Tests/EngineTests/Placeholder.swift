import Testing

struct PlaceholderEngineTests {}
